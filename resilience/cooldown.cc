#include "resilience/cooldown.h"

#include <algorithm>

#include "base/check.h"

namespace mg {
namespace {

constexpr absl::Duration kShortestHint = absl::Milliseconds(250);
// Where doubling ends, unless the first one is longer already.
constexpr absl::Duration kRateCap = absl::Seconds(60);
constexpr absl::Duration kQuotaCap = absl::Seconds(3600);
constexpr absl::Duration kAuthCap = absl::Seconds(600);
// So long after its end the next rate cooldown begins small again.
constexpr absl::Duration kRateForgottenAfter = absl::Seconds(60);
constexpr double kJitter = 0.1;

absl::Duration Doubled(absl::Duration base, int level, absl::Duration cap) {
  return std::min(base * (int64_t{1} << std::clamp(level - 1, 0, 62)), std::max(base, cap));
}

}  // namespace

const char* CooldownReasonName(CooldownScope reason) {
  switch (reason) {
    case CooldownScope::kNone:
      return "none";
    case CooldownScope::kRate:
      return "rate";
    case CooldownScope::kQuota:
      return "quota";
    case CooldownScope::kCredential:
      return "auth";
    case CooldownScope::kModel:
      return "model";
  }
  return "";
}

Instant Cooldown::Start(CooldownScope reason, std::optional<absl::Duration> hint, Instant now,
                        Random random) {
  MG_CHECK(reason != CooldownScope::kNone, "a cooldown has a reason");
  const std::lock_guard<std::mutex> lock(mutex_);
  Entry& entry = At(reason);
  const double stretch = 1 + kJitter * random();
  if (reason == CooldownScope::kRate && hint.has_value()) {
    const absl::Duration asked =
        std::min(std::max(*hint, kShortestHint), std::max(policy_.rate_max, kShortestHint));
    entry.until = std::max(entry.until, now + asked * stretch);
  } else {
    entry.unhinted_until = std::max(entry.unhinted_until, now + Unhinted(reason, now) * stretch);
    entry.until = std::max(entry.until, entry.unhinted_until);
  }
  return entry.until;
}

// Raises the level, unless one without a hint runs.
absl::Duration Cooldown::Unhinted(CooldownScope reason, Instant now) {
  if (reason == CooldownScope::kModel) return policy_.model_missing;
  Entry& entry = At(reason);
  if (reason == CooldownScope::kRate && now >= entry.until + kRateForgottenAfter) entry.level = 0;
  if (now >= entry.unhinted_until) ++entry.level;
  if (reason == CooldownScope::kQuota) return Doubled(policy_.quota, entry.level, kQuotaCap);
  if (reason == CooldownScope::kCredential) return Doubled(policy_.auth, entry.level, kAuthCap);
  return Doubled(policy_.rate_default, entry.level, kRateCap);
}

void Cooldown::Success(Instant now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (CooldownScope reason : {CooldownScope::kQuota, CooldownScope::kCredential}) {
    Entry& entry = At(reason);
    if (now >= entry.until) entry.level = 0;
  }
}

Instant Cooldown::Until(Instant now) const { return std::max(now, View(now).until); }

CooldownView Cooldown::View(Instant now) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  CooldownView view;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (entry.until <= now || entry.until <= view.until) continue;
    view = {static_cast<CooldownScope>(i), entry.until, entry.level};
  }
  return view;
}

void Cooldown::ClearCredential() {
  const std::lock_guard<std::mutex> lock(mutex_);
  At(CooldownScope::kQuota) = {};
  At(CooldownScope::kCredential) = {};
}

void Cooldown::Clear() {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_ = {};
}

void Cooldown::SetPolicy(const CooldownPolicy& policy) {
  const std::lock_guard<std::mutex> lock(mutex_);
  policy_ = policy;
}

}  // namespace mg
