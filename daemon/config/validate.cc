#include "daemon/config/validate.h"

namespace mg {

void ValidateConfig(const Outside&, LoadedConfig*, ProblemLog*) {}

}  // namespace mg
