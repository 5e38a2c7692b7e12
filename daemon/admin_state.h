// The live state as the service Admin tells it, and what operators do to it. Called on the loop's
// thread; what it looks at is shared, and each object has its own mutex.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/time.h"
#include "daemon/snapshot.h"
#include "modelgateway/v1/admin.pb.h"
#include "telemetry/breaker_record.h"

namespace mg {

// When: on the loop's clock, and the date of it.
struct Moment {
  Instant now;
  absl::Time wall;

  absl::Time DateOf(Instant instant) const { return wall + (instant - now); }
};

v1::CandidateState CandidateStateOf(const Snapshot& snapshot, const Candidate& candidate,
                                    const Moment& moment);
// Routes and endpoints.
void DescribeState(const Snapshot& snapshot, const Moment& moment, v1::GetStateResponse* response);

// All candidates that `scope` names, once each; kInvalidRequest with the field where there is no
// such provider.
absl::StatusOr<v1::ScopeResponse> DescribeScope(const Snapshot& snapshot, const v1::Scope& scope,
                                                const Moment& moment);

// By an operator, who is named in what is told of each change. `scope` must be one that
// DescribeScope takes.
std::vector<BreakerRecord> ResetScope(const Snapshot& snapshot,
                                      const v1::ResetBreakerRequest& request, Instant now);
// `until`: kNever: by hand.
std::vector<BreakerRecord> IsolateScope(const Snapshot& snapshot, const v1::Scope& scope,
                                        Instant now, Instant until);

}  // namespace mg
