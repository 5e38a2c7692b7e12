#include "resilience/cooldown.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace mg {
namespace {

using Scope = CooldownScope;

double None() { return 0; }
double Most() { return 1 - 0x1p-53; }

class CooldownTest : public testing::Test {
 protected:
  Instant Start(Scope reason, std::optional<absl::Duration> hint = {}) {
    return cooldown_.Start(reason, hint, now_, None);
  }
  absl::Duration Left() { return cooldown_.Until(now_) - now_; }
  void Expire() { now_ = cooldown_.Until(now_); }
  // How long each of so many lasts, one begun as soon as the one before is over.
  std::vector<int64_t> Row(Scope reason, int count) {
    std::vector<int64_t> seconds;
    for (int i = 0; i < count; ++i) {
      Start(reason);
      seconds.push_back(absl::ToInt64Seconds(Left()));
      Expire();
    }
    return seconds;
  }

  Cooldown cooldown_{CooldownPolicy{}};
  Instant now_ = absl::UnixEpoch() + absl::Hours(1);
};

TEST_F(CooldownTest, NothingBlocksAtFirst) {
  EXPECT_EQ(cooldown_.Until(now_), now_);
  EXPECT_EQ(cooldown_.View(now_).reason, Scope::kNone);
}

TEST_F(CooldownTest, RateWithoutAHintDoublesToItsCap) {
  EXPECT_EQ(Row(Scope::kRate, 6), (std::vector<int64_t>{5, 10, 20, 40, 60, 60}));
}

TEST_F(CooldownTest, QuotaAndAuthDoubleToTheirs) {
  EXPECT_EQ(Row(Scope::kQuota, 6), (std::vector<int64_t>{300, 600, 1200, 2400, 3600, 3600}));
  cooldown_.Clear();
  EXPECT_EQ(Row(Scope::kCredential, 6), (std::vector<int64_t>{60, 120, 240, 480, 600, 600}));
  cooldown_.Clear();
  EXPECT_EQ(Row(Scope::kModel, 3), (std::vector<int64_t>{300, 300, 300}));
}

TEST_F(CooldownTest, ABaseOverTheCapIsTheCap) {
  CooldownPolicy policy;
  policy.rate_default = absl::Minutes(10);
  cooldown_.SetPolicy(policy);
  EXPECT_EQ(Row(Scope::kRate, 3), (std::vector<int64_t>{600, 600, 600}));
}

TEST_F(CooldownTest, RateFollowsTheHintWithinItsBounds) {
  EXPECT_EQ(Start(Scope::kRate, absl::Seconds(22)), now_ + absl::Seconds(22));
  Expire();
  EXPECT_EQ(Start(Scope::kRate, absl::ZeroDuration()), now_ + absl::Milliseconds(250));
  Expire();
  EXPECT_EQ(Start(Scope::kRate, absl::Hours(2)), now_ + absl::Seconds(300));
  Expire();
  EXPECT_EQ(Row(Scope::kRate, 2), (std::vector<int64_t>{5, 10}));  // hints raise no level
}

TEST_F(CooldownTest, TheOtherReasonsHaveNoHint) {
  EXPECT_EQ(Start(Scope::kQuota, absl::Seconds(1)), now_ + absl::Seconds(300));
  EXPECT_EQ(Start(Scope::kModel, absl::Seconds(1)), now_ + absl::Seconds(300));
}

TEST_F(CooldownTest, JitterAddsUpToATenth) {
  EXPECT_EQ(cooldown_.Start(Scope::kRate, absl::Seconds(20), now_, [] { return 0.5; }),
            now_ + absl::Seconds(21));
  cooldown_.Clear();
  const absl::Duration most = cooldown_.Start(Scope::kRate, absl::Seconds(20), now_, Most) - now_;
  EXPECT_GT(most, absl::Seconds(21.9));
  EXPECT_LE(most, absl::Seconds(22));
}

TEST_F(CooldownTest, ASecondOneExtendsAndNeverShortens) {
  const Instant first = Start(Scope::kRate, absl::Seconds(30));
  EXPECT_EQ(Start(Scope::kRate, absl::Seconds(3)), first);
  now_ += absl::Seconds(20);
  EXPECT_EQ(Start(Scope::kRate, absl::Seconds(30)), now_ + absl::Seconds(30));
}

TEST_F(CooldownTest, OnesThatMeetRaiseTheLevelOnce) {
  for (int i = 0; i < 50; ++i) Start(Scope::kRate);
  EXPECT_EQ(Left(), absl::Seconds(5));
  EXPECT_EQ(cooldown_.View(now_).level, 1);
  Expire();
  Start(Scope::kRate);
  EXPECT_EQ(Left(), absl::Seconds(10));
}

TEST_F(CooldownTest, RateIsForgottenAMinuteAfterItsEnd) {
  Row(Scope::kRate, 3);
  now_ += absl::Seconds(60) - absl::Nanoseconds(1);
  EXPECT_EQ(Row(Scope::kRate, 1), (std::vector<int64_t>{40}));
  now_ += absl::Seconds(60);
  EXPECT_EQ(Row(Scope::kRate, 1), (std::vector<int64_t>{5}));
}

TEST_F(CooldownTest, ASuccessForgetsQuotaAndAuthOnceTheyAreOver) {
  for (Scope reason : {Scope::kQuota, Scope::kCredential}) {
    cooldown_.Clear();
    const std::vector<int64_t> row = Row(reason, 2);
    Start(reason);
    const absl::Duration left = Left();
    cooldown_.Success(now_);  // of an attempt that was under way
    EXPECT_EQ(Left(), left);
    Expire();
    now_ += absl::Hours(24);  // time alone forgets nothing
    Start(reason);
    EXPECT_GT(Left(), left);
    Expire();
    cooldown_.Success(now_);
    EXPECT_EQ(Row(reason, 1)[0], row[0]);
  }
}

TEST_F(CooldownTest, ASuccessDoesNotForgetRate) {
  Row(Scope::kRate, 2);
  cooldown_.Success(now_);
  EXPECT_EQ(Row(Scope::kRate, 1), (std::vector<int64_t>{20}));
}

TEST_F(CooldownTest, TheLongestReasonIsTheOneThatBlocks) {
  Start(Scope::kRate);
  Start(Scope::kCredential);
  EXPECT_EQ(cooldown_.View(now_).reason, Scope::kCredential);
  EXPECT_EQ(Left(), absl::Seconds(60));
  Start(Scope::kRate, absl::Seconds(120));
  EXPECT_EQ(cooldown_.View(now_).reason, Scope::kRate);
}

TEST_F(CooldownTest, ANewSecretClearsQuotaAndAuthAlone) {
  Start(Scope::kQuota);
  Start(Scope::kCredential);
  Start(Scope::kRate);
  cooldown_.ClearCredential();
  EXPECT_EQ(cooldown_.View(now_).reason, Scope::kRate);
  EXPECT_EQ(Left(), absl::Seconds(5));
  EXPECT_EQ(Start(Scope::kQuota), now_ + absl::Seconds(300));
  cooldown_.Clear();
  EXPECT_EQ(Left(), absl::ZeroDuration());
}

TEST_F(CooldownTest, ANewPolicyHoldsForWhatBegins) {
  Start(Scope::kQuota);
  CooldownPolicy policy;
  policy.quota = absl::Seconds(1);
  cooldown_.SetPolicy(policy);
  EXPECT_EQ(Left(), absl::Seconds(300));
}

// I8 and I9, by many random lives.
TEST(CooldownInvariants, UntilNeverFallsAndNeverPrecedesTheHint) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 generator(seed);
    const auto draw = [&](uint32_t below) { return static_cast<int>(generator() % below); };
    const auto random = [&] { return std::uniform_real_distribution<double>()(generator); };
    const CooldownPolicy policy;
    Cooldown cooldown(policy);
    Instant now = absl::UnixEpoch() + absl::Hours(1);
    Instant until = now;
    for (int step = 0; step < 300; ++step) {
      now += absl::Milliseconds(draw(20000));
      switch (draw(8)) {
        case 0:
          cooldown.Clear();
          until = now;
          break;
        case 1:
          cooldown.Success(now);
          break;
        case 2: {
          const absl::Duration hint = absl::Milliseconds(draw(400000));
          const Instant end = cooldown.Start(Scope::kRate, hint, now, random);
          ASSERT_GE(end, now + std::min(hint, policy.rate_max)) << "seed " << seed;
          break;
        }
        case 3:
          cooldown.Start(Scope::kRate, std::nullopt, now, random);
          break;
        default:
          cooldown.Start(static_cast<Scope>(1 + draw(4)), std::nullopt, now, random);
      }
      ASSERT_GE(cooldown.Until(now), std::max(until, now)) << "seed " << seed;
      ASSERT_LE(cooldown.Until(now) - now, absl::Seconds(3600) * 1.1) << "seed " << seed;
      until = cooldown.Until(now);
    }
  }
}

}  // namespace
}  // namespace mg
