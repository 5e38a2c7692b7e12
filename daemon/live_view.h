// The live state as people and machines see it: what metrics and the log tell of breakers, and the
// gauges of /metrics.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/time.h"
#include "daemon/snapshot.h"
#include "resilience/permits.h"
#include "telemetry/breaker_record.h"
#include "telemetry/metrics.h"

namespace mg {

// `actor`: who did it, where that was an operator.
BreakerRecord RecordOf(const BreakerEvent& event, absl::string_view actor);

// modelgateway_breaker_state, _cooldown_until_timestamp_seconds, _cooldown_seconds and
// _retry_budget_tokens, of what the snapshot's configuration names. `wall_now`: the date at `now`.
std::vector<GaugeSample> StateSamples(const Snapshot& snapshot, Instant now, absl::Time wall_now);

}  // namespace mg
