#include "routing/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace mg {
namespace {

using ::testing::HasSubstr;

double Half() { return 0.5; }

Tier TierOf(std::string group, const std::vector<std::pair<std::string, int>>& candidates,
            int tier_number, Strategy strategy) {
  Tier tier;
  tier.group = std::move(group);
  tier.strategy = strategy;
  for (const auto& [pair, weight] : candidates) {
    Candidate& candidate = tier.candidates.emplace_back();
    candidate.id = pair;
    candidate.provider = pair.substr(0, pair.find('/'));
    candidate.model = pair.substr(pair.find('/') + 1);
    candidate.weight = weight;
    candidate.tier = tier_number;
  }
  return tier;
}

Route Support() {
  Route route;
  route.group = "support";
  route.tiers.push_back(TierOf("support", {{"openai/gpt-5-mini", 95}, {"eu/gpt-5-mini", 5}}, 0,
                               Strategy::kWeightedHash));
  route.tiers.push_back(TierOf("small", {{"local/qwen", 1}}, 1, Strategy::kRoundRobin));
  return route;
}

Route Direct() {
  Route direct;
  direct.max_attempts = 4;
  direct.deadline.max = absl::Seconds(77);
  Candidate& candidate = direct.tiers.emplace_back().candidates.emplace_back();
  candidate.timeouts.ttft = absl::Seconds(11);
  candidate.retry.backoff.base = absl::Milliseconds(33);
  return direct;
}

std::unique_ptr<Router> RouterOf(Route route) {
  absl::flat_hash_map<std::string, std::shared_ptr<const Route>> groups;
  Route small;
  small.group = "small";
  small.tiers.push_back(TierOf("small", {{"local/qwen", 1}}, 0, Strategy::kRoundRobin));
  groups["small"] = std::make_shared<const Route>(small);
  const std::string name = route.group;
  groups[name] = std::make_shared<const Route>(std::move(route));
  return std::make_unique<Router>(
      std::move(groups),
      absl::flat_hash_map<std::string, std::string>{
          {"fast", "support"}, {"best", "openai/gpt-5"}, {"small", "support"}},
      std::vector<std::string>{"openai", "eu", "local", "mock"}, Direct(),
      std::make_shared<Rotations>(7), ModelLists{{"mock", {"echo", "slow/one"}}},
      [](absl::string_view provider, absl::string_view model) {
        return provider == "local" && model == "org/model" ? 4096 : 0;
      });
}

std::string Found(const Router& router, absl::string_view model) {
  const auto route = router.Find(model);
  return route.ok() ? (*route)->group : std::string(route.status().message());
}

std::vector<std::string> Ids(const Plan& plan) {
  std::vector<std::string> ids;
  for (const Candidate* candidate : plan.order) ids.push_back(candidate->id);
  return ids;
}

TEST(RouterTest, AliasThenGroupThenPair) {
  const auto router = RouterOf(Support());
  EXPECT_EQ(Found(*router, "fast"), "support");
  EXPECT_EQ(Found(*router, "support"), "support");
  EXPECT_EQ(Found(*router, "small"), "support");  // the alias, not the group
  EXPECT_EQ(Found(*router, "best"), "openai/gpt-5");
  EXPECT_EQ(Found(*router, "openai/anything"), "openai/anything");
  EXPECT_EQ(Found(*router, "local/org/model:7b"), "local/org/model:7b");
}

TEST(RouterTest, APairIsCutAtItsFirstSlashAndHasTheGlobalSettings) {
  const auto router = RouterOf(Support());
  const auto route = router->Find("local/org/model");
  ASSERT_TRUE(route.ok());
  EXPECT_TRUE((*route)->direct);
  EXPECT_EQ((*route)->max_attempts, 4);
  EXPECT_EQ((*route)->deadline.max, absl::Seconds(77));
  ASSERT_EQ((*route)->tiers.size(), 1U);
  ASSERT_EQ((*route)->tiers[0].candidates.size(), 1U);
  const Candidate& candidate = (*route)->tiers[0].candidates[0];
  EXPECT_EQ(candidate.id, "local/org/model");
  EXPECT_EQ(candidate.provider, "local");
  EXPECT_EQ(candidate.model, "org/model");
  EXPECT_EQ(candidate.context_window, 4096);
  EXPECT_EQ(candidate.timeouts.ttft, absl::Seconds(11));
  EXPECT_EQ(candidate.retry.backoff.base, absl::Milliseconds(33));
  const auto plan = router->MakePlan(*route, v1::CallContext(), Half);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->reason, "direct");
  EXPECT_EQ(plan->strategy, "");
  EXPECT_FALSE(plan->hash_key_missing);
}

