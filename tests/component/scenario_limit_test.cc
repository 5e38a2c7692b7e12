#include "tests/component/scenario_fixture.h"

namespace mg {
namespace {

TEST_P(Scenarios, Row40BeyondSlotsAndQueueCallsAreShedAtOnce) {
  fixture_.Add("a");
  fixture_.http.Always("a", Good(Stream()).HeadAfter(absl::Seconds(1)));
  std::vector<std::shared_ptr<CallOutcome>> calls;
  for (int i = 0; i < 1024 + 256; ++i) calls.push_back(fixture_.Begin(Stream()));
  fixture_.loop.RunFor(absl::ZeroDuration());
  EXPECT_EQ(fixture_.http.hits().size(), 1024U);
  EXPECT_EQ(fixture_.EndpointAt(0).limiter->Now().queued, 256);
  const std::shared_ptr<CallOutcome> shed = fixture_.Begin(Stream());
  fixture_.loop.RunFor(absl::ZeroDuration());
  ASSERT_TRUE(shed->ended);
  const v1::ErrorDetail detail = DetailOf(shed->status);
  EXPECT_EQ(detail.kind(), v1::ERROR_KIND_GATEWAY_OVERLOADED);
  EXPECT_EQ(detail.reason(), "queue_full");
  EXPECT_EQ(shed->status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GE(HintOf(*shed), absl::Seconds(1));
  EXPECT_EQ(Skipped(*shed), "a:limiter");
  fixture_.loop.RunUntilIdle();
  for (const auto& call : calls) ASSERT_TRUE(call->status.ok()) << call->status;
  EXPECT_EQ(calls.back()->record.queued, absl::Seconds(1));
  EXPECT_EQ(fixture_.EndpointAt(0).limiter->Now().in_flight, 0);
}

class OneSlot : public Scenarios {
 protected:
  OneSlot() {
    ResiliencePolicy policy;
    policy.limiter.max_in_flight = 1;
    fixture_.SetPolicy(policy);
    fixture_.Add("a");
  }
  std::shared_ptr<CallOutcome> Hold(absl::Duration time) {
    fixture_.http.Then(Good(Stream()).HeadAfter(time));
    std::shared_ptr<CallOutcome> holder = fixture_.Begin(Stream());
    fixture_.loop.RunFor(absl::ZeroDuration());
    return holder;
  }
};

TEST_P(OneSlot, Row40AQueuedCallPastItsDeadlineAsksNobody) {
  const auto holder = Hold(absl::Seconds(1.9));
  fixture_.deadline = absl::Seconds(1.5);
  const auto queued = fixture_.Begin(Stream());
  fixture_.loop.RunUntilIdle();
  EXPECT_EQ(KindOf(*queued), v1::ERROR_KIND_DEADLINE);
  EXPECT_EQ(queued->Attempts(), "");
  EXPECT_EQ(fixture_.http.hits().size(), 1U);
  EXPECT_TRUE(holder->status.ok());
}

TEST_P(OneSlot, Row40AQueueThatTakesTooLongSheds) {
  const auto holder = Hold(absl::Seconds(10));
  const auto queued = fixture_.Begin(Stream());
  fixture_.loop.RunFor(absl::Seconds(2));
  ASSERT_TRUE(queued->ended);
  EXPECT_EQ(DetailOf(queued->status).reason(), "queue_timeout");
  EXPECT_EQ(queued->record.queued, absl::Seconds(2));
  fixture_.loop.RunUntilIdle();
  EXPECT_TRUE(holder->status.ok());
}

TEST_P(OneSlot, Row28ACancelLeavesTheQueue) {
  const auto holder = Hold(absl::Seconds(1));
  const auto queued = fixture_.Begin(Stream());
  fixture_.loop.RunFor(absl::Milliseconds(100));
  queued->rpc->cancellation()->Cancel(MakeError(ErrorClass::kCancel, "gone"));
  fixture_.loop.RunFor(absl::ZeroDuration());
  EXPECT_TRUE(queued->ended);
  EXPECT_EQ(fixture_.EndpointAt(0).limiter->Now().queued, 0);
  fixture_.loop.RunUntilIdle();
  EXPECT_EQ(fixture_.http.hits().size(), 1U);
  EXPECT_EQ(fixture_.EndpointAt(0).limiter->Now().in_flight, 0);
}

TEST_P(OneSlot, Row40AnotherCandidateWithRoomIsAskedFirst) {
  fixture_.Add("b");
  const auto holder = Hold(absl::Seconds(1));
  fixture_.http.Then(Good(Stream()));
  const auto other = fixture_.Begin(Stream());
  fixture_.loop.RunFor(absl::ZeroDuration());
  EXPECT_EQ(other->Attempts(), "b:ok");
  EXPECT_EQ(Skipped(*other), "a:limiter");
  fixture_.loop.RunUntilIdle();
  EXPECT_TRUE(holder->status.ok());
}

TEST_P(OneSlot, WhatOpensMeanwhileRefusesTheQueued) {
  const auto holder = Hold(absl::Seconds(1));
  const auto queued = fixture_.Begin(Stream());
  fixture_.loop.RunFor(absl::Milliseconds(100));
  fixture_.TargetAt(0).breaker->Isolate(fixture_.loop.now(), kNever);
  fixture_.loop.RunUntilIdle();
  EXPECT_EQ(KindOf(*queued), v1::ERROR_KIND_NO_CANDIDATE);
  EXPECT_EQ(DetailOf(queued->status).reason(), "isolated");
  EXPECT_FALSE(DetailOf(queued->status).has_retry_after());
}

INSTANTIATE_TEST_SUITE_P(Limits, OneSlot, testing::Bool());

// A total outage of a minute at 100 calls a second: what providers are asked for beyond the calls
// themselves is next to nothing.
class Outage : public Scenarios {
 protected:
  double Amplification() {
    constexpr int kCalls = 6000;
    for (int i = 0; i < kCalls; ++i) {
      fixture_.Begin(Stream());
      fixture_.loop.RunFor(absl::Milliseconds(10));
    }
    fixture_.loop.RunUntilIdle();
    const double amplification = static_cast<double>(fixture_.http.hits().size()) / kCalls;
    RecordProperty("amplification_percent", static_cast<int>(100 * amplification));
    return amplification;
  }
};

TEST_P(Outage, OfOneEndpointWithoutABreakerStaysWithinTheBudget) {
  ResiliencePolicy policy;
  policy.breaker.enabled = false;
  fixture_.SetPolicy(policy);
  fixture_.Add("a");
  fixture_.http.Always("a", Failing(503));
  EXPECT_LE(Amplification(), 1.1);
  EXPECT_GE(fixture_.http.hits().size(), 6000U);  // each is asked once
}

TEST_P(Outage, OfAChainOfThreeIsBypassedByTheirBreakers) {
  for (const char* provider : {"a", "b", "c"}) {
    fixture_.Add(provider);
    fixture_.http.Always(provider, Failing(503));
  }
  EXPECT_LE(Amplification(), 1.1);
}

TEST_P(Outage, TheBudgetComesBackWithSuccesses) {
  ResiliencePolicy policy;
  policy.breaker.enabled = false;
  fixture_.SetPolicy(policy);
  fixture_.Add("a");
  fixture_.http.Always("a", Failing(503));
  for (int i = 0; i < 50; ++i) Call();
  const CallOutcome poor = Call();
  EXPECT_EQ(poor.Attempts(), "a:overload");
  EXPECT_EQ(DetailOf(poor.status).reason(), "retry_budget");
  fixture_.http.Always("a", Good(Stream()));
  for (int i = 0; i < 20; ++i) Call();
  fixture_.http.Then(Failing(503));
  EXPECT_EQ(Call().Attempts(), "a:overload a:ok");
}

INSTANTIATE_TEST_SUITE_P(Minute, Outage, testing::Bool());

}  // namespace
}  // namespace mg
