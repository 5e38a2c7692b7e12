// What of an answer its dialect has no word for: gathered by name, the last value of a stream, and
// given out as provider_metadata, shaped as in the answer and bounded. One per decoder.
#pragma once

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "base/json.h"
#include "google/protobuf/struct.pb.h"

namespace mg {

inline constexpr size_t kMaxMetadataBytes = 16 * 1024;

class AnswerMetadata {
 public:
  // A member of the answer itself, of its usage, or of a choice (and of the choice's message).
  void Keep(absl::string_view name, const JsonValue& value) { KeepIn(&answer_, name, value); }
  void KeepOfUsage(absl::string_view name, const JsonValue& value) { KeepIn(&usage_, name, value); }
  void KeepOfChoice(int index, absl::string_view name, const JsonValue& value) {
    KeepIn(&choices_[index], name, value);
  }
  void KeepOfMessage(int index, absl::string_view name, const JsonValue& value) {
    KeepIn(&messages_[index], name, value);
  }

  // At most kMaxMetadataBytes of JSON: what does not fit any more is left out whole. False if there
  // is nothing.
  bool Write(google::protobuf::Struct* out) const;

 private:
  using Members = std::map<std::string, std::string>;  // name → JSON text
  void KeepIn(Members* members, absl::string_view name, const JsonValue& value);

  size_t bytes_ = 0;  // of all texts
  Members answer_;
  Members usage_;
  std::map<int, Members> choices_;
  std::map<int, Members> messages_;
};

}  // namespace mg
