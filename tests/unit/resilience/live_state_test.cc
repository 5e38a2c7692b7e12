#include "resilience/live_state.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "resilience/availability.h"

namespace mg {
namespace {

const Instant kStart = absl::UnixEpoch() + absl::Hours(1);
double Zero() { return 0; }

TEST(LiveStateTest, IsFoundAgainByWhatItIs) {
  LiveState live;
  const ProviderState first = live.For("p", "https://h", "env:KEY", 1, {}, kStart);
  const ProviderState again = live.For("p", "https://h", "env:KEY", 1, {}, kStart);
  EXPECT_EQ(first.endpoint, again.endpoint);
  EXPECT_EQ(first.own, again.own);
  EXPECT_EQ(first.callers, again.callers);
  EXPECT_EQ(first.own->TargetOf("m", false, kStart), again.own->TargetOf("m", false, kStart));
  EXPECT_NE(first.own->TargetOf("m", false, kStart), first.own->TargetOf("n", false, kStart));
  EXPECT_NE(first.own->TargetOf("m", false, kStart), first.own->TargetOf("m", true, kStart));
  EXPECT_NE(first.own->TargetOf("m", false, kStart), first.callers->TargetOf("m", false, kStart));
  // Another key: another credential at the same endpoint. Another host: another endpoint.
  const ProviderState rotated = live.For("p", "https://h", "env:OTHER", 1, {}, kStart);
  EXPECT_EQ(rotated.endpoint, first.endpoint);
  EXPECT_NE(rotated.own, first.own);
  EXPECT_NE(live.For("p", "https://elsewhere", "env:KEY", 1, {}, kStart).endpoint, first.endpoint);
}

TEST(LiveStateTest, WhatNobodyNamesIsForgotten) {
  LiveState live;
  std::weak_ptr<Endpoint> endpoint;
  {
    const ProviderState state = live.For("p", "h", "", 0, {}, kStart);
    endpoint = state.endpoint;
  }
  EXPECT_TRUE(endpoint.expired());
}

TEST(LiveStateTest, ANewPolicyHoldsForWhatIsThere) {
  LiveState live;
  const ProviderState state = live.For("p", "h", "", 0, {}, kStart);
  const std::shared_ptr<Target> target = state.own->TargetOf("m", false, kStart);
  ResiliencePolicy policy;
  policy.breaker.failure_threshold = 1;
  policy.limiter.max_in_flight = 3;
  live.For("p", "h", "", 0, policy, kStart);
  EXPECT_EQ(state.endpoint->limiter->Now().max_in_flight, 3);
  target->breaker->Admit(kStart, false).permit->Failure(kStart, std::nullopt, Zero);
  EXPECT_EQ(target->breaker->View(kStart).state, BreakerState::kOpen);
}

TEST(LiveStateTest, WhatANewPolicyClosesIsTold) {
  LiveState live;
  ResiliencePolicy policy;
  policy.breaker.failure_threshold = 1;
  const ProviderState state = live.For("p", "h", "", 0, policy, kStart);
  const std::shared_ptr<Target> target = state.own->TargetOf("m", false, kStart);
  for (CircuitBreaker* breaker : {state.endpoint->breaker.get(), target->breaker.get()}) {
    breaker->Admit(kStart, false).permit->Failure(kStart, std::nullopt, Zero);
  }
  std::vector<BreakerEvent> events;
  live.For("p", "h", "", 0, policy, kStart, &events);
  EXPECT_TRUE(events.empty());
  policy.breaker.enabled = false;
  live.For("p", "h", "", 0, policy, kStart, &events);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].provider, "p");
  EXPECT_EQ(events[0].model, "");
  EXPECT_EQ(events[1].model, "m");
  ASSERT_TRUE(events[1].transition.has_value());
  EXPECT_EQ(events[1].transition->from, BreakerState::kOpen);
  EXPECT_STREQ(events[1].transition->reason, "disabled");
}

TEST(LiveStateTest, ANewSecretClearsWhatWasHeldAgainstTheOldOne) {
  LiveState live;
  const ProviderState state = live.For("p", "h", "env:KEY", 1, {}, kStart);
  state.own->cooldown().Start(CooldownScope::kCredential, std::nullopt, kStart, Zero);
  live.For("p", "h", "env:KEY", 1, {}, kStart);
  EXPECT_GT(state.own->cooldown().Until(kStart), kStart);
  live.For("p", "h", "env:KEY", 2, {}, kStart);
  EXPECT_EQ(state.own->cooldown().Until(kStart), kStart);
}

