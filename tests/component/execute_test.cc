// The life of a call under virtual time: one table of faults, played unary and streaming alike.

#include "daemon/execute.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/component/call_fixture.h"

namespace mg {
namespace {

using testing::HasSubstr;
using testing::Not;

// One script of faults gives the same list of attempts whether the call is unary or streams.
struct Row {
  const char* name;
  int providers;
  std::vector<Script> scripts;  // in the order of the hits; a good answer is added at the end
  bool answered;
  const char* attempts;
  v1::ErrorKind kind = v1::ERROR_KIND_UNSPECIFIED;
};

std::vector<Row> Table(bool stream) {
  const auto script = [](std::vector<Script> list) { return list; };
  std::vector<Row> rows;
  rows.push_back({"503 once, alone", 1, script({Failing(503)}), true, "a:overload a:ok"});
  rows.push_back({"500 asks the same first", 2, script({Failing(500)}), true, "a:5xx a:ok"});
  rows.push_back(
      {"500 twice goes on", 2, script({Failing(500), Failing(500)}), true, "a:5xx a:5xx b:ok"});
  rows.push_back({"503 goes on at once", 2, script({Failing(503)}), true, "a:overload b:ok"});
  rows.push_back({"429 goes on", 2, script({Failing(429)}), true, "a:rate b:ok"});
  rows.push_back({"401 of ours goes on", 2, script({Failing(401)}), true, "a:credential b:ok"});
  rows.push_back({"404 goes on", 2, script({Failing(404)}), true, "a:model b:ok"});
  rows.push_back({"400 ends the call", 2, script({Failing(400)}), false, "a:caller",
                  v1::ERROR_KIND_INVALID_REQUEST});
  rows.push_back({"refused connection", 2, script({Script::Refused()}), true, "a:connect a:ok"});
  rows.push_back({"the third of three", 3, script({Failing(503), Failing(503)}), true,
                  "a:overload b:overload c:ok"});
  rows.push_back({"spent attempts", 1, script({Failing(503), Failing(503), Failing(503)}), false,
                  "a:overload a:overload a:overload", v1::ERROR_KIND_OVERLOADED});
  rows.push_back({"an HTML page", 2, script({[] {
                    Script html = Script::Json(200, "<html>login</html>");
                    html.headers = {{"content-type", "text/html"}};
                    return html;
                  }()}),
                  true, "a:malformed b:ok"});
  rows.push_back({"an empty answer", 2,
                  script({[stream] { return stream ? Script::Sse({}) : Script::Json(200, ""); }(),
                          [stream] { return stream ? Script::Sse({}) : Script::Json(200, ""); }()}),
                  true, "a:empty a:empty b:ok"});
  rows.push_back(
      {"a reset before content", 2,
       script(
           {(stream ? Script::Sse({Role()}) : Script::Json(200, "{")).EndsBy(Script::End::kReset)}),
       true, "a:reset a:ok"});
  return rows;
}

class ExecuteTable : public testing::TestWithParam<bool> {};

TEST_P(ExecuteTable, EveryRow) {
  const bool stream = GetParam();
  for (Row& row : Table(stream)) {
    SCOPED_TRACE(row.name);
    CallFixture fixture;
    const char* names[] = {"a", "b", "c"};
    for (int i = 0; i < row.providers; ++i) fixture.Add(names[i]);
    for (Script& script : row.scripts) fixture.http.Then(std::move(script));
    fixture.http.Then(Good(stream));
    const CallOutcome outcome = fixture.Run(stream);
    ASSERT_TRUE(outcome.ended);
    EXPECT_EQ(outcome.Attempts(), row.attempts);
    if (row.answered) {
      EXPECT_TRUE(outcome.status.ok()) << outcome.status;
      EXPECT_EQ(outcome.Text(), "hi");
      EXPECT_EQ(outcome.response.choices(0).finish().reason(), v1::FINISH_REASON_STOP);
      EXPECT_EQ(outcome.response.report().attempts_size(),
                static_cast<int>(outcome.record.attempts.size()));
    } else {
      EXPECT_EQ(DetailOf(outcome.status).kind(), row.kind) << outcome.status;
      EXPECT_TRUE(outcome.events.empty());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(UnaryAndStream, ExecuteTable, testing::Bool(),
                         [](const auto& test) { return test.param ? "Stream" : "Unary"; });

TEST(Execute, StartedGoesOutOnceAndNamesTheOneThatAnswers) {
  CallFixture fixture;
  fixture.Add("a");
  fixture.Add("b");
  fixture.http.Then(
      Script::Sse({Role(), R"({"error":{"message":"busy","type":"server_error","code":503}})"}));
  fixture.http.Then(Good(true));
  fixture.http.Then(Good(true));
  const CallOutcome outcome = fixture.Run(true);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  int started = 0;
  for (const v1::ChatEvent& event : outcome.events) started += event.has_started() ? 1 : 0;
  EXPECT_EQ(started, 1);
  EXPECT_EQ(outcome.events.front().started().provider(), outcome.record.attempts.back().provider);
  EXPECT_TRUE(outcome.events.back().has_completed());
}

TEST(Execute, NothingIsRepeatedAfterTheCommit) {
  for (const Script::End end : {Script::End::kReset, Script::End::kEof}) {
    CallFixture fixture;
    fixture.Add("a");
    fixture.Add("b");
    fixture.http.Then(Script::Sse({Role(), Piece("one"), Piece("two")}).EndsBy(end));
    const CallOutcome outcome = fixture.Run(true);
    EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_STREAM_INTERRUPTED);
    EXPECT_EQ(outcome.status.code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(outcome.Text(), "onetwo");
    EXPECT_FALSE(outcome.events.back().has_completed());
    EXPECT_EQ(fixture.http.hits().size(), 1u);
  }
}

TEST(Execute, AResetBehindTheFinishCompletes) {
  CallFixture fixture;
  fixture.Add("a");
  fixture.http.Then(Script::Sse({Role(), Piece("hi"), Stop()}).EndsBy(Script::End::kReset));
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Text(), "hi");
  EXPECT_TRUE(outcome.events.back().has_completed());
}

TEST(Execute, SilenceBehindTheFinishCompletesAfterStreamEnd) {
  CallFixture fixture;
  fixture.Add("a").timeouts.stream_end = absl::Seconds(5);
  fixture.http.Then(Script::Sse({Role(), Piece("hi"), Stop()}).EndsBy(Script::End::kStall));
  const Instant start = fixture.loop.now();
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.ended_at - start, absl::Seconds(5));
  EXPECT_TRUE(fixture.http.hits()[0]->given_up);
}

TEST(Execute, SilenceMidStreamEndsTheCall) {
  CallFixture fixture;
  fixture.Add("a").timeouts.stream_idle = absl::Seconds(60);
  fixture.http.Then(Script::Sse({Role(), Piece("hi")}).EndsBy(Script::End::kStall));
  const Instant start = fixture.loop.now();
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_STREAM_INTERRUPTED);
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("stream_idle"));
  EXPECT_EQ(outcome.ended_at - start, absl::Seconds(60));
  EXPECT_TRUE(fixture.http.hits()[0]->given_up);
}

TEST(Execute, TimeToFirstTokenCountsContentOnlyAndFailsOver) {
  CallFixture fixture;
  fixture.Add("a").timeouts.ttft = absl::Seconds(10);
  fixture.Add("b");
  // Comments and the role keep coming: none of it is content.
  Script pings = Script::Sse({Role()}).EndsBy(Script::End::kStall);
  for (int i = 0; i < 30; ++i) pings.pieces.push_back({absl::Seconds(1), ": ping\n\n"});
  fixture.http.Then(std::move(pings));
  fixture.http.Then(Good(true));
  const Instant start = fixture.loop.now();
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "a:timeout b:ok");
  EXPECT_EQ(outcome.ended_at - start, absl::Seconds(10));
}

