// What a configuration must keep beyond the single key (spec/resilience.md §3.12): names that refer
// to something, ranges between keys as they result from their scopes, addresses, URLs, headers.
#pragma once

#include "daemon/config/load.h"
#include "daemon/config/problem.h"

namespace mg {

// Adds what is wrong to `log`, whose problems so far came from reading; what follows from those is
// not told again. Normalises what may be written in two ways (a slash at the end of a base_url is
// dropped).
void ValidateConfig(const Outside& outside, LoadedConfig* loaded, ProblemLog* log);

}  // namespace mg
