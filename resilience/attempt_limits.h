// How much of a call's remaining time one attempt may have (spec/resilience.md §3.7): all of it
// where nothing else could be asked, else so much that each further candidate gets its share. Pure.
#pragma once

#include "absl/time/time.h"

namespace mg {

// The configured clocks of one attempt (spec/resilience.md §2.6, §3.11). Zero is a value; `attempt`
// and `final_ttft` of zero mean what remains of the deadline.
struct Timeouts {
  absl::Duration connect = absl::Seconds(5);
  absl::Duration ttft = absl::Seconds(180);  // to the first content; streams only
  absl::Duration final_ttft = absl::ZeroDuration();
  absl::Duration attempt = absl::ZeroDuration();
  absl::Duration stream_idle = absl::Seconds(60);       // between any bytes, after the commit
  absl::Duration stream_progress = absl::Seconds(300);  // between contents; zero: off
  absl::Duration stream_end = absl::Seconds(5);
  absl::Duration min_attempt = absl::Seconds(1);
};

// Counted from the start of the attempt; infinite: only the deadline ends it.
struct AttemptLimits {
  absl::Duration whole = absl::InfiniteDuration();          // to the commit
  absl::Duration first_content = absl::InfiniteDuration();  // streams only
  // `whole` is no configured clock, but the share that leaves time for others.
  bool shared = false;
};

// `remaining`: until the deadline. `others_left`: candidates that could still be asked.
// `attempts_left`: attempts that may follow this one.
AttemptLimits LimitsOf(const Timeouts& timeouts, absl::Duration remaining, int others_left,
                       int attempts_left);

// From when on it is the provider's fault that an attempt has no answer: an earlier end by the
// caller's deadline, or by the share planned from it, says nothing about it (§3.2).
absl::Duration BlameAfter(const Timeouts& timeouts, bool stream);

}  // namespace mg
