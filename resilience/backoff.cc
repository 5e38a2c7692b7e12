#include <algorithm>
#include <cmath>
#include <cstdint>

#include "resilience/retry.h"

namespace mg {
namespace {

// A point of [from, to), in whole nanoseconds rounded down: never `to` itself.
absl::Duration Between(absl::Duration from, absl::Duration to, Random random) {
  const auto width = static_cast<double>(absl::ToInt64Nanoseconds(to - from));
  return from + absl::Nanoseconds(static_cast<int64_t>(std::floor(width * random())));
}

}  // namespace

absl::Duration Backoff(const BackoffPolicy& policy, int n, absl::Duration previous, Random random) {
  const int exponent = std::clamp(n - 1, 0, 62);
  const absl::Duration e_n = std::min(policy.max, policy.base * (int64_t{1} << exponent));
  switch (policy.jitter) {
    case Jitter::kNone:
      return e_n;
    case Jitter::kFull:
      return Between(absl::ZeroDuration(), e_n, random);
    case Jitter::kEqual:
      return Between(e_n / 2, e_n, random);
    case Jitter::kDecorrelated:
      // The bound is clamped, not the result: else two fifths of late retries would wait exactly
      // `max`.
      const absl::Duration last = previous == absl::ZeroDuration() ? policy.base : previous;
      return Between(policy.base, std::max(policy.base, std::min(policy.max, 3 * last)), random);
  }
  return e_n;
}

}  // namespace mg
