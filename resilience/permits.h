// What one attempt must hold, and what it tells the breakers at its end (spec/resilience.md §3.1,
// §3.2): the permits of endpoint and target and a slot at the endpoint, taken in this order. Any
// thread; a Permits belongs to one attempt.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/error.h"
#include "base/time.h"
#include "resilience/live_state.h"

namespace mg {

// How an attempt ended, as the breakers see it.
struct AttemptEnd {
  absl::Status status;
  bool answered = false;  // the endpoint gave an HTTP answer, whatever it was
  // It was ended by the caller's deadline, or by the share planned from it, before its provider
  // could be blamed: BlameAfter.
  bool early = false;
  std::optional<absl::Duration> hint;
};

enum class BreakerVerdict { kNeutral, kSuccess, kFailure, kRateLimited };
struct Verdicts {
  BreakerVerdict endpoint = BreakerVerdict::kNeutral;
  BreakerVerdict target = BreakerVerdict::kNeutral;
};
// What the end of an attempt says about its endpoint and its target (§3.1, §3.4).
Verdicts VerdictsOf(BreakerScope scope, const AttemptEnd& end);

class Permits {
 public:
  // nullopt: one of them refused, and nothing is held. `sole`: as AvailabilityOf. `kept`: the slot
  // of a call whose turn in the queue has come.
  static std::optional<Permits> Take(std::shared_ptr<Target> target, Instant now, bool sole,
                                     std::optional<Limiter::Slot> kept,
                                     std::vector<BreakerEvent>* events);

  // Admitted to find out whether it works again.
  bool half_open() const { return endpoint_.permit.probe() || own_.permit.probe(); }

  // The attempt has content: that is its success, whatever becomes of the rest (§3.2).
  void Commit(Instant now, std::vector<BreakerEvent>* events);
  // Once, at its end; a Permits that is dropped without says nothing about anybody. The slot is
  // given back when the Permits goes.
  void End(const AttemptEnd& end, Instant now, Random random, std::vector<BreakerEvent>* events);

 private:
  // One of the two breakers, with what is held of it.
  struct Held {
    std::string model;  // empty: the endpoint's
    CircuitBreaker::Permit permit;
    CircuitBreaker::Tail tail;
  };

  Permits(std::shared_ptr<Target> target, CircuitBreaker::Permit endpoint,
          CircuitBreaker::Permit own, Limiter::Slot slot);
  void Note(const Held& held, const char* verdict, const BreakerEffect& effect,
            std::vector<BreakerEvent>* events) const;
  void Settle(Held& held, BreakerVerdict verdict, const AttemptEnd& end, Instant now, Random random,
              std::vector<BreakerEvent>* events);

  std::shared_ptr<Target> target_;
  Held endpoint_;
  Held own_;
  Limiter::Slot slot_;
  bool committed_ = false;
};

}  // namespace mg
