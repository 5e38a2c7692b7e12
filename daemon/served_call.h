// What every method of the contract does around its own work: the names of the call and its record
// at the start, the plan, and the record handed to telemetry exactly once at the end, whatever the
// outcome. The loop's thread.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "daemon/call.h"
#include "daemon/rpc.h"
#include "daemon/worker.h"

namespace mg {

// A call of operation `op` (chat, embed …) that has come in: its names go out as initial metadata.
Call BeginCall(const Worker& worker, Rpc& rpc, const char* op, bool stream);

// Finds the route of `model` and makes the plan: call.plan, call.deadline and the record's routing
// fields. call.asked must be set.
absl::Status PlanCall(Call& call, const Rpc& rpc, absl::string_view model);

// The status for the caller, with the report; the record goes to telemetry.
absl::Status EndCall(const Worker& worker, Call& call, absl::Status status);

}  // namespace mg
