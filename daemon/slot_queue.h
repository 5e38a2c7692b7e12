// Waiting for a slot at an endpoint that has as many attempts in flight as it may (limits.queue,
// limits.queue_timeout; spec/resilience.md §3.9). The call's loop.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "daemon/call.h"
#include "daemon/runtime/task.h"
#include "resilience/limiter.h"

namespace mg {

// kShed, with the reason queue_full or queue_timeout and a hint, where there is no place or no slot
// in time, or `min_attempt` would not be left of the call; the cancellation's status where that
// came first.
Task<absl::StatusOr<Limiter::Slot>> WaitForSlot(Call& call, Limiter& limiter,
                                                absl::Duration queue_timeout,
                                                absl::Duration min_attempt);

}  // namespace mg
