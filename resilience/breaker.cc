#include "resilience/breaker.h"

#include "base/check.h"

namespace mg {

BreakerEffect CircuitBreaker::Tail::CleanEnd() {
  const std::shared_ptr<CircuitBreaker> breaker = std::move(breaker_);
  if (breaker == nullptr) return {};
  const std::lock_guard<std::mutex> lock(breaker->mutex_);
  return breaker->machine_.CleanEnd(grant_);
}

BreakerEffect CircuitBreaker::Tail::Failure(Instant now, Random random) {
  const std::shared_ptr<CircuitBreaker> breaker = std::move(breaker_);
  if (breaker == nullptr) return {};
  const std::lock_guard<std::mutex> lock(breaker->mutex_);
  return breaker->machine_.Truncated(grant_, now, random);
}

CircuitBreaker::Permit& CircuitBreaker::Permit::operator=(Permit&& other) noexcept {
  if (this == &other) return *this;
  Drop();
  breaker_ = std::move(other.breaker_);
  grant_ = other.grant_;
  return *this;
}

void CircuitBreaker::Permit::Drop() {
  if (breaker_ != nullptr) Neutral();
}

std::shared_ptr<CircuitBreaker> CircuitBreaker::Permit::Spend() {
  MG_CHECK(breaker_ != nullptr, "a permit has one verdict");
  return std::move(breaker_);
}

BreakerEffect CircuitBreaker::Permit::Success(Instant now) {
  const std::shared_ptr<CircuitBreaker> breaker = Spend();
  const std::lock_guard<std::mutex> lock(breaker->mutex_);
  BreakerMachine::TailGrant tail;
  const BreakerEffect effect = breaker->machine_.Commit(grant_, now, &tail);
  if (!effect.stale) breaker->machine_.CleanEnd(tail);
  return effect;
}

CircuitBreaker::Committed CircuitBreaker::Permit::Commit(Instant now) {
  const std::shared_ptr<CircuitBreaker> breaker = Spend();
  const std::lock_guard<std::mutex> lock(breaker->mutex_);
  BreakerMachine::TailGrant tail;
  const BreakerEffect effect = breaker->machine_.Commit(grant_, now, &tail);
  return {effect, effect.stale ? Tail() : Tail(breaker, tail)};
}

BreakerEffect CircuitBreaker::Permit::Failure(Instant now, std::optional<absl::Duration> hint,
                                              Random random) {
  const std::shared_ptr<CircuitBreaker> breaker = Spend();
  const std::lock_guard<std::mutex> lock(breaker->mutex_);
  return breaker->machine_.Failure(grant_, now, hint, random);
}

BreakerEffect CircuitBreaker::Permit::RateLimited(Instant now, std::optional<absl::Duration> hint,
                                                  Random random) {
  const std::shared_ptr<CircuitBreaker> breaker = Spend();
  const std::lock_guard<std::mutex> lock(breaker->mutex_);
  return breaker->machine_.RateLimited(grant_, now, hint, random);
}

void CircuitBreaker::Permit::Neutral() {
  const std::shared_ptr<CircuitBreaker> breaker = Spend();
  const std::lock_guard<std::mutex> lock(breaker->mutex_);
  breaker->machine_.Neutral(grant_);
}

std::shared_ptr<CircuitBreaker> CircuitBreaker::New(const BreakerPolicy& policy) {
  return std::shared_ptr<CircuitBreaker>(new CircuitBreaker(policy));
}

CircuitBreaker::Admission CircuitBreaker::Admit(Instant now, bool sole) {
  BreakerMachine::Decision decision;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    decision = machine_.Admit(now, sole);
  }
  Admission admission{std::nullopt, decision.available_at, decision.transition};
  if (decision.grant.has_value()) admission.permit = Permit(shared_from_this(), *decision.grant);
  return admission;
}

Instant CircuitBreaker::AvailableAt(Instant now, bool sole) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return machine_.AvailableAt(now, sole);
}

std::optional<Transition> CircuitBreaker::SetPolicy(const BreakerPolicy& policy, Instant now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return machine_.SetPolicy(policy, now);
}

std::optional<Transition> CircuitBreaker::Reset(Instant now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return machine_.Reset(now);
}

std::optional<Transition> CircuitBreaker::Isolate(Instant now, Instant until) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return machine_.Isolate(now, until);
}

double CircuitBreaker::Ramp(Instant now) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return machine_.Ramp(now);
}

BreakerView CircuitBreaker::View(Instant now) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return machine_.View(now);
}

}  // namespace mg
