// What the first bytes of a medium say, and data URLs. Pure functions, any thread.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mg {

// "image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "audio/wav" or
// "audio/mpeg" by the first bytes; empty if they say nothing.
absl::string_view SniffMediaType(absl::string_view data);
// Lower case, without parameters; image/jpg is image/jpeg, audio/mp3 is audio/mpeg, and the like.
std::string NormalMediaType(absl::string_view media_type);
void AppendBase64(absl::string_view data, std::string* out);

}  // namespace mg
