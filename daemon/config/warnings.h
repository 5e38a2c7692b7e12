// What a configuration may say, and most probably does not mean: settings of retries of which a
// part can never happen (spec/resilience.md §3.6, §3.9). A pure function; used at load.
#pragma once

#include "daemon/config/load.h"

namespace mg {

// Into loaded's warnings. Only for a configuration without problems: names lead somewhere, and
// ranges hold.
void WarnOfRetries(LoadedConfig* loaded);

}  // namespace mg
