#include "resilience/permits.h"

#include <utility>

namespace mg {
namespace {

BreakerEvent EventOf(const Target& target, const std::string& model) {
  BreakerEvent event;
  event.provider = target.credential->endpoint().provider;
  event.model = model;
  return event;
}

// A breaker that has changed by admitting.
void NoteAdmission(const Target& target, const std::string& model,
                   const CircuitBreaker::Admission& admission, std::vector<BreakerEvent>* events) {
  if (!admission.transition.has_value()) return;
  events->push_back(EventOf(target, model));
  events->back().transition = admission.transition;
}

Verdict VerdictOf(const AttemptEnd& end) {
  const ErrorClass error_class = ClassOf(end.status);
  if (end.early) return Verdict::kNeutral;
  // The caller's time was over, and the provider had had enough of it.
  if (error_class == ErrorClass::kDeadline) return Verdict::kFailTarget;
  return RuleOf(error_class).breaker;
}

}  // namespace

Verdicts VerdictsOf(BreakerScope scope, const AttemptEnd& end) {
  using B = BreakerVerdict;
  Verdicts verdicts;
  const Verdict verdict = end.status.ok() ? Verdict::kNeutral : VerdictOf(end);
  const bool failed = verdict == Verdict::kFailTarget || verdict == Verdict::kFailEndpointAndTarget;
  if (end.status.ok()) {
    verdicts.target = B::kSuccess;
  } else if (failed) {
    verdicts.target = B::kFailure;
  } else if (verdict == Verdict::kRateLimited) {
    verdicts.target = B::kRateLimited;
  }
  if (verdict == Verdict::kFailEndpointAndTarget) {
    verdicts.endpoint = B::kFailure;
  } else if (end.status.ok() || end.answered) {
    verdicts.endpoint = B::kSuccess;
  }
  if (scope == BreakerScope::kTarget) verdicts.endpoint = B::kNeutral;
  if (scope == BreakerScope::kProvider) {
    if (failed) verdicts.endpoint = B::kFailure;
    if (failed) verdicts.target = B::kNeutral;
  }
  return verdicts;
}

Permits::Permits(std::shared_ptr<Target> target, CircuitBreaker::Permit endpoint,
                 CircuitBreaker::Permit own, Limiter::Slot slot)
    : target_(std::move(target)),
      endpoint_{"", std::move(endpoint), {}},
      own_{target_->model, std::move(own), {}},
      slot_(std::move(slot)) {}

std::optional<Permits> Permits::Take(std::shared_ptr<Target> target, Instant now, bool sole,
                                     std::optional<Limiter::Slot> kept,
                                     std::vector<BreakerEvent>* events) {
  Endpoint& endpoint = target->credential->endpoint();
  CircuitBreaker::Admission first = endpoint.breaker->Admit(now, sole);
  NoteAdmission(*target, "", first, events);
  if (!first.permit.has_value()) return std::nullopt;
  CircuitBreaker::Admission second = target->breaker->Admit(now, sole);
  NoteAdmission(*target, target->model, second, events);
  if (!second.permit.has_value()) return std::nullopt;
  if (!kept.has_value()) kept = endpoint.limiter->TryAcquire();
  if (!kept.has_value()) return std::nullopt;
  return Permits(std::move(target), *std::move(first.permit), *std::move(second.permit),
                 *std::move(kept));
}

void Permits::Note(const Held& held, const char* verdict, const BreakerEffect& effect,
                   std::vector<BreakerEvent>* events) const {
  if (!effect.stale && !effect.transition.has_value() && !held.permit.probe()) return;
  BreakerEvent event = EventOf(*target_, held.model);
  if (held.permit.probe()) event.probe = verdict;
  event.stale = effect.stale;
  event.transition = effect.transition;
  events->push_back(std::move(event));
}

void Permits::Commit(Instant now, std::vector<BreakerEvent>* events) {
  if (committed_) return;
  committed_ = true;
  for (Held* held : {&endpoint_, &own_}) {
    CircuitBreaker::Committed committed = held->permit.Commit(now);
    held->tail = std::move(committed.tail);
    Note(*held, "success", committed.effect, events);
  }
}

void Permits::Settle(Held& held, BreakerVerdict verdict, const AttemptEnd& end, Instant now,
                     Random random, std::vector<BreakerEvent>* events) {
  switch (verdict) {
    case BreakerVerdict::kNeutral:
      held.permit.Neutral();
      Note(held, "neutral", {}, events);
      return;
    case BreakerVerdict::kSuccess:
      Note(held, "success", held.permit.Success(now), events);
      return;
    case BreakerVerdict::kFailure:
      Note(held, "failure", held.permit.Failure(now, end.hint, random), events);
      return;
    case BreakerVerdict::kRateLimited:
      Note(held, "rate_limited", held.permit.RateLimited(now, end.hint, random), events);
      return;
  }
}

void Permits::End(const AttemptEnd& end, Instant now, Random random,
                  std::vector<BreakerEvent>* events) {
  const Verdicts verdicts = VerdictsOf(target_->credential->scope(), end);
  if (!committed_) {
    Settle(endpoint_, verdicts.endpoint, end, now, random, events);
    Settle(own_, verdicts.target, end, now, random, events);
    return;
  }
  // The probe's verdict was the commit; what is left to tell is how it ended.
  const auto end_tail = [&](Held& held, BreakerVerdict verdict) {
    BreakerEffect effect;
    if (verdict == BreakerVerdict::kSuccess) effect = held.tail.CleanEnd();
    if (verdict == BreakerVerdict::kFailure) effect = held.tail.Failure(now, random);
    if (!effect.transition.has_value()) return;
    events->push_back(EventOf(*target_, held.model));
    events->back().transition = effect.transition;
  };
  end_tail(endpoint_, verdicts.endpoint);
  end_tail(own_, verdicts.target);
}

}  // namespace mg
