// Retry without time, threads or I/O (spec/resilience.md §3.4-3.6, §3.8): a pure decision from what
// has failed so far. One count of attempts holds over the whole chain of candidates.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/error.h"
#include "base/time.h"

namespace mg {

enum class Jitter { kNone, kFull, kEqual, kDecorrelated };

struct BackoffPolicy {
  absl::Duration base = absl::Milliseconds(250);
  absl::Duration max = absl::Seconds(8);
  Jitter jitter = Jitter::kFull;
};

// What is a candidate's own (§3.11); how many attempts there are in all is the call's.
struct RetryPolicy {
  BackoffPolicy backoff;
  // How often a call asks it. nullopt: twice, or as often as the call may where no other is left.
  std::optional<int> max_per_candidate;
  absl::Duration inline_wait_max = absl::Seconds(2);  // the longest hint a call waits for by itself
};

// U[0,1); a test passes a constant.
using Random = absl::FunctionRef<double()>;

// The wait before the n-th retry (n ≥ 1) of one candidate, §3.5. `previous` is what the last call
// returned for decorrelated jitter (zero before the first).
absl::Duration Backoff(const BackoffPolicy& policy, int n, absl::Duration previous, Random random);

struct RetryDecision {
  enum class Kind { kStop, kSame, kNext };
  Kind kind = Kind::kStop;
  int candidate = -1;          // index into the plan's order; kSame: the one that failed
  Instant at;                  // when to try
  bool budget_denied = false;  // a repetition was due, and the retry budget had nothing for it
};

// What a decision asks about the candidates, at its own time. It refers to what it is made of.
struct Outlook {
  absl::FunctionRef<bool(int)> selectable;  // may this one be asked now?
  // From when the one that failed may be asked again: later than now where its own answer set a
  // cooldown; kNever: not at all.
  Instant again_from;
  // Takes so many tokens from the retry budget of its endpoint; false: they are not there.
  absl::FunctionRef<bool(int candidate, int tokens)> pay;
};

// The state of one call's attempts. Candidates are named by their index in the call's plan, in the
// order of preference. The plan tells how many there are and may say at each decision which of them
// cannot be asked now.
class RetryState {
 public:
  // `max_attempts`: the first one included, over all candidates. Without `may_change_candidate` the
  // first candidate is the call's only one.
  RetryState(int max_attempts, const std::vector<RetryPolicy>& policy_by_candidate,
             bool may_change_candidate);

  // The first candidate to ask that `selectable` allows; nullopt: none.
  std::optional<int> First(absl::FunctionRef<bool(int)> selectable) const;

  // What follows the failure `status` of `candidate`, one attempt of which is counted with each
  // call of this. No attempt may begin later than `not_after` (deadline less the shortest attempt):
  // where only that would be left, the call ends with its own error, at once.
  RetryDecision After(const absl::Status& status, int candidate, Instant now, Instant not_after,
                      const Outlook& outlook, Random random);

  // Asked instead of After, where the answer of `candidate` missed its schema: may it mend it at
  // once? Once in a call, within the configured attempts. Yes counts the attempt that failed.
  bool MayRepair(int candidate, Instant now, Instant not_after);

  // The next candidate that is left behind `candidate`, wrapping, at the time of the last decision;
  // nullopt: none.
  std::optional<int> OtherLeft(int candidate, absl::FunctionRef<bool(int)> selectable) const;
  // How many of the others are left.
  int OthersLeft(int candidate, absl::FunctionRef<bool(int)> selectable) const;

  int attempts() const { return attempts_; }

 private:
  struct Candidate {
    RetryPolicy policy;
    int attempts = 0;
    int repeats = 0;  // since the call last came to it from another candidate
    bool repaired = false;
    bool spent = false;  // an answer of it had no R: it is not asked again in this call
    Instant not_before = absl::InfinitePast();  // by its own hint
    absl::Duration last_delay;
  };

  // May the call come (back) to it from another candidate?
  bool Left(int candidate, absl::FunctionRef<bool(int)> selectable) const;
  // When the back-off lets it be asked again, or for the first time.
  Instant ReadyAt(int candidate, Random random);
  RetryDecision Same(int candidate, std::optional<absl::Duration> hint, int tokens,
                     Instant not_after, const Outlook& outlook, Random random);
  // The next candidate that is left, wrapping, and whose time is not over.
  RetryDecision Next(int candidate, int tokens, Instant not_after, const Outlook& outlook,
                     Random random);

  const int max_attempts_;
  const bool may_change_candidate_;
  std::vector<Candidate> candidates_;
  int attempts_ = 0;
  Instant now_ = absl::InfinitePast();  // while deciding; then when the attempt decided on begins
};

}  // namespace mg
