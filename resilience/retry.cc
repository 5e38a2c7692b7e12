#include "resilience/retry.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace mg {
namespace {

constexpr int kTriesWithOthersLeft = 2;  // of one candidate, unless configured

// What the provider asked to wait, where it did.
std::optional<absl::Duration> HintOf(const absl::Status& status) {
  const v1::ErrorDetail detail = DetailOf(status);
  if (!detail.has_retry_after()) return std::nullopt;
  const absl::Duration hint = absl::Seconds(detail.retry_after().seconds()) +
                              absl::Nanoseconds(detail.retry_after().nanos());
  if (hint < absl::ZeroDuration()) return std::nullopt;
  return hint;
}

// A hint of such a class is kept by waiting, before another candidate is tried (§3.8).
bool CoolsNothing(const ErrorRule& rule) { return rule.cooldown == CooldownScope::kNone; }

// What a repetition after this failure takes from the retry budget (§3.6).
int TokensFor(ErrorClass error_class) {
  const bool unsent =
      error_class == ErrorClass::kConnect || error_class == ErrorClass::kConnectFinal;
  return unsent ? 1 : 2;
}

// The order in a cell of §3.4: is it the same candidate's turn, where it may be asked at all?
// `next`: another may be.
bool RepeatsFirst(SameCandidate same, int repeats, bool next, bool waits_for_hint) {
  switch (same) {
    case SameCandidate::kNever:
      return false;
    case SameCandidate::kOnce:
      return repeats == 0;
    case SameCandidate::kOnceFirst:
      return repeats == 0 || !next;
    case SameCandidate::kIfAlone:
      return !next || (waits_for_hint && repeats == 0);
  }
  return false;
}

}  // namespace

RetryState::RetryState(int max_attempts, const std::vector<RetryPolicy>& policy_by_candidate,
                       bool may_change_candidate)
    : max_attempts_(max_attempts), may_change_candidate_(may_change_candidate) {
  candidates_.reserve(policy_by_candidate.size());
  for (const RetryPolicy& policy : policy_by_candidate) candidates_.emplace_back().policy = policy;
}

std::optional<int> RetryState::First(absl::FunctionRef<bool(int)> selectable) const {
  const int count = may_change_candidate_ ? static_cast<int>(candidates_.size())
                                          : std::min(1, static_cast<int>(candidates_.size()));
  for (int i = 0; i < count; ++i) {
    if (selectable(i)) return i;
  }
  return std::nullopt;
}

std::optional<int> RetryState::OtherLeft(int candidate,
                                         absl::FunctionRef<bool(int)> selectable) const {
  const int count = static_cast<int>(candidates_.size());
  for (int step = 1; step < count; ++step) {
    const int other = (candidate + step) % count;
    if (Left(other, selectable)) return other;
  }
  return std::nullopt;
}

int RetryState::OthersLeft(int candidate, absl::FunctionRef<bool(int)> selectable) const {
  int left = 0;
  for (int other = 0; other < static_cast<int>(candidates_.size()); ++other) {
    if (other != candidate && Left(other, selectable)) ++left;
  }
  return left;
}