TEST(Execute, TheOnlyCandidateHasTheWholeDeadline) {
  CallFixture fixture;
  fixture.Add("a").timeouts.ttft = absl::Seconds(180);
  fixture.http.Then(Good(true).HeadAfter(absl::Seconds(200)));
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "a:ok");
}

TEST(Execute, AttemptTimeoutHoldsForUnaryCalls) {
  CallFixture fixture;
  fixture.Add("a").timeouts.attempt = absl::Seconds(30);
  fixture.Add("b");
  fixture.http.Then(Good(false).HeadAfter(absl::Seconds(100)));
  fixture.http.Then(Good(false));
  const CallOutcome outcome = fixture.Run(false);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "a:timeout b:ok");
  EXPECT_TRUE(fixture.http.hits()[0]->given_up);
}

TEST(Execute, TheDeadlineEndsEveryPhase) {
  struct Phase {
    const char* name;
    std::function<void(CallFixture&)> prepare;
  };
  const std::vector<Phase> phases = {
      {"head", [](CallFixture& f) { f.http.Then(Good(true).HeadAfter(absl::Hours(1))); }},
      {"content",
       [](CallFixture& f) { f.http.Then(Script::Sse({Role()}).EndsBy(Script::End::kStall)); }},
      {"stream",
       [](CallFixture& f) {
         f.http.Then(Script::Sse({Role(), Piece("x")}).EndsBy(Script::End::kStall));
       }},
  };
  for (const Phase& phase : phases) {
    SCOPED_TRACE(phase.name);
    CallFixture fixture;
    fixture.Add("a");
    fixture.deadline = absl::Seconds(7);
    phase.prepare(fixture);
    const Instant start = fixture.loop.now();
    const CallOutcome outcome = fixture.Run(true);
    EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_DEADLINE);
    EXPECT_EQ(outcome.status.code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_EQ(outcome.ended_at - start, absl::Seconds(7));
    EXPECT_TRUE(fixture.http.hits()[0]->given_up);
  }
}

