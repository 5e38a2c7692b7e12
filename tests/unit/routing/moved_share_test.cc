#include "routing/moved_share.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "routing/order.h"

namespace mg {
namespace {

using Weights = std::vector<std::pair<std::string, int>>;

Tier TierOf(const Weights& weights, const std::string& seed = "support") {
  Tier tier;
  tier.group = "support";
  tier.hash_seed = seed;
  for (const auto& [id, weight] : weights) {
    Candidate& candidate = tier.candidates.emplace_back();
    candidate.id = id;
    candidate.weight = weight;
  }
  return tier;
}

// What the hash itself does, user by user.
double Counted(const Tier& before, const Tier& after, int users) {
  int moved = 0;
  for (int i = 0; i < users; ++i) {
    const std::string key = absl::StrCat("user-", i);
    if (HashOrder(before, key)[0]->id != HashOrder(after, key)[0]->id) ++moved;
  }
  return static_cast<double>(moved) / users;
}

TEST(MovedShareTest, TheVectorsOfTheSpecification) {
  struct Case {
    Weights before;
    Weights after;
    double moved;
  };
  const std::vector<Case> cases = {
      {{{"a", 95}, {"b", 5}}, {{"a", 90}, {"b", 10}}, 0.05},
      {{{"a", 50}, {"b", 30}, {"c", 20}}, {{"a", 40}, {"b", 30}, {"c", 30}}, 0.1273},
      {{{"a", 50}, {"b", 30}, {"c", 20}}, {{"a", 50}, {"b", 30}, {"c", 30}}, 0.0727},
      {{{"a", 50}, {"b", 30}, {"c", 20}}, {{"b", 30}, {"c", 20}}, 0.5},
      {{{"b", 30}, {"c", 20}}, {{"a", 50}, {"b", 30}, {"c", 20}}, 0.5},
      {{{"a", 50}, {"b", 30}, {"c", 20}}, {{"a", 0}, {"b", 30}, {"c", 20}}, 0.5},
      {{{"a", 1}}, {{"b", 1}}, 1},
      {{{"a", 1}}, {{"a", 7}}, 0},
  };
  for (const Case& one : cases) {
    const Tier before = TierOf(one.before);
    const Tier after = TierOf(one.after);
    EXPECT_NEAR(MovedShare(before, after), one.moved, 0.00005);
    EXPECT_NEAR(Counted(before, after, 20'000), one.moved, 0.012);
  }
}

// Spec/resilience.md §4, row 36: what is no change of a weight moves nobody, to the last bit.
TEST(MovedShareTest, Row36NobodyMovesWithoutAChangeOfWeights) {
  const Tier before = TierOf({{"a", 3}, {"b", 5}, {"c", 7}});
  const std::vector<Tier> same = {TierOf({{"a", 3}, {"b", 5}, {"c", 7}}),
                                  TierOf({{"c", 7}, {"a", 3}, {"b", 5}}),
                                  TierOf({{"a", 30}, {"b", 50}, {"c", 70}})};
  for (const Tier& after : same) {
    EXPECT_EQ(MovedShare(before, after), 0);
    EXPECT_EQ(Counted(before, after, 5'000), 0);
  }
}

TEST(MovedShareTest, AnotherSeedOrKeyIsANewDraw) {
  const Tier before = TierOf({{"a", 3}, {"b", 1}});
  const Tier other_seed = TierOf({{"a", 3}, {"b", 1}}, "canary");
  const double chance = 1 - (0.75 * 0.75 + 0.25 * 0.25);
  EXPECT_DOUBLE_EQ(MovedShare(before, other_seed), chance);
  EXPECT_NEAR(Counted(before, other_seed, 20'000), chance, 0.012);

  Tier other_key = before;
  other_key.hash_key = HashKeySource::kTeam;
  EXPECT_DOUBLE_EQ(MovedShare(before, other_key), chance);
  Tier other_strategy = before;
  other_strategy.strategy = Strategy::kRandom;
  EXPECT_DOUBLE_EQ(MovedShare(before, other_strategy), chance);
  // No candidate is in both.
  EXPECT_DOUBLE_EQ(MovedShare(before, TierOf({{"c", 1}}, "canary")), 1);
}

// §2.9: never less than what the shares themselves differ by, and at most twice that.
TEST(MovedShareTest, WithinItsBounds) {
  for (int step = 0; step < 500; ++step) {
    const auto weight = [step](int salt) { return 1 + (step * 37 + salt * 101) % 97; };
    const Weights was = {{"a", weight(1)}, {"b", weight(2)}, {"c", weight(3)}};
    const Weights is = {{"a", weight(4)}, {"b", weight(5)}, {"c", weight(6)}};
    double total_was = 0;
    double total_is = 0;
    for (size_t i = 0; i < was.size(); ++i) {
      total_was += was[i].second;
      total_is += is[i].second;
    }
    double variation = 0;
    for (size_t i = 0; i < was.size(); ++i) {
      variation += std::abs(was[i].second / total_was - is[i].second / total_is) / 2;
    }
    const double moved = MovedShare(TierOf(was), TierOf(is));
    EXPECT_GE(moved, variation - 1e-9);
    EXPECT_LE(moved, 2 * variation + 1e-9);
  }
}

Router RouterOf(const std::map<std::string, Tier>& tiers) {
  absl::flat_hash_map<std::string, std::shared_ptr<const Route>> groups;
  for (const auto& [name, tier] : tiers) {
    auto route = std::make_shared<Route>();
    route->group = name;
    route->tiers = {tier};
    groups[name] = route;
  }
  return Router(std::move(groups), {{"alias", "support"}}, {"p"}, Route(),
                std::make_shared<Rotations>(1));
}

TEST(MovedShareTest, OfEachGroupThatBothHave) {
  Tier turns = TierOf({{"a", 1}, {"b", 1}});
  turns.strategy = Strategy::kRoundRobin;
  const Router before = RouterOf({{"support", TierOf({{"a", 95}, {"b", 5}})},
                                  {"quiet", TierOf({{"a", 1}})},
                                  {"gone", TierOf({{"a", 1}})},
                                  {"turns", turns}});
  const Router after = RouterOf({{"support", TierOf({{"a", 90}, {"b", 10}})},
                                 {"quiet", TierOf({{"a", 1}})},
                                 {"new", TierOf({{"a", 1}})},
                                 {"turns", turns}});
  const std::map<std::string, double> moved = MovedShares(before, after);
  ASSERT_EQ(moved.size(), 2u);
  EXPECT_NEAR(moved.at("support"), 0.05, 1e-12);
  EXPECT_EQ(moved.at("quiet"), 0);
}

}  // namespace
}  // namespace mg
