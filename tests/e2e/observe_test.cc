// What is seen from outside: the access log, metrics, health.

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "base/json.h"
#include "gmock/gmock.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/daemon.h"

namespace mg::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Observe, OneAccessLineForEachCall) {
  const Gate gate;
  FakeUpstream upstream;
  upstream.When(PathOf("a"))
      .Reply(Good(false))
      .Reply(Failing(400, "no good"))
      .Reply(Sse({Role()}).Hold(gate));
  Daemon daemon({.config = absl::StrCat(Listening(), "providers:\n", Compatible("a", upstream),
                                        "aliases: { fast: a/m-1 }\n")});
  Caller caller(daemon.tcp());
  const auto tagged = [](const char* id) {
    return CallOptions{.metadata = {{"x-correlation-id", id}}};
  };
  EXPECT_TRUE(caller.Chat(Ask("fast"), tagged("id-ok")).ok());
  EXPECT_FALSE(caller.Chat(Ask("fast"), tagged("id-error")).ok());
  EXPECT_FALSE(caller.Chat(Ask("nobody"), tagged("id-refused")).ok());
  auto call = caller.Start(Ask("fast"), true, tagged("id-cancelled"));
  ASSERT_TRUE(gate.WaitReached());
  call->Cancel();
  EXPECT_FALSE(call->End().ok());
  ASSERT_TRUE(daemon.WaitForLine("\"call.end\"", 4));
  const Reply replaced = caller.Chat(Ask("nobody"), tagged("not an id {}"));
  EXPECT_EQ(daemon.Stop(), 0);

  const std::vector<std::string> lines = daemon.Lines("call.end");
  ASSERT_EQ(lines.size(), 5u);
  const struct {
    const char* status;
    const char* code;
    const char* kind;
  } expected[] = {{"ok", "OK", ""},
                  {"error", "INVALID_ARGUMENT", "invalid_request"},
                  {"refused", "NOT_FOUND", "unknown_model"},
                  {"cancelled", "CANCELLED", "cancelled_by_caller"}};
  for (size_t i = 0; i < 4; ++i) {
    JsonDocument line;
    ASSERT_TRUE(ParseJson(lines[i], &line).ok()) << lines[i];
    EXPECT_EQ(StringMember(line, "level"), "INFO");
    EXPECT_EQ(StringMember(line, "correlation_id"), absl::StrCat("id-", expected[i].status));
    EXPECT_EQ(StringMember(line, "status"), expected[i].status) << lines[i];
    EXPECT_EQ(StringMember(line, "code"), expected[i].code) << lines[i];
    EXPECT_EQ(StringMember(line, "error.type"), expected[i].kind) << lines[i];
    EXPECT_NE(Member(line, "duration_ms"), nullptr);
    EXPECT_NE(StringMember(line, "request_id"), "");
    EXPECT_THAT(lines[i], Not(HasSubstr("hello"))) << "content in the log";
  }
  EXPECT_THAT(lines[0], AllOf(HasSubstr("\"tokens.in\":10"), HasSubstr("\"provider\":\"a\"")));
  EXPECT_THAT(lines[4], AllOf(HasSubstr("correlation_id_replaced"), Not(HasSubstr("not an id"))));
  EXPECT_EQ(daemon.Lines("attempt.failed").size(), 1u);
}

TEST(Observe, MetricsOfThisPath) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Failing(503));
  upstream.When(PathOf("b")).Reply(Good(false)).Reply(Good(true));
  Daemon daemon({.config = absl::StrCat(
                     Listening("metrics: [\"127.0.0.1:0\"]"), "providers:\n",
                     Compatible("a", upstream), Compatible("b", upstream),
                     "groups:\n"
                     "  g: { candidates: [{ provider: a, model: m-1 }], fallback: [spare] }\n"
                     "  spare: { candidates: [{ provider: b, model: m-1 }] }\n"
                     "retry: { base_delay: 1ms, max_delay: 1ms }\n")});
  Caller caller(daemon.tcp());
  EXPECT_TRUE(caller.Chat(Ask("g")).ok());
  EXPECT_TRUE(caller.StreamChat(Ask("g")).ok());
  EXPECT_FALSE(caller.Chat(Ask("canary-model")).ok());
  EXPECT_TRUE(daemon.WaitForLine("\"call.end\"", 3));

  const std::string page = Get(daemon.admin(), "/metrics").text;
  for (const char* name :
       {"modelgateway_requests_total", "modelgateway_request_duration_seconds_bucket",
        "modelgateway_time_to_first_token_seconds_bucket", "modelgateway_overhead_seconds_bucket",
        "modelgateway_errors_total", "modelgateway_upstream_attempts_total",
        "modelgateway_upstream_duration_seconds_bucket", "modelgateway_fallbacks_total",
        "modelgateway_request_attempts_bucket", "modelgateway_tokens_total",
        "modelgateway_inflight_requests", "modelgateway_stream_active",
        "modelgateway_log_dropped_total", "modelgateway_build_info",
        "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"}) {
    EXPECT_TRUE(absl::StrContains(page, absl::StrCat("\n", name))) << name;
  }
  int served = 0;
  for (absl::string_view line : absl::StrSplit(page, '\n')) {
    if (!absl::StartsWith(line, "modelgateway_requests_total{")) continue;
    for (const char* label : {"alias=\"g\"", "provider=\"b\"", "status=\"ok\"", "op=\"chat\""}) {
      if (!absl::StrContains(line, label)) line = "";
    }
    if (absl::EndsWith(line, "} 1")) ++served;
  }
  EXPECT_EQ(served, 2) << "one for each value of `stream`:\n" << page;
  EXPECT_THAT(page, Not(HasSubstr("canary-model"))) << "a caller's word became a label";

  const std::string metrics = daemon.Listens("metrics").at(0);
  EXPECT_EQ(Get(metrics, "/metrics").status, 200);
  EXPECT_EQ(Get(metrics, "/readyz").status, 200);
  EXPECT_EQ(Get(metrics, "/admin").status, 404);
}

TEST(Observe, TheHealthListenerServesHealthAlone) {
  Daemon daemon({.config = absl::StrCat(Listening("health: [\"127.0.0.1:0\"]"),
                                        "providers: { mock: { mock: {} } }\n")});
  Caller kubelet(daemon.Listens("health").at(0));
  EXPECT_EQ(kubelet.Health(""), "SERVING");
  EXPECT_EQ(kubelet.Health("modelgateway.v1.ModelGateway"), "SERVING");
  EXPECT_EQ(kubelet.Chat(Ask("mock/echo")).code, absl::StatusCode::kUnimplemented);
  EXPECT_TRUE(Caller(daemon.tcp()).Chat(Ask("mock/echo")).ok());
}

}  // namespace
}  // namespace mg::e2e
