// What metrics tell of breakers, cooldowns, budgets and queues (spec/resilience.md §3.10, §3.15):
// each is provoked by calls, and its value read from the page.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/component/call_fixture.h"
#include "tests/component/method_fixture.h"

namespace mg {
namespace {

// One provider, one attempt each.
std::string Once(const std::string& more) {
  return absl::StrCat("providers:\n", Scripted("a"),
                      "groups: { g: { candidates: [{ provider: a, model: m }] } }\n", more);
}

constexpr char kStale[] = "modelgateway_breaker_stale_verdicts_total";
constexpr char kProbes[] = "modelgateway_breaker_probes_total";

TEST(MetricsOfCalls, AVerdictThatComesTooLateIsCounted) {
  MethodFixture fixture(
      Once("circuit_breaker: { failure_threshold: 1 }\nretry: { max_attempts: 1 }\n"));
  fixture.http.Then(Good(false).HeadAfter(absl::Seconds(2))).Then(Failing(503));
  const auto slow = fixture.Begin(AskOf("g"), false);
  EXPECT_FALSE(fixture.Call(AskOf("g"))->status.ok());
  EXPECT_EQ(fixture.Metric("modelgateway_breaker_transitions_total", "to=\"open\""), 1);
  EXPECT_EQ(fixture.Metric(kStale), -1);
  fixture.loop.RunUntilIdle();
  EXPECT_TRUE(slow->status.ok()) << slow->status;
  EXPECT_EQ(fixture.Metric(kStale), 1) << "of the target; the endpoint has not changed";
  EXPECT_EQ(fixture.Metric("modelgateway_breaker_state", "scope=\"target\""), 2) << "still open";
}

TEST(MetricsOfCalls, ProbesAreCountedByTheirVerdicts) {
  MethodFixture fixture(
      Once("circuit_breaker: { failure_threshold: 2, half_open_successes: 2 }\n"
           "retry: { max_attempts: 1 }\n"));
  fixture.http.Then(Failing(503), 2);
  fixture.Call(AskOf("g"));
  fixture.Call(AskOf("g"));
  EXPECT_EQ(fixture.Metric(kProbes), -1) << "closed: it was none";
  const auto probe = [&fixture](Script script) {
    fixture.loop.RunFor(absl::Seconds(30));
    fixture.http.Then(std::move(script));
    return fixture.Begin(AskOf("g"), false);
  };
  probe(Failing(503));  // open again
  probe(Failing(429));  // neither opens nor closes
  const auto left = probe(Good(false).HeadAfter(absl::Hours(1)));
  fixture.loop.RunFor(absl::Seconds(1));
  left->rpc.cancellation()->Cancel(MakeError(ErrorClass::kCancel, "the caller left"));
  probe(Good(false));
  probe(Good(false));
  fixture.loop.RunFor(absl::Seconds(1));
  EXPECT_EQ(fixture.Metric(kProbes, "verdict=\"failure\""), 1);
  EXPECT_EQ(fixture.Metric(kProbes, "verdict=\"rate_limited\""), 1);
  EXPECT_EQ(fixture.Metric(kProbes, "verdict=\"neutral\""), 1);
  EXPECT_EQ(fixture.Metric(kProbes, "verdict=\"success\""), 2);
  EXPECT_EQ(fixture.Metric("modelgateway_breaker_state", "scope=\"target\""), 0);
  fixture.http.Then(Good(false));
  fixture.Call(AskOf("g"));
  EXPECT_EQ(fixture.Metric(kProbes), 5) << "closed again: it was none";
}

TEST(MetricsOfCalls, ACooldownIsToldWithWhatIsLeftOfItAndItsEnd) {
  constexpr char kSeconds[] = "modelgateway_cooldown_seconds";
  constexpr char kUntil[] = "modelgateway_cooldown_until_timestamp_seconds";
  struct Row {
    int status;
    const char* label;  // the series' own
    double seconds;
  };
  const Row rows[] = {
      {429, "{provider=\"a\",model=\"m\",scope=\"target\",reason=\"rate\"}", 5},
      {401, "{provider=\"a\",model=\"\",scope=\"credential\",reason=\"auth\"}", 60}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.status);
    MethodFixture fixture(Once("retry: { max_attempts: 1 }\n"));
    EXPECT_EQ(fixture.Metric(kSeconds), -1);
    fixture.http.Then(Failing(row.status));
    fixture.Call(AskOf("g"));
    const double left = fixture.Metric(kSeconds, row.label);
    EXPECT_GE(left, row.seconds);
    EXPECT_LE(left, row.seconds * 1.1);
    const double until = fixture.Metric(kUntil, row.label);
    const auto date = [&fixture] {
      return absl::ToDoubleSeconds(fixture.loop.WallTime() - absl::UnixEpoch());
    };
    EXPECT_NEAR(until, date() + left, 1e-3);
    fixture.loop.RunFor(absl::Seconds(2));
    EXPECT_NEAR(fixture.Metric(kSeconds, row.label), left - 2, 1e-6);
    EXPECT_NEAR(fixture.Metric(kUntil, row.label), until, 1e-3);
    fixture.loop.RunFor(2 * absl::Seconds(row.seconds));
    EXPECT_EQ(fixture.Metric(kSeconds), -1);
    EXPECT_EQ(fixture.Metric(kUntil), -1);
  }
}

TEST(MetricsOfCalls, TheRetryBudgetAndWhatItDenies) {
  constexpr char kTokens[] = "modelgateway_retry_budget_tokens";
  constexpr char kDenied[] = "modelgateway_retry_budget_denied_total";
  MethodFixture fixture(
      Once("circuit_breaker: { enabled: false }\n"
           "retry: { max_attempts: 2, jitter: none,\n"
           "         budget: { ratio: 0.5, min_per_second: 0, max_tokens: 4 } }\n"));
  EXPECT_EQ(fixture.Metric(kTokens, "provider=\"a\""), 2) << "half of them";
  fixture.http.Then(Failing(503), 2);
  fixture.Call(AskOf("g"));
  EXPECT_EQ(fixture.Metric(kTokens, "provider=\"a\""), 0);
  EXPECT_EQ(fixture.Metric(kDenied), -1);
  fixture.http.Then(Failing(503));
  fixture.Call(AskOf("g"));
  EXPECT_EQ(fixture.http.hits().size(), 3U);
  EXPECT_EQ(fixture.Metric(kDenied, "provider=\"a\""), 1);
  fixture.http.Then(Good(false));
  fixture.Call(AskOf("g"));
  EXPECT_EQ(fixture.Metric(kTokens, "provider=\"a\""), 0.5);
  EXPECT_EQ(fixture.Metric(kDenied), 1);
}

TEST(MetricsOfCalls, TheTimeInTheQueue) {
  MethodFixture fixture(Once("limits: { max_in_flight: 1, queue: 2, queue_timeout: 10s }\n"));
  fixture.http.Then(Good(false).HeadAfter(absl::Seconds(1)), 3);
  const auto first = fixture.Begin(AskOf("g"), false);
  fixture.Begin(AskOf("g"), false);
  fixture.Begin(AskOf("g"), false);
  fixture.loop.RunFor(absl::Milliseconds(1500));
  EXPECT_TRUE(first->ended);
  EXPECT_EQ(fixture.Metric("modelgateway_queue_wait_seconds_count"), -1) << "it has not waited";
  fixture.loop.RunUntilIdle();
  EXPECT_EQ(fixture.Metric("modelgateway_queue_wait_seconds_count"), 2);
  EXPECT_EQ(fixture.Metric("modelgateway_queue_wait_seconds_sum"), 1 + 2);
  EXPECT_EQ(fixture.Metric("modelgateway_queue_wait_seconds_bucket", "le=\"1\""), 1);
}

TEST(MetricsOfCalls, CallersWhoLeaveWhileAProviderIsAsked) {
  constexpr char kCancelled[] = "modelgateway_upstream_cancelled_total";
  MethodFixture fixture(Once(""));
  fixture.http.Then(Good(false).HeadAfter(absl::Hours(1)), 2);
  const auto left = fixture.Begin(AskOf("g"), false);
  const auto over = fixture.Begin(AskOf("g"), false);
  fixture.loop.RunFor(absl::Seconds(1));
  left->rpc.cancellation()->Cancel(MakeError(ErrorClass::kCancel, "the caller left"));
  fixture.loop.RunUntilIdle();
  EXPECT_EQ(DetailOf(over->status).kind(), v1::ERROR_KIND_DEADLINE) << over->status;
  EXPECT_EQ(fixture.Metric(kCancelled), 1) << "a deadline is no caller who left";
}

// A group of two, three users of four at the first.
std::string Shared() {
  return absl::StrCat("providers:\n", Scripted("a"), Scripted("b"),
                      "groups: { g: { candidates: [{ provider: a, model: m, weight: 3 },\n"
                      "                            { provider: b, model: m }] } }\n");
}

class Row52 : public testing::Test {
 protected:
  Row52() {
    fixture_.http.Always("a", Good(false));
    fixture_.http.Always("b", Good(false));
  }
  // How many of the calls went to a.
  int AtA(const v1::ChatRequest& request, int calls) {
    const size_t before = fixture_.http.hits().size();
    for (int i = 0; i < calls; ++i) {
      const auto call = fixture_.Call(request);
      EXPECT_TRUE(call->status.ok()) << call->status;
    }
    int at_a = 0;
    for (size_t i = before; i < fixture_.http.hits().size(); ++i) {
      at_a += absl::StartsWith(fixture_.http.hits()[i]->request.url, "http://a.test/") ? 1 : 0;
    }
    EXPECT_EQ(fixture_.http.hits().size() - before, static_cast<size_t>(calls));
    return at_a;
  }
  double Missing() const {
    return fixture_.Metric("modelgateway_hash_key_missing_total", "group=\"g\"");
  }

