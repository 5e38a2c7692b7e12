// The arguments of a tool call for dialects that take a JSON object and nothing else. Pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mg {

// Appends the object that `arguments` is, slice by slice, or {"input":…} with what else it is; {}
// for a blank text. False: it was no object.
bool AppendArgumentsObject(absl::string_view arguments, std::string* out);

}  // namespace mg
