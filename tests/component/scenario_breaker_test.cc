#include "tests/component/scenario_fixture.h"

namespace mg {
namespace {

// Calls of one attempt each, so that a test counts outcomes and not retries.
void OnceEach(CallFixture* fixture) { fixture->max_attempts = 1; }

TEST_P(Scenarios, Row09FiveFailuresInARowOpen) {
  OnceEach(&fixture_);
  fixture_.Add("a");
  fixture_.http.Then(Failing(503), 5);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Call().Attempts(), "a:overload");
  EXPECT_EQ(TargetBreaker(0).state, BreakerState::kOpen);
  EXPECT_EQ(EndpointBreaker(0).state, BreakerState::kClosed);  // it answers
  const CallOutcome refused = Call();
  EXPECT_EQ(refused.Attempts(), "");
  EXPECT_EQ(KindOf(refused), v1::ERROR_KIND_NO_CANDIDATE);
  EXPECT_GE(HintOf(refused), absl::Seconds(1));
  EXPECT_EQ(Skipped(refused), "a:breaker_open");
  EXPECT_EQ(Elapsed(), absl::ZeroDuration());
  EXPECT_EQ(fixture_.http.hits().size(), 5U);
}

TEST_P(Scenarios, Row10ACallersFaultNeitherCountsNorResets) {
  OnceEach(&fixture_);
  fixture_.Add("a");
  fixture_.http.Then(Failing(503), 4).Then(Failing(400)).Then(Failing(503));
  for (int i = 0; i < 5; ++i) Call();
  EXPECT_EQ(TargetBreaker(0).state, BreakerState::kClosed);
  Call();
  EXPECT_EQ(TargetBreaker(0).state, BreakerState::kOpen);
}

TEST_P(Scenarios, Row11HalfOfTwentyOpens) {
  OnceEach(&fixture_);
  fixture_.Add("a");
  for (int i = 0; i < 10; ++i) fixture_.http.Then(Good(Stream())).Then(Failing(500));
  for (int i = 0; i < 19; ++i) Call();
  EXPECT_EQ(TargetBreaker(0).state, BreakerState::kClosed);
  Call();
  EXPECT_EQ(TargetBreaker(0).state, BreakerState::kOpen);
  EXPECT_STREQ(TargetBreaker(0).reason, "ratio");
}

TEST_P(Scenarios, Row12WhatIsOlderThanTheWindowIsForgotten) {
  OnceEach(&fixture_);
  fixture_.Add("a");
  for (int i = 0; i < 30; ++i) fixture_.http.Then(Good(Stream())).Then(Failing(500));
  for (int i = 0; i < 60; ++i) CallAt(i * absl::Seconds(4));  // never 20 within 30 s
  EXPECT_EQ(TargetBreaker(0).state, BreakerState::kClosed);
  fixture_.loop.RunFor(absl::Seconds(31));
  EXPECT_EQ(TargetBreaker(0).window_ok + TargetBreaker(0).window_failed, 0);
}

TEST_P(Scenarios, Row13AProbeThatIsLimitedKeepsItHalfOpen) {
  OnceEach(&fixture_);
  fixture_.Add("a");
  fixture_.http.Then(Failing(503), 5).Then(Failing(429).With("retry-after", "30"));
  fixture_.http.Always("a", Good(Stream()));
  for (int i = 0; i < 5; ++i) Call();
  const CallOutcome probe = CallAt(absl::Seconds(13));
  EXPECT_EQ(probe.Attempts(), "a:rate");
  EXPECT_STREQ(probe.record.attempts[0].breaker, "half_open");
  EXPECT_EQ(TargetBreaker(0).state, BreakerState::kHalfOpen);
  const CallOutcome refused = CallAt(absl::Seconds(42));
  EXPECT_EQ(refused.Attempts(), "");
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CallAt(absl::Seconds(47)).Attempts(), "a:ok");
}

