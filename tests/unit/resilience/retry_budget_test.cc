#include "resilience/retry_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "absl/time/time.h"

namespace mg {
namespace {

const Instant kStart = absl::UnixEpoch() + absl::Hours(1);

TEST(RetryBudgetTest, BeginsWithHalf) {
  RetryBudget budget(RetryBudgetPolicy{}, kStart);
  EXPECT_DOUBLE_EQ(budget.Tokens(kStart), 10);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(budget.Take(2, kStart));
  EXPECT_FALSE(budget.Take(1, kStart));
  EXPECT_TRUE(budget.Take(0, kStart));
}

TEST(RetryBudgetTest, AWholeTokenOfTenths) {
  RetryBudget budget({.ratio = 0.1, .min_per_second = 0, .max_tokens = 2}, kStart);
  EXPECT_TRUE(budget.Take(1, kStart));
  for (int i = 0; i < 9; ++i) budget.FirstAttemptSucceeded(kStart);
  EXPECT_FALSE(budget.Take(1, kStart));
  budget.FirstAttemptSucceeded(kStart);
  EXPECT_TRUE(budget.Take(1, kStart));
  EXPECT_EQ(budget.Tokens(kStart), 0);
}

TEST(RetryBudgetTest, TimeBringsTokensUpToTheMaximum) {
  RetryBudget budget(RetryBudgetPolicy{}, kStart);
  while (budget.Take(1, kStart)) continue;
  EXPECT_FALSE(budget.Take(1, kStart + absl::Seconds(9.9)));
  EXPECT_TRUE(budget.Take(1, kStart + absl::Seconds(10)));
  EXPECT_DOUBLE_EQ(budget.Tokens(kStart + absl::Hours(10)), 20);
}

TEST(RetryBudgetTest, ADenialTakesNothing) {
  RetryBudget budget({.ratio = 0, .min_per_second = 0, .max_tokens = 3}, kStart);
  EXPECT_FALSE(budget.Take(2, kStart));
  EXPECT_TRUE(budget.Take(1, kStart));
}

TEST(RetryBudgetTest, ANewMaximumClamps) {
  RetryBudget budget(RetryBudgetPolicy{}, kStart);
  budget.SetPolicy({.ratio = 0.2, .min_per_second = 1, .max_tokens = 4}, kStart);
  EXPECT_DOUBLE_EQ(budget.Tokens(kStart), 4);
  budget.SetPolicy(RetryBudgetPolicy{}, kStart);
  EXPECT_DOUBLE_EQ(budget.Tokens(kStart), 4);
  // What time brought until then came at the old pace.
  budget.SetPolicy({.ratio = 0.2, .min_per_second = 100, .max_tokens = 20},
                   kStart + absl::Seconds(10));
  EXPECT_DOUBLE_EQ(budget.Tokens(kStart + absl::Seconds(10)), 5);
}

// I10: what is taken never exceeds what was there, was earned and came with time.
TEST(RetryBudgetInvariants, RepeatsStayWithinTheBound) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 generator(seed);
    const auto uniform = [&] { return std::uniform_real_distribution<double>()(generator); };
    const RetryBudgetPolicy policy = {uniform(), 2 * uniform(), 2 + 30 * uniform()};
    RetryBudget budget(policy, kStart);
    Instant now = kStart;
    double taken = 0;
    double earned = 0;
    for (int step = 0; step < 2000; ++step) {
      now += absl::Milliseconds(200 * uniform());
      if (uniform() < 0.3) {
        budget.FirstAttemptSucceeded(now);
        earned += policy.ratio;
      } else {
        const double cost = uniform() < 0.5 ? 1 : 2;
        if (budget.Take(cost, now)) taken += cost;
      }
      const double brought = policy.min_per_second * absl::ToDoubleSeconds(now - kStart);
      ASSERT_LE(taken, policy.max_tokens / 2 + earned + brought + 1e-3) << "seed " << seed;
      ASSERT_GE(budget.Tokens(now), 0) << "seed " << seed;
      ASSERT_LE(budget.Tokens(now), policy.max_tokens) << "seed " << seed;
    }
  }
}

// In a total outage little more than min_per_second is left, half of it for what was sent.
TEST(RetryBudgetInvariants, ATotalOutageLeavesTheMinimum) {
  RetryBudget budget(RetryBudgetPolicy{}, kStart);
  int repeats = 0;
  const int seconds = 10000;
  for (int i = 0; i < seconds * 100; ++i) {
    if (budget.Take(2, kStart + absl::Milliseconds(10 * i))) ++repeats;
  }
  EXPECT_NEAR(repeats, 5 + 0.05 * seconds, 1);
}

}  // namespace
}  // namespace mg
