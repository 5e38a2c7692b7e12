#include "daemon/call.h"

#include <algorithm>

#include "base/error.h"
#include "daemon/live_view.h"

namespace mg {

DeadlineTimer::DeadlineTimer(Loop* loop, Instant at, Cancellation* cancellation)
    : loop_(loop), timer_(loop->CallAt(at, [cancellation] {
        cancellation->Cancel(MakeError(ErrorClass::kDeadline,
                                       "the call's deadline passed before it was answered; see the "
                                       "report for what was tried"));
      })) {}

DeadlineTimer::~DeadlineTimer() { loop_->CancelTimer(timer_); }

void Call::Tell(const std::vector<BreakerEvent>& events) const {
  if (telemetry == nullptr) return;
  for (const BreakerEvent& event : events) telemetry->BreakerTold(RecordOf(event, ""));
}

Instant DeadlineOf(Instant callers, const DeadlinePolicy& policy, Instant now) {
  if (callers == kNever) return now + std::min(policy.default_deadline, policy.max);
  const absl::Duration left = callers - now;
  if (left > policy.max) return now + policy.max;
  return callers - std::min(absl::Milliseconds(20), left / 10);
}

}  // namespace mg
