// The one door by which JSON text becomes a document: iterative and bounded, so that neither ten
// million brackets nor a huge body can hurt the process. A style test greps for other calls of
// Parse.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rapidjson/document.h"

namespace mg {

using JsonDocument = rapidjson::Document;
using JsonValue = rapidjson::Value;

struct JsonLimits {
  size_t max_bytes = 64 << 20;
  int max_depth = 128;
  // Each takes 16 bytes, and in the text as few as two; numbers of embeddings take ten and more.
  size_t max_values = 8 << 20;
};

// Parses `text` whole (white space around it is fine, anything else behind the value is not) into
// `document`. INVALID_ARGUMENT (a plain status: the caller knows whose fault it is) says what is
// wrong and at which byte: "not JSON at byte 12: …". Invalid UTF-8 is refused; lone surrogate
// escapes become U+FFFD. On failure `document` is null.
absl::Status ParseJson(absl::string_view text, JsonDocument* document, JsonLimits limits = {});

// The compact text of `value`, whose depth must be one that ParseJson accepts. Integral doubles
// keep their digits.
std::string ToJsonText(const JsonValue& value);

// The member `name` of an object; nullptr if `value` is no object or has no such member or it is
// null.
const JsonValue* Member(const JsonValue& value, absl::string_view name);
// The string member `name`; empty if there is none. Valid as long as the document is.
absl::string_view StringMember(const JsonValue& value, absl::string_view name);
inline absl::string_view StringOf(const JsonValue& value) {
  return absl::string_view(value.GetString(), value.GetStringLength());
}

// Appends `text` as a quoted JSON string. `text` must be valid UTF-8.
void AppendJsonString(absl::string_view text, std::string* out);

}  // namespace mg
