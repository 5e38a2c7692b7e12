#include "routing/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace mg {
namespace {

struct Weighted {
  std::string id;
  int weight;
};

Tier TierOf(const std::vector<Weighted>& candidates, std::string group = "support") {
  Tier tier;
  tier.group = std::move(group);
  for (const Weighted& weighted : candidates) {
    Candidate& candidate = tier.candidates.emplace_back();
    candidate.id = weighted.id;
    candidate.weight = weighted.weight;
  }
  return tier;
}

std::string Ids(const std::vector<const Candidate*>& order) {
  std::string ids;
  for (const Candidate* candidate : order)
    absl::StrAppend(&ids, ids.empty() ? "" : " ", candidate->id);
  return ids;
}

std::string UserKey(int i) { return absl::StrCat("user-", i); }

// Committed once and for all: every user of every gateway depends on them.
TEST(RendezvousTest, GoldenScores) {
  struct Golden {
    const char* key;
    const char* seed;
    const char* id;
    int weight;
    double score;
  };
  const std::vector<Golden> golden = {
      {"", "support", "openai/gpt-5-mini", 95, 0.014436551579765176},
      {"", "canary", "openai/gpt-5-mini", 95, 0.035507936161086183},
      {"user-1", "support", "openai/gpt-5-mini", 95, 0.0027437158536768032},
      {"user-1", "canary", "openai/gpt-5-mini", 95, 0.0038702374376861498},
      {"user-42", "support", "openai/gpt-5-mini", 95, 0.038834887126331992},
      {"user-42", "canary", "openai/gpt-5-mini", 95, 0.0034671092179373217},
      {"アリス", "support", "openai/gpt-5-mini", 95, 0.003878068957835551},
      {"アリス", "canary", "openai/gpt-5-mini", 95, 0.014934865987936701},
  };
  for (const Golden& g : golden) {
    // log may differ by one unit in the last place between machines.
    EXPECT_NEAR(RendezvousScore(g.key, g.seed, g.id, g.weight), g.score, g.score * 4e-16)
        << g.key << " " << g.seed << " " << g.id;
  }
}

TEST(RendezvousTest, Row35GoldenOrders) {
  const Tier tier = TierOf({{"openai/gpt-5-mini", 50}, {"bedrock/haiku", 30}, {"local/qwen", 20}});
  const std::vector<std::pair<std::string, std::string>> golden = {
      {"user-0", "bedrock/haiku openai/gpt-5-mini local/qwen"},
      {"user-1", "openai/gpt-5-mini local/qwen bedrock/haiku"},
      {"user-2", "openai/gpt-5-mini bedrock/haiku local/qwen"},
      {"user-3", "bedrock/haiku local/qwen openai/gpt-5-mini"},
      {"user-4", "openai/gpt-5-mini bedrock/haiku local/qwen"},
      {"user-5", "openai/gpt-5-mini bedrock/haiku local/qwen"},
      {"user-6", "openai/gpt-5-mini local/qwen bedrock/haiku"},
      {"user-7", "bedrock/haiku openai/gpt-5-mini local/qwen"},
      {"user-8", "bedrock/haiku openai/gpt-5-mini local/qwen"},
      {"user-9", "local/qwen openai/gpt-5-mini bedrock/haiku"},
      {"user-10", "local/qwen bedrock/haiku openai/gpt-5-mini"},
      {"user-11", "bedrock/haiku openai/gpt-5-mini local/qwen"},
  };
  for (const auto& [key, order] : golden) EXPECT_EQ(Ids(HashOrder(tier, key)), order) << key;
}

TEST(RendezvousTest, WeightZeroNeverWins) {
  EXPECT_EQ(RendezvousScore("k", "s", "a", 0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(RendezvousScore("k", "s", "a", -1), std::numeric_limits<double>::infinity());
  const Tier tier = TierOf({{"a", 0}, {"b", 1}});
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(Ids(HashOrder(tier, UserKey(i))), "b");
  EXPECT_TRUE(HashOrder(TierOf({{"a", 0}}), "k").empty());
}

// A candidate whose breaker has just closed: its users come back one by one, and only its own.
TEST(RendezvousTest, TheRampMovesUsersOnlyToTheOneThatComesBack) {
  const Tier tier = TierOf({{"a", 50}, {"b", 30}, {"c", 20}});
  std::map<double, int> at_a;
  for (int i = 0; i < 10000; ++i) {
    const std::string whole = HashOrder(tier, UserKey(i))[0]->id;
    bool returned = false;
    for (double ramp : {0.1, 0.3, 0.6, 1.0}) {
      const auto standing = [ramp](const Candidate& candidate) {
        return Standing{.selectable = true, .ramp = candidate.id == "a" ? ramp : 1};
      };
      const std::string now = HashOrder(tier, UserKey(i), standing)[0]->id;
      if (whole != "a") ASSERT_EQ(now, whole);
      if (returned) ASSERT_EQ(now, "a");
      returned = now == "a";
      if (returned) ++at_a[ramp];
    }
  }
  EXPECT_NEAR(at_a[0.1], 10000 * 5.0 / 55, 4.5 * 29);
  EXPECT_NEAR(at_a[1.0], 10000 * 0.5, 4.5 * 50);
}

TEST(RandomOrderTest, TheRampIsAPartOfTheWeight) {
  const Tier tier = TierOf({{"a", 1}, {"b", 1}});
  std::mt19937_64 bits(7);
  std::uniform_real_distribution<double> uniform;
  const auto random = [&] { return uniform(bits); };
  const auto standing = [](const Candidate& candidate) {
    return Standing{.selectable = true, .ramp = candidate.id == "a" ? 0.25 : 1};
  };
  int at_a = 0;
  for (int i = 0; i < 10000; ++i) at_a += RandomOrder(tier, random, standing)[0]->id == "a" ? 1 : 0;
  EXPECT_NEAR(at_a, 2000, 4.5 * 40);
}

TEST(RendezvousTest, KeyAndIdDoNotRunTogether) {
  EXPECT_NE(RendezvousScore("ab", "s", "c", 1), RendezvousScore("a", "s", "bc", 1));
}

TEST(RendezvousTest, EqualScoresAreOrderedById) {
  EXPECT_EQ(Ids(RandomOrder(TierOf({{"b", 1}, {"a", 1}, {"c", 1}}), [] { return 0.25; })), "a b c");
}

// I11: nothing but key, seed, ids and weights.
TEST(RendezvousTest, Row36OrderIsAPureFunction) {
  const Tier tier = TierOf({{"a", 50}, {"b", 30}, {"c", 20}});
  Tier shuffled = TierOf({{"c", 20}, {"a", 50}, {"b", 30}});
  shuffled.strategy = Strategy::kRandom;
  for (Candidate& candidate : shuffled.candidates) {
    candidate.provider = "another";
    candidate.model = "url";
    candidate.tier = 3;
  }
  Tier renamed = TierOf({{"a", 50}, {"b", 30}, {"c", 20}}, "renamed");
  renamed.hash_seed = "support";
  for (int i = 0; i < 2000; ++i) {
    const std::string expected = Ids(HashOrder(tier, UserKey(i)));
    ASSERT_EQ(Ids(HashOrder(tier, UserKey(i))), expected);
    ASSERT_EQ(Ids(HashOrder(shuffled, UserKey(i))), expected);
    ASSERT_EQ(Ids(HashOrder(renamed, UserKey(i))), expected);
  }
}

TEST(RendezvousTest, GroupsAreSalted) {
  const Tier one = TierOf({{"a", 95}, {"b", 5}}, "one");
  const Tier two = TierOf({{"a", 95}, {"b", 5}}, "two");
  int both = 0;
  for (int i = 0; i < 100000; ++i) {
    if (HashOrder(one, UserKey(i))[0]->id == "b" && HashOrder(two, UserKey(i))[0]->id == "b")
      ++both;
  }
  EXPECT_NEAR(both, 250, 4.5 * std::sqrt(250));  // independent: 5 % of 5 %
}

constexpr int kKeys = 100000;

void ExpectShares(const std::map<std::string, int>& counts, const Tier& tier) {
  int total = 0;
  for (const Candidate& candidate : tier.candidates) total += candidate.weight;
  for (const Candidate& candidate : tier.candidates) {
    const double p = static_cast<double>(candidate.weight) / total;
    const auto found = counts.find(candidate.id);
    const double share = found == counts.end() ? 0 : static_cast<double>(found->second) / kKeys;
    EXPECT_NEAR(share, p, 4.5 * std::sqrt(p * (1 - p) / kKeys)) << candidate.id;
  }
}

TEST(SharesTest, FollowTheWeights) {
  std::mt19937_64 generator(5);
  const auto random = [&] { return std::uniform_real_distribution<double>()(generator); };
  const std::vector<Tier> tiers = {
      TierOf({{"a", 95}, {"b", 5}}), TierOf({{"a", 50}, {"b", 30}, {"c", 20}}),
      TierOf({{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}, {"f", 1}, {"g", 1}}),
      TierOf({{"a", 1000000}, {"b", 1}}), TierOf({{"a", 7}})};
  for (const Tier& tier : tiers) {
    std::map<std::string, int> hashed;
    std::map<std::string, int> drawn;
    for (int i = 0; i < kKeys; ++i) {
      ++hashed[HashOrder(tier, UserKey(i))[0]->id];
      ++drawn[RandomOrder(tier, random)[0]->id];
    }
    ExpectShares(hashed, tier);
    ExpectShares(drawn, tier);
  }
}

// 95/5 → 90/10 moves 5 % of the users, and only from A to B (I12, scenario 35).
TEST(SharesTest, Row35AWeightMovesTheLeastPossible) {
  const Tier before = TierOf({{"a", 95}, {"b", 5}});
  const Tier after = TierOf({{"a", 90}, {"b", 10}});
  int moved = 0;
  for (int i = 0; i < kKeys; ++i) {
    const std::string from = HashOrder(before, UserKey(i))[0]->id;
    const std::string to = HashOrder(after, UserKey(i))[0]->id;
    if (from == to) continue;
    ++moved;
    ASSERT_EQ(from + to, "ab");
  }
  EXPECT_NEAR(100.0 * moved / kKeys, 5.0, 0.35);
}

TEST(SharesTest, RaisingAWeightMovesUsersOnlyIntoIt) {
  const Tier before = TierOf({{"a", 50}, {"b", 30}, {"c", 20}});
  const Tier after = TierOf({{"a", 50}, {"b", 30}, {"c", 30}});
  int moved = 0;
  for (int i = 0; i < kKeys; ++i) {
    const std::string from = HashOrder(before, UserKey(i))[0]->id;
    const std::string to = HashOrder(after, UserKey(i))[0]->id;
    if (from == to) continue;
    ++moved;
    ASSERT_EQ(to, "c");
  }
  EXPECT_NEAR(static_cast<double>(moved) / kKeys, 0.0727, 0.004);
}

TEST(SharesTest, ALostCandidateMovesOnlyItsOwnUsers) {
  const Tier whole = TierOf({{"a", 50}, {"b", 30}, {"c", 20}});
  const Tier without = TierOf({{"b", 30}, {"c", 20}});
  for (int i = 0; i < 20000; ++i) {
    const auto before = HashOrder(whole, UserKey(i));
    const auto after = HashOrder(without, UserKey(i));
    // The order of the others stays: who had A first goes where A's fallback was.
    ASSERT_EQ(after[0]->id, before[0]->id == "a" ? before[1]->id : before[0]->id);
  }
}

// The whole order is Plackett–Luce: P(abc) = w_a/W · w_b/(W−w_a). χ² with five degrees of freedom.
double ChiSquare(const std::map<std::string, int>& counts,
                 const std::map<std::string, int>& weights) {
  double chi = 0;
  std::vector<std::string> ids = {"a", "b", "c"};
  do {
    double left = 100;
    double p = 1;
    std::string order;
    for (const std::string& id : ids) {
      p *= weights.at(id) / left;
      left -= weights.at(id);
      absl::StrAppend(&order, order.empty() ? "" : " ", id);
    }
    const double expected = p * kKeys;
    const auto found = counts.find(order);
    const double seen = found == counts.end() ? 0 : found->second;
    chi += (seen - expected) * (seen - expected) / expected;
  } while (std::next_permutation(ids.begin(), ids.end()));
  return chi;
}

TEST(SharesTest, FallbackOrderIsPlackettLuce) {
  const Tier tier = TierOf({{"a", 50}, {"b", 30}, {"c", 20}});
  const std::map<std::string, int> weights = {{"a", 50}, {"b", 30}, {"c", 20}};
  std::mt19937_64 generator(6);
  const auto random = [&] { return std::uniform_real_distribution<double>()(generator); };
  std::map<std::string, int> hashed;
  std::map<std::string, int> drawn;
  for (int i = 0; i < kKeys; ++i) {
    ++hashed[Ids(HashOrder(tier, UserKey(i)))];
    ++drawn[Ids(RandomOrder(tier, random))];
  }
  // p = 10^-5 at 30.9.
  EXPECT_LT(ChiSquare(hashed, weights), 30.9);
  EXPECT_LT(ChiSquare(drawn, weights), 30.9);
}

TEST(HashKeyTest, TheDefaultIsTheFirstThatIsSet) {
  Tier tier;
  v1::CallContext context;
  context.set_team("team");
  EXPECT_EQ(HashKeyOf(tier, context), std::nullopt);
  context.set_session_id("session");
  EXPECT_EQ(HashKeyOf(tier, context), "session");
  context.set_end_user("user");
  EXPECT_EQ(HashKeyOf(tier, context), "user");
  context.set_routing_key("key");
  EXPECT_EQ(HashKeyOf(tier, context), "key");
}

TEST(HashKeyTest, ANamedSourceIsTheOnlyOne) {
  v1::CallContext context;
  context.set_routing_key("key");
  context.set_end_user("user");
  context.set_session_id("session");
  context.set_team("team");
  (*context.mutable_metadata())["tenant"] = "acme";
  Tier tier;
  for (const auto& [source, value] :
       std::vector<std::pair<HashKeySource, std::string>>{{HashKeySource::kRoutingKey, "key"},
                                                          {HashKeySource::kEndUser, "user"},
                                                          {HashKeySource::kSessionId, "session"},
                                                          {HashKeySource::kTeam, "team"},
                                                          {HashKeySource::kMetadata, "acme"}}) {
    tier.hash_key = source;
    tier.hash_metadata = "tenant";
    EXPECT_EQ(HashKeyOf(tier, context), value);
    EXPECT_EQ(HashKeyOf(tier, v1::CallContext()), std::nullopt);
  }
  tier.hash_metadata = "absent";
  EXPECT_EQ(HashKeyOf(tier, context), std::nullopt);
}

TEST(HashKeyTest, Row37OddKeys) {
  Tier tier = TierOf({{"a", 50}, {"b", 50}});
  v1::CallContext context;
  context.set_routing_key(std::string(kMaxHashKeyBytes, 'x'));
  EXPECT_TRUE(HashKeyOf(tier, context).has_value());
  context.set_routing_key(std::string(kMaxHashKeyBytes + 1, 'x'));
  EXPECT_EQ(HashKeyOf(tier, context), std::nullopt);
  context.set_routing_key(std::string(1 << 20, 'x'));
  EXPECT_EQ(HashKeyOf(tier, context), std::nullopt);
  // Bytes are bytes: no crash, and no candidate gets all of them.
  int a = 0;
  for (int i = 0; i < 256; ++i) {
    if (HashOrder(tier, std::string(3, static_cast<char>(i)))[0]->id == "a") ++a;
  }
  EXPECT_GT(a, 80);
  EXPECT_LT(a, 176);
}

}  // namespace
}  // namespace mg
