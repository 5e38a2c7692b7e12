// What a caller is told whose call could not be tried at all (spec/resilience.md §3.9): why, and
// when it may come back. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "resilience/availability.h"
#include "resilience/retry.h"

namespace mg {

struct BlockedCandidate {
  std::string id;
  Availability availability;  // blocked by anything but a slot
};

// `group`: what was asked for. At least one candidate. The kind is NO_CANDIDATE, or UNKNOWN_MODEL
// where all are blocked since their provider does not know the model; the code says what it is all
// about: RESOURCE_EXHAUSTED (rates and quotas), FAILED_PRECONDITION (our keys), else UNAVAILABLE.
absl::Status Refusal(absl::string_view group, const std::vector<BlockedCandidate>& blocked,
                     Instant now, Random random);

}  // namespace mg
