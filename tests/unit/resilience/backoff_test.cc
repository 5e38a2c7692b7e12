#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "resilience/retry.h"

namespace mg {
namespace {

constexpr BackoffPolicy PolicyOf(Jitter jitter) {
  return {absl::Milliseconds(250), absl::Seconds(8), jitter};
}

double Constant() { return 0.5; }
double AlmostOne() { return 1 - 0x1p-53; }

TEST(BackoffTest, NoJitterDoublesUpToTheCap) {
  const BackoffPolicy policy = PolicyOf(Jitter::kNone);
  const std::vector<int> expected = {250, 500, 1000, 2000, 4000, 8000, 8000, 8000};
  for (int n = 1; n <= 8; ++n) {
    EXPECT_EQ(Backoff(policy, n, absl::ZeroDuration(), Constant),
              absl::Milliseconds(expected[static_cast<size_t>(n - 1)]));
  }
}

TEST(BackoffTest, SaturatesForAnyCount) {
  for (int n : {0, -5, 63, 64, 100, 2147483647}) {
    const absl::Duration delay =
        Backoff(PolicyOf(Jitter::kNone), n, absl::ZeroDuration(), Constant);
    EXPECT_EQ(delay, n <= 1 ? absl::Milliseconds(250) : absl::Seconds(8)) << n;
  }
  const BackoffPolicy widest = {absl::Seconds(60), absl::Seconds(300), Jitter::kNone};
  EXPECT_EQ(Backoff(widest, 2147483647, absl::ZeroDuration(), Constant), absl::Seconds(300));
}

TEST(BackoffTest, TheUpperBoundIsNeverReached) {
  for (int n = 1; n <= 10; ++n) {
    const absl::Duration e_n = Backoff(PolicyOf(Jitter::kNone), n, absl::ZeroDuration(), AlmostOne);
    for (Jitter jitter : {Jitter::kFull, Jitter::kEqual}) {
      EXPECT_LT(Backoff(PolicyOf(jitter), n, absl::ZeroDuration(), AlmostOne), e_n);
    }
    EXPECT_LT(Backoff(PolicyOf(Jitter::kDecorrelated), n, absl::Seconds(8), AlmostOne),
              absl::Seconds(8));
  }
}

// The largest distance between the empirical distribution of `samples` and the uniform one over
// [from, to).
double Distance(std::vector<double> samples, double from, double to) {
  std::sort(samples.begin(), samples.end());
  const auto count = static_cast<double>(samples.size());
  double distance = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double expected = std::clamp((samples[i] - from) / (to - from), 0.0, 1.0);
    const auto rank = static_cast<double>(i);
    distance = std::max({distance, expected - rank / count, (rank + 1) / count - expected});
  }
  return distance;
}

constexpr int kSamples = 20000;
// One in 10^7 true samples is farther away (Kolmogorov–Smirnov: sqrt(ln(2/p) / 2)).
const double kCritical = std::sqrt(std::log(2e7) / 2) / std::sqrt(kSamples);

TEST(BackoffTest, Row33FullAndEqualFitTheirFormulas) {
  std::mt19937_64 generator(17);
  const auto random = [&] { return std::uniform_real_distribution<double>()(generator); };
  for (int n = 1; n <= 10; ++n) {  // 6 and up: at the cap
    const double e_n = std::min(8.0, 0.25 * std::pow(2, n - 1));
    std::vector<double> full;
    std::vector<double> equal;
    for (int i = 0; i < kSamples; ++i) {
      full.push_back(
          absl::ToDoubleSeconds(Backoff(PolicyOf(Jitter::kFull), n, absl::ZeroDuration(), random)));
      equal.push_back(absl::ToDoubleSeconds(
          Backoff(PolicyOf(Jitter::kEqual), n, absl::ZeroDuration(), random)));
      ASSERT_LT(full.back(), e_n);
      ASSERT_LT(equal.back(), e_n);
      ASSERT_GE(equal.back(), e_n / 2);
    }
    EXPECT_LT(Distance(full, 0, e_n), kCritical) << "full, n = " << n;
    EXPECT_LT(Distance(equal, e_n / 2, e_n), kCritical) << "equal, n = " << n;
  }
}

TEST(BackoffTest, Row33DecorrelatedFitsItsFormula) {
  std::mt19937_64 generator(18);
  const auto random = [&] { return std::uniform_real_distribution<double>()(generator); };
  const BackoffPolicy policy = PolicyOf(Jitter::kDecorrelated);
  // Each delay is uniform between base and its own bound, so its place between them is uniform over
  // [0,1).
  std::vector<std::vector<double>> places(10);
  for (int i = 0; i < kSamples; ++i) {
    absl::Duration previous = absl::ZeroDuration();
    for (int n = 1; n <= 10; ++n) {
      const absl::Duration last = n == 1 ? policy.base : previous;
      const absl::Duration bound = std::min(policy.max, 3 * last);
      previous = Backoff(policy, n, previous, random);
      ASSERT_GE(previous, policy.base);
      ASSERT_LT(previous, bound);  // at the cap too: none is exact
      places[static_cast<size_t>(n - 1)].push_back(
          absl::FDivDuration(previous - policy.base, bound - policy.base));
    }
  }
  for (const std::vector<double>& place : places) EXPECT_LT(Distance(place, 0, 1), kCritical);
}

TEST(BackoffTest, Row33NoJitterTypeIsConstantAtTheCap) {
  std::mt19937_64 generator(19);
  const auto random = [&] { return std::uniform_real_distribution<double>()(generator); };
  for (Jitter jitter : {Jitter::kFull, Jitter::kEqual, Jitter::kDecorrelated}) {
    std::vector<absl::Duration> delays;
    for (int i = 0; i < 1000; ++i) {
      delays.push_back(Backoff(PolicyOf(jitter), 40, absl::Seconds(8), random));
    }
    std::sort(delays.begin(), delays.end());
    EXPECT_EQ(std::adjacent_find(delays.begin(), delays.end()), delays.end());
  }
}

}  // namespace
}  // namespace mg