TEST(RouterTest, AProviderWithAModelListServesOnlyThese) {
  const auto router = RouterOf(Support());
  EXPECT_EQ(Found(*router, "mock/echo"), "mock/echo");
  EXPECT_EQ(Found(*router, "mock/slow/one"), "mock/slow/one");
  EXPECT_THAT(Found(*router, "mock/ecko"), HasSubstr("did you mean \"mock/echo\""));
  EXPECT_FALSE(router->Find("mock/").ok());
}

TEST(RouterTest, AnUnknownModelNamesTheNearest) {
  const auto router = RouterOf(Support());
  for (const auto& [asked, nearest] :
       std::map<std::string, std::string>{{"fats", "fast"},
                                          {"Suport", "support"},
                                          {"opnai/gpt-7-turbo", "openai/gpt-7-turbo"},
                                          {"mok/ecko", "mock/echo"},
                                          {"bset", "best"},
                                          {"locl/qwen", "local/qwen"}}) {
    const auto route = router->Find(asked);
    ASSERT_FALSE(route.ok());
    EXPECT_EQ(ClassOf(route.status()), ErrorClass::kUnknownModel);
    EXPECT_EQ(route.status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(DetailOf(route.status()).field(), "model");
    EXPECT_EQ(DetailOf(route.status()).provider(), "");
    EXPECT_EQ(route.status().message(),
              absl::StrCat("no model \"", asked, "\": did you mean \"", nearest, "\"?"));
  }
}

TEST(RouterTest, AnUnknownModelUnlikeAnyNamesSome) {
  const std::string text = Found(*RouterOf(Support()), "completely-different");
  EXPECT_THAT(text, HasSubstr("this gateway serves best, eu/gpt-5-mini, fast"));
  EXPECT_THAT(text, HasSubstr("openai/MODEL"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("mock/MODEL")));
  EXPECT_THAT(Found(*RouterOf(Support()), "openai/"), HasSubstr("this gateway serves"));
  EXPECT_THAT(Found(*RouterOf(Support()), "mock/very-far-away"), HasSubstr("mock/echo"));
  const Router empty({}, {}, {}, Route(), std::make_shared<Rotations>(1));
  EXPECT_EQ(Found(empty, "x"), "no model \"x\": this gateway serves none");
}

TEST(RouterTest, WhatIsNoNameIsRefused) {
  const auto router = RouterOf(Support());
  for (const std::string& name :
       {std::string(), std::string("openai/a\nb"), std::string("openai/\0x", 9),
        std::string("openai/\x7f"), std::string("openai/\xC2\x85"), std::string("openai/\xFF"),
        "openai/" + std::string(250, 'x')}) {
    const auto route = router->Find(name);
    ASSERT_FALSE(route.ok()) << name;
    EXPECT_EQ(ClassOf(route.status()), ErrorClass::kInvalidRequest);
    EXPECT_EQ(DetailOf(route.status()).field(), "model");
  }
  EXPECT_THAT(Found(*router, ""), HasSubstr("no model given"));
  EXPECT_TRUE(router->Find("openai/" + std::string(249, 'x')).ok());
  EXPECT_TRUE(router->Find("openai/modèle").ok());
  for (const char* name : {"/", "/gpt", "openai", "openai/", " fast", "fast "}) {
    const auto route = router->Find(name);
    ASSERT_FALSE(route.ok()) << name;
    EXPECT_EQ(ClassOf(route.status()), ErrorClass::kUnknownModel);
  }
}

TEST(RouterTest, OnlyTheConfigurationsNamesMayBecomeLabels) {
  const auto router = RouterOf(Support());
  for (const char* name : {"fast", "support", "small", "best", "openai/gpt-5", "openai/gpt-5-mini",
                           "local/qwen", "mock/echo", "mock/slow/one"}) {
    EXPECT_TRUE(router->Names(name)) << name;
  }
  for (const char* name : {"openai/gpt-6", "openai", "", "nothing", "mock/m"}) {
    EXPECT_FALSE(router->Names(name)) << name;
  }
}

TEST(RouterTest, TiersFollowEachOther) {
  const auto router = RouterOf(Support());
  v1::CallContext context;
  for (int i = 0; i < 200; ++i) {
    context.set_routing_key(absl::StrCat("user-", i));
    const auto plan = router->MakePlan(*router->Find("fast"), context, Half);
    ASSERT_TRUE(plan.ok());
    ASSERT_EQ(plan->order.size(), 3U);
    EXPECT_EQ(plan->order[0]->tier, 0);
    EXPECT_EQ(plan->order[1]->tier, 0);
    EXPECT_EQ(plan->order[2]->id, "local/qwen");
    EXPECT_TRUE(plan->may_change_candidate);
    EXPECT_EQ(plan->strategy, "weighted_hash");
    EXPECT_EQ(plan->reason, "weighted_hash");
    EXPECT_FALSE(plan->hash_key_missing);
  }
}

TEST(RouterTest, WithoutFailoverOnlyTheFirst) {
  Route route = Support();
  route.failover = false;
  const auto fixed = RouterOf(route);
  const auto changing = RouterOf(Support());
  v1::CallContext context;
  for (int i = 0; i < 200; ++i) {
    context.set_routing_key(absl::StrCat("user-", i));
    context.set_disable_fallback(false);
    const auto whole = changing->MakePlan(*changing->Find("fast"), context, Half);
    const auto one = fixed->MakePlan(*fixed->Find("fast"), context, Half);
    context.set_disable_fallback(true);
    const auto disabled = changing->MakePlan(*changing->Find("fast"), context, Half);
    ASSERT_TRUE(whole.ok() && one.ok() && disabled.ok());
    EXPECT_EQ(Ids(*one), std::vector<std::string>{whole->order[0]->id});
    EXPECT_EQ(Ids(*disabled), Ids(*one));
    EXPECT_FALSE(one->may_change_candidate);
    EXPECT_FALSE(disabled->may_change_candidate);
  }
}

TEST(RouterTest, WeightZeroIsSkippedAndSaid) {
  Route route = Support();
  route.tiers[0].candidates[0].weight = 0;
  const auto router = RouterOf(route);
  v1::CallContext context;
  context.set_end_user("u");
  const auto plan = router->MakePlan(*router->Find("support"), context, Half);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(Ids(*plan), (std::vector<std::string>{"eu/gpt-5-mini", "local/qwen"}));
  ASSERT_EQ(plan->skipped.size(), 1U);
  EXPECT_EQ(plan->skipped[0].candidate(), "openai/gpt-5-mini");
  EXPECT_EQ(plan->skipped[0].reason(), "weight_zero");
}

TEST(RouterTest, ADrainedGroupFallsBackOrSaysSo) {
  Route route = Support();
  for (Candidate& candidate : route.tiers[0].candidates) candidate.weight = 0;
  v1::CallContext context;
  context.set_end_user("u");
  {
    const auto router = RouterOf(route);
    const auto plan = router->MakePlan(*router->Find("support"), context, Half);
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(Ids(*plan), std::vector<std::string>{"local/qwen"});
    EXPECT_EQ(plan->reason, "fallback");
    context.set_disable_fallback(true);
    EXPECT_EQ(ClassOf(router->MakePlan(*router->Find("support"), context, Half).status()),
              ErrorClass::kNoCandidate);
    context.set_disable_fallback(false);
  }
  route.tiers[1].candidates[0].weight = 0;
  const auto router = RouterOf(route);
  const auto plan = router->MakePlan(*router->Find("support"), context, Half);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(ClassOf(plan.status()), ErrorClass::kNoCandidate);
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(DetailOf(plan.status()).reason(), "weight_zero");
  EXPECT_EQ(DetailOf(plan.status()).report().skipped_size(), 3);
  EXPECT_THAT(std::string(plan.status().message()), HasSubstr("\"support\""));
}

TEST(RouterTest, Row37AMissingKeyIsDrawnFixedOrRefused) {
  Route route = Support();
  route.tiers[0].hash_key = HashKeySource::kMetadata;
  route.tiers[0].hash_metadata = "tenant";
  v1::CallContext context;
  context.set_routing_key("not this one");
  {
    const auto router = RouterOf(route);
    const auto low = router->MakePlan(*router->Find("support"), context, [] { return 0.5; });
    ASSERT_TRUE(low.ok());
    EXPECT_TRUE(low->hash_key_missing);
    EXPECT_EQ(low->reason, "hash_key_missing");
    std::mt19937_64 generator(9);
    const auto random = [&] { return std::uniform_real_distribution<double>()(generator); };
    std::map<std::string, int> first;
    for (int i = 0; i < 4000; ++i) {
      const auto plan = router->MakePlan(*router->Find("support"), context, random);
      ++first[plan->order[0]->id];
    }
    EXPECT_NEAR(first["eu/gpt-5-mini"], 200, 70);
  }
  route.tiers[0].missing_key = MissingKey::kFixed;
  {
    const auto router = RouterOf(route);
    const auto plan = router->MakePlan(*router->Find("support"), context, Half);
    ASSERT_TRUE(plan.ok());
    EXPECT_TRUE(plan->hash_key_missing);
    EXPECT_EQ(Ids(*plan),
              (std::vector<std::string>{"openai/gpt-5-mini", "eu/gpt-5-mini", "local/qwen"}));
  }
  route.tiers[0].missing_key = MissingKey::kReject;
  const auto router = RouterOf(route);
  const auto plan = router->MakePlan(*router->Find("support"), context, Half);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(ClassOf(plan.status()), ErrorClass::kInvalidRequest);
  EXPECT_EQ(DetailOf(plan.status()).field(), "context.metadata[\"tenant\"]");
  (*context.mutable_metadata())["tenant"] = "acme";
  EXPECT_TRUE(router->MakePlan(*router->Find("support"), context, Half).ok());
}

TEST(RouterTest, AFallbackThatWantsAKeyRefusesNoCallOfAnotherGroup) {
  Route route = Support();
  route.tiers[0].strategy = Strategy::kRandom;
  route.tiers[1].strategy = Strategy::kWeightedHash;
  route.tiers[1].missing_key = MissingKey::kReject;
  const auto router = RouterOf(route);
  const auto plan = router->MakePlan(*router->Find("support"), v1::CallContext(), Half);
  ASSERT_TRUE(plan.ok());
  EXPECT_FALSE(plan->hash_key_missing);
  EXPECT_EQ(plan->order.size(), 3U);
}

TEST(RouterTest, RoundRobinGoesOnOverAReload) {
  Route route = Support();
  route.tiers[0].strategy = Strategy::kRoundRobin;
  const auto rotations = std::make_shared<Rotations>(7);
  const auto build = [&] {
    absl::flat_hash_map<std::string, std::shared_ptr<const Route>> groups;
    groups["support"] = std::make_shared<const Route>(route);
    return std::make_unique<Router>(groups, absl::flat_hash_map<std::string, std::string>(),
                                    std::vector<std::string>{"openai"}, Direct(), rotations);
  };
  // 19 and 1 of 20, however often the configuration is loaded again.
  std::map<std::string, int> first;
  auto router = build();
  for (int i = 0; i < 200; ++i) {
    if (i % 3 == 0) {
      auto next = build();
      router = std::move(next);
    }
    const auto plan = router->MakePlan(*router->Find("support"), v1::CallContext(), Half);
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->reason, "round_robin");
    ++first[plan->order[0]->id];
  }
  EXPECT_EQ(first["openai/gpt-5-mini"], 190);
  EXPECT_EQ(first["eu/gpt-5-mini"], 10);
}

TEST(RouterTest, StrategiesHaveNames) {
  EXPECT_EQ(StrategyName(Strategy::kWeightedHash), "weighted_hash");
  EXPECT_EQ(StrategyName(Strategy::kRoundRobin), "round_robin");
  EXPECT_EQ(StrategyName(Strategy::kRandom), "random");
}

}  // namespace
}  // namespace mg
