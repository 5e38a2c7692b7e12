#include "resilience/permits.h"

#include <gtest/gtest.h>

#include "resilience/live_state.h"

namespace mg {
namespace {

using B = BreakerVerdict;
using C = ErrorClass;

const Instant kStart = absl::UnixEpoch() + absl::Hours(1);
double Zero() { return 0; }

AttemptEnd Ended(C error_class, bool answered, bool early = false) {
  AttemptEnd end;
  end.status = MakeError(error_class, "it failed");
  end.answered = answered;
  end.early = early;
  return end;
}

AttemptEnd Well() {
  AttemptEnd end;
  end.answered = true;
  return end;
}

TEST(VerdictsTest, TransportFaultsFailTheEndpointAndAnswersDoNot) {
  const Verdicts refused = VerdictsOf(BreakerScope::kAuto, Ended(C::kConnect, false));
  EXPECT_EQ(refused.endpoint, B::kFailure);
  EXPECT_EQ(refused.target, B::kFailure);
  const Verdicts broken = VerdictsOf(BreakerScope::kAuto, Ended(C::kServerError, true));
  EXPECT_EQ(broken.endpoint, B::kSuccess);
  EXPECT_EQ(broken.target, B::kFailure);
  const Verdicts well = VerdictsOf(BreakerScope::kAuto, Well());
  EXPECT_EQ(well.endpoint, B::kSuccess);
  EXPECT_EQ(well.target, B::kSuccess);
}

TEST(VerdictsTest, WhatSaysNothingIsNeutral) {
  for (const C error_class : {C::kCaller, C::kContext, C::kPolicy, C::kQuota, C::kCredential,
                              C::kModel, C::kConflict, C::kSchema, C::kUnknown}) {
    const Verdicts verdicts = VerdictsOf(BreakerScope::kAuto, Ended(error_class, true));
    EXPECT_EQ(verdicts.endpoint, B::kSuccess);  // it answered
    EXPECT_EQ(verdicts.target, B::kNeutral) << RuleOf(error_class).name;
  }
  for (const C error_class : {C::kCancel, C::kShed, C::kSlowReader, C::kShuttingDown, C::kBug}) {
    const Verdicts verdicts = VerdictsOf(BreakerScope::kAuto, Ended(error_class, false));
    EXPECT_EQ(verdicts.endpoint, B::kNeutral);
    EXPECT_EQ(verdicts.target, B::kNeutral);
  }
}

TEST(VerdictsTest, ADeadlineIsAFailureOnlyWhereTheProviderHadItsTime) {
  EXPECT_EQ(VerdictsOf(BreakerScope::kAuto, Ended(C::kDeadline, false, true)).target, B::kNeutral);
  EXPECT_EQ(VerdictsOf(BreakerScope::kAuto, Ended(C::kDeadline, false)).target, B::kFailure);
  EXPECT_EQ(VerdictsOf(BreakerScope::kAuto, Ended(C::kTimeout, false, true)).target, B::kNeutral);
  EXPECT_EQ(VerdictsOf(BreakerScope::kAuto, Ended(C::kTimeout, false)).target, B::kFailure);
}

TEST(VerdictsTest, TheScopeSaysWhoIsBlamed) {
  const Verdicts whole = VerdictsOf(BreakerScope::kProvider, Ended(C::kServerError, true));
  EXPECT_EQ(whole.endpoint, B::kFailure);
  EXPECT_EQ(whole.target, B::kNeutral);
  EXPECT_EQ(VerdictsOf(BreakerScope::kProvider, Ended(C::kRate, true)).target, B::kRateLimited);
  const Verdicts one = VerdictsOf(BreakerScope::kTarget, Ended(C::kConnect, false));
  EXPECT_EQ(one.endpoint, B::kNeutral);
  EXPECT_EQ(one.target, B::kFailure);
}

class PermitsTest : public testing::Test {
 protected:
  explicit PermitsTest(int max_in_flight = 2) {
    ResiliencePolicy policy;
    policy.breaker.failure_threshold = 2;
    policy.limiter.max_in_flight = max_in_flight;
    state_ = live_.For("p", "h", "", 0, policy, kStart);
    target_ = state_.own->TargetOf("m", false, kStart);
  }
  std::optional<Permits> Take(Instant now = kStart) {
    return Permits::Take(target_, now, false, std::nullopt, &events_);
  }
  void Fail() { Take()->End(Ended(C::kServerError, true), kStart, Zero, &events_); }
  int InFlight() const { return state_.endpoint->limiter->Now().in_flight; }

  LiveState live_;
  ProviderState state_;
  std::shared_ptr<Target> target_;
  std::vector<BreakerEvent> events_;
};

TEST_F(PermitsTest, ASlotIsHeldAsLongAsThePermits) {
  std::optional<Permits> one = Take();
  std::optional<Permits> two = Take();
  ASSERT_TRUE(one.has_value() && two.has_value());
  EXPECT_FALSE(Take().has_value());
  one->End(Well(), kStart, Zero, &events_);
  EXPECT_EQ(InFlight(), 2);
  one.reset();
  EXPECT_EQ(InFlight(), 1);
  EXPECT_TRUE(Take().has_value());
  EXPECT_TRUE(events_.empty());
}

TEST_F(PermitsTest, WhatIsRefusedLaterLeavesNoProbeSlotTaken) {
  Fail();
  Fail();
  ASSERT_EQ(target_->breaker->View(kStart).state, BreakerState::kOpen);
  const Instant later = kStart + absl::Seconds(20);
  std::optional<Limiter::Slot> a = state_.endpoint->limiter->TryAcquire();
  std::optional<Limiter::Slot> b = state_.endpoint->limiter->TryAcquire();
  EXPECT_FALSE(Take(later).has_value());  // no slot
  EXPECT_EQ(target_->breaker->View(later).probes, 0);
  a.reset();
  std::optional<Permits> probe = Take(later);
  ASSERT_TRUE(probe.has_value());
  EXPECT_TRUE(probe->half_open());
  EXPECT_EQ(target_->breaker->View(later).probes, 1);
  probe.reset();  // dropped: neutral
  EXPECT_EQ(target_->breaker->View(later).probes, 0);
}

TEST_F(PermitsTest, ChangesAreTold) {
  Fail();
  EXPECT_TRUE(events_.empty());
  Fail();
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0].provider, "p");
  EXPECT_EQ(events_[0].model, "m");
  EXPECT_EQ(events_[0].transition->to, BreakerState::kOpen);
  EXPECT_STREQ(events_[0].transition->reason, "consecutive");
}

TEST_F(PermitsTest, AStreamThatIsCutAfterItsCommitTakesItsSuccessBack) {
  for (int i = 0; i < 2; ++i) {
    std::optional<Permits> permits = Take();
    permits->Commit(kStart, &events_);
    EXPECT_EQ(target_->breaker->View(kStart).window_ok, 1);
    permits->End(Ended(C::kInterrupted, true), kStart, Zero, &events_);
  }
  EXPECT_EQ(target_->breaker->View(kStart).state, BreakerState::kOpen);
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_STREQ(events_[0].transition->reason, "truncated");
  EXPECT_EQ(state_.endpoint->breaker->View(kStart).window_failed, 0);
}

}  // namespace
}  // namespace mg
