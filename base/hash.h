// A hash that is the same in every build, process and machine: XXH3 with 64 bits (xxHash 0.8; the
// vectors are in tests/unit). For routing and fingerprints; not for secrets.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace mg {

uint64_t StableHash(absl::string_view bytes, uint64_t seed = 0);

}  // namespace mg
