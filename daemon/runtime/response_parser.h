// An answer of HTTP/1.1 out of the bytes of a connection, at whatever places they are cut: its head
// (informational ones are skipped) and its body without the framing. Boost.Beast parses; our own
// are the limits and the checks that it leaves out (spec/resilience.md §5). No I/O.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "base/http_message.h"

namespace mg {

class ResponseParser {
 public:
  // All heads of an answer together, informational ones included.
  static constexpr size_t kMaxHeadBytes = 64 << 10;
  static constexpr int kMaxInformational = 100;

  // `answers_head`: the request's method was HEAD, and no body follows whatever the head says.
  explicit ResponseParser(bool answers_head);
  ~ResponseParser();

  // Takes the next bytes of the connection and appends what they hold of the body to `body`. False:
  // this is no answer, problem() says why, and no more may come.
  bool Take(absl::string_view bytes, std::string* body);
  // The connection is at its end. False where the answer is not.
  bool TakeEnd();

  // Whether any byte of an answer has come.
  bool begun() const { return begun_; }
  bool head_complete() const { return head_complete_; }
  const HttpHead& head() const { return head_; }
  bool complete() const;
  // Whether another request may go over the connection; of a complete answer.
  bool keep_alive() const;
  const char* problem() const { return problem_; }

 private:
  struct Parser;

  bool TakeHead(size_t taken, size_t left);
  bool CheckHead();
  bool Refuse(const char* problem);

  const bool answers_head_;
  std::unique_ptr<Parser> parser_;
  std::string pending_;  // bytes that do not make a whole token yet
  HttpHead head_;
  size_t head_bytes_ = 0;
  int informational_ = 0;
  bool begun_ = false;
  bool head_complete_ = false;
  const char* problem_ = "";
};

}  // namespace mg
