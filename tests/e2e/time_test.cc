// Deadlines, cancellation, the clocks of an attempt and slow readers reach the provider's
// connection.

#include "gmock/gmock.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/daemon.h"

namespace mg::e2e {
namespace {

using ::testing::HasSubstr;

// Where an answer stands still.
enum class Stage { kBeforeHead, kBeforeContent, kMidStream };

Script Stuck(Stage stage, const Gate& gate) {
  if (stage == Stage::kBeforeHead) return Sse({Role()}).HoldHead(gate);
  if (stage == Stage::kBeforeContent) return Sse({Role()}).Hold(gate);
  return Sse({Role(), Piece("one")}).Hold(gate);
}

std::string One(const FakeUpstream& upstream, const std::string& more = "") {
  return absl::StrCat(Listening(), "providers:\n", Compatible("a", upstream), more);
}
std::string Two(const FakeUpstream& upstream, const std::string& more) {
  return absl::StrCat(Listening(), "providers:\n", Compatible("a", upstream),
                      Compatible("b", upstream),
                      "groups:\n"
                      "  g: { candidates: [{ provider: a, model: m-1 }], fallback: [spare] }\n"
                      "  spare: { candidates: [{ provider: b, model: m-1 }] }\n",
                      more);
}

class Stages : public ::testing::TestWithParam<Stage> {};

std::string NameOf(const ::testing::TestParamInfo<Stage>& info) {
  constexpr const char* kNames[] = {"BeforeHead", "BeforeContent", "MidStream"};
  return kNames[static_cast<size_t>(info.param)];
}
INSTANTIATE_TEST_SUITE_P(Time, Stages,
                         ::testing::Values(Stage::kBeforeHead, Stage::kBeforeContent,
                                           Stage::kMidStream),
                         NameOf);

TEST_P(Stages, TheGatewaysDeadlineIsToldAndReachesTheProvider) {
  const Gate gate;
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Stuck(GetParam(), gate));
  Daemon daemon({.config = One(upstream,
                               "deadline: { default: 500ms, max: 500ms }\n"
                               "timeouts: { min_attempt: 10ms, connect: 400ms, ttft: 0s }\n")});
  const Reply reply = Caller(daemon.tcp()).StreamChat(Ask("a/m-1"));
  EXPECT_EQ(reply.code, absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(reply.has_detail) << reply.message;
  EXPECT_EQ(reply.detail.kind(), v1::ERROR_KIND_DEADLINE);
  EXPECT_FALSE(reply.completed());
  EXPECT_TRUE(upstream.WaitForAborts(1));
  EXPECT_TRUE(daemon.WaitForLine("\"call.end\""));
  EXPECT_THAT(daemon.Lines("call.end").at(0), HasSubstr("\"error.type\":\"deadline\""));
}

TEST_P(Stages, TheCallersDeadlineReachesTheProvider) {
  const Gate gate;
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Stuck(GetParam(), gate));
  Daemon daemon({.config = One(upstream)});
  const Reply reply =
      Caller(daemon.tcp()).StreamChat(Ask("a/m-1"), {.deadline = absl::Milliseconds(1500)});
  EXPECT_EQ(reply.code, absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(upstream.WaitForHits(1));
  EXPECT_TRUE(upstream.WaitForAborts(1));
  EXPECT_TRUE(daemon.WaitForLine("\"call.end\""));
  EXPECT_THAT(daemon.Lines("call.end").at(0), HasSubstr("\"error.type\":\"deadline\""));
}

TEST_P(Stages, CancellationReachesTheProvider) {
  const Gate gate;
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Stuck(GetParam(), gate));
  Daemon daemon({.config = One(upstream)});
  for (const bool stream : {true, false}) {
    const int before = static_cast<int>(upstream.aborts().size());
    Caller caller(daemon.tcp());
    auto call = caller.Start(Ask("a/m-1"), stream);
    ASSERT_TRUE(gate.WaitReached(before + 1));
    EXPECT_EQ(upstream.aborts().size(), static_cast<size_t>(before));
    call->Cancel();
    EXPECT_EQ(call->End().code, absl::StatusCode::kCancelled);
    EXPECT_TRUE(upstream.WaitForAborts(before + 1));
    EXPECT_TRUE(daemon.WaitForLine("\"call.end\"", before + 1));
    EXPECT_THAT(daemon.Lines("call.end").at(static_cast<size_t>(before)),
                HasSubstr("\"status\":\"cancelled\""));
  }
  EXPECT_EQ(upstream.hits(), 2) << "nothing is tried for a caller that went away";
}

TEST(Clocks, WithoutContentInTimeAnotherIsAsked) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Sse({Role()}).Stall());
  upstream.When(PathOf("b")).Reply(Good(true, "from b"));
  Daemon daemon({.config = Two(upstream, "timeouts: { ttft: 300ms }\n")});
  const Reply reply = Caller(daemon.tcp()).StreamChat(Ask("g"));
  ASSERT_TRUE(reply.ok()) << reply.message;
  EXPECT_EQ(reply.Text(), "from b");
  EXPECT_EQ(reply.Attempts(), "a:TIMEOUT b:ok");
  EXPECT_EQ(reply.response.report().attempts(0).stage(), "first_token");
  EXPECT_TRUE(upstream.WaitForAborts(1));
}

