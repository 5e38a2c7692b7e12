#include "resilience/retry.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace mg {
namespace {

constexpr int kRepeatsByDefault = 2;

// What the provider asked to wait, where it did.
std::optional<absl::Duration> HintOf(const absl::Status& status) {
  const v1::ErrorDetail detail = DetailOf(status);
  if (!detail.has_retry_after()) return std::nullopt;
  const absl::Duration hint = absl::Seconds(detail.retry_after().seconds()) +
                              absl::Nanoseconds(detail.retry_after().nanos());
  if (hint < absl::ZeroDuration()) return std::nullopt;
  return hint;
}

}  // namespace

RetryState::RetryState(const RetryPolicy& policy, std::vector<BackoffPolicy> backoff_by_candidate,
                       bool may_change_candidate)
    : policy_(policy), may_change_candidate_(may_change_candidate) {
  candidates_.reserve(backoff_by_candidate.size());
  for (const BackoffPolicy& backoff : backoff_by_candidate) {
    candidates_.emplace_back().backoff = backoff;
  }
}

std::optional<int> RetryState::First(absl::FunctionRef<bool(int)> selectable) const {
  const int count = may_change_candidate_ ? static_cast<int>(candidates_.size())
                                          : std::min(1, static_cast<int>(candidates_.size()));
  for (int i = 0; i < count; ++i) {
    if (selectable(i)) return i;
  }
  return std::nullopt;
}

RetryDecision RetryState::After(const absl::Status& status, int candidate, Instant now,
                                Instant not_after, absl::FunctionRef<bool(int)> selectable,
                                Random random) {
  MG_CHECK(candidate >= 0 && static_cast<size_t>(candidate) < candidates_.size(),
           "an attempt of a candidate outside of the plan");
  Candidate& failed = candidates_[static_cast<size_t>(candidate)];
  const ErrorRule& rule = RuleOf(ClassOf(status));
  const SameCandidate same = SameCandidateForbidden(status) ? SameCandidate::kNever : rule.same;
  const std::optional<absl::Duration> hint = HintOf(status);
  ++attempts_;
  ++failed.attempts;
  if (same == SameCandidate::kNever) failed.spent = true;
  if (hint.has_value()) failed.not_before = std::max(failed.not_before, now + *hint);
  if (attempts_ >= policy_.max_attempts || now > not_after) return {};

  const bool alone = !OtherLeft(candidate, now, selectable).has_value();
  const bool next = rule.next && !alone;
  const int most =
      policy_.max_per_candidate.value_or(alone ? policy_.max_attempts : kRepeatsByDefault);
  // A hint of a class that cools nothing down is kept by waiting, before another candidate is tried
  // (§3.8).
  const bool waits_first = hint.has_value() && rule.cooldown == CooldownScope::kNone;
  bool repeat = failed.attempts < most && selectable(candidate) &&
                (!hint.has_value() || *hint <= policy_.inline_wait_max);
  switch (same) {
    case SameCandidate::kNever:
      repeat = false;
      break;
    case SameCandidate::kOnce:
      repeat = repeat && failed.repeats == 0;
      break;
    case SameCandidate::kOnceFirst:
      repeat = repeat && (failed.repeats == 0 || !next);
      break;
    case SameCandidate::kIfAlone:
      repeat = repeat && (!next || (waits_first && failed.repeats == 0));
      break;
  }
  if (repeat) {
    const RetryDecision decision = Same(candidate, hint, now, not_after, random);
    if (decision.kind != RetryDecision::Kind::kStop) return decision;
  }
  return next ? Next(candidate, now, not_after, selectable, random) : RetryDecision();
}

std::optional<int> RetryState::OtherLeft(int candidate, Instant now,
                                         absl::FunctionRef<bool(int)> selectable) const {
  const int count = static_cast<int>(candidates_.size());
  for (int step = 1; step < count; ++step) {
    const int other = (candidate + step) % count;
    if (Left(other, now, selectable)) return other;
  }
  return std::nullopt;
}

bool RetryState::Left(int candidate, Instant now, absl::FunctionRef<bool(int)> selectable) const {
  if (!may_change_candidate_) return false;
  const Candidate& other = candidates_[static_cast<size_t>(candidate)];
  const int most = policy_.max_per_candidate.value_or(kRepeatsByDefault);
  return other.attempts < most && !other.spent && other.not_before <= now && selectable(candidate);
}

Instant RetryState::ReadyAt(int candidate, Instant now, Random random) {
  Candidate& asked = candidates_[static_cast<size_t>(candidate)];
  if (asked.attempts == 0) return now;
  asked.last_delay = Backoff(asked.backoff, asked.attempts, asked.last_delay, random);
  return now + asked.last_delay;
}

RetryDecision RetryState::Same(int candidate, std::optional<absl::Duration> hint, Instant now,
                               Instant not_after, Random random) {
  Instant at = ReadyAt(candidate, now, random);
  if (hint.has_value()) at = std::max(at, now + *hint * (1 + 0.1 * random()));
  if (at > not_after) return {};
  ++candidates_[static_cast<size_t>(candidate)].repeats;
  return {RetryDecision::Kind::kSame, candidate, at};
}

RetryDecision RetryState::Next(int candidate, Instant now, Instant not_after,
                               absl::FunctionRef<bool(int)> selectable, Random random) {
  const int count = static_cast<int>(candidates_.size());
  for (int step = 1; step < count; ++step) {
    const int other = (candidate + step) % count;
    if (!Left(other, now, selectable)) continue;
    const Instant at = ReadyAt(other, now, random);
    if (at > not_after) continue;
    candidates_[static_cast<size_t>(other)].repeats = 0;
    return {RetryDecision::Kind::kNext, other, at};
  }
  return {};
}

}  // namespace mg
