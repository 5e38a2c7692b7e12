// Monotonic time. An Instant counts from the machine's own clock and is only ever compared with
// another Instant: it is no date. It comes from the event loop and stands still within one turn of
// it, so that tests own time.
#pragma once

#include "absl/time/time.h"

namespace mg {

using Instant = absl::Time;

inline constexpr Instant kNever = absl::InfiniteFuture();

}  // namespace mg