TEST_P(Scenarios, Row14AProbeThatHangsLosesItsSlot) {
  OnceEach(&fixture_);
  fixture_.Add("a");
  fixture_.deadline = absl::Hours(1);
  fixture_.http.Then(Failing(503), 5).Then(Failing(503).HeadAfter(absl::Minutes(10)));
  fixture_.http.Always("a", Good(Stream()));
  for (int i = 0; i < 5; ++i) Call();
  fixture_.loop.RunFor(absl::Seconds(13));
  const std::shared_ptr<CallOutcome> hung = fixture_.Begin(Stream());
  fixture_.loop.RunFor(absl::Seconds(59));
  EXPECT_EQ(Call().Attempts(), "");
  fixture_.loop.RunFor(absl::Seconds(2));
  EXPECT_EQ(Call().Attempts(), "a:ok");
  EXPECT_EQ(Call().Attempts(), "a:ok");
  EXPECT_EQ(TargetBreaker(0).state, BreakerState::kClosed);
  EXPECT_FALSE(hung->ended);
  fixture_.loop.RunUntilIdle();
  EXPECT_EQ(hung->Attempts(), "a:overload");
  EXPECT_EQ(TargetBreaker(0).state, BreakerState::kClosed);
  EXPECT_EQ(TargetBreaker(0).window_failed, 0);
}

TEST_P(Scenarios, Row15EachTimeOpenIsTwiceAsLong) {
  ResiliencePolicy policy;
  policy.breaker.sole_candidate_max_cooldown =
      absl::Seconds(300);  // the full time for the only one
  fixture_.SetPolicy(policy);
  OnceEach(&fixture_);
  fixture_.Add("a");
  fixture_.http.Always("a", Failing(503));
  for (int i = 0; i < 5; ++i) Call();
  for (const int seconds : {10, 20, 40, 80, 160, 300, 300}) {
    const absl::Duration open = *TargetBreaker(0).open_until - fixture_.loop.now();
    EXPECT_GE(open, absl::Seconds(seconds));
    EXPECT_LE(open, absl::Seconds(seconds) * 1.2);
    fixture_.loop.RunUntil(*TargetBreaker(0).open_until);
    EXPECT_EQ(Call().Attempts(), "a:overload");  // the probe
  }
  // Closed again and quiet for one window after the other: step by step.
  fixture_.http.Always("a", Good(Stream()));
  fixture_.loop.RunUntil(*TargetBreaker(0).open_until);
  Call();
  Call();
  ASSERT_EQ(TargetBreaker(0).state, BreakerState::kClosed);
  const int reopened = TargetBreaker(0).reopened;
  fixture_.loop.RunFor(absl::Seconds(61));
  EXPECT_EQ(TargetBreaker(0).reopened, reopened - 2);
}

TEST_P(Scenarios, Row16AProbeSucceedsWithItsFirstContent) {
  OnceEach(&fixture_);
  fixture_.Add("a");
  fixture_.http.Then(Failing(503), 5);
  fixture_.http.Always(
      "a", Stream()
               ? Script::Sse({Role(), Piece("x"), Piece("y"), Stop(), "[DONE]"}, absl::Seconds(50))
               : Good(false).HeadAfter(absl::Seconds(250)));
  for (int i = 0; i < 5; ++i) Call();
  fixture_.loop.RunFor(absl::Seconds(13));
  const std::shared_ptr<CallOutcome> first = fixture_.Begin(Stream());
  fixture_.loop.RunFor(absl::Seconds(101));
  const std::shared_ptr<CallOutcome> second = fixture_.Begin(Stream());
  fixture_.loop.RunFor(absl::Seconds(101));
  // Both streams have begun by now; a whole answer is its own first content.
  EXPECT_FALSE(second->ended);
  EXPECT_EQ(TargetBreaker(0).state, Stream() ? BreakerState::kClosed : BreakerState::kHalfOpen);
  fixture_.loop.RunFor(absl::Seconds(300));
  EXPECT_TRUE(first->ended);
  EXPECT_TRUE(second->ended);
}

TEST_P(Scenarios, Row17ShortDeadlinesOpenNothing) {
  OnceEach(&fixture_);
  fixture_.Add("a");
  fixture_.deadline = absl::Milliseconds(50);
  fixture_.http.Always("a", Good(Stream()).HeadAfter(absl::Hours(2)));
  for (int i = 0; i < 1000; ++i) {
    const CallOutcome outcome = Call();
    ASSERT_EQ(KindOf(outcome), v1::ERROR_KIND_DEADLINE);
  }
  EXPECT_EQ(TargetBreaker(0).state, BreakerState::kClosed);
  EXPECT_EQ(TargetBreaker(0).consecutive, 0);
  fixture_.deadline = absl::Seconds(200);  // more than ttft: the provider had its time
  for (int i = 0; i < 5; ++i) Call();
  EXPECT_EQ(TargetBreaker(0).state, BreakerState::kOpen);
}

