// The whole life of a call at its providers, top to bottom: the first candidate of the plan, then
// whatever the retry policy says, until one answers, the policy stops, or the call is committed or
// cancelled.
#pragma once

#include "absl/status/status.h"
#include "daemon/call.h"
#include "daemon/runtime/task.h"
#include "daemon/sink.h"

namespace mg {

// call.plan must have been made. The status is the one that the caller gets (spec/resilience.md
// §3.4: which error is returned when several attempts failed); every attempt is a row of
// call.record.
Task<absl::Status> Execute(Call& call, Sink& sink);

}  // namespace mg