  MethodFixture fixture_{Shared()};
};

TEST_F(Row52, Row52AThousandCallsOfAUserStayAtOneCandidate) {
  std::set<int> seen;
  for (int user = 0; user < 16; ++user) {
    v1::ChatRequest request = AskOf("g");
    request.mutable_context()->set_end_user(absl::StrCat("user-", user));
    const int calls = user == 0 ? 1000 : 50;
    const int at_a = AtA(request, calls);
    EXPECT_TRUE(at_a == 0 || at_a == calls) << at_a;
    seen.insert(at_a == 0 ? 0 : 1);
  }
  EXPECT_EQ(seen.size(), 2U) << "16 users, all at one of two candidates";
  v1::ChatRequest session = AskOf("g");
  session.mutable_context()->set_session_id("session-1");
  const int at_a = AtA(session, 50);
  EXPECT_TRUE(at_a == 0 || at_a == 50) << at_a;
  EXPECT_EQ(Missing(), -1);
}

TEST_F(Row52, Row52WithoutUserAndSessionCallsAreSpreadByWeightAndCounted) {
  // Seven standard deviations to either side.
  const int at_a = AtA(AskOf("g"), 1000);
  EXPECT_GE(at_a, 650);
  EXPECT_LE(at_a, 850);
  EXPECT_EQ(Missing(), 1000);
}

}  // namespace
}  // namespace mg
