// What the kernel says of this process.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace mg {

struct ProcessStats {
  double cpu_seconds = 0;  // user and system
  int64_t resident_bytes = 0;
  int64_t virtual_bytes = 0;
  int64_t open_descriptors = 0;
  int64_t max_descriptors = 0;
  absl::Time started;
};

// Zeros for what cannot be read.
ProcessStats ReadProcessStats();

}  // namespace mg
