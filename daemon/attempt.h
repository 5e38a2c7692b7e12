// One try at one candidate: reads its answer event by event under the clocks of the attempt and
// hands the events to the sink. The same for every provider and for unary and streaming calls.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "daemon/call.h"
#include "daemon/provider.h"
#include "daemon/runtime/task.h"
#include "daemon/sink.h"
#include "resilience/attempt_limits.h"
#include "resilience/permits.h"

namespace mg {

// What has become of an attempt is its row in call.record.attempts. `limits`: how long it may take.
// `waited`: the back-off before it. `permits` hear of the commit; what follows from the end is
// theirs to be told by the caller.
Task<absl::Status> Attempt(Call& call, const Candidate& candidate, std::unique_ptr<Answer> answer,
                           const AttemptLimits& limits, absl::Duration waited, Permits& permits,
                           Sink& sink);

}  // namespace mg