TEST(Execute, BackoffDoesNotSleepPastTheDeadline) {
  CallFixture fixture;
  Candidate& a = fixture.Add("a");
  a.retry.backoff.base = absl::Seconds(60);
  a.retry.backoff.max = absl::Seconds(60);
  fixture.deadline = absl::Seconds(10);
  fixture.http.Then(Failing(500));
  const Instant start = fixture.loop.now();
  const CallOutcome outcome = fixture.Run(false);
  // Failed at once with the error underneath, not with a deadline much later.
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_SERVER_ERROR);
  EXPECT_EQ(outcome.ended_at, start);
}

TEST(Execute, CancellationReachesTheProviderInEveryPhase) {
  const std::vector<std::pair<const char*, Script>> phases = {
      {"head", Good(true).HeadAfter(absl::Hours(1))},
      {"content", Script::Sse({Role()}).EndsBy(Script::End::kStall)},
      {"stream", Script::Sse({Role(), Piece("x")}).EndsBy(Script::End::kStall)},
  };
  for (const auto& [name, script] : phases) {
    SCOPED_TRACE(name);
    CallFixture fixture;
    fixture.Add("a");
    fixture.Add("b");
    fixture.http.Then(script);
    auto outcome = fixture.Start(true);
    fixture.loop.RunFor(absl::Seconds(1));
    ASSERT_FALSE(outcome->ended);
    const Instant cancelled = fixture.loop.now();
    fixture.rpc.cancellation()->Cancel(MakeError(ErrorClass::kCancel, "the caller left"));
    fixture.loop.RunFor(absl::ZeroDuration());
    ASSERT_TRUE(outcome->ended);
    EXPECT_EQ(outcome->ended_at, cancelled);
    EXPECT_EQ(DetailOf(outcome->status).kind(), v1::ERROR_KIND_CANCELLED_BY_CALLER);
    EXPECT_TRUE(fixture.http.hits()[0]->given_up);
    EXPECT_EQ(fixture.http.hits().size(), 1u);
    EXPECT_EQ(outcome->record.attempts.size(), 1u);
  }
}

TEST(Execute, CancellationEndsTheBackoff) {
  CallFixture fixture;
  fixture.Add("a").retry.backoff.base = absl::Seconds(5);
  fixture.http.Then(Failing(500));
  auto outcome = fixture.Start(false);
  fixture.loop.RunFor(absl::Seconds(1));
  ASSERT_FALSE(outcome->ended);
  fixture.rpc.cancellation()->Cancel(MakeError(ErrorClass::kCancel, "the caller left"));
  fixture.loop.RunFor(absl::ZeroDuration());
  ASSERT_TRUE(outcome->ended);
  EXPECT_EQ(ClassOf(outcome->status), ErrorClass::kCancel);
  EXPECT_EQ(fixture.http.hits().size(), 1u);
}

