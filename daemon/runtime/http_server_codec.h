// Heads of requests out of bytes and replies into bytes, by Boost.Beast, which stays in the .cc
// file.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "daemon/runtime/http_checks.h"
#include "daemon/runtime/http_server.h"

namespace mg {

// `bytes` is a whole head. The refusal where it is none.
std::optional<HttpRefusal> ParseRequestHead(absl::string_view bytes, HttpRequestHead* head);

// The body that follows a head, by its length or in chunks.
class BodyParser {
 public:
  // `head` is one that ParseRequestHead has taken.
  BodyParser(absl::string_view head, size_t max_body);
  ~BodyParser();

  // Takes what it can of `bytes`, and returns how many that were. Nothing may be given to it once
  // it is done.
  size_t Take(absl::string_view bytes);
  bool done() const;
  // Why the body is none: malformed chunks, or too large.
  const std::optional<HttpRefusal>& refusal() const { return refusal_; }
  std::string TakeBody();

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::optional<HttpRefusal> refusal_;
};

// With the headers that every reply has. `head_only`: for HEAD.
std::string SerializeReply(const HttpReply& reply, bool head_only, bool keep_alive);

}  // namespace mg
