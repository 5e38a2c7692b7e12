#include "resilience/breaker_machine.h"

#include <algorithm>
#include <cmath>

namespace mg {
namespace {

// When to ask again where all probes are under way.
constexpr absl::Duration kProbesFullWait = absl::Seconds(1);

bool Reached(int count, int threshold) { return threshold != 0 && count >= threshold; }

}  // namespace

const char* BreakerStateName(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed:
      return "closed";
    case BreakerState::kOpen:
      return "open";
    case BreakerState::kHalfOpen:
      return "half_open";
    case BreakerState::kIsolated:
      return "isolated";
  }
  return "";
}

BreakerMachine::Decision BreakerMachine::Admit(Instant now, bool sole) {
  Decision decision;
  if (state_ != StateAt(now)) {
    decision.transition = Close("isolation_over", now);
    Forget(now);
  }
  decision.available_at = AvailableAt(now, sole);
  if (decision.available_at > now) return decision;

  if (state_ == BreakerState::kOpen) {
    const char* reason = now < open_until_ ? "sole_candidate" : "cooldown_over";
    decision.transition = Enter(BreakerState::kHalfOpen, reason, now);
  }
  const bool probe = state_ == BreakerState::kHalfOpen;
  decision.grant = Grant{generation_, ++granted_, probe};
  if (probe) {
    // Whoever holds a slot for too long has lost it: a probe without an end blocks nothing.
    while (slots_.size() >= static_cast<size_t>(policy_.half_open_max_probes)) {
      slots_.erase(slots_.begin());
    }
    slots_.push_back({decision.grant->number, now});
  }
  return decision;
}

Instant BreakerMachine::AvailableAt(Instant now, bool sole) const {
  switch (StateAt(now)) {
    case BreakerState::kClosed:
      return now;
    case BreakerState::kOpen:
      return std::max(now, OpenEnd(sole));
    case BreakerState::kHalfOpen: {
      const auto held = std::count_if(slots_.begin(), slots_.end(),
                                      [&](const Slot& slot) { return !Overdue(slot, now); });
      return held < policy_.half_open_max_probes ? now : now + kProbesFullWait;
    }
    case BreakerState::kIsolated:
      return kNever;
  }
  return now;
}

BreakerEffect BreakerMachine::Commit(const Grant& grant, Instant now, TailGrant* tail) {
  *tail = {};
  if (Stale(grant.generation)) return {.stale = true, .transition = {}};
  BreakerEffect effect;
  rate_run_ = 0;
  if (state_ == BreakerState::kHalfOpen) {
    ReturnSlot(grant);
    if (++probe_successes_ >= policy_.half_open_successes) {
      effect.transition = Close("probes_succeeded", now);
    }
  } else if (policy_.enabled) {
    consecutive_ = 0;
    tail->success = window_.AddSuccess(now);
  }
  tail->generation = generation_;
  return effect;
}

BreakerEffect BreakerMachine::Failure(const Grant& grant, Instant now,
                                      std::optional<absl::Duration> hint, Random random) {
  if (Stale(grant.generation)) return {.stale = true, .transition = {}};
  BreakerEffect effect;
  if (!policy_.enabled) return effect;
  if (state_ == BreakerState::kHalfOpen) {
    ++reopened_;
    effect.transition = Trip("probe_failed", now, hint, random);
    return effect;
  }
  ++consecutive_;
  window_.AddFailure(now);
  if (Reached(consecutive_, policy_.failure_threshold)) {
    effect.transition = Trip("consecutive", now, hint, random);
  } else if (RatioReached(now)) {
    effect.transition = Trip("ratio", now, hint, random);
  }
  return effect;
}

