#include "resilience/refusal.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/error.h"

namespace mg {
namespace {

constexpr absl::Duration kShortestHint = absl::Seconds(1);
constexpr absl::Duration kLongestHint = absl::Seconds(300);
constexpr size_t kNamed = 4;

enum class Cause { kLimited, kCredential, kModel, kIsolated, kOther };

Cause CauseOf(const Availability& availability) {
  switch (availability.blocked_by) {
    case BlockedBy::kIsolated:
      return Cause::kIsolated;
    case BlockedBy::kBreaker:
      return availability.rate_limited ? Cause::kLimited : Cause::kOther;
    case BlockedBy::kCooldown:
      if (availability.cooling == CooldownScope::kCredential) return Cause::kCredential;
      if (availability.cooling == CooldownScope::kModel) return Cause::kModel;
      return Cause::kLimited;
    case BlockedBy::kNothing:
    case BlockedBy::kLimiter:
      return Cause::kOther;
  }
  return Cause::kOther;
}

absl::string_view WordsFor(const Availability& availability) {
  switch (availability.blocked_by) {
    case BlockedBy::kIsolated:
      return "was isolated by its operator";
    case BlockedBy::kBreaker:
      return availability.rate_limited ? "is left alone after too many 429s in a row"
                                       : "is left alone after failures";
    case BlockedBy::kCooldown:
      switch (availability.cooling) {
        case CooldownScope::kQuota:
          return "has spent its quota";
        case CooldownScope::kCredential:
          return "refuses the configured key";
        case CooldownScope::kModel:
          return "does not know the model, or not for this key";
        default:
          return "limits the rate of requests";
      }
    case BlockedBy::kNothing:
    case BlockedBy::kLimiter:
      return "has no room";
  }
  return "";
}

std::string Describe(absl::string_view group, const std::vector<BlockedCandidate>& blocked,
                     Instant now) {
  std::string text = absl::StrCat("nothing of \"", group, "\" can be asked now: ");
  for (size_t i = 0; i < std::min(blocked.size(), kNamed); ++i) {
    const Availability& availability = blocked[i].availability;
    absl::StrAppend(&text, i == 0 ? "" : "; ", blocked[i].id, " ", WordsFor(availability));
    if (availability.at == kNever) continue;
    const absl::Duration left = absl::Ceil(availability.at - now, absl::Seconds(1));
    absl::StrAppend(&text, " (", absl::FormatDuration(left), " left)");
  }
  if (blocked.size() > kNamed) absl::StrAppend(&text, "; and ", blocked.size() - kNamed, " more");
  return text;
}

void SetHint(const std::vector<BlockedCandidate>& blocked, Instant now, Random random,
             v1::ErrorDetail* detail) {
  Instant earliest = kNever;
  for (const BlockedCandidate& candidate : blocked) {
    earliest = std::min(earliest, candidate.availability.at);
  }
  if (earliest == kNever) return;
  const absl::Duration hint =
      std::clamp(earliest - now, kShortestHint, kLongestHint) * (1 + 0.2 * random());
  detail->mutable_retry_after()->set_seconds(absl::ToInt64Seconds(hint));
  detail->mutable_retry_after()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(hint % absl::Seconds(1))));
}

}  // namespace

absl::Status Refusal(absl::string_view group, const std::vector<BlockedCandidate>& blocked,
                     Instant now, Random random) {
  const std::string text = Describe(group, blocked, now);
  const Cause cause = CauseOf(blocked.front().availability);
  const bool one_cause =
      std::all_of(blocked.begin(), blocked.end(), [cause](const BlockedCandidate& candidate) {
        return CauseOf(candidate.availability) == cause;
      });
  v1::ErrorDetail detail;
  if (one_cause && cause == Cause::kModel) {
    detail.set_field("model");
    return MakeError(ErrorClass::kUnknownModel, detail, text);
  }
  SetHint(blocked, now, random, &detail);
  if (one_cause && cause == Cause::kLimited) {
    detail.set_reason("rate_limited");
    return WithCode(MakeError(ErrorClass::kNoCandidate, detail, text),
                    absl::StatusCode::kResourceExhausted);
  }
  if (one_cause && cause == Cause::kCredential) {
    detail.set_reason("upstream_auth");
    return WithCode(MakeError(ErrorClass::kNoCandidate, detail, text),
                    absl::StatusCode::kFailedPrecondition);
  }
  detail.set_reason(one_cause && cause == Cause::kIsolated ? "isolated" : "breaker_open");
  return MakeError(ErrorClass::kNoCandidate, detail, text);
}

}  // namespace mg
