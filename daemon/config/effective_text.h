// `model-gateway config effective`: the whole configuration as it holds, with where each value
// comes from. A pure function.
#pragma once

#include <string>

#include "daemon/config/load.h"

namespace mg {

// YAML that loads as the same configuration: each leaf `key: value  # FILE:LINE`, `# env` for what
// the environment gave, `# default` for what is not written. Secrets are their references. What a
// group, candidate or provider inherits of `retry`, `timeouts` and their like stands once, at the
// top. `loaded` must be without problems.
std::string EffectiveText(const LoadedConfig& loaded);

}  // namespace mg