TEST(Execute, AHintIsWaitedForWhereNothingElseIsLeft) {
  CallFixture fixture;
  fixture.Add("a");
  fixture.http.Then(Failing(429).With("retry-after-ms", "250"));
  fixture.http.Then(Good(false));
  const Instant start = fixture.loop.now();
  const CallOutcome outcome = fixture.Run(false);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "a:rate a:ok");
  EXPECT_GE(outcome.ended_at - start, absl::Milliseconds(250));
  EXPECT_GE(outcome.record.attempts[1].waited, absl::Milliseconds(250));
}

// max_attempts_per_candidate and inline_wait_max are a candidate's own (§3.11).
TEST(Execute, EachCandidateIsAskedAndWaitedForByItsOwnLimits) {
  CallFixture fixture;
  fixture.max_attempts = 6;
  Candidate& once = fixture.Add("a");
  once.retry.max_per_candidate = 1;
  once.retry.inline_wait_max = absl::ZeroDuration();
  Candidate& patient = fixture.Add("b");
  patient.retry.max_per_candidate = 3;
  patient.retry.inline_wait_max = absl::Seconds(5);
  fixture.http.Then(Failing(503).With("retry-after", "1"));
  fixture.http.Then(Failing(503).With("retry-after", "4"));
  fixture.http.Then(Failing(500)).Then(Good(false));
  const CallOutcome waited = fixture.Call(false);
  EXPECT_EQ(waited.Attempts(), "a:overload b:overload b:5xx b:ok");
  EXPECT_EQ(waited.record.attempts[1].waited, absl::ZeroDuration());
  EXPECT_GE(waited.record.attempts[2].waited, absl::Seconds(4));

  fixture.http.Then(Failing(500), 4);
  EXPECT_EQ(fixture.Call(false).Attempts(), "a:5xx b:5xx b:5xx b:5xx");
}

TEST(Execute, ALongHintEndsTheCallAndIsReported) {
  CallFixture fixture;
  fixture.Add("a");
  fixture.deadline = absl::Seconds(5);
  fixture.http.Then(Failing(429).With("retry-after", "60"));
  const Instant start = fixture.loop.now();
  const CallOutcome outcome = fixture.Run(false);
  EXPECT_EQ(outcome.ended_at, start);
  const v1::ErrorDetail detail = DetailOf(outcome.status);
  EXPECT_EQ(detail.kind(), v1::ERROR_KIND_RATE_LIMITED);
  EXPECT_EQ(detail.retry_after().seconds(), 60);
  EXPECT_EQ(detail.provider(), "a");
  EXPECT_EQ(detail.http_status(), 429);
}

TEST(Execute, WhichErrorIsReturned) {
  CallFixture rate;
  rate.Add("a");
  rate.Add("b");
  rate.http.Then(Failing(429)).Then(Script::Json(402, R"({"error":{"message":"pay"}})"));
  rate.http.Then(Failing(429));
  EXPECT_EQ(DetailOf(rate.Run(false).status).kind(), v1::ERROR_KIND_RATE_LIMITED);

  CallFixture caller;
  caller.Add("a");
  caller.Add("b");
  caller.http.Then(Failing(503)).Then(Failing(400));
  EXPECT_EQ(DetailOf(caller.Run(false).status).kind(), v1::ERROR_KIND_INVALID_REQUEST);
}

TEST(Execute, WithoutFailoverTheCallKeepsItsCandidate) {
  CallFixture fixture;
  fixture.Add("a");
  fixture.Add("b");
  fixture.may_change_candidate = false;
  fixture.http.Then(Failing(503)).Then(Failing(503)).Then(Failing(503));
  const CallOutcome outcome = fixture.Run(false);
  EXPECT_EQ(outcome.Attempts(), "a:overload a:overload a:overload");
}

TEST(Execute, TheCallerMayOnlyLowerTheAttempts) {
  CallFixture fixture;
  fixture.Add("a");
  fixture.request.mutable_context()->set_max_attempts(1);
  fixture.http.Then(Failing(503));
  EXPECT_EQ(fixture.Run(false).Attempts(), "a:overload");
  CallFixture more;
  more.Add("a");
  more.request.mutable_context()->set_max_attempts(50);
  more.http.Then(Failing(503)).Then(Failing(503)).Then(Failing(503));
  EXPECT_EQ(more.Run(false).record.attempts.size(), 3u);
}

