#include "daemon/wire_status.h"
#include "tests/component/scenario_fixture.h"

namespace mg {
namespace {

Script Limited(const std::string& retry_after) {
  return Failing(429).With("retry-after", retry_after);
}

TEST_P(Scenarios, Row01OneFailureThenAnAnswer) {
  fixture_.Add("a");
  fixture_.http.Then(Failing(503)).Then(Good(Stream()));
  const CallOutcome outcome = Call();
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "a:overload a:ok");
  EXPECT_EQ(outcome.Text(), "hi");
}

TEST_P(Scenarios, Row02TheSameCandidateBeforeTheNext) {
  fixture_.Add("a").retry.backoff.jitter = Jitter::kFull;
  fixture_.Add("b");
  fixture_.http.Then(Failing(500)).Then(Good(Stream()));
  const CallOutcome outcome = Call();
  EXPECT_EQ(outcome.Attempts(), "a:5xx a:ok");
  const absl::Duration waited = outcome.record.attempts[1].waited;
  EXPECT_GE(waited, absl::ZeroDuration());
  EXPECT_LT(waited, absl::Milliseconds(250));
}

TEST_P(Scenarios, Row03ARefusedKeyOfTheGatewayCoolsDown) {
  fixture_.Add("a");
  fixture_.AddModel("a", "other");
  fixture_.Add("b");
  fixture_.http.Then(Failing(401)).Then(Good(Stream()));
  EXPECT_EQ(Call().Attempts(), "a:credential b:ok");  // the other model has the same key
  const CooldownView cooldown = CredentialCooldown(0);
  EXPECT_EQ(cooldown.reason, CooldownScope::kCredential);
  EXPECT_GE(cooldown.until - fixture_.loop.now(), absl::Seconds(60));
  EXPECT_LE(cooldown.until - fixture_.loop.now(), absl::Seconds(66));
  fixture_.http.Then(Good(Stream()));
  const CallOutcome later = Call();
  EXPECT_EQ(later.Attempts(), "b:ok");
  EXPECT_EQ(Skipped(later), "a:cooldown a:cooldown");
  EXPECT_EQ(TargetBreaker(0).state, BreakerState::kClosed);
}

TEST_P(Scenarios, Row04RetryAfterLeavesTheTargetAloneForSoLong) {
  fixture_.Add("a");
  fixture_.Add("b");
  fixture_.http.Then(Limited("3"));
  fixture_.http.Always("a", Good(Stream()));
  fixture_.http.Always("b", Good(Stream()));
  const CallOutcome first = Call();
  EXPECT_EQ(first.Attempts(), "a:rate b:ok");
  EXPECT_EQ(first.record.attempts[1].waited, absl::ZeroDuration());
  EXPECT_EQ(CallAt(absl::Milliseconds(2999)).Attempts(), "b:ok");
  EXPECT_EQ(CallAt(absl::Milliseconds(3301)).Attempts(), "a:ok");  // at most a tenth later
}

TEST_P(Scenarios, Row05AHttpDateIsReadByTheProvidersOwnClock) {
  fixture_.Add("a");
  const absl::Time theirs = fixture_.loop.WallTime() + absl::Hours(1);
  const auto http_date = [](absl::Time time) {
    return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", time, absl::UTCTimeZone());
  };
  fixture_.http.Then(
      Limited(http_date(theirs + absl::Seconds(20))).With("date", http_date(theirs)));
  const CallOutcome outcome = Call();
  EXPECT_EQ(KindOf(outcome), v1::ERROR_KIND_RATE_LIMITED);
  EXPECT_EQ(HintOf(outcome), absl::Seconds(20));
  EXPECT_GE(TargetCooldown(0).until - fixture_.loop.now(), absl::Seconds(20));
}

TEST_P(Scenarios, Row06AShortHintIsWaitedForWhereNothingElseIsLeft) {
  fixture_.Add("a");
  fixture_.http.Then(Failing(429).With("retry-after-ms", "250")).Then(Good(Stream()));
  const CallOutcome outcome = Call();
  EXPECT_EQ(outcome.Attempts(), "a:rate a:ok");
  EXPECT_GE(outcome.record.attempts[1].waited, absl::Milliseconds(250));
  EXPECT_LE(outcome.record.attempts[1].waited, absl::Milliseconds(275));
}

TEST_P(Scenarios, Row07ALongHintEndsTheCallWithIt) {
  fixture_.Add("a");
  fixture_.deadline = absl::Seconds(5);
  fixture_.http.Then(Limited("60"));
  const CallOutcome outcome = Call();
  EXPECT_EQ(KindOf(outcome), v1::ERROR_KIND_RATE_LIMITED);
  EXPECT_EQ(outcome.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(HintOf(outcome), absl::Seconds(60));  // as it was given
  EXPECT_EQ(Elapsed(), absl::ZeroDuration());
}

TEST_P(Scenarios, Row08RetryInfoInTheBodyCoolsDown) {
  fixture_.Add("a", "vertex");
  fixture_.http.Then(Script::Json(
      429,
      R"({"error":{"code":429,"message":"Resource exhausted","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"22s"}]}})"));
  const CallOutcome outcome = Call();
  EXPECT_EQ(KindOf(outcome), v1::ERROR_KIND_RATE_LIMITED);
  const absl::Duration left = TargetCooldown(0).until - fixture_.loop.now();
  EXPECT_GE(left, absl::Seconds(22));
  EXPECT_LE(left, absl::Seconds(24.2));
}

