// Names of models in the path of a URL. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mg {

// Appends `name` with all but A-Z, a-z, 0-9, "-", ".", "_" and "~" encoded, its slashes too where
// it is `one_segment`. kInvalidRequest, for the model, where a segment is empty, "." or "..", which
// would lead to another path.
absl::Status AppendModelPath(absl::string_view name, bool one_segment, std::string* out);

}  // namespace mg
