// The circuit breaker as a plain value: what it knows and what follows from each event, the table
// of spec/resilience.md §3.2 row by row. No lock, no clock, no timer: changes that are due show at
// the next event. CircuitBreaker (breaker.h) gives it a mutex and permits; nobody else uses it.
//
// What holds between any two events:
// - a grant of an earlier generation changes nothing, and each change of state begins a generation;
// - `slots_` holds probes of this generation alone, so it is empty unless half-open;
// - closed: whatever is granted is no probe; half-open: it always is one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "base/time.h"
#include "resilience/outcome_window.h"
#include "resilience/retry.h"

namespace mg {

// Which breakers a provider has, and what feeds them. kAuto: one for the endpoint, fed by transport
// faults, and one for each target. kProvider: the endpoint's, fed by every failure (a target's
// counts its 429s alone). kTarget: the targets' alone. It is for whoever feeds them: to a
// breaker itself only a change of it means something.
enum class BreakerScope { kAuto, kProvider, kTarget };

// circuit_breaker.* of the configuration, §3.11, where the ranges stand. Zero is a value.
struct BreakerPolicy {
  bool enabled = true;  // false: everything is admitted and nothing counted; isolation still holds
  BreakerScope scope = BreakerScope::kAuto;
  int failure_threshold = 5;   // failures, or 429s, in a row; 0: never
  double failure_ratio = 0.5;  // of the outcomes within `window`; 0: never
  int min_requests = 20;
  absl::Duration window = absl::Seconds(30);
  absl::Duration cooldown = absl::Seconds(10);  // the first time open
  absl::Duration max_cooldown = absl::Seconds(300);
  double multiplier = 2;
  double jitter = 0.2;
  int half_open_max_probes = 1;
  int half_open_successes = 2;
  absl::Duration half_open_max_duration = absl::Seconds(60);
  absl::Duration sole_candidate_max_cooldown = absl::Seconds(5);
  absl::Duration slow_start_window = absl::Seconds(30);  // 0: full weight at once
  int slow_start_min_percent = 10;
};

enum class BreakerState { kClosed, kOpen, kHalfOpen, kIsolated };
const char* BreakerStateName(BreakerState state);  // "half_open"

// A change of state. Reasons, all of them: to OPEN "consecutive", "ratio", "rate_limited",
// "truncated", "probe_failed"; to HALF_OPEN "cooldown_over", or "sole_candidate" where it came
// earlier for that; to CLOSED "probes_succeeded", "reset", "isolation_over", "disabled",
// "scope_changed"; to ISOLATED "isolated".
struct Transition {
  BreakerState from = BreakerState::kClosed;
  BreakerState to = BreakerState::kClosed;
  const char* reason = "";
};

// What a verdict did.
struct BreakerEffect {
  bool stale = false;  // it came too late to count (modelgateway_breaker_stale_verdicts_total)
  std::optional<Transition> transition;
};

// All that is to be seen of a breaker: Admin's message Breaker, §3.15.
struct BreakerView {
  BreakerState state = BreakerState::kClosed;
  // Why it opened, and so why it is half-open; "isolated" of an isolated one; empty: closed.
  const char* reason = "";
  // Of an open one; of an isolated one when that ends (kNever: by hand); else nullopt.
  std::optional<Instant> open_until;
  uint64_t generation = 0;
  int consecutive = 0;
  int consecutive_truncated = 0;
  int window_ok = 0;
  int window_failed = 0;
  int rate_run = 0;
  int reopened = 0;  // the k of §3.2
  int probes = 0;    // that hold a slot
  Instant changed;   // when it came into this state; InfinitePast: it has always been in it
};

class BreakerMachine {
 public:
  // Says of an attempt who let it in.
  struct Grant {
    uint64_t generation = 0;
    uint64_t number = 0;  // in order of admission
    bool probe = false;
  };
  // Of a committed stream.
  struct TailGrant {
    uint64_t generation = 0;
    OutcomeWindow::Mark success;
  };
  struct Decision {
    std::optional<Grant> grant;
    Instant available_at;
    std::optional<Transition> transition;
  };

  explicit BreakerMachine(const BreakerPolicy& policy) : policy_(policy), window_(policy.window) {}

  // See CircuitBreaker for what each of these means.
  Decision Admit(Instant now, bool sole);
  Instant AvailableAt(Instant now, bool sole) const;

  BreakerEffect Commit(const Grant& grant, Instant now, TailGrant* tail);
  BreakerEffect Failure(const Grant& grant, Instant now, std::optional<absl::Duration> hint,
                        Random random);
  BreakerEffect RateLimited(const Grant& grant, Instant now, std::optional<absl::Duration> hint,
                            Random random);
  void Neutral(const Grant& grant);

  BreakerEffect CleanEnd(const TailGrant& tail);
  BreakerEffect Truncated(const TailGrant& tail, Instant now, Random random);

  std::optional<Transition> SetPolicy(const BreakerPolicy& policy, Instant now);
  std::optional<Transition> Reset(Instant now);
  std::optional<Transition> Isolate(Instant now, Instant until);

  double Ramp(Instant now) const;
  BreakerView View(Instant now) const;

 private:
  friend class BreakerExploration;  // of the tests: tells hidden states apart

  struct Slot {
    uint64_t number = 0;  // of the probe's grant
    Instant since;
  };

  bool Stale(uint64_t generation) const;
  // An isolation that is over is closed, though no event has said so yet.
  BreakerState StateAt(Instant now) const;
  Instant OpenEnd(bool sole) const;
  bool Overdue(const Slot& slot, Instant now) const;
  void ReturnSlot(const Grant& grant);
  bool RatioReached(Instant now) const;
  int ReopenedAt(Instant now) const;

  Transition Enter(BreakerState state, const char* reason, Instant now);
  Transition Trip(const char* reason, Instant now, std::optional<absl::Duration> hint,
                  Random random);
  Transition Close(const char* reason, Instant now);
  void Forget(Instant now);

  BreakerPolicy policy_;
  BreakerState state_ = BreakerState::kClosed;
  const char* reason_ = "";
  uint64_t generation_ = 1;
  Instant changed_ = absl::InfinitePast();
  uint64_t granted_ = 0;

  OutcomeWindow window_;
  int consecutive_ = 0;
  int consecutive_truncated_ = 0;
  int rate_run_ = 0;
  uint64_t rate_counted_at_ = 0;  // `granted_` when the last counted 429 came

  int reopened_ = 0;  // as of decays_from_
  Instant decays_from_ = absl::InfinitePast();
  Instant slow_start_from_ = absl::InfinitePast();

  Instant opened_ = absl::InfinitePast();
  Instant open_until_ = absl::InfinitePast();
  Instant rate_hint_until_ = absl::InfinitePast();
  Instant isolated_until_ = absl::InfinitePast();
  std::vector<Slot> slots_;  // oldest first
  int probe_successes_ = 0;
};

}  // namespace mg
