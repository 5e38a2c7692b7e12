// Who is asked when one fails: retries, fallback, and where they end.

#include "gmock/gmock.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/daemon.h"

namespace mg::e2e {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

// The group `g` of `first`, with the group `spare` of the provider b as its fallback.
std::string Groups(const FakeUpstream& upstream, const std::string& more = "",
                   const std::string& a_url = "") {
  const std::string a =
      a_url.empty() ? Compatible("a", upstream)
                    : absl::StrCat("  a: { openai_compatible: { base_url: \"", a_url, "\" } }\n");
  return absl::StrCat(Listening(), "providers:\n", a, Compatible("b", upstream),
                      "groups:\n"
                      "  g: { candidates: [{ provider: a, model: m-1 }], fallback: [spare]",
                      more.empty() ? "" : ", ", more,
                      " }\n"
                      "  spare: { candidates: [{ provider: b, model: m-1 }] }\n"
                      "retry: { base_delay: 1ms, max_delay: 1ms, jitter: none }\n");
}

class Routing : public ::testing::TestWithParam<bool> {
 protected:
  bool stream() const { return GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Chat, Routing, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Stream" : "Unary"; });

TEST_P(Routing, AnOverloadedProviderIsReplacedByTheFallback) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Failing(503));
  upstream.When(PathOf("b")).Reply(Good(stream(), "from b"));
  Daemon daemon({.config = Groups(upstream)});
  const Reply reply = Caller(daemon.tcp()).Run(Ask("g"), stream());
  ASSERT_TRUE(reply.ok()) << reply.message;
  EXPECT_EQ(reply.Text(), "from b");
  EXPECT_EQ(reply.Attempts(), "a:OVERLOADED b:ok");
  EXPECT_EQ(reply.response.report().attempts(1).tier(), 1);
  EXPECT_EQ(upstream.hits(PathOf("a")), 1);
}

TEST_P(Routing, ARefusedConnectionIsTriedAgainThenReplaced) {
  FakeUpstream gone;
  gone.StopListening();
  FakeUpstream upstream;
  upstream.When(PathOf("b")).Reply(Good(stream(), "from b"));
  Daemon daemon({.config = Groups(upstream, "", gone.Url("/v1"))});
  const Reply reply = Caller(daemon.tcp()).Run(Ask("g"), stream());
  ASSERT_TRUE(reply.ok()) << reply.message;
  EXPECT_EQ(reply.Text(), "from b");
  EXPECT_EQ(reply.Attempts(), "a:CONNECTION a:CONNECTION b:ok");
  EXPECT_EQ(reply.response.report().attempts(0).stage(), "connect");
}

TEST_P(Routing, AnInternalErrorIsTriedAgainAtTheSame) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Failing(500)).Reply(Good(stream(), "from a"));
  upstream.When(PathOf("b")).Reply(Good(stream(), "from b"));
  Daemon daemon({.config = Groups(upstream)});
  const Reply reply = Caller(daemon.tcp()).Run(Ask("g"), stream());
  ASSERT_TRUE(reply.ok()) << reply.message;
  EXPECT_EQ(reply.Text(), "from a");
  EXPECT_EQ(reply.Attempts(), "a:SERVER_ERROR a:ok");
  EXPECT_EQ(upstream.hits(PathOf("b")), 0);
}

TEST_P(Routing, WithoutFailoverNobodyElseIsAsked) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Failing(503));
  upstream.When(PathOf("b")).Reply(Good(stream()));
  Daemon daemon({.config = Groups(upstream, "failover: false")});
  const Reply reply = Caller(daemon.tcp()).Run(Ask("g"), stream());
  EXPECT_EQ(reply.code, absl::StatusCode::kUnavailable);
  EXPECT_EQ(reply.detail.kind(), v1::ERROR_KIND_OVERLOADED);
  EXPECT_EQ(reply.detail.http_status(), 503);
  EXPECT_EQ(reply.Attempts(), "a:OVERLOADED a:OVERLOADED a:OVERLOADED");
  EXPECT_EQ(upstream.hits(PathOf("b")), 0);
}

