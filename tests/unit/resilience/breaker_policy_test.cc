// What a reload does to a breaker that lives on (spec/resilience.md §3.13).
#include <gtest/gtest.h>

#include "resilience/breaker.h"
#include "tests/unit/resilience/breaker_driver.h"

namespace mg {
namespace {

class BreakerPolicyTest : public testing::Test, public BreakerDriver {
 protected:
  BreakerPolicyTest() : BreakerDriver(WithoutJitter()) {}
  std::string Set(const BreakerPolicy& policy) { return Text(breaker().SetPolicy(policy, now())); }

  BreakerPolicy policy_ = WithoutJitter();
};

TEST_F(BreakerPolicyTest, ThresholdsHoldFromTheNextEventOn) {
  for (int i = 0; i < 4; ++i) Fail();
  policy_.failure_threshold = 3;
  EXPECT_EQ(Set(policy_), "none");
  EXPECT_EQ(State(), "closed");
  EXPECT_EQ(Fail(), "closed>open consecutive");
}

TEST_F(BreakerPolicyTest, AWindowOfTheSameWidthIsKept) {
  Fail();
  Succeed();
  policy_.cooldown = absl::Seconds(20);
  Set(policy_);
  EXPECT_EQ(View().window_ok, 1);
  EXPECT_EQ(View().window_failed, 1);
}

TEST_F(BreakerPolicyTest, AnotherWidthClearsCountersAndNothingElse) {
  OpenAndWait();
  Fail();
  const absl::Duration open_for = OpenFor();
  policy_.window = absl::Seconds(60);
  EXPECT_EQ(Set(policy_), "none");
  EXPECT_EQ(State(), "open");
  EXPECT_EQ(OpenFor(), open_for);
  EXPECT_EQ(View().reopened, 1);
  EXPECT_EQ(View().window_failed, 0);
  EXPECT_EQ(View().consecutive, 0);
}

TEST_F(BreakerPolicyTest, ATailFromBeforeTakesNothingFromTheNewWindow) {
  CircuitBreaker::Committed committed = Admit().Commit(now());
  policy_.window = absl::Seconds(60);
  Set(policy_);
  Succeed();
  committed.tail.Failure(now(), NoRandom);
  EXPECT_EQ(View().window_ok, 1);
  EXPECT_EQ(View().window_failed, 1);
}

TEST_F(BreakerPolicyTest, ASmallerMaximumShortensWhatIsOpen) {
  for (int i = 0; i < 5; ++i) Fail(absl::Seconds(200));
  Advance(absl::Seconds(1));
  Set(policy_);
  EXPECT_EQ(OpenFor(), absl::Seconds(199));
  policy_.max_cooldown = absl::Seconds(30);
  Set(policy_);
  EXPECT_EQ(OpenFor(), absl::Seconds(29));
  policy_.max_cooldown = absl::Seconds(300);
  Set(policy_);
  EXPECT_EQ(OpenFor(), absl::Seconds(29));
}

TEST_F(BreakerPolicyTest, AnUnchangedMaximumKeepsTheJitter) {
  policy_.cooldown = policy_.max_cooldown;
  policy_.jitter = 0.2;
  Set(policy_);
  for (int i = 0; i < 5; ++i) Admit().Failure(now(), {}, HalfRandom);
  EXPECT_EQ(OpenFor(), absl::Seconds(330));
  Set(policy_);
  EXPECT_EQ(OpenFor(), absl::Seconds(330));
}

TEST_F(BreakerPolicyTest, ReloadsDoNotHoldUpTheDecay) {
  OpenAndWait();
  Fail();
  WaitUntilDue();
  Succeed();
  Succeed();
  for (int i = 0; i < 30; ++i) {
    Advance(absl::Seconds(1));
    Set(policy_);
  }
  EXPECT_EQ(View().reopened, 0);
}

TEST_F(BreakerPolicyTest, FewerProbesKillNone) {
  policy_.half_open_max_probes = 3;
  Set(policy_);
  OpenAndWait();
  CircuitBreaker::Permit a = Admit();
  CircuitBreaker::Permit b = Admit();
  CircuitBreaker::Permit c = Admit();
  policy_.half_open_max_probes = 1;
  Set(policy_);
  EXPECT_TRUE(Refused());
  a.Neutral();
  b.Neutral();
  EXPECT_TRUE(Refused());
  c.Neutral();
  EXPECT_FALSE(Refused());
}

TEST_F(BreakerPolicyTest, DisablingClosesAndCountsNothing) {
  Open();
  policy_.enabled = false;
  EXPECT_EQ(Set(policy_), "open>closed disabled");
  EXPECT_EQ(breaker().Ramp(now()), 1);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(Fail(), "none");
    EXPECT_EQ(RateLimit(), "none");
    EXPECT_EQ(Cut(), "none");
  }
  EXPECT_EQ(Set(WithoutJitter()), "none");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Fail(), "none");
  EXPECT_EQ(Fail(), "closed>open consecutive");
}

TEST_F(BreakerPolicyTest, AnotherScopeBeginsClosedAndCold) {
  Open();
  policy_.scope = BreakerScope::kTarget;
  EXPECT_EQ(Set(policy_), "open>closed scope_changed");
  EXPECT_EQ(breaker().Ramp(now()), 1);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Fail(), "none");
  policy_.scope = BreakerScope::kProvider;
  EXPECT_EQ(Set(policy_), "none");
  EXPECT_EQ(View().consecutive, 0);
  breaker().Isolate(now(), kNever);
  policy_.scope = BreakerScope::kAuto;
  EXPECT_EQ(Set(policy_), "none");
  EXPECT_TRUE(Refused());
}

TEST_F(BreakerPolicyTest, IsolationHoldsWithoutABreaker) {
  breaker().Isolate(now(), kNever);
  policy_.enabled = false;
  EXPECT_EQ(Set(policy_), "none");
  EXPECT_TRUE(Refused());
  EXPECT_EQ(State(), "isolated");
}

}  // namespace
}  // namespace mg
