// UTF-8 as protobuf wants its strings.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace mg {

// Length of the longest prefix of `text` that is valid UTF-8 (no surrogates, nothing over U+10FFFF,
// nothing overlong).
size_t ValidUtf8Prefix(absl::string_view text);
inline bool IsValidUtf8(absl::string_view text) { return ValidUtf8Prefix(text) == text.size(); }
// `text` with each invalid byte replaced by U+FFFD.
std::string WithValidUtf8(absl::string_view text);
// At most `max_bytes` of `text`, cut between characters.
absl::string_view CutUtf8(absl::string_view text, size_t max_bytes);

}  // namespace mg
