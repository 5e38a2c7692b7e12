#include "resilience/refusal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace mg {
namespace {

using testing::HasSubstr;

const Instant kStart = absl::UnixEpoch() + absl::Hours(1);
double Half() { return 0.5; }

BlockedCandidate Blocked(const char* id, BlockedBy by, absl::Duration left,
                         CooldownScope cooling = CooldownScope::kNone, bool rate_limited = false) {
  BlockedCandidate blocked;
  blocked.id = id;
  blocked.availability.blocked_by = by;
  blocked.availability.cooling = cooling;
  blocked.availability.rate_limited = rate_limited;
  blocked.availability.at = left == absl::InfiniteDuration() ? kNever : kStart + left;
  return blocked;
}

BlockedCandidate Cooling(const char* id, CooldownScope scope, int seconds) {
  return Blocked(id, BlockedBy::kCooldown, absl::Seconds(seconds), scope);
}

double HintOf(const absl::Status& status) {
  const v1::ErrorDetail detail = DetailOf(status);
  return static_cast<double>(detail.retry_after().seconds()) + detail.retry_after().nanos() * 1e-9;
}

TEST(RefusalTest, RatesAndQuotasAreResourceExhausted) {
  const absl::Status status =
      Refusal("g",
              {Cooling("a", CooldownScope::kRate, 12), Cooling("b", CooldownScope::kQuota, 300),
               Blocked("c", BlockedBy::kBreaker, absl::Seconds(20), CooldownScope::kNone, true)},
              kStart, Half);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(DetailOf(status).kind(), v1::ERROR_KIND_NO_CANDIDATE);
  EXPECT_EQ(DetailOf(status).reason(), "rate_limited");
  EXPECT_DOUBLE_EQ(HintOf(status), 12 * 1.1);
  EXPECT_THAT(
      std::string(status.message()),
      HasSubstr("nothing of \"g\" can be asked now: a limits the rate of requests (12s left)"
                "; b has spent its quota (5m left); c is left alone after too many 429s"));
}

TEST(RefusalTest, OurKeysAreAFailedPrecondition) {
  const absl::Status status =
      Refusal("g", {Cooling("a", CooldownScope::kCredential, 60)}, kStart, Half);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(DetailOf(status).kind(), v1::ERROR_KIND_NO_CANDIDATE);
  EXPECT_EQ(ClassOf(status), ErrorClass::kNoCandidate);
}

TEST(RefusalTest, ATypoIsATypoTheSecondTimeToo) {
  const absl::Status status =
      Refusal("p/typo", {Cooling("p/typo", CooldownScope::kModel, 300)}, kStart, Half);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(DetailOf(status).kind(), v1::ERROR_KIND_UNKNOWN_MODEL);
  EXPECT_FALSE(DetailOf(status).has_retry_after());
}

TEST(RefusalTest, IsolationAloneHasNoHint) {
  const absl::Status status =
      Refusal("g", {Blocked("a", BlockedBy::kIsolated, absl::InfiniteDuration())}, kStart, Half);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(DetailOf(status).reason(), "isolated");
  EXPECT_FALSE(DetailOf(status).has_retry_after());
}

TEST(RefusalTest, DifferentCausesAreUnavailableUntilTheFirstIsOver) {
  const absl::Status status = Refusal(
      "g",
      {Cooling("a", CooldownScope::kRate, 90), Blocked("b", BlockedBy::kBreaker, absl::Seconds(7))},
      kStart, Half);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_DOUBLE_EQ(HintOf(status), 7.7);
}

TEST(RefusalTest, TheHintIsAtLeastASecondAndAtMostFiveMinutes) {
  EXPECT_DOUBLE_EQ(HintOf(Refusal("g", {Blocked("a", BlockedBy::kBreaker, absl::Milliseconds(3))},
                                  kStart, Half)),
                   1.1);
  EXPECT_DOUBLE_EQ(
      HintOf(Refusal("g", {Blocked("a", BlockedBy::kBreaker, absl::Hours(1))}, kStart, Half)), 330);
}

}  // namespace
}  // namespace mg