TEST(Execute, ACandidateThatCannotCarryTheRequestIsPassedOver) {
  CallFixture fixture;
  fixture.Add("a");
  fixture.request.mutable_messages(0)->add_parts()->mutable_video()->set_uri("https://x/y.mp4");
  const CallOutcome outcome = fixture.Run(false);
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_UNSUPPORTED);
  EXPECT_EQ(DetailOf(outcome.status).field(), "messages[0].parts[1].video");
  ASSERT_EQ(outcome.record.skipped.size(), 1u);
  EXPECT_EQ(outcome.record.skipped[0].reason(), "capability");
  EXPECT_TRUE(outcome.record.attempts.empty());
}

// One that is left alone says nothing to a request which it could not serve anyway.
TEST(Execute, ARefusalCountsThoseAloneThatCouldServe) {
  CallFixture fixture;
  for (const char* name : {"a", "b"}) {
    fixture.Add(name, name == std::string("b") ? "gemini" : "openai");
  }
  fixture.request.mutable_messages(0)->add_parts()->mutable_video()->set_uri("gs://x/y.mp4");
  const Instant now = fixture.loop.now();
  fixture.TargetAt(0).cooldown.Start(CooldownScope::kRate, absl::Seconds(3), now, fixture.random);
  fixture.TargetAt(1).cooldown.Start(CooldownScope::kRate, absl::Seconds(100), now, fixture.random);
  const CallOutcome both = fixture.Run(false);
  EXPECT_EQ(DetailOf(both.status).kind(), v1::ERROR_KIND_NO_CANDIDATE) << both.status;
  EXPECT_GE(DetailOf(both.status).retry_after().seconds(), 100);
  EXPECT_THAT(std::string(both.status.message()), Not(HasSubstr("a/m")));
  ASSERT_EQ(both.record.skipped.size(), 2u);
  EXPECT_EQ(both.record.skipped[0].reason(), "capability");
  EXPECT_EQ(both.record.skipped[1].reason(), "cooldown");

  // Whether or not it was found out by asking: a may be asked again, and could not serve.
  fixture.TargetAt(0).cooldown.Clear();
  EXPECT_EQ(DetailOf(fixture.Run(false).status).kind(), v1::ERROR_KIND_NO_CANDIDATE);
}

TEST(Execute, WhereAllThatAreBlockedLackItTheLackIsTold) {
  CallFixture fixture;
  fixture.Add("a");
  fixture.request.mutable_messages(0)->add_parts()->mutable_video()->set_uri("https://x/y.mp4");
  fixture.TargetAt(0).cooldown.Start(CooldownScope::kRate, absl::Seconds(3), fixture.loop.now(),
                                     fixture.random);
  const CallOutcome outcome = fixture.Run(false);
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_UNSUPPORTED) << outcome.status;
  EXPECT_TRUE(fixture.http.hits().empty());
}

TEST(Execute, TheLongestSilenceOfAStreamIsKept) {
  CallFixture fixture;
  fixture.Add("a");
  Script script = Script::Sse({Role(), Piece("one")}, absl::Seconds(20));
  for (const int seconds : {2, 9, 4}) {
    script.pieces.push_back({absl::Seconds(seconds), "data: " + Piece("more") + "\n\n"});
  }
  for (const std::string& end : {Stop(), std::string("[DONE]")}) {
    script.pieces.push_back({absl::ZeroDuration(), "data: " + end + "\n\n"});
  }
  fixture.http.Then(script).Then(std::move(script));
  EXPECT_EQ(fixture.Run(true).record.attempts[0].longest_gap, absl::Seconds(9));
  EXPECT_EQ(fixture.Run(false).record.attempts[0].longest_gap, std::nullopt);
}