TEST_P(Routing, ACallersFaultIsNobodysElse) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Failing(400, "messages: too odd"));
  upstream.When(PathOf("b")).Reply(Good(stream()));
  Daemon daemon({.config = Groups(upstream)});
  const Reply reply = Caller(daemon.tcp()).Run(Ask("g"), stream());
  EXPECT_EQ(reply.code, absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(reply.detail.kind(), v1::ERROR_KIND_INVALID_REQUEST);
  EXPECT_THAT(reply.detail.provider_message(), HasSubstr("messages: too odd"));
  EXPECT_EQ(upstream.hits(), 1);
}

TEST_P(Routing, WeightZeroServesNothing) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Good(stream(), "from a"));
  upstream.When(PathOf("b")).Reply(Good(stream(), "from b"));
  Daemon daemon(
      {.config = absl::StrCat(
           Listening(), "providers:\n", Compatible("a", upstream), Compatible("b", upstream),
           "groups: { g: { strategy: round_robin, candidates: [",
           "{ provider: a, model: m-1, weight: 0 }, { provider: b, model: m-1 }] } }\n")});
  Caller caller(daemon.tcp());
  for (int i = 0; i < 5; ++i) {
    const Reply reply = caller.Run(Ask("g"), stream());
    EXPECT_EQ(reply.Text(), "from b") << reply.message;
    ASSERT_EQ(reply.response.report().skipped_size(), 1);
    EXPECT_EQ(reply.response.report().skipped(0).candidate(), "a/m-1");
    EXPECT_EQ(reply.response.report().skipped(0).reason(), "weight_zero");
  }
  EXPECT_EQ(upstream.hits(PathOf("a")), 0);
}

TEST_P(Routing, ALongHintEndsTheCallAndIsTold) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Failing(429).Header("retry-after", "30"));
  Daemon daemon({.config = absl::StrCat(Listening(), "providers:\n", Compatible("a", upstream))});
  const Reply reply = Caller(daemon.tcp()).Run(Ask("a/m-1"), stream());
  EXPECT_EQ(reply.code, absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(reply.detail.kind(), v1::ERROR_KIND_RATE_LIMITED);
  EXPECT_EQ(reply.detail.retry_after().seconds(), 30);
  EXPECT_EQ(reply.retry_info, absl::Seconds(30));
  EXPECT_EQ(reply.trailers.at("x-should-retry"), "false");
  EXPECT_EQ(reply.trailers.at("grpc-retry-pushback-ms"), "-1");
  EXPECT_EQ(upstream.hits(), 1) << "inline_wait_max is 2s";
}

TEST_P(Routing, AShortHintIsWaitedFor) {
  FakeUpstream upstream;
  upstream.When(PathOf("a"))
      .Reply(Failing(429).Header("retry-after-ms", "100"))
      .Reply(Good(stream()));
  Daemon daemon({.config = absl::StrCat(Listening(), "providers:\n", Compatible("a", upstream),
                                        "retry: { base_delay: 1ms, jitter: none }\n")});
  const Reply reply = Caller(daemon.tcp()).Run(Ask("a/m-1"), stream());
  ASSERT_TRUE(reply.ok()) << reply.message;
  EXPECT_EQ(reply.Attempts(), "a:RATE_LIMITED a:ok");
  const auto requests = upstream.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_GE(requests[1].time - requests[0].time, std::chrono::milliseconds(99));
}

