// How many repeats an endpoint may be asked for (spec/resilience.md §3.6): tokens, earned by first
// attempts that went well and by time, so that retries stay a share of the traffic and next to
// nothing where all of it fails. Any thread.
#pragma once

#include <mutex>

#include "base/time.h"

namespace mg {

// retry.budget.* of the configuration, §3.11.
struct RetryBudgetPolicy {
  double ratio = 0.2;           // tokens for a first attempt that went well
  double min_per_second = 0.1;  // tokens that time brings
  double max_tokens = 20;       // it begins with half of them
};

class RetryBudget {
 public:
  RetryBudget(const RetryBudgetPolicy& policy, Instant now)
      : policy_(policy), tokens_(policy.max_tokens / 2), as_of_(now) {}

  // Not for a call that is itself a repeat of its client.
  void FirstAttemptSucceeded(Instant now);
  // Takes `cost` tokens if there are as many. The cost (§3.6): 1 for a repeat after a failure that
  // never left the gateway, 2 after any other, 0 for a candidate that the call has not tried yet.
  bool Take(double cost, Instant now);
  double Tokens(Instant now) const;
  // What is over the new maximum is lost.
  void SetPolicy(const RetryBudgetPolicy& policy, Instant now);

 private:
  double TokensAt(Instant now) const;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  RetryBudgetPolicy policy_;
  double tokens_;
  Instant as_of_;
};

}  // namespace mg
