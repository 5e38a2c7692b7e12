// Answers that come over HTTP, and what they share. An answer belongs to its attempt and its loop.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "adapters/chat_codec.h"
#include "adapters/dialect.h"
#include "daemon/byte_budget.h"
#include "daemon/provider.h"
#include "daemon/runtime/http_client.h"

namespace mg {

// What an attempt holds of the bytes that all buffers of the process may have together.
class Held {
 public:
  explicit Held(ByteBudget* budget) : budget_(budget) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held();

  void Add(size_t bytes) { Set(bytes_ + bytes); }
  void Set(size_t bytes);
  // The gateway's buffers are crowded, and this is none of the small ones.
  bool too_much() const;
  // The error of what found no room: "this answer".
  static absl::Status NoRoom(absl::string_view what);

 private:
  ByteBudget* const budget_;
  size_t bytes_ = 0;
};

// The error of a non-2xx answer, with as much of its body as comes within a few seconds.
Task<absl::Status> ReadHttpError(const Ask& ask, HttpExchange* exchange, const Dialect& dialect,
                                 const DialectContext& context, const HttpHead& head, Instant until,
                                 Cancellation* cancellation);

// An answer that turns out to be none, its body so far: at debug the log says how it begins. Told
// are only those that no document describes.
void TellBadAnswer(const Ask& ask, absl::string_view body, const absl::Status& status);

// Keeps so much of a body that comes in pieces.
class Beginning {
 public:
  explicit Beginning(const Ask& ask) : ask_(ask) {}
  void Add(absl::string_view bytes);
  void Tell(const absl::Status& status) const { TellBadAnswer(ask_, bytes_, status); }

 private:
  const Ask& ask_;
  std::string bytes_;
};

class HttpProvider;

// A chat, whole or streamed. `provider` and what `ask` refers to must outlive it.
std::unique_ptr<Answer> NewChatAnswer(const Ask& ask, const HttpProvider& provider,
                                      std::unique_ptr<ChatCodec> codec,
                                      std::vector<v1::Warning> warnings, size_t request_bytes,
                                      std::unique_ptr<HttpExchange> exchange);

}  // namespace mg