TEST(RoutingOnce, AnErrorFirstInTheStreamFallsOver) {
  FakeUpstream upstream;
  upstream.When(PathOf("a"))
      .Reply(
          Sse({Role(), R"({"error":{"message":"busy","type":"overloaded_error","code":null}})"}));
  upstream.When(PathOf("b")).Reply(Good(true, "from b"));
  Daemon daemon({.config = Groups(upstream)});
  const Reply reply = Caller(daemon.tcp()).StreamChat(Ask("g"));
  ASSERT_TRUE(reply.ok()) << reply.message;
  EXPECT_EQ(reply.Text(), "from b");
  EXPECT_EQ(reply.events.front().started().provider(), "b");
  EXPECT_EQ(upstream.hits(PathOf("a")), 1);
}

TEST(RoutingOnce, AStreamThatIsCutIsNotBegunAnew) {
  FakeUpstream upstream;
  upstream.When(PathOf("a"))
      .Reply(Sse({Role(), Piece("one "), Piece("two")}).Reset())
      .Reply(
          Sse({Role(), Piece("one "), Piece("two")}));  // a clean end of the body, without finish
  upstream.When(PathOf("b")).Reply(Good(true));
  Daemon daemon({.config = Groups(upstream)});
  Caller caller(daemon.tcp());
  for (const char* how : {"reset", "truncated"}) {
    const Reply reply = caller.StreamChat(Ask("g"));
    EXPECT_EQ(reply.code, absl::StatusCode::kUnavailable) << how;
    EXPECT_EQ(reply.detail.kind(), v1::ERROR_KIND_STREAM_INTERRUPTED) << how;
    EXPECT_EQ(reply.detail.provider(), "a");
    EXPECT_FALSE(reply.completed()) << how;
    EXPECT_EQ(reply.Text(), "one two") << how;
    EXPECT_EQ(reply.trailers.at("x-should-retry"), "false");
  }
  EXPECT_EQ(upstream.hits(PathOf("a")), 2);
  EXPECT_EQ(upstream.hits(PathOf("b")), 0);
}

TEST(RoutingOnce, Row52TheSameKeyStaysAtTheSameCandidate) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Good(false, "from a"));
  upstream.When(PathOf("b")).Reply(Good(false, "from b"));
  Daemon daemon(
      {.config = absl::StrCat(Listening(), "providers:\n", Compatible("a", upstream),
                              Compatible("b", upstream), "groups: { g: { candidates: [",
                              "{ provider: a, model: m-1 }, { provider: b, model: m-1 }] } }\n")});
  Caller caller(daemon.tcp());
  bool both[2] = {false, false};
  for (int user = 0; user < 16; ++user) {
    v1::ChatRequest request = Ask("g");
    request.mutable_context()->set_end_user(absl::StrCat("user-", user));
    std::vector<std::string> answers;
    for (int i = 0; i < 3; ++i) answers.push_back(caller.Chat(request).Text());
    EXPECT_THAT(answers, Each(answers[0]));
    both[answers[0] == "from b" ? 1 : 0] = true;
  }
  EXPECT_TRUE(both[0] && both[1]) << "16 users, all at one of two candidates";
}

// A client that would try five times by its service config hears that it was tried already.
TEST(RoutingOnce, Row34AClientThatRetriesMakesOneCall) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Failing(503));
  upstream.When(PathOf("b")).Reply(Failing(503));
  Daemon daemon({.config = Groups(upstream)});
  Caller caller(daemon.tcp(), R"({"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":5,
      "initialBackoff":"0.01s","maxBackoff":"0.01s","backoffMultiplier":1,
      "retryableStatusCodes":["UNAVAILABLE","RESOURCE_EXHAUSTED","INTERNAL"]}}]})");
  const Reply reply = caller.Chat(Ask("g"));
  EXPECT_EQ(reply.code, absl::StatusCode::kUnavailable);
  EXPECT_EQ(reply.detail.report().attempts_size(), 3);
  EXPECT_EQ(upstream.hits(), 3);
  EXPECT_TRUE(daemon.WaitForLine("\"call.end\""));
  EXPECT_EQ(daemon.Stop(), 0);
  EXPECT_EQ(daemon.Lines("call.end").size(), 1u);
}

}  // namespace
}  // namespace mg::e2e
