#include "routing/rotation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace mg {
namespace {

std::string Turns(Rotation& rotation, int count) {
  std::string picks;
  for (int i = 0; i < count; ++i) picks += static_cast<char>('a' + rotation.Turn()[0]);
  return picks;
}

TEST(RotationTest, Row38AsNginxDoes) {
  Rotation rotation({5, 1, 1}, 0);
  EXPECT_EQ(Turns(rotation, 7), "aabacaa");
  EXPECT_EQ(Turns(rotation, 7), "aabacaa");
}

TEST(RotationTest, AnyPhaseIsTheSameRound) {
  std::set<std::string> rounds;
  for (uint64_t phase = 0; phase < 7; ++phase) {
    Rotation rotation({5, 1, 1}, phase);
    std::string round = Turns(rotation, 7);
    rounds.insert(round);
    std::rotate(round.begin(), round.begin() + static_cast<std::ptrdiff_t>((7 - phase) % 7),
                round.end());
    EXPECT_EQ(round, "aabacaa");
  }
  EXPECT_GT(rounds.size(), 4U);
}

TEST(RotationTest, EqualWeightsTakeTurns) {
  Rotation rotation({1000, 1000, 1000}, 0);
  EXPECT_EQ(Turns(rotation, 6), "abcabc");
}

TEST(RotationTest, TheOthersFollowInTheOrderTheyAreDue) {
  Rotation rotation({5, 1, 1}, 0);
  EXPECT_EQ(rotation.Turn(), (std::vector<int>{0, 1, 2}));
  Rotation four({4, 3, 2, 1}, 0);
  for (int i = 0; i < 20; ++i) {
    std::vector<int> order = four.Turn();
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
  }
}

TEST(RotationTest, WeightZeroIsLeftOut) {
  Rotation rotation({0, 2, 0, 1}, 0);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(rotation.Turn().size(), 2U);
  EXPECT_EQ(Turns(rotation, 3), "bdb");
  EXPECT_TRUE(Rotation({0, 0}, 5).Turn().empty());
  EXPECT_TRUE(Rotation({}, 5).Turn().empty());
}

TEST(RotationTest, LargeWeightsKeepTheirShares) {
  Rotation rotation({1000000, 999999, 1}, 123456789);
  std::array<int, 3> counts = {};
  for (int i = 0; i < 2000000; ++i) ++counts[static_cast<size_t>(rotation.Turn()[0])];
  EXPECT_EQ(counts, (std::array<int, 3>{1000000, 999999, 1}));
}

TEST(RotationTest, Row38CountsAreExactUnderThreads) {
  constexpr int kThreads = 8;
  constexpr int kTurns = 100000;
  Rotation rotation({5, 1, 1}, 3);
  std::array<std::array<int, 3>, kThreads> counts = {};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&rotation, &counts, t] {
      for (int i = 0; i < kTurns; ++i) {
        ++counts[static_cast<size_t>(t)][static_cast<size_t>(rotation.Turn()[0])];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::array<int, 3> sum = {};
  for (const auto& own : counts) {
    for (size_t i = 0; i < 3; ++i) sum[i] += own[i];
  }
  constexpr double kRounds = kThreads * kTurns / 7.0;
  EXPECT_NEAR(sum[0], 5 * kRounds, 4);  // an unfinished round
  EXPECT_NEAR(sum[1], kRounds, 1);
  EXPECT_NEAR(sum[2], kRounds, 1);
}

constexpr Standing kOut = {.selectable = false, .ramp = 1};

TEST(RotationTest, TheTurnIsOfThoseThatAreSelectable) {
  Rotation rotation({5, 1, 1}, 0);
  std::string picks;
  for (int i = 0; i < 4; ++i) {
    const std::vector<int> order = rotation.Turn({kOut, {}, {}});
    EXPECT_EQ(order.size(), 3U);  // the others follow: who is asked last is decided elsewhere
    picks += static_cast<char>('a' + order[0]);
  }
  EXPECT_EQ(picks, "bcbc");
  EXPECT_EQ(Turns(rotation, 7), "aabacaa");  // it has kept its place
  EXPECT_EQ(rotation.Turn({kOut, kOut, kOut})[0], 0);
}

TEST(RotationTest, ACandidateThatComesBackGetsItsShareBitByBit) {
  Rotation rotation({1, 1}, 0);
  std::array<int, 2> counts = {};
  for (int i = 0; i < 1100; ++i) {
    ++counts[static_cast<size_t>(rotation.Turn({{.selectable = true, .ramp = 0.1}, {}})[0])];
  }
  EXPECT_EQ(counts, (std::array<int, 2>{100, 1000}));
}

Tier TierOf(std::string group, const std::vector<int>& weights) {
  Tier tier;
  tier.group = std::move(group);
  for (int weight : weights) {
    Candidate& candidate = tier.candidates.emplace_back();
    candidate.id = std::string(1, static_cast<char>('a' + tier.candidates.size()));
    candidate.weight = weight;
  }
  return tier;
}

TEST(RotationsTest, KeptWhereGroupCandidatesAndWeightsAreTheSame) {
  Rotations rotations(1);
  const auto first = rotations.For(TierOf("g", {1, 2}));
  EXPECT_EQ(rotations.For(TierOf("g", {1, 2})), first);
  EXPECT_NE(rotations.For(TierOf("g", {1, 3})), first);
  EXPECT_NE(rotations.For(TierOf("h", {1, 2})), first);
  EXPECT_NE(rotations.For(TierOf("g", {1, 2, 1})), first);
}

TEST(RotationsTest, ForgetsWhatNobodyUses) {
  Rotations rotations(1);
  const auto kept = rotations.For(TierOf("kept", {1, 1}));
  for (int i = 1; i < 1000; ++i) rotations.For(TierOf("g", {1, i}));
  EXPECT_LE(rotations.size(), 2U);
  EXPECT_EQ(rotations.For(TierOf("kept", {1, 1})), kept);
}

TEST(RotationsTest, ProcessesStartAnywhere) {
  std::map<int, int> first;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    ++first[Rotations(seed).For(TierOf("g", {1, 1, 1, 1}))->Turn()[0]];
  }
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(first[i], 250, 4.5 * 13.7);
}

}  // namespace
}  // namespace mg
