// Ids of tool calls as providers take them that are narrow about it. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace mg {

// `id` where it is 1 to `longest` of A-Z, a-z, 0-9, _ and -; else one that is, and that no other id
// becomes. `longest` is at least 16.
std::string PlainCallId(absl::string_view id, size_t longest);

// The id itself where it is nine letters and digits, as Mistral's models want them; else nine that
// stand for it, always the same.
std::string ShortCallId(absl::string_view id);

}  // namespace mg
