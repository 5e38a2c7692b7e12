// The Decoder of an answer that comes as one JSON document, as server-sent events of JSON or as
// frames of AWS's event stream, by media type and first byte; what the JSON means is its
// AnswerReader's. One per attempt, on its loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/dialect.h"
#include "adapters/sse.h"
#include "base/json.h"

namespace mg {

// What a dialect makes of its JSON. Finishes and Completed are held until Complete.
class AnswerReader {
 public:
  virtual ~AnswerReader() = default;

  // Is the data of an event the terminal marker, where that is no JSON ("[DONE]")?
  virtual bool IsEnd(absl::string_view /*data*/) const { return false; }
  // One event of a stream; `text` is its JSON. `*ended`: it was the terminal marker.
  virtual absl::Status ReadEvent(absl::string_view name, const JsonValue& json,
                                 absl::string_view text, std::vector<v1::ChatEvent>* events,
                                 bool* ended) = 0;
  virtual absl::Status ReadWhole(const JsonValue& json, absl::string_view text,
                                 std::vector<v1::ChatEvent>* events) = 0;
  // Nothing follows.
  virtual void Complete(std::vector<v1::ChatEvent>* events) = 0;

  virtual bool has_output() const = 0;  // content of any kind
  virtual bool has_finish() const = 0;  // of any choice
  virtual bool finished() const = 0;    // of every choice that was begun, and one was
};

// kMalformed for an answer that cannot be one (text/html). `context` must outlive the decoder.
absl::StatusOr<std::unique_ptr<Decoder>> NewFramedDecoder(std::unique_ptr<AnswerReader> reader,
                                                          const DialectContext& context,
                                                          const HttpHead& head);

}  // namespace mg