TEST_P(Scenarios, Row23EveryFinishIsASuccess) {
  const auto finish = [](const std::string& reason, const std::string& content) {
    if (!Stream()) {
      return Script::Json(
          200,
          R"({"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":")" +
              content + R"("},"finish_reason":")" + reason + R"("}]})");
    }
    return Script::Sse(
        {Role(),
         R"({"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":")" +
             reason + R"("}]})",
         "[DONE]"});
  };
  fixture_.Add("a");
  for (const char* reason : {"content_filter", "stop", "length", "tool_calls"}) {
    fixture_.http.Then(finish(reason, ""));
    const CallOutcome outcome = Call();
    EXPECT_TRUE(outcome.status.ok()) << reason << outcome.status;
    EXPECT_EQ(outcome.Attempts(), "a:ok");
  }
  EXPECT_EQ(TargetBreaker(0).window_ok, 4);
}

TEST_P(Scenarios, Row30ABlackHoleLeavesTheOtherItsTime) {
  fixture_.Add("a");
  fixture_.Add("b");
  fixture_.deadline = absl::Seconds(10);
  fixture_.http.Then(Good(Stream()).HeadAfter(absl::Hours(1)));
  fixture_.http.Then(Good(Stream()).HeadAfter(absl::Seconds(1)));
  const CallOutcome outcome = Call();
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "a:timeout b:ok");
  EXPECT_EQ(Elapsed(), absl::Seconds(8.5));
  EXPECT_EQ(TargetBreaker(0).window_failed, 0);  // its share was short: nobody's fault
}

TEST_P(Scenarios, Row31NoAttemptForWhichThereIsNoTime) {
  fixture_.Add("a");
  fixture_.Add("b");
  fixture_.deadline = absl::Milliseconds(1300);
  fixture_.http.Then(Failing(503));
  fixture_.http.Always("b", Good(Stream()));
  Script slow = Failing(503);
  slow.head_after = absl::Seconds(1);
  CallFixture late;
  late.Add("a");
  late.Add("b");
  late.deadline = absl::Milliseconds(1300);
  late.http.Then(std::move(slow));
  const CallOutcome outcome = late.Call(Stream());
  EXPECT_EQ(outcome.Attempts(), "a:overload");
  EXPECT_EQ(KindOf(outcome), v1::ERROR_KIND_OVERLOADED);
  EXPECT_EQ(Call().Attempts(), "a:overload b:ok");  // in time it is asked
}

TEST_P(Scenarios, Row32TheBudgetNeverBlocksFallback) {
  ResiliencePolicy policy;
  policy.breaker.enabled = false;
  fixture_.SetPolicy(policy);
  fixture_.Add("a");
  fixture_.Add("b");
  fixture_.http.Always("a", Failing(503));
  fixture_.http.Always("b", Good(Stream()));
  for (int i = 0; i < 200; ++i) {
    const CallOutcome outcome = CallAt(i * absl::Milliseconds(10));
    ASSERT_TRUE(outcome.status.ok()) << i << outcome.status;
    ASSERT_EQ(outcome.Attempts(), "a:overload b:ok");
  }
}

TEST_P(Scenarios, Row34WhatIsSpentIsNotToBeRepeated) {
  fixture_.Add("a");
  fixture_.http.Then(Failing(503), 3);
  const CallOutcome outcome = Call();
  EXPECT_EQ(outcome.Attempts(), "a:overload a:overload a:overload");
  CallRecord record = outcome.record;
  record.status = outcome.status;
  v1::ErrorDetail detail = DetailOf(outcome.status);
  *detail.mutable_report() = ReportOf(record, fixture_.loop.now());
  const WireStatus wire = ToWire(MakeError(ClassOf(outcome.status), detail, "no"), true);
  EXPECT_THAT(wire.trailers, testing::Contains(testing::Pair("x-should-retry", "false")));
  EXPECT_THAT(wire.trailers, testing::Contains(testing::Pair("grpc-retry-pushback-ms", "-1")));
}