BreakerEffect BreakerMachine::RateLimited(const Grant& grant, Instant now,
                                          std::optional<absl::Duration> hint, Random random) {
  if (Stale(grant.generation)) return {.stale = true, .transition = {}};
  BreakerEffect effect;
  ReturnSlot(grant);
  // A burst that was under way together is one piece of news.
  if (!policy_.enabled || grant.number <= rate_counted_at_) return effect;
  rate_counted_at_ = granted_;
  ++rate_run_;
  if (Reached(rate_run_, policy_.failure_threshold)) {
    effect.transition = Trip("rate_limited", now, hint, random);
    rate_run_ = 0;
    if (hint.has_value()) rate_hint_until_ = now + std::min(*hint, policy_.max_cooldown);
  }
  return effect;
}

void BreakerMachine::Neutral(const Grant& grant) {
  if (!Stale(grant.generation)) ReturnSlot(grant);
}

BreakerEffect BreakerMachine::CleanEnd(const TailGrant& tail) {
  if (Stale(tail.generation)) return {.stale = true, .transition = {}};
  consecutive_truncated_ = 0;
  return {};
}

BreakerEffect BreakerMachine::Truncated(const TailGrant& tail, Instant now, Random random) {
  if (Stale(tail.generation)) return {.stale = true, .transition = {}};
  BreakerEffect effect;
  if (!policy_.enabled) return effect;
  window_.Retract(tail.success);
  window_.AddFailure(now);
  ++consecutive_truncated_;
  if (Reached(consecutive_truncated_, policy_.failure_threshold) || RatioReached(now)) {
    if (state_ == BreakerState::kHalfOpen) ++reopened_;
    effect.transition = Trip("truncated", now, std::nullopt, random);
  }
  return effect;
}

std::optional<Transition> BreakerMachine::SetPolicy(const BreakerPolicy& policy, Instant now) {
  if (policy.window != policy_.window) {
    reopened_ = ReopenedAt(now);
    decays_from_ = now;
    window_.Clear(policy.window);
    consecutive_ = consecutive_truncated_ = rate_run_ = 0;
  }
  // The smaller one alone: what an unchanged one allowed, with its jitter, stays.
  if (policy.max_cooldown < policy_.max_cooldown) {
    open_until_ = std::min(open_until_, opened_ + policy.max_cooldown);
    rate_hint_until_ = std::min(rate_hint_until_, opened_ + policy.max_cooldown);
  }
  const bool disabled = policy_.enabled && !policy.enabled;
  const bool rescoped = policy_.scope != policy.scope;
  policy_ = policy;
  if ((!disabled && !rescoped) || state_ == BreakerState::kIsolated) return std::nullopt;
  std::optional<Transition> transition;
  if (state_ != BreakerState::kClosed) {
    transition = Close(disabled ? "disabled" : "scope_changed", now);
  }
  Forget(now);
  return transition;
}

std::optional<Transition> BreakerMachine::Reset(Instant now) {
  std::optional<Transition> transition;
  if (state_ != BreakerState::kClosed) transition = Close("reset", now);
  Forget(now);
  return transition;
}

std::optional<Transition> BreakerMachine::Isolate(Instant now, Instant until) {
  std::optional<Transition> transition;
  const BreakerState before = StateAt(now);
  if (before != BreakerState::kIsolated) {
    transition = Enter(BreakerState::kIsolated, "isolated", now);
    transition->from = before;
    Forget(now);
  }
  isolated_until_ = until;
  return transition;
}

double BreakerMachine::Ramp(Instant now) const {
  if (StateAt(now) != BreakerState::kClosed) return 1;
  const absl::Duration since = now - slow_start_from_;
  if (since >= policy_.slow_start_window) return 1;
  return std::max(policy_.slow_start_min_percent / 100.0,
                  absl::FDivDuration(since, policy_.slow_start_window));
}

