// The live state as Admin tells it, and what an operator does to it.

#include "daemon/admin_state.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "daemon/build_snapshot.h"
#include "resilience/permits.h"

namespace mg {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::SizeIs;

constexpr char kConfig[] = R"(
providers: { a: { mock: {} }, b: { mock: {} } }
groups:
  g:
    candidates:
      - { provider: a, model: m, weight: 3 }
      - { provider: b, model: n, weight: 0 }
aliases: { fast: g }
)";

class AdminState : public testing::Test {
 protected:
  AdminState() {
    const LoadedConfig loaded = LoadConfig({kConfig, "test.yaml"}, RealOutside());
    EXPECT_TRUE(loaded.ok());
    auto snapshot = BuildSnapshot(loaded, &lasting_, moment_.now);
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    snapshot_ = *snapshot;
  }

  v1::GetStateResponse State() const {
    v1::GetStateResponse state;
    DescribeState(*snapshot_, moment_, &state);
    return state;
  }
  v1::ScopeResponse Scope(const std::string& provider, const std::string& model = "") const {
    auto response = DescribeScope(*snapshot_, ScopeOf(provider, model), moment_);
    EXPECT_TRUE(response.ok()) << response.status();
    return *response;
  }
  static v1::Scope ScopeOf(const std::string& provider, const std::string& model) {
    v1::Scope scope;
    scope.set_provider(provider);
    scope.set_model(model);
    return scope;
  }
  std::shared_ptr<Target> TargetAt(const std::string& provider, const std::string& model) const {
    return snapshot_->FindState(provider)->own->TargetOf(model, false, moment_.now);
  }

  Lasting lasting_{1};
  const Moment moment_{absl::UnixEpoch() + absl::Hours(1), absl::FromUnixSeconds(1'795'000'000)};
  std::shared_ptr<const Snapshot> snapshot_;
};

TEST_F(AdminState, EveryNameHasItsCandidates) {
  const v1::GetStateResponse state = State();
  ASSERT_GE(state.routes_size(), 2);
  const v1::Route& alias = state.routes(0);
  EXPECT_EQ(alias.name(), "fast");
  EXPECT_EQ(alias.kind(), v1::Model::KIND_ALIAS);
  EXPECT_EQ(alias.group(), "g");
  EXPECT_EQ(alias.strategy(), "weighted_hash");
  EXPECT_TRUE(alias.failover());
  ASSERT_EQ(alias.candidates_size(), 2);
  EXPECT_EQ(alias.candidates(0).candidate().id(), "a/m");
  EXPECT_TRUE(alias.candidates(0).selectable());
  EXPECT_EQ(alias.candidates(0).effective_weight(), 3);
  EXPECT_EQ(alias.candidates(0).breaker().state(), "closed");
  EXPECT_FALSE(alias.candidates(0).has_available_at());
  EXPECT_EQ(alias.candidates(1).blocked_by(), "weight_zero");
  EXPECT_FALSE(alias.candidates(1).selectable());
  ASSERT_EQ(state.endpoints_size(), 2);
  EXPECT_EQ(state.endpoints(0).provider(), "a");
  EXPECT_EQ(state.endpoints(0).id(), alias.candidates(0).endpoint());
  EXPECT_GT(state.endpoints(0).max_in_flight(), 0);
  EXPECT_GT(state.endpoints(0).retry_tokens(), 0);
}

TEST_F(AdminState, ACooldownIsShownWithItsEnd) {
  TargetAt("a", "m")->cooldown.Start(CooldownScope::kRate, absl::Seconds(30), moment_.now,
                                     [] { return 0.0; });
  const v1::CandidateState candidate = State().routes(0).candidates(0);
  EXPECT_FALSE(candidate.selectable());
  EXPECT_EQ(candidate.blocked_by(), "cooldown");
  EXPECT_EQ(candidate.cooldown().reason(), "rate");
  EXPECT_EQ(TimeUtil::TimestampToSeconds(candidate.cooldown().until()), 1'795'000'030);
  EXPECT_EQ(TimeUtil::TimestampToSeconds(candidate.available_at()), 1'795'000'030);

  v1::ResetBreakerRequest keep;
  *keep.mutable_scope() = ScopeOf("a", "m");
  keep.set_keep_cooldowns(true);
  EXPECT_THAT(ResetScope(*snapshot_, keep, moment_.now), SizeIs(0)) << "nothing was open";
  EXPECT_FALSE(Scope("a", "m").candidates(0).selectable());
  keep.set_keep_cooldowns(false);
  ResetScope(*snapshot_, keep, moment_.now);
  EXPECT_TRUE(Scope("a", "m").candidates(0).selectable());
}

TEST_F(AdminState, AnIsolationHoldsForItsScopeUntilItEnds) {
  const Instant until = moment_.now + absl::Minutes(5);
  const std::vector<BreakerRecord> told =
      IsolateScope(*snapshot_, ScopeOf("a", "m"), moment_.now, until);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].provider, "a");
  EXPECT_EQ(told[0].model, "m");
  EXPECT_STREQ(told[0].to, "isolated");
  EXPECT_EQ(told[0].actor, "admin");
  v1::CandidateState candidate = Scope("a").candidates(0);
  EXPECT_EQ(candidate.blocked_by(), "isolated");
  EXPECT_EQ(candidate.breaker().state(), "isolated");
  EXPECT_EQ(TimeUtil::TimestampToSeconds(candidate.breaker().open_until()), 1'795'000'300);
  EXPECT_TRUE(Scope("a", "other").candidates(0).selectable());

  v1::ResetBreakerRequest back;
  *back.mutable_scope() = ScopeOf("a", "");
  EXPECT_THAT(ResetScope(*snapshot_, back, moment_.now), SizeIs(1));
  EXPECT_TRUE(Scope("a").candidates(0).selectable());
}

TEST_F(AdminState, AnIsolatedProviderServesNoModel) {
  IsolateScope(*snapshot_, ScopeOf("a", ""), moment_.now, kNever);
  EXPECT_EQ(Scope("a", "never asked").candidates(0).blocked_by(), "isolated");
  EXPECT_FALSE(Scope("a", "m").candidates(0).has_available_at());
  EXPECT_EQ(State().endpoints(0).breaker().state(), "isolated");
  EXPECT_EQ(Scope("b").candidates_size(), 1);
}

TEST_F(AdminState, AProviderThatIsNoneIsNamed) {
  const absl::Status status = DescribeScope(*snapshot_, ScopeOf("c", ""), moment_).status();
  EXPECT_EQ(DetailOf(status).field(), "scope.provider");
  EXPECT_EQ(DetailOf(status).kind(), v1::ERROR_KIND_INVALID_REQUEST);
}

}  // namespace
}  // namespace mg
