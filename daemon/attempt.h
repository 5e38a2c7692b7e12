// One try at one candidate: reads its answer event by event under the clocks of the attempt and
// hands the events to the sink. The same for every provider and for unary and streaming calls.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "daemon/call.h"
#include "daemon/provider.h"
#include "daemon/runtime/task.h"
#include "daemon/sink.h"

namespace mg {

// What has become of an attempt is its row in call.record.attempts. `alternative`: another
// candidate could still be asked, so that the limit on the time to first token holds; without one
// the attempt has all that remains of the deadline (spec/resilience.md §3.7). `waited`: the
// back-off before it.
Task<absl::Status> Attempt(Call& call, const Candidate& candidate, std::unique_ptr<Answer> answer,
                           bool alternative, absl::Duration waited, Sink& sink);

}  // namespace mg
