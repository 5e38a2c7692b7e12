// The circuit breaker of one endpoint or target (spec/resilience.md §3.2): whoever keeps failing is
// left alone for a while, then tried by a few probes. Shared by all workers: any thread may call
// it, its one mutex is held for a few instructions, and time and randomness are arguments.
//
// An attempt asks Admit and holds the Permit as long as it runs. A permit has exactly one verdict;
// one that is dropped has the neutral one, so a probe that ends by whatever way gives its slot
// back. Permits and tails keep their breaker alive.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "base/time.h"
#include "resilience/breaker_machine.h"
#include "resilience/retry.h"

namespace mg {

class CircuitBreaker : public std::enable_shared_from_this<CircuitBreaker> {
 public:
  // What remains of the permit of a stream that is committed, whose success is counted already: how
  // it ends. Movable, one verdict; dropped (cancel, slow reader, deadline): neutral.
  class Tail {
   public:
    Tail() = default;  // of nothing: its verdicts do nothing

    BreakerEffect CleanEnd();
    // Any failure of a class that fails the target: the success becomes a failure ("truncated").
    BreakerEffect Failure(Instant now, Random random);

   private:
    friend class CircuitBreaker;
    Tail(std::shared_ptr<CircuitBreaker> breaker, const BreakerMachine::TailGrant& grant)
        : breaker_(std::move(breaker)), grant_(grant) {}

    std::shared_ptr<CircuitBreaker> breaker_;
    BreakerMachine::TailGrant grant_;
  };

  struct Committed {
    BreakerEffect effect;
    Tail tail;  // of nothing where the commit was stale
  };

  // Movable; a verdict spends it, and a spent one takes no second verdict.
  class Permit {
   public:
    Permit(Permit&&) noexcept = default;
    Permit& operator=(Permit&& other) noexcept;
    ~Permit() { Drop(); }

    // A whole answer: success and clean end at once.
    BreakerEffect Success(Instant now);
    // The first content of a stream.
    Committed Commit(Instant now);
    // `hint`: how long the provider asked to be left alone; what opens does so for at least that.
    BreakerEffect Failure(Instant now, std::optional<absl::Duration> hint, Random random);
    // A 429: neutral, but failure_threshold of them in a row open ("rate_limited"). For a target's
    // breaker alone; an endpoint's takes it as an answer.
    BreakerEffect RateLimited(Instant now, std::optional<absl::Duration> hint, Random random);
    void Neutral();

    // Was it half-open when it let this attempt in?
    bool probe() const { return grant_.probe; }

   private:
    friend class CircuitBreaker;
    Permit(std::shared_ptr<CircuitBreaker> breaker, const BreakerMachine::Grant& grant)
        : breaker_(std::move(breaker)), grant_(grant) {}

    void Drop();
    std::shared_ptr<CircuitBreaker> Spend();

    std::shared_ptr<CircuitBreaker> breaker_;  // null: spent
    BreakerMachine::Grant grant_;
  };

  struct Admission {
    std::optional<Permit> permit;
    Instant available_at;                  // as AvailableAt; with a permit: now
    std::optional<Transition> transition;  // to half-open, or closed after an isolation
  };

  // Closed, cold, at full weight.
  static std::shared_ptr<CircuitBreaker> New(const BreakerPolicy& policy);

  // `sole`: nothing of the plan is selectable and breakers are the reason, so an open one admits a
  // probe after sole_candidate_max_cooldown already, though never before the hint of a 429 (§3.9).
  Admission Admit(Instant now, bool sole);
  // The earliest time at which Admit could give a permit: `now` if it would; kNever: isolated.
  // Takes and changes nothing.
  Instant AvailableAt(Instant now, bool sole) const;

  // What is open stays open; thresholds hold from the next event on (§3.13). A window of another
  // width begins empty, with all counters; a smaller max_cooldown shortens what is open; disabling,
  // and another scope, close and forget, but end no isolation.
  std::optional<Transition> SetPolicy(const BreakerPolicy& policy, Instant now);
  // By an operator. Closed, all counters 0, whatever it was; ends an isolation too.
  std::optional<Transition> Reset(Instant now);
  // Nothing is admitted until `until` (kNever: until Reset), then it is closed and cold.
  std::optional<Transition> Isolate(Instant now, Instant until);

  // By what its candidate's weight is multiplied, in (0,1]: less than 1 for slow_start_window after
  // it recovered.
  double Ramp(Instant now) const;
  BreakerView View(Instant now) const;

 private:
  explicit CircuitBreaker(const BreakerPolicy& policy) : machine_(policy) {}

  mutable std::mutex mutex_;
  BreakerMachine machine_;  // guarded by mutex_
};

}  // namespace mg