TEST(Clocks, TheLastCandidateMayThinkLongerThanThat) {
  FakeUpstream upstream;
  upstream.When(PathOf("a"))
      .Reply(Sse({Role()})
                 .Delay(std::chrono::milliseconds(900))
                 .Event(Piece("late"))
                 .Event(Stop())
                 .Event("[DONE]"));
  Daemon daemon({.config = One(upstream, "timeouts: { ttft: 100ms }\n")});
  const Reply reply = Caller(daemon.tcp()).StreamChat(Ask("a/m-1"));
  ASSERT_TRUE(reply.ok()) << reply.message;
  EXPECT_EQ(reply.Text(), "late");
}

TEST(Clocks, AnAttemptOfAWholeAnswerHasItsTime) {
  FakeUpstream upstream;
  const Gate gate;
  upstream.When(PathOf("a")).Reply(Good(false).HoldHead(gate));
  upstream.When(PathOf("b")).Reply(Good(false, "from b"));
  Daemon daemon({.config = Two(upstream, "timeouts: { attempt: 1s }\n")});
  const Reply reply = Caller(daemon.tcp()).Chat(Ask("g"));
  ASSERT_TRUE(reply.ok()) << reply.message;
  EXPECT_EQ(reply.Attempts(), "a:TIMEOUT b:ok");
  EXPECT_TRUE(upstream.WaitForAborts(1));
}

TEST(Clocks, AStreamThatFallsSilentIsInterrupted) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Sse({Role(), Piece("one")}).Stall());
  Daemon daemon({.config = One(upstream, "timeouts: { stream_idle: 1s }\n")});
  const Reply reply = Caller(daemon.tcp()).StreamChat(Ask("a/m-1"));
  EXPECT_EQ(reply.code, absl::StatusCode::kUnavailable);
  EXPECT_EQ(reply.detail.kind(), v1::ERROR_KIND_STREAM_INTERRUPTED);
  EXPECT_THAT(reply.message, HasSubstr("timeouts.stream_idle"));
  EXPECT_EQ(reply.Text(), "one");
  EXPECT_FALSE(reply.completed());
  EXPECT_TRUE(upstream.WaitForAborts(1));
}

TEST(Clocks, AStreamWithoutItsEndIsWholeAfterTheLastFinish) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Sse({Role(), Piece("one"), Stop()}).Stall());
  Daemon daemon({.config = One(upstream, "timeouts: { stream_end: 200ms }\n")});
  const Reply reply = Caller(daemon.tcp()).StreamChat(Ask("a/m-1"));
  EXPECT_TRUE(reply.ok()) << reply.message;
  EXPECT_TRUE(reply.completed());
  EXPECT_EQ(reply.Text(), "one");
  EXPECT_TRUE(upstream.WaitForAborts(1)) << "the connection is closed, not kept";
}

// A handshake that never goes on; an address that nobody answers would depend on the network.
TEST(Clocks, AConnectionThatIsNotThereInTimeIsReplaced) {
  TlsIdentity identity;
  MakeTlsIdentity({"127.0.0.1"}, false, &identity);
  const Gate gate;
  FakeUpstream::Options options;
  options.tls = &identity;
  options.tls_gates = {gate};
  FakeUpstream silent(options);
  FakeUpstream upstream;
  upstream.When(PathOf("b")).Reply(Good(false, "from b"));
  Daemon daemon({.config = absl::StrCat(
                     Listening(), "providers:\n  a: { openai_compatible: { base_url: \"",
                     silent.Url("/v1"), "\" } }\n", Compatible("b", upstream),
                     "groups:\n"
                     "  g: { candidates: [{ provider: a, model: m-1 }], fallback: [spare] }\n"
                     "  spare: { candidates: [{ provider: b, model: m-1 }] }\n"
                     "timeouts: { connect: 500ms }\n"
                     "retry: { base_delay: 1ms, max_delay: 1ms, jitter: none }\n")});
  const Reply reply = Caller(daemon.tcp()).Chat(Ask("g"));
  ASSERT_TRUE(reply.ok()) << reply.message;
  EXPECT_EQ(reply.Text(), "from b");
  EXPECT_EQ(reply.Attempts(), "a:CONNECTION a:CONNECTION b:ok");
  EXPECT_EQ(reply.response.report().attempts(0).stage(), "connect");
}

TEST(SlowReader, LosesItsCallAndNobodyElseDoes) {
  FakeUpstream upstream;
  Script flood = Sse({Role()});
  const std::string piece(32 << 10, 'x');
  for (int i = 0; i < 1024; ++i) flood.Event(Piece(piece));
  upstream
      .When([](const UpstreamRequest& request) {
        return request.body.find("flood") != std::string::npos;
      })
      .Reply(flood.Stall());
  upstream.When(PathOf("a")).Reply(Good(true));
  Daemon daemon({.config = One(upstream, "limits: { call_buffer: 64KiB }\n")});
  Caller slow(daemon.tcp());
  auto call = slow.Start(Ask("a/m-1", "flood"), true);
  ASSERT_TRUE(upstream.WaitForAborts(1)) << "32 MiB went through a buffer of 64 KiB";
  EXPECT_TRUE(daemon.WaitForLine("\"call.end\""));
  const Reply other = Caller(daemon.tcp()).StreamChat(Ask("a/m-1"));
  EXPECT_TRUE(other.ok()) << other.message;
  const Reply reply = call->End();
  EXPECT_EQ(reply.code, absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(reply.detail.kind(), v1::ERROR_KIND_GATEWAY_OVERLOADED) << reply.message;
  EXPECT_EQ(reply.detail.reason(), "slow_reader");
  EXPECT_FALSE(reply.completed());
  EXPECT_EQ(upstream.hits(), 2);
}

}  // namespace
}  // namespace mg::e2e