BreakerView BreakerMachine::View(Instant now) const {
  const OutcomeWindow::Counts counts = window_.At(now);
  BreakerView view;
  view.state = StateAt(now);
  view.reason = view.state == BreakerState::kClosed ? "" : reason_;
  if (view.state == BreakerState::kOpen) view.open_until = open_until_;
  if (view.state == BreakerState::kIsolated) view.open_until = isolated_until_;
  view.generation = generation_;
  view.consecutive = consecutive_;
  view.consecutive_truncated = consecutive_truncated_;
  view.window_ok = counts.ok;
  view.window_failed = counts.failed;
  view.rate_run = rate_run_;
  view.reopened = ReopenedAt(now);
  view.probes = static_cast<int>(slots_.size());
  view.changed = view.state == state_ ? changed_ : isolated_until_;
  return view;
}

bool BreakerMachine::Stale(uint64_t generation) const { return generation != generation_; }

BreakerState BreakerMachine::StateAt(Instant now) const {
  const bool over = state_ == BreakerState::kIsolated && now >= isolated_until_;
  return over ? BreakerState::kClosed : state_;
}

// Where nothing else is selectable and breakers are the reason, they are not to outlast what opened
// them; but a provider that said when to come again is taken at its word (§3.9).
Instant BreakerMachine::OpenEnd(bool sole) const {
  if (!sole) return open_until_;
  return std::min(open_until_,
                  std::max(opened_ + policy_.sole_candidate_max_cooldown, rate_hint_until_));
}

bool BreakerMachine::Overdue(const Slot& slot, Instant now) const {
  return now - slot.since >= policy_.half_open_max_duration;
}

void BreakerMachine::ReturnSlot(const Grant& grant) {
  std::erase_if(slots_, [&](const Slot& slot) { return slot.number == grant.number; });
}

bool BreakerMachine::RatioReached(Instant now) const {
  const OutcomeWindow::Counts counts = window_.At(now);
  const int total = counts.ok + counts.failed;
  return policy_.failure_ratio > 0 && total >= policy_.min_requests &&
         static_cast<double>(counts.failed) / total >= policy_.failure_ratio;
}

// One less for each whole window spent closed.
int BreakerMachine::ReopenedAt(Instant now) const {
  if (state_ != BreakerState::kClosed || reopened_ == 0) return reopened_;
  const double windows = std::floor(absl::FDivDuration(now - decays_from_, policy_.window));
  return windows >= reopened_ ? 0 : reopened_ - static_cast<int>(windows);
}

Transition BreakerMachine::Enter(BreakerState state, const char* reason, Instant now) {
  const Transition transition = {state_, state, reason};
  reopened_ = ReopenedAt(now);
  state_ = state;
  ++generation_;
  changed_ = now;
  slots_.clear();
  probe_successes_ = 0;
  if (state != BreakerState::kHalfOpen) reason_ = reason;
  return transition;
}

Transition BreakerMachine::Trip(const char* reason, Instant now, std::optional<absl::Duration> hint,
                                Random random) {
  const Transition transition = Enter(BreakerState::kOpen, reason, now);
  const absl::Duration open_for =
      std::min(policy_.max_cooldown, policy_.cooldown * std::pow(policy_.multiplier, reopened_));
  const absl::Duration asked_for =
      std::min(hint.value_or(absl::ZeroDuration()), policy_.max_cooldown);
  opened_ = now;
  open_until_ = now + std::max(open_for * (1 + policy_.jitter * random()), asked_for);
  rate_hint_until_ = absl::InfinitePast();
  return transition;
}

// `consecutive_truncated_` stays: who cuts everything opens it again with the first cut.
Transition BreakerMachine::Close(const char* reason, Instant now) {
  const Transition transition = Enter(BreakerState::kClosed, reason, now);
  window_.Clear(policy_.window);
  consecutive_ = rate_run_ = 0;
  decays_from_ = now;
  slow_start_from_ = now;
  return transition;
}

// All counters and k = 0, as by an operator's hand: no recovery, so no slow start either.
void BreakerMachine::Forget(Instant now) {
  window_.Clear(policy_.window);
  consecutive_ = consecutive_truncated_ = rate_run_ = reopened_ = 0;
  decays_from_ = now;
  slow_start_from_ = absl::InfinitePast();
}

}  // namespace mg