TEST_P(Scenarios, Row43TheDateMayJump) {
  fixture_.Add("a");
  for (const absl::Duration jump : {absl::Hours(1), -absl::Hours(2)}) {
    fixture_.http.Then(Failing(503)).Then(Good(Stream()).HeadAfter(absl::Seconds(30)));
    const Instant began = fixture_.loop.now();
    const std::shared_ptr<CallOutcome> outcome = fixture_.Begin(Stream());
    fixture_.loop.RunFor(absl::Milliseconds(100));
    fixture_.loop.JumpWall(jump);  // while it waits to try again
    fixture_.loop.RunFor(absl::Seconds(10));
    fixture_.loop.JumpWall(jump);  // and while its provider thinks
    fixture_.loop.RunUntilIdle();
    EXPECT_EQ(outcome->Attempts(), "a:overload a:ok");
    EXPECT_EQ(outcome->ended_at - began, absl::Seconds(30.25));
  }
}

TEST_P(Scenarios, Row44AnOverlongPromptGoesToALargerWindowAlone) {
  fixture_.Add("a").context_window = 8000;
  fixture_.Add("b").context_window = 8000;
  fixture_.Add("c").context_window = 128000;
  const Script overlong =
      Script::Json(400, R"({"error":{"message":"too long","code":"context_length_exceeded"}})");
  fixture_.http.Then(overlong).Then(Good(Stream()));
  const CallOutcome outcome = Call();
  EXPECT_EQ(outcome.Attempts(), "a:context c:ok");
  EXPECT_EQ(Skipped(outcome), "b:context_window");
  fixture_.http.Then(overlong).Then(overlong);
  const CallOutcome both = Call();
  EXPECT_EQ(both.Attempts(), "a:context c:context");
  EXPECT_EQ(KindOf(both), v1::ERROR_KIND_CONTEXT_LENGTH);
}

TEST_P(Scenarios, Row48WithoutHintsTheBackOffIsWaitedForAndNothingElse) {
  fixture_.Add("a").retry.backoff.jitter = Jitter::kFull;
  fixture_.http.Then(Failing(429), 2).Then(Good(Stream()));
  const std::shared_ptr<CallOutcome> waiting = fixture_.Begin(Stream());
  fixture_.loop.RunFor(absl::Milliseconds(100));  // it waits for its second attempt
  EXPECT_FALSE(waiting->ended);
  fixture_.loop.RunUntilIdle();
  EXPECT_TRUE(waiting->status.ok()) << waiting->status;
  EXPECT_EQ(waiting->Attempts(), "a:rate a:rate a:ok");
  EXPECT_LT(waiting->record.attempts[1].waited, absl::Milliseconds(250));
  EXPECT_LT(waiting->record.attempts[2].waited, absl::Milliseconds(500));
  EXPECT_LE(TargetCooldown(0).until, fixture_.loop.now());
}

TEST_P(Scenarios, Row48OthersAreNotRefusedMeanwhile) {
  fixture_.Add("a");
  fixture_.http.Then(Failing(429)).Then(Good(Stream())).Then(Good(Stream()));
  const std::shared_ptr<CallOutcome> waiting = fixture_.Begin(Stream());
  fixture_.loop.RunFor(absl::Milliseconds(100));
  EXPECT_TRUE(fixture_.Call(Stream()).status.ok());
  fixture_.loop.RunUntilIdle();
  EXPECT_TRUE(waiting->status.ok());
}

TEST_P(Scenarios, Row49AllAttemptsAreMadeAtTheOnlyCandidate) {
  fixture_.Add("a");
  fixture_.max_attempts = 5;
  fixture_.http.Then(Failing(503), 5);
  EXPECT_EQ(Call().Attempts(), "a:overload a:overload a:overload a:overload a:overload");
}

TEST_P(Scenarios, Row50TheOnlyCandidateMayThinkForLong) {
  fixture_.Add("a");
  for (const int seconds : {100, 200}) {
    fixture_.http.Then(Good(Stream()).HeadAfter(absl::Seconds(seconds)));
    EXPECT_EQ(Call().Attempts(), "a:ok") << seconds;
  }
}

TEST_P(Scenarios, Row51TwoCandidatesAndALongWholeAnswer) {
  fixture_.Add("a");
  fixture_.Add("b");
  fixture_.http.Then(Good(Stream()).HeadAfter(absl::Seconds(150)));
  EXPECT_EQ(Call().Attempts(), "a:ok");
}

INSTANTIATE_TEST_SUITE_P(Retry, Scenarios, testing::Bool(),
                         [](const auto& param) { return param.param ? "Stream" : "Unary"; });

}  // namespace
}  // namespace mg
