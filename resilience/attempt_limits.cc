#include "resilience/attempt_limits.h"

#include <algorithm>
#include <cstdint>

namespace mg {
namespace {

// Zero stands for what remains of the deadline.
absl::Duration OrInfinite(absl::Duration limit) {
  return limit > absl::ZeroDuration() ? limit : absl::InfiniteDuration();
}

}  // namespace

AttemptLimits LimitsOf(const Timeouts& timeouts, absl::Duration remaining, int others_left,
                       int attempts_left) {
  AttemptLimits limits;
  limits.whole = OrInfinite(timeouts.attempt);
  absl::Duration rest;
  const int64_t fitting = absl::IDivDuration(remaining, timeouts.min_attempt, &rest) - 1;
  const int64_t others =
      std::min({static_cast<int64_t>(others_left), static_cast<int64_t>(attempts_left), fitting});
  if (others <= 0) {
    limits.first_content = OrInfinite(timeouts.final_ttft);
    return limits;
  }
  const absl::Duration reserved = std::max(timeouts.min_attempt, remaining / 4);
  const absl::Duration share = std::max(remaining - others * reserved, remaining / (others + 1));
  limits.shared = share < limits.whole;
  limits.whole = std::min(limits.whole, share);
  limits.first_content = OrInfinite(timeouts.ttft);
  return limits;
}

absl::Duration BlameAfter(const Timeouts& timeouts, bool stream) {
  if (!stream && timeouts.attempt > absl::ZeroDuration()) return timeouts.attempt;
  return OrInfinite(timeouts.ttft);
}

}  // namespace mg
