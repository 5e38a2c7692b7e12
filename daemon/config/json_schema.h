// `model-gateway config schema`: what a configuration may say, for editors that complete and check
// YAML and JSON. Out of config.proto by reflection, as the loader and the manual are. A pure
// function.
#pragma once

#include <string>

namespace mg {

// JSON Schema, draft 2020-12. It accepts every configuration that the loader accepts when its
// values are written as JSON has them; what only the loader knows (ranges of durations, names that
// must refer to something) it leaves to `model-gateway check`.
std::string ConfigJsonSchema();

}  // namespace mg