TEST(LiveStateTest, AnyNumberOfModelsMayBeAskedFor) {
  LiveState live;
  const ProviderState state = live.For("p", "h", "", 0, {}, kStart);
  const std::shared_ptr<Target> kept = state.own->TargetOf("kept", false, kStart);
  const std::shared_ptr<Target> cooling = state.own->TargetOf("cooling", false, kStart);
  cooling->cooldown.Start(CooldownScope::kModel, std::nullopt, kStart, Zero);
  for (size_t i = 0; i < 2 * Credential::kMaxTargets; ++i) {
    state.own->TargetOf(absl::StrCat("model-", i), false, kStart);
    ASSERT_LE(state.own->Targets().size(), Credential::kMaxTargets);
  }
  EXPECT_EQ(state.own->TargetOf("kept", false, kStart), kept);
  EXPECT_EQ(state.own->TargetOf("cooling", false, kStart), cooling);
}

TEST(LiveStateTest, WhereNoneIsIdleTheOthersShareOne) {
  LiveState live;
  const ProviderState state = live.For("p", "h", "", 0, {}, kStart);
  std::vector<std::shared_ptr<Target>> held;
  for (size_t i = 0; i < Credential::kMaxTargets; ++i) {
    held.push_back(state.own->TargetOf(absl::StrCat("model-", i), false, kStart));
  }
  const std::shared_ptr<Target> one = state.own->TargetOf("new", false, kStart);
  EXPECT_EQ(one->model, "*");
  EXPECT_EQ(state.own->TargetOf("newer", false, kStart), one);
}

class AvailabilityTest : public testing::Test {
 protected:
  AvailabilityTest() {
    ResiliencePolicy policy;
    policy.limiter.max_in_flight = 1;
    policy.limiter.queue = 0;
    state_ = live_.For("p", "h", "", 0, policy, kStart);
    target_ = state_.own->TargetOf("m", false, kStart);
  }
  Availability Now() const { return AvailabilityOf(*target_, kStart, false); }

  LiveState live_;
  ProviderState state_;
  std::shared_ptr<Target> target_;
};

TEST_F(AvailabilityTest, TheFirstReasonThatHoldsIsTold) {
  EXPECT_TRUE(Now().selectable());
  EXPECT_EQ(Now().at, kStart);
  const std::optional<Limiter::Slot> slot = state_.endpoint->limiter->TryAcquire();
  EXPECT_STREQ(BlockedByName(Now().blocked_by), "limiter");
  target_->cooldown.Start(CooldownScope::kRate, absl::Seconds(7), kStart, Zero);
  EXPECT_STREQ(BlockedByName(Now().blocked_by), "cooldown");
  EXPECT_EQ(Now().cooling, CooldownScope::kRate);
  EXPECT_EQ(Now().at, kStart + absl::Seconds(7));
  state_.own->cooldown().Start(CooldownScope::kQuota, std::nullopt, kStart, Zero);
  EXPECT_EQ(Now().cooling, CooldownScope::kQuota);  // it lasts longer
  for (int i = 0; i < 5; ++i) {
    target_->breaker->Admit(kStart, false).permit->Failure(kStart, std::nullopt, Zero);
  }
  EXPECT_STREQ(BlockedByName(Now().blocked_by), "breaker_open");
  EXPECT_FALSE(Now().rate_limited);
  EXPECT_EQ(Now().at, kStart + absl::Seconds(300));  // when nothing blocks any more
  state_.endpoint->breaker->Isolate(kStart, kNever);
  EXPECT_STREQ(BlockedByName(Now().blocked_by), "isolated");
  EXPECT_EQ(Now().at, kNever);
}

TEST_F(AvailabilityTest, ARepetitionMayWaitForACooldownAndNotForABreaker) {
  EXPECT_EQ(RepeatableFrom(*target_, kStart), kStart);
  target_->cooldown.Start(CooldownScope::kRate, absl::Seconds(2), kStart, Zero);
  EXPECT_EQ(RepeatableFrom(*target_, kStart), kStart + absl::Seconds(2));
  target_->breaker->Isolate(kStart, kNever);
  EXPECT_EQ(RepeatableFrom(*target_, kStart), kNever);
}

}  // namespace
}  // namespace mg