TEST_P(Scenarios, Row18WhereAllAreOpenTheEarliestIsTold) {
  ResiliencePolicy policy;
  policy.breaker.sole_candidate_max_cooldown = absl::Seconds(60);
  policy.breaker.jitter = 0;
  fixture_.SetPolicy(policy);
  OnceEach(&fixture_);
  fixture_.Add("a");
  fixture_.Add("b");
  fixture_.http.Then(Failing(503), 5);
  for (int i = 0; i < 5; ++i) Call();  // a is open
  fixture_.loop.RunFor(absl::Seconds(5));
  fixture_.http.Then(Failing(503), 5);
  for (int i = 0; i < 5; ++i) Call();  // b, 5 s later
  const size_t hits = fixture_.http.hits().size();
  const CallOutcome refused = Call();  // 5 s and 10 s are left
  EXPECT_EQ(KindOf(refused), v1::ERROR_KIND_NO_CANDIDATE);
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_GE(HintOf(refused), absl::Seconds(5));
  EXPECT_LE(HintOf(refused), absl::Seconds(6));
  EXPECT_EQ(Skipped(refused), "a:breaker_open b:breaker_open");
  EXPECT_EQ(fixture_.http.hits().size(), hits);
}

TEST_P(Scenarios, Row19TheOnlyCandidateIsBlockedForFiveSecondsAtMost) {
  OnceEach(&fixture_);
  fixture_.Add("a");
  fixture_.http.Then(Failing(503), 5).Then(Good(Stream()));
  for (int i = 0; i < 5; ++i) Call();
  EXPECT_EQ(CallAt(absl::Seconds(4)).Attempts(), "");
  const CallOutcome probe = CallAt(absl::Seconds(6));
  EXPECT_EQ(probe.Attempts(), "a:ok");
  EXPECT_STREQ(probe.record.attempts[0].breaker, "half_open");
}

TEST_P(Scenarios, Row53ARunOf429sOpensTheTargetAlone) {
  fixture_.Add("a");
  fixture_.AddModel("a", "other");
  fixture_.Add("b");
  fixture_.http.Always("b", Good(Stream()));
  fixture_.http.Always("a", Failing(429).With("retry-after", "2"));
  for (int i = 0; i < 5; ++i) {
    fixture_.TargetAt(1).breaker->Isolate(fixture_.loop.now(), kNever);  // the other stands aside
    EXPECT_EQ(CallAt(i * absl::Seconds(3)).Attempts(), "a:rate b:ok") << i;
  }
  fixture_.TargetAt(1).breaker->Reset(fixture_.loop.now());
  const BreakerView view = TargetBreaker(0);
  EXPECT_EQ(view.state, BreakerState::kOpen);
  EXPECT_STREQ(view.reason, "rate_limited");
  EXPECT_GE(*view.open_until - fixture_.loop.now(), absl::Seconds(10));
  EXPECT_EQ(view.window_failed, 0);
  EXPECT_EQ(EndpointBreaker(0).state, BreakerState::kClosed);
  EXPECT_EQ(TargetBreaker(1).state, BreakerState::kClosed);
  fixture_.http.Always("a", Good(Stream()));
  EXPECT_EQ(Call().record.attempts[0].model, "other");
  fixture_.loop.RunUntil(*view.open_until);
  const CallOutcome probe = Call();
  EXPECT_EQ(probe.record.attempts[0].model, "m");
  EXPECT_STREQ(probe.record.attempts[0].breaker, "half_open");
  EXPECT_TRUE(probe.status.ok());
}

TEST_P(Scenarios, Row53ASuccessInBetweenEndsTheRun) {
  OnceEach(&fixture_);
  fixture_.Add("a");
  fixture_.http.Then(Failing(429), 4).Then(Good(Stream())).Then(Failing(429));
  // Each after the cooldown before it: 5, 10, 20, 40, 60 s.
  for (int i = 0; i < 6; ++i) CallAt(i * absl::Seconds(70));
  EXPECT_EQ(fixture_.http.hits().size(), 6U);
  EXPECT_EQ(TargetBreaker(0).state, BreakerState::kClosed);
}

}  // namespace
}  // namespace mg