// I14: what a stream holds does not grow with its length.
TEST(Execute, AStreamOfAnyLengthHoldsLittle) {
  for (const int pieces : {10, 1000, 20000}) {
    ByteBudget budget(size_t{1} << 30);
    CallFixture fixture;
    fixture.Add("a");
    fixture.budget = &budget;
    Script script = Script::Sse({Role()});
    for (int i = 0; i < pieces; ++i) {
      script.pieces.push_back({absl::Milliseconds(1), "data: " + Piece("some words") + "\n\n"});
    }
    for (const std::string& end : {Stop(), std::string("[DONE]")}) {
      script.pieces.push_back({absl::Milliseconds(1), "data: " + end + "\n\n"});
    }
    fixture.http.Then(std::move(script));
    const std::shared_ptr<CallOutcome> outcome = fixture.Start(true);
    size_t most = 0;
    while (!outcome->ended && fixture.loop.Step()) most = std::max(most, budget.used());
    EXPECT_TRUE(outcome->status.ok()) << outcome->status;
    EXPECT_EQ(outcome->record.output_events, pieces);
    EXPECT_LE(most, size_t{16} << 10) << pieces << " pieces";
    EXPECT_EQ(budget.used(), 0u);
  }
}

TEST(Execute, ASlowReaderEndsItsOwnCall) {
  CallFixture fixture;
  fixture.Add("a");
  fixture.call_buffer = 64 << 10;
  fixture.rpc.stuck = true;
  Script script = Script::Sse({Role()});
  for (int i = 0; i < 200; ++i) {
    script.pieces.push_back(
        {absl::ZeroDuration(), "data: " + Piece(std::string(1000, 'x')) + "\n\n"});
  }
  fixture.http.Then(std::move(script).EndsBy(Script::End::kStall));
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_GATEWAY_OVERLOADED);
  EXPECT_EQ(DetailOf(outcome.status).reason(), "slow_reader");
  EXPECT_TRUE(fixture.http.hits()[0]->given_up);
  EXPECT_LT(outcome.events.size(), 100u);
}

// Where all buffers are full, large answers make room and small ones go on.
TEST(Execute, WhereAllIsTakenLargeAnswersEnd) {
  for (const bool stream : {false, true}) {
    for (const int pieces : {20, 400}) {
      ByteBudget budget(1 << 20);
      budget.Take(2 << 20);
      CallFixture fixture;
      fixture.Add("a");
      fixture.budget = &budget;
      fixture.rpc.stuck = true;
      Script script = Script::Sse({Role()});
      const std::string piece(1000, 'x');
      for (int i = 0; i < pieces; ++i) {
        script.pieces.push_back({absl::ZeroDuration(), "data: " + Piece(piece) + "\n\n"});
      }
      for (const std::string& end : {Stop(), std::string("[DONE]")}) {
        script.pieces.push_back({absl::ZeroDuration(), "data: " + end + "\n\n"});
      }
      fixture.http.Then(std::move(script));
      const CallOutcome outcome = fixture.Run(stream);
      const bool small = pieces == 20;
      EXPECT_EQ(outcome.status.ok(), small) << outcome.status;
      if (!small) {
        EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_GATEWAY_OVERLOADED);
        EXPECT_EQ(DetailOf(outcome.status).reason(), stream ? "slow_reader" : "buffered_bytes");
        EXPECT_TRUE(fixture.http.hits()[0]->given_up);
      }
      EXPECT_EQ(budget.used(), 2U << 20) << "all is given back";
    }
  }
}

TEST(Execute, WhatIsNoEventYetCountsAsABuffer) {
  ByteBudget budget(1 << 20);
  CallFixture fixture;
  fixture.Add("a");
  fixture.budget = &budget;
  Script script = Script::Sse({Role()});
  script.pieces.push_back({absl::ZeroDuration(), "data: "});
  for (int i = 0; i < 4; ++i) {
    script.pieces.push_back({absl::ZeroDuration(), std::string(300 << 10, 'x')});
  }
  fixture.http.Then(std::move(script).EndsBy(Script::End::kStall));
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_EQ(DetailOf(outcome.status).reason(), "buffered_bytes") << outcome.status;
  EXPECT_EQ(budget.used(), 0u);
}

TEST(Execute, AnEventLargerThanTheBufferPassesWhereItIsEmpty) {
  CallFixture fixture;
  fixture.Add("a");
  fixture.call_buffer = 64 << 10;
  fixture.http.Then(Script::Sse({Role(), Piece(std::string(200'000, 'x')), Stop(), "[DONE]"}));
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Text().size(), 200'000u);
}

}  // namespace
}  // namespace mg
