#include "tests/component/scenario_fixture.h"

namespace mg {
namespace {

using testing::HasSubstr;

Script Tokens(int count, Script::End end) {
  std::vector<std::string> data = {Role()};
  for (int i = 0; i < count; ++i) data.push_back(Piece("x"));
  return Script::Sse(std::move(data)).EndsBy(end);
}

// The rows that only a stream has.
class StreamScenarios : public Scenarios {};

TEST_P(StreamScenarios, Row20WhatFailedBeforeContentLeavesNoTrace) {
  fixture_.Add("a");
  fixture_.Add("b");
  fixture_.http.Then(Script::Sse({Role(), R"({"error":{"message":"overloaded","code":503}})"}));
  fixture_.http.Then(Good(true, "from b"));
  const CallOutcome outcome = Call();
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Text(), "from b");
  ASSERT_FALSE(outcome.events.empty());
  EXPECT_EQ(outcome.events[0].started().provider(), "b");
  int started = 0;
  for (const v1::ChatEvent& event : outcome.events) started += event.has_started() ? 1 : 0;
  EXPECT_EQ(started, 1);
}

TEST_P(StreamScenarios, Row21ACutAfterContentIsToldAndCounts) {
  fixture_.Add("a");
  fixture_.Add("b");
  fixture_.http.Always("b", Good(true));
  fixture_.http.Then(Tokens(3, Script::End::kReset), 5);
  for (int i = 0; i < 5; ++i) {
    const CallOutcome outcome = Call();
    EXPECT_EQ(outcome.Text(), "xxx");
    EXPECT_EQ(KindOf(outcome), v1::ERROR_KIND_STREAM_INTERRUPTED);
    EXPECT_FALSE(outcome.events.back().has_completed());
    EXPECT_EQ(outcome.Attempts(), "a:reset");
  }
  EXPECT_EQ(TargetBreaker(0).state, BreakerState::kOpen);
  EXPECT_STREQ(TargetBreaker(0).reason, "truncated");
  EXPECT_EQ(Call().Attempts(), "b:ok");
}

TEST_P(StreamScenarios, Row22WhatIsNoAnswerFailsBeforeTheCommit) {
  Script html = Script::Json(200, "<html>login</html>");
  html.headers = {{"content-type", "text/html"}};
  const std::vector<Script> none = {Script::Sse({}), html, Script::Json(200, R"({"ok":true})")};
  for (const Script& script : none) {
    CallFixture fixture;
    fixture.Add("a");
    fixture.Add("b");
    fixture.http.Then(script);
    fixture.http.Always("a", script);
    fixture.http.Always("b", Good(true));
    const CallOutcome outcome = fixture.Call(true);
    EXPECT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(outcome.record.provider, "b");
  }
  // A whole answer in place of a stream is told as its events.
  fixture_.Add("a");
  fixture_.http.Then(Script::Json(200, Whole("whole")));
  EXPECT_EQ(Call().Text(), "whole");
}

TEST_P(StreamScenarios, Row24AnEndWithoutAMarkerIsNone) {
  fixture_.Add("a");
  fixture_.http.Then(Tokens(2, Script::End::kEof));
  const CallOutcome outcome = Call();
  EXPECT_EQ(KindOf(outcome), v1::ERROR_KIND_STREAM_INTERRUPTED);
  EXPECT_EQ(outcome.Text(), "xx");
}

TEST_P(StreamScenarios, Row25PingsAreNoContent) {
  Script pings = Script::Sse({Role()}).EndsBy(Script::End::kStall);
  for (int i = 0; i < 200; ++i) pings.pieces.push_back({absl::Seconds(5), ": ping\n\n"});
  fixture_.Add("a");
  fixture_.Add("b");
  fixture_.http.Then(pings).Then(Good(true));
  EXPECT_EQ(Call().Attempts(), "a:timeout b:ok");
  EXPECT_EQ(Elapsed(), absl::Seconds(180));

  CallFixture alone;
  alone.Add("a");
  alone.http.Then(pings);
  const Instant start = alone.loop.now();
  const CallOutcome whole = alone.Call(true);
  EXPECT_EQ(DetailOf(whole.status).kind(), v1::ERROR_KIND_DEADLINE);
  EXPECT_EQ(whole.ended_at - start, absl::Seconds(600));

  CallFixture limited;
  limited.max_attempts = 1;
  limited.Add("a").timeouts.final_ttft = absl::Seconds(200);
  limited.http.Then(pings);
  const CallOutcome cut = limited.Call(true);
  EXPECT_EQ(DetailOf(cut.status).kind(), v1::ERROR_KIND_TIMEOUT);
  EXPECT_EQ(cut.ended_at - start, absl::Seconds(200));
}

TEST_P(StreamScenarios, Row26SilenceMidStreamEndsIt) {
  fixture_.Add("a");
  fixture_.http.Then(Tokens(2, Script::End::kStall));
  const CallOutcome outcome = Call();
  EXPECT_EQ(KindOf(outcome), v1::ERROR_KIND_STREAM_INTERRUPTED);
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("stream_idle"));
  EXPECT_EQ(outcome.Text(), "xx");
  EXPECT_EQ(Elapsed(), absl::Seconds(60));
  EXPECT_TRUE(fixture_.http.hits()[0]->given_up);
}

TEST_P(StreamScenarios, Row27ATrickleMakesNoProgress) {
  // One byte a second of an event that never ends; then comments alone.
  Script trickle = Tokens(1, Script::End::kStall);
  for (int i = 0; i < 600; ++i)
    trickle.pieces.push_back({absl::Seconds(1), i == 0 ? "data: " : "x"});
  Script pings = Tokens(1, Script::End::kStall);
  for (int i = 0; i < 600; ++i) pings.pieces.push_back({absl::Seconds(1), ": ping\n\n"});
  for (const Script& script : {trickle, pings}) {
    CallFixture fixture;
    fixture.Add("a");
    fixture.http.Then(script);
    const Instant start = fixture.loop.now();
    const CallOutcome outcome = fixture.Call(true);
    EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_STREAM_INTERRUPTED);
    EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("stream_progress"));
    EXPECT_EQ(outcome.ended_at - start, absl::Seconds(300));
  }
}

TEST_P(StreamScenarios, Row56AReaderThatStopsEndsItsOwnCall) {
  fixture_.Add("a");
  fixture_.call_buffer = 64 << 10;
  std::vector<std::string> data = {Role()};
  for (int i = 0; i < 200; ++i) data.push_back(Piece(std::string(1000, 'x')));
  fixture_.http.Then(Script::Sse(std::move(data), absl::Milliseconds(1)));
  const std::shared_ptr<CallOutcome> stuck = fixture_.Begin(true);
  stuck->rpc->stuck = true;
  fixture_.loop.RunFor(absl::Milliseconds(1));
  fixture_.http.Then(Good(true));
  EXPECT_TRUE(fixture_.Call(true).status.ok());
  fixture_.loop.RunUntilIdle();
  const v1::ErrorDetail detail = DetailOf(stuck->status);
  EXPECT_EQ(detail.kind(), v1::ERROR_KIND_GATEWAY_OVERLOADED);
  EXPECT_EQ(detail.reason(), "slow_reader");
  EXPECT_TRUE(fixture_.http.hits()[0]->given_up);
  EXPECT_EQ(TargetBreaker(0).window_failed, 0);
}

INSTANTIATE_TEST_SUITE_P(Streams, StreamScenarios, testing::Values(true));

}  // namespace
}  // namespace mg