RetryDecision RetryState::After(const absl::Status& status, int candidate, Instant now,
                                Instant not_after, const Outlook& outlook, Random random) {
  MG_CHECK(candidate >= 0 && static_cast<size_t>(candidate) < candidates_.size(),
           "an attempt of a candidate outside of the plan");
  Candidate& failed = candidates_[static_cast<size_t>(candidate)];
  const ErrorRule& rule = RuleOf(ClassOf(status));
  const SameCandidate same = SameCandidateForbidden(status) ? SameCandidate::kNever : rule.same;
  const std::optional<absl::Duration> hint = HintOf(status);
  now_ = now;
  ++attempts_;
  ++failed.attempts;
  if (same == SameCandidate::kNever) failed.spent = true;
  if (hint.has_value()) failed.not_before = std::max(failed.not_before, now + *hint);
  if (attempts_ >= max_attempts_ || now > not_after) return {};

  const bool alone = !OtherLeft(candidate, outlook.selectable).has_value();
  const bool next = rule.next && !alone;
  const int tokens = TokensFor(rule.error_class);
  const int most =
      failed.policy.max_per_candidate.value_or(alone ? max_attempts_ : kTriesWithOthersLeft);
  const absl::Duration longest = failed.policy.inline_wait_max;
  const bool again = failed.attempts < most && outlook.again_from <= now + longest &&
                     (!hint.has_value() || *hint <= longest);
  RetryDecision decision;
  if (again && RepeatsFirst(same, failed.repeats, next, hint.has_value() && CoolsNothing(rule))) {
    decision = Same(candidate, hint, tokens, not_after, outlook, random);
    if (decision.kind != RetryDecision::Kind::kStop) return decision;
  }
  if (!next) return decision;
  const bool denied = decision.budget_denied;
  decision = Next(candidate, tokens, not_after, outlook, random);
  decision.budget_denied |= denied && decision.kind == RetryDecision::Kind::kStop;
  return decision;
}

bool RetryState::MayRepair(int candidate, Instant now, Instant not_after) {
  Candidate& failed = candidates_[static_cast<size_t>(candidate)];
  const int most = failed.policy.max_per_candidate.value_or(max_attempts_);
  if (failed.repaired || now > not_after || failed.attempts + 1 >= most ||
      attempts_ + 1 >= max_attempts_) {
    return false;
  }
  failed.repaired = true;
  ++failed.attempts;
  ++attempts_;
  now_ = now;
  return true;
}

bool RetryState::Left(int candidate, absl::FunctionRef<bool(int)> selectable) const {
  if (!may_change_candidate_) return false;
  const Candidate& other = candidates_[static_cast<size_t>(candidate)];
  const int most = other.policy.max_per_candidate.value_or(kTriesWithOthersLeft);
  return other.attempts < most && !other.spent && other.not_before <= now_ && selectable(candidate);
}

Instant RetryState::ReadyAt(int candidate, Random random) {
  Candidate& asked = candidates_[static_cast<size_t>(candidate)];
  if (asked.attempts == 0) return now_;
  asked.last_delay = Backoff(asked.policy.backoff, asked.attempts, asked.last_delay, random);
  return now_ + asked.last_delay;
}

RetryDecision RetryState::Same(int candidate, std::optional<absl::Duration> hint, int tokens,
                               Instant not_after, const Outlook& outlook, Random random) {
  Instant at = ReadyAt(candidate, random);
  at = std::max(at, outlook.again_from);
  // Where the cooldown has the hint in it, it has a jitter too: one draw is enough.
  if (hint.has_value() && outlook.again_from < now_ + *hint) {
    at = std::max(at, now_ + *hint * (1 + 0.1 * random()));
  }
  RetryDecision decision;
  if (at > not_after) return decision;
  if (!outlook.pay(candidate, tokens)) {
    decision.budget_denied = true;
    return decision;
  }
  ++candidates_[static_cast<size_t>(candidate)].repeats;
  now_ = at;
  decision.kind = RetryDecision::Kind::kSame;
  decision.candidate = candidate;
  decision.at = at;
  return decision;
}

RetryDecision RetryState::Next(int candidate, int tokens, Instant not_after, const Outlook& outlook,
                               Random random) {
  const int count = static_cast<int>(candidates_.size());
  RetryDecision decision;
  for (int step = 1; step < count; ++step) {
    const int other = (candidate + step) % count;
    if (!Left(other, outlook.selectable)) continue;
    const Instant at = ReadyAt(other, random);
    if (at > not_after) continue;
    Candidate& asked = candidates_[static_cast<size_t>(other)];
    if (asked.attempts > 0 && !outlook.pay(other, tokens)) {
      decision.budget_denied = true;
      continue;
    }
    asked.repeats = 0;
    now_ = at;
    decision.kind = RetryDecision::Kind::kNext;
    decision.candidate = other;
    decision.at = at;
    decision.budget_denied = false;
    return decision;
  }
  return decision;
}

}  // namespace mg
