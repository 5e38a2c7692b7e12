// A configuration's YAML as JSON. A pure function.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mg {

// The same values in the same order: numbers, true and false as such, everything else as text; the
// comments go. `yaml` must be text that ParseYaml takes.
std::string JsonOfYaml(absl::string_view yaml);

}  // namespace mg
