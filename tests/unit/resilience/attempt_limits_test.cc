#include "resilience/attempt_limits.h"

#include <gtest/gtest.h>

namespace mg {
namespace {

constexpr absl::Duration kForever = absl::InfiniteDuration();

TEST(AttemptLimitsTest, WithoutAnAlternativeAllThatRemains) {
  for (const auto& [others, attempts] : {std::pair(0, 5), std::pair(3, 0)}) {
    const AttemptLimits limits = LimitsOf({}, absl::Seconds(600), others, attempts);
    EXPECT_EQ(limits.whole, kForever);
    EXPECT_EQ(limits.first_content, kForever);
    EXPECT_FALSE(limits.shared);
  }
}

TEST(AttemptLimitsTest, EachFurtherCandidateGetsItsShare) {
  const AttemptLimits two = LimitsOf({}, absl::Seconds(600), 1, 2);
  EXPECT_EQ(two.whole, absl::Seconds(450));
  EXPECT_EQ(two.first_content, absl::Seconds(180));
  EXPECT_TRUE(two.shared);
  EXPECT_EQ(LimitsOf({}, absl::Seconds(600), 2, 2).whole, absl::Seconds(300));
  // A quarter for each of many would leave nothing: then all have the same.
  EXPECT_EQ(LimitsOf({}, absl::Seconds(600), 5, 9).whole, absl::Seconds(100));
  // No more than may still be attempted count.
  EXPECT_EQ(LimitsOf({}, absl::Seconds(600), 5, 1).whole, absl::Seconds(450));
}

TEST(AttemptLimitsTest, NothingIsReservedForWhomThereIsNoTime) {
  // 10 s, of which the other gets a quarter; 3 s: at least min_attempt, 1 s.
  EXPECT_EQ(LimitsOf({}, absl::Seconds(10), 1, 2).whole, absl::Seconds(7.5));
  EXPECT_EQ(LimitsOf({}, absl::Seconds(3), 1, 2).whole, absl::Seconds(2));
  // 2.5 s have room for one more, not for two; 1.9 s for none.
  EXPECT_EQ(LimitsOf({}, absl::Seconds(2.5), 2, 2).whole, absl::Seconds(1.5));
  EXPECT_EQ(LimitsOf({}, absl::Seconds(1.9), 2, 2).whole, kForever);
}

TEST(AttemptLimitsTest, ConfiguredClocksHold) {
  Timeouts timeouts;
  timeouts.attempt = absl::Seconds(20);
  timeouts.final_ttft = absl::Seconds(15);
  timeouts.ttft = absl::Seconds(10);
  const AttemptLimits last = LimitsOf(timeouts, absl::Seconds(600), 0, 0);
  EXPECT_EQ(last.whole, absl::Seconds(20));  // the last one too
  EXPECT_EQ(last.first_content, absl::Seconds(15));
  const AttemptLimits first = LimitsOf(timeouts, absl::Seconds(600), 1, 1);
  EXPECT_EQ(first.whole, absl::Seconds(20));
  EXPECT_FALSE(first.shared);
  EXPECT_EQ(first.first_content, absl::Seconds(10));
  timeouts.ttft = absl::ZeroDuration();  // what remains
  EXPECT_EQ(LimitsOf(timeouts, absl::Seconds(600), 1, 1).first_content, kForever);
}

TEST(AttemptLimitsTest, AnEarlierEndIsNobodysFault) {
  Timeouts timeouts;
  EXPECT_EQ(BlameAfter(timeouts, true), absl::Seconds(180));
  EXPECT_EQ(BlameAfter(timeouts, false), absl::Seconds(180));
  timeouts.attempt = absl::Seconds(30);
  EXPECT_EQ(BlameAfter(timeouts, true), absl::Seconds(180));
  EXPECT_EQ(BlameAfter(timeouts, false), absl::Seconds(30));
  timeouts = {};
  timeouts.ttft = absl::ZeroDuration();
  EXPECT_EQ(BlameAfter(timeouts, true), kForever);
}

}  // namespace
}  // namespace mg
