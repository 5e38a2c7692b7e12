#include "routing/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace mg {
namespace {

using ::testing::HasSubstr;

Tier TierOf(const std::string& group, Strategy strategy, int number,
            const std::vector<std::pair<std::string, int>>& candidates) {
  Tier tier;
  tier.group = group;
  tier.strategy = strategy;
  for (const auto& [id, weight] : candidates) {
    Candidate& candidate = tier.candidates.emplace_back();
    candidate.id = id;
    candidate.provider = "p";
    candidate.model = id;
    candidate.weight = weight;
    candidate.tier = number;
  }
  return tier;
}

std::unique_ptr<Router> RouterOf(Strategy strategy, MissingKey missing = MissingKey::kRandom) {
  auto route = std::make_shared<Route>();
  route->group = "support";
  route->tiers.push_back(TierOf("support", strategy, 0, {{"a", 1}, {"off", 0}, {"b", 3}}));
  route->tiers[0].missing_key = missing;
  route->tiers.push_back(TierOf("spare", Strategy::kRoundRobin, 1, {{"s", 1}}));
  absl::flat_hash_map<std::string, std::shared_ptr<const Route>> groups = {{"support", route}};
  return std::make_unique<Router>(
      std::move(groups), absl::flat_hash_map<std::string, std::string>{{"fast", "support"}},
      std::vector<std::string>{"p"}, Route(), std::make_shared<Rotations>(1));
}

std::string OrderOf(const Explanation& explanation) {
  std::string order;
  for (const RankedCandidate& one : explanation.order) {
    absl::StrAppend(&order, order.empty() ? "" : " ", one.skipped.empty() ? "" : "-",
                    one.candidate->id);
  }
  return order;
}

// What is explained is what is done.
TEST(ExplainTest, AHashIsExplainedAsItIsPlanned) {
  const auto router = RouterOf(Strategy::kWeightedHash);
  int first_a = 0;
  for (int i = 0; i < 400; ++i) {
    v1::CallContext context;
    context.set_end_user(absl::StrCat("user-", i));
    const Explanation explanation = Explain(*router, "fast", context);
    ASSERT_TRUE(explanation.refusal.ok());
    const Plan plan = *router->MakePlan(explanation.route, context, [] { return 0.5; });
    ASSERT_EQ(explanation.order.size(), 4u);
    EXPECT_EQ(explanation.order[0].candidate, plan.order[0]);
    EXPECT_EQ(explanation.order[1].candidate, plan.order[1]);
    EXPECT_LT(explanation.order[0].score, explanation.order[1].score);
    EXPECT_EQ(explanation.order[2].skipped, "weight_zero");
    EXPECT_EQ(explanation.order[3].candidate->id, "s");
    EXPECT_EQ(explanation.hash_key_source, "end_user");
    if (plan.order[0]->id == "a") ++first_a;
  }
  EXPECT_NEAR(first_a, 100, 30);
}

TEST(ExplainTest, SaysWhatIsHashed) {
  const auto router = RouterOf(Strategy::kWeightedHash);
  v1::CallContext context;
  const Explanation nothing = Explain(*router, "support", context);
  EXPECT_TRUE(nothing.hash_key_missing);
  EXPECT_EQ(nothing.hash_key_source, "");
  EXPECT_EQ(OrderOf(nothing), "a b -off s");
  context.set_session_id("s");
  EXPECT_EQ(Explain(*router, "support", context).hash_key_source, "session_id");
  context.set_routing_key("r");
  EXPECT_EQ(Explain(*router, "support", context).hash_key_source, "routing_key");
  context.set_disable_fallback(true);
  EXPECT_EQ(Explain(*router, "support", context).order.size(), 3u);
}

TEST(ExplainTest, NothingMovesOn) {
  const auto router = RouterOf(Strategy::kRoundRobin);
  const auto route = *router->Find("support");
  const auto next = [&] { return router->MakePlan(route, {}, [] { return 0.5; })->order[0]->id; };
  const std::vector<std::string> round = {next(), next(), next(), next()};
  std::vector<std::string> again;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(OrderOf(Explain(*router, "support", {})), "a b -off s");
    again.push_back(next());
  }
  EXPECT_EQ(again, round);
}

TEST(ExplainTest, APairAndWhatIsRefused) {
  const auto router = RouterOf(Strategy::kWeightedHash, MissingKey::kReject);
  const Explanation pair = Explain(*router, "p/m", {});
  EXPECT_EQ(OrderOf(pair), "p/m");
  EXPECT_EQ(pair.strategy, "");
  EXPECT_TRUE(pair.refusal.ok());

  const Explanation unknown = Explain(*router, "suport", {});
  EXPECT_EQ(unknown.route, nullptr);
  EXPECT_THAT(std::string(unknown.refusal.message()), HasSubstr("did you mean \"support\"?"));

  const Explanation keyless = Explain(*router, "support", {});
  EXPECT_EQ(ClassOf(keyless.refusal), ErrorClass::kInvalidRequest);
  EXPECT_EQ(keyless.order.size(), 4u);
}

}  // namespace
}  // namespace mg
