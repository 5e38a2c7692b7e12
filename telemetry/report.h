// The report of a failed call travels in its ErrorDetail, which must stay small: above 8 KiB of
// metadata clients lose all of it (spec/resilience.md §3.4).
#pragma once

#include <cstddef>

#include "base/error.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

inline constexpr size_t kErrorDetailBytes = 4096;

// Cuts `detail` until it serialises to at most `max_bytes`: what says why the call failed and what
// it is called stays longest, then the first and the last attempts. A warning of code "cut" says
// how much of a list is missing.
void CutToFit(v1::ErrorDetail* detail, size_t max_bytes = kErrorDetailBytes);

}  // namespace mg
