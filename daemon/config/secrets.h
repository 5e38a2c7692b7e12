// From the reference of a secret to the secret: read once, at load. What is wrong is told by place
// and name, never by value.
#pragma once

#include "daemon/config/load.h"
#include "daemon/config/problem.h"
#include "daemon/config/reader.h"

namespace mg {

// Into loaded's secrets; a reference that leads nowhere into `log`, a file that is open to all into
// the warnings.
void ResolveSecret(const SecretPlace& place, const Outside& outside, LoadedConfig* loaded,
                   ProblemLog* log);

}  // namespace mg
