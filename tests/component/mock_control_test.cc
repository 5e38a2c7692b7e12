// MockControl from its methods to the calls that the mocks answer, under virtual time.

#include "daemon/mock_control.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "daemon/mock_provider.h"
#include "resilience/availability.h"
#include "telemetry/telemetry.h"
#include "tests/component/call_fixture.h"

namespace mg {
namespace {

using ::testing::HasSubstr;

template <typename Message>
Message Parsed(const std::string& textproto) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(textproto, &message)) << textproto;
  return message;
}

std::string TempFolder() {
  std::string folder = testing::TempDir() + "/token_XXXXXX";
  EXPECT_NE(mkdtemp(folder.data()), nullptr);
  return folder;
}

std::string LineOf(const std::string& file) {
  std::string line;
  std::getline(std::ifstream(file), line);
  return line;
}

LogOptions Quiet() {
  LogOptions options;
  options.level = LogLevel::kError;
  return options;
}

// A mock `fake` with the service that controls it.
class Controlled : public testing::Test {
 protected:
  explicit Controlled(MockLimits limits = {}) : sessions_(limits), token_({TempFolder()}) {
    v1::MockConfig config;
    config.add_models("m");
    auto mock = MockProvider::Create("fake", config, &sessions_);
    fixture_.AddProvider(*std::move(mock));
    fixture_.max_attempts = 1;
    worker_.loop = &fixture_.loop;
    worker_.telemetry = &telemetry_;
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->providers["fake"] = *MockProvider::Create("fake", config);
    Snapshot::State& state = snapshot->states["fake"];
    static_cast<ProviderState&>(state) = ProviderState::Alone("fake", "mock", {}, now());
    state.sessions = std::make_shared<SessionStates>("fake", "mock", ResiliencePolicy());
    worker_.snapshot = snapshot;
    service_ = MockControlService(&worker_, &sessions_, &token_);
    rpc_.metadata["authorization"] = "Bearer " + LineOf(token_.file());
  }

  // A call of the method: its answer, or the status.
  template <typename Response, typename Request>
  absl::StatusOr<Response> Ask(const std::string& method, const Request& request) {
    for (const auto& each : service_.methods) {
      if (each->name() != method) continue;
      absl::Status status = absl::UnknownError("it waits");
      rpc_.sent.clear();
      Spawn(Serve(*each, std::make_unique<Request>(request), &rpc_, &status));
      if (!status.ok()) return status;
      Response response;
      EXPECT_TRUE(response.ParseFromString(rpc_.sent.at(0)));
      return response;
    }
    return absl::UnimplementedError(method);
  }
  absl::Status Put(const std::string& textproto) {
    return Ask<v1::PutMockResponse>("PutMock", Parsed<v1::PutMockRequest>(textproto)).status();
  }
  absl::Status Script(const std::string& textproto) {
    return Ask<v1::ScriptResponse>("Script", Parsed<v1::ScriptRequest>(textproto)).status();
  }
  v1::ListCallsResponse List(const std::string& textproto) {
    auto listed = Ask<v1::ListCallsResponse>("ListCalls", Parsed<v1::ListCallsRequest>(textproto));
    EXPECT_TRUE(listed.ok()) << listed.status();
    return listed.ok() ? *listed : v1::ListCallsResponse();
  }
  CallOutcome Say(const std::string& text, const std::string& session = "", bool stream = false) {
    fixture_.mock_session = session;
    fixture_.request.mutable_messages(0)->mutable_parts(0)->set_text(text);
    fixture_.rpc.sent.clear();
    return fixture_.Run(stream);
  }

  Instant now() const { return fixture_.loop.now(); }
  // How the mock stands with a session; "": with the calls without one.
  ProviderState StateOf(const std::string& session) {
    const Snapshot::State& state = *worker_.snapshot->FindState("fake");
    if (!session.empty()) return state.sessions->For(session, now());
    return state;
  }
  void Trip(const std::string& session) {
    const ProviderState state = StateOf(session);
    state.endpoint->breaker->Isolate(now(), kNever);
    state.own->cooldown().Start(CooldownScope::kQuota, std::nullopt, now(), fixture_.random);
  }
  bool IsWell(const std::string& session) {
    const ProviderState state = StateOf(session);
    return AvailabilityOf(*state.own->TargetOf("m", false, now()), now(), false).selectable();
  }
  absl::Status Reset(const std::string& textproto) {
    return Ask<v1::ResetResponse>("Reset", Parsed<v1::ResetRequest>(textproto)).status();
  }

  MockSessions sessions_;
  AdminToken token_;
  Logger logger_{Quiet()};
  Telemetry telemetry_{&logger_, MetricsOptions()};
  CallFixture fixture_;
  Worker worker_;
  RpcService service_;
  RecordingRpc rpc_;

 private:
  static Task<void> Serve(RpcMethod& method, std::unique_ptr<google::protobuf::Message> request,
                          RecordingRpc* rpc, absl::Status* status) {
    *status = co_await method.Serve(*rpc, std::move(request));
  }
};

constexpr char kFake[] = "target { provider: 'fake' session: 's' } ";
std::string Fake(const std::string& rest) { return kFake + rest; }

TEST_F(Controlled, WhatIsPutHoldsForItsSessionAlone) {
  ASSERT_TRUE(Put(Fake("rules { last_user: 'weather' reply { text: 'Sunny.' } }")).ok());
  EXPECT_EQ(Say("the weather", "s").Text(), "Sunny.");
  EXPECT_EQ(Say("something else", "s").Text(), "something else");
  EXPECT_EQ(Say("the weather", "t").Text(), "the weather");
  EXPECT_EQ(Say("the weather").Text(), "the weather");
  ASSERT_TRUE(Put(Fake("fault { status: 400 }")).ok());
  EXPECT_EQ(DetailOf(Say("the weather", "s").status).kind(), v1::ERROR_KIND_INVALID_REQUEST);
  ASSERT_TRUE(Ask<v1::RemoveMockResponse>("RemoveMock", Parsed<v1::RemoveMockRequest>(kFake)).ok());
  EXPECT_EQ(Say("the weather", "s").Text(), "the weather");
}

TEST_F(Controlled, WhatIsSaidOfAModelGoesBeforeAll) {
  ASSERT_TRUE(Put(Fake("rules { reply { text: 'any' } }")).ok());
  ASSERT_TRUE(Put("target { provider: 'fake' model: 'm' session: 's' } "
                  "rules { reply { text: 'mine' } }")
                  .ok());
  EXPECT_EQ(Say("x", "s").Text(), "mine");
}

TEST_F(Controlled, AScriptIsSpentAnswerByAnswer) {
  for (const bool stream : {false, true}) {
    ASSERT_TRUE(Script(Fake("answers { text: 'one two' } "
                            "answers { fault { status: 503 } headers { key: 'retry-after' value: "
                            "'7' } } answers { embed { model: 'x' } } answers { text: 'last' }"))
                    .ok());
    EXPECT_EQ(Say("x", "other", stream).Text(), "x");
    EXPECT_EQ(Say("x", "s", stream).Text(), "one two");
    const CallOutcome failed = Say("x", "s", stream);
    EXPECT_EQ(DetailOf(failed.status).kind(), v1::ERROR_KIND_OVERLOADED);
    EXPECT_EQ(DetailOf(failed.status).retry_after().seconds(), 7);
    EXPECT_EQ(Say("x", "s", stream).Text(), "last");
    EXPECT_EQ(Say("x", "s", stream).Text(), "x") << "the rules hold again";
  }
}

TEST_F(Controlled, TheLastAnswerMayRepeat) {
  ASSERT_TRUE(Script(Fake("answers { text: 'a' } answers { text: 'b' } repeat_last: true")).ok());
  EXPECT_EQ(Say("x", "s").Text(), "a");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Say("x", "s").Text(), "b");
  ASSERT_TRUE(Script(Fake("")).ok());
  EXPECT_EQ(Say("x", "s").Text(), "x");
}

TEST_F(Controlled, AWholeAnswerIsItsEventsToo) {
  const std::string answer = R"(answers {
      chat {
        id: "c-1"
        choices {
          message {
            parts { text: "Let me see." }
            parts { tool_call { id: "t1" name: "look" arguments_json: "{}" } }
          }
        }
        usage { input_tokens: 3 output_tokens: 4 }
      }
      headers { key: "x-request-id" value: "req-9" }
    } repeat_last: true)";
  ASSERT_TRUE(Script(Fake(answer)).ok());
  for (const bool stream : {false, true}) {
    const CallOutcome outcome = Say("x", "s", stream);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(outcome.response.id(), "c-1");
    EXPECT_EQ(outcome.Text(), "Let me see.");
    EXPECT_EQ(outcome.response.choices(0).message().parts(1).tool_call().name(), "look");
    EXPECT_EQ(outcome.response.choices(0).finish().reason(), v1::FINISH_REASON_TOOL_CALLS);
    EXPECT_EQ(outcome.response.usage().output_tokens(), 4);
    EXPECT_EQ(outcome.record.attempts[0].provider_request_id, "req-9");
  }
}

TEST_F(Controlled, EventsGoOutOneByOneAtTheirPace) {
  ASSERT_TRUE(Script(Fake(R"(answers {
      events {
        events { delta { part { text: "a" } } }
        events { delta { part { text: "b" } } }
        events { finished { finish { reason: FINISH_REASON_STOP } } }
        events { completed {} }
      }
      latency { first { seconds: 2 } token { seconds: 1 } }
    })"))
                  .ok());
  const Instant start = fixture_.loop.now();
  const CallOutcome outcome = Say("x y", "s", true);
  EXPECT_EQ(outcome.Text(), "ab");
  EXPECT_EQ(outcome.events.size(), 5u) << "started is the mock's";
  EXPECT_EQ(outcome.response.usage().input_tokens(), 2);
  EXPECT_EQ(outcome.response.usage().output_tokens(), 2);
  EXPECT_EQ(outcome.ended_at - start, absl::Seconds(3));
}

TEST_F(Controlled, EveryCallIsKeptWithItsInputAndItsEnd) {
  ASSERT_TRUE(Script(Fake("answers { text: 'fine' } answers { fault { status: 400 } } "
                          "answers { fault { stall_after: 0 } }"))
                  .ok());
  Say("elsewhere", "t");
  Say("first", "s");
  Say("second", "s");
  fixture_.loop.CallAt(fixture_.loop.now() + absl::Seconds(9), [this] {
    EXPECT_EQ(List(kFake).calls(2).outcome(), "running");
    fixture_.rpc.cancellation()->Cancel(MakeError(ErrorClass::kCancel, "gone"));
  });
  Say("third", "s");
  const v1::ListCallsResponse calls = List(kFake);
  EXPECT_EQ(calls.total(), 3);
  ASSERT_EQ(calls.calls_size(), 3);
  EXPECT_FALSE(calls.more());
  const v1::MockCall& first = calls.calls(0);
  EXPECT_EQ(first.number(), 1);
  EXPECT_EQ(first.attempt(), 1);
  EXPECT_TRUE(first.has_at());
  EXPECT_EQ(first.target().model(), "m");
  EXPECT_EQ(first.chat().messages(0).parts(0).text(), "first");
  EXPECT_EQ(first.outcome(), "ok");
  EXPECT_FALSE(first.cancelled());
  EXPECT_EQ(calls.calls(1).outcome(), "invalid_request");
  EXPECT_FALSE(calls.calls(1).cancelled());
  EXPECT_EQ(calls.calls(2).outcome(), "cancelled_by_caller");
  EXPECT_TRUE(calls.calls(2).cancelled());
}

TEST_F(Controlled, CallsComeInPages) {
  for (int i = 0; i < 5; ++i) Say(absl::StrCat("call ", i), "s");
  v1::ListCallsResponse page = List(Fake("limit: 2"));
  EXPECT_EQ(page.total(), 5);
  EXPECT_EQ(page.calls_size(), 2);
  EXPECT_TRUE(page.more());
  page = List(Fake("after: 4"));
  ASSERT_EQ(page.calls_size(), 1);
  EXPECT_EQ(page.calls(0).chat().messages(0).parts(0).text(), "call 4");
  EXPECT_FALSE(page.more());
  EXPECT_EQ(List("target { session: 's' }").calls_size(), 5) << "all mocks";
  EXPECT_EQ(List("target { provider: 'fake' session: 'none' }").total(), 0);
}

TEST_F(Controlled, ASessionThatIsIdleIsGone) {
  Say("x", "s");
  fixture_.loop.RunUntil(fixture_.loop.now() + absl::Minutes(9));
  Say("y", "s");
  fixture_.loop.RunUntil(fixture_.loop.now() + absl::Minutes(9));
  EXPECT_EQ(List(kFake).total(), 2);
  fixture_.loop.RunUntil(fixture_.loop.now() + absl::Minutes(11));
  EXPECT_EQ(List(kFake).total(), 0);
}

TEST_F(Controlled, ResetForgetsHowTheMockStandsWithTheSession) {
  const auto all = {"s", "t", ""};
  for (const char* session : all) Trip(session);
  for (const char* session : all) EXPECT_FALSE(IsWell(session)) << session;
  ASSERT_TRUE(Reset("session: 's'").ok());
  EXPECT_TRUE(IsWell("s"));
  EXPECT_FALSE(IsWell("t"));
  EXPECT_FALSE(IsWell(""));
  ASSERT_TRUE(Reset("").ok());
  EXPECT_FALSE(IsWell("t"));
  EXPECT_TRUE(IsWell(""));
  for (const char* session : all) Trip(session);
  ASSERT_TRUE(Reset("all: true").ok());
  for (const char* session : all) EXPECT_TRUE(IsWell(session)) << session;
}

TEST_F(Controlled, ResetForgetsASessionOrAll) {
  Say("x", "s");
  Say("x", "t");
  ASSERT_TRUE(Ask<v1::ResetResponse>("Reset", Parsed<v1::ResetRequest>("session: 's'")).ok());
  EXPECT_EQ(List("target { session: 's' }").total(), 0);
  EXPECT_EQ(List("target { session: 't' }").total(), 1);
  ASSERT_TRUE(Ask<v1::ResetResponse>("Reset", Parsed<v1::ResetRequest>("all: true")).ok());
  EXPECT_EQ(List("target { session: 't' }").total(), 0);
}

TEST_F(Controlled, ALongSessionNameIsRefused) {
  const CallOutcome outcome = Say("x", std::string(129, 's'));
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_INVALID_REQUEST);
  EXPECT_TRUE(Say("x", std::string(128, 's')).status.ok());
}

TEST_F(Controlled, WhatCannotBeIsRefusedByItsField) {
  const std::pair<const char*, const char*> puts[] = {
      {"target { provider: 'nobody' }", "target.provider"},
      {"target { provider: 'fake' model: 'n' }", "target.model"},
      {"target { provider: 'fake' } rules {}", "rules[0]"},
      {"target { provider: 'fake' } rules { reply {} }", "rules[0].reply"},
      {"target { provider: 'fake' } rules { reply { echo: false } }", "rules[0].reply.echo"},
      {"target { provider: 'fake' } rules { last_user: '(' reply { text: '' } }", "rules"},
      {"target { provider: 'fake' } rules { fault { status: 299 } }", "rules[0].fault.status"},
      {"target { provider: 'fake' } fault {}", "fault"},
      {"target { provider: 'fake' } fault { reset_after: -1 }", "fault.reset_after"},
      {"target { provider: 'fake' } fault { malformed: false }", "fault.malformed"},
      {"target { provider: 'fake' } latency { first { seconds: -1 } }", "latency.first"},
      {"target { provider: 'fake' } latency { token { seconds: 601 } }", "latency.token"}};
  for (const auto& [request, field] : puts) {
    const absl::Status status = Put(request);
    EXPECT_EQ(DetailOf(status).field(), field) << request << ": " << status;
    EXPECT_EQ(DetailOf(status).kind(), v1::ERROR_KIND_INVALID_REQUEST) << request;
  }
  const std::pair<const char*, const char*> scripts[] = {
      {"answers {}", "answers[0]"},
      {"answers { text: '' } answers { chat {} }", "answers[1].chat"},
      {"answers { events {} }", "answers[0].events"},
      {"answers { events { events { delta {} } } }", "answers[0].events.events[0]"},
      {"answers { events { events { completed {} } events { completed {} } } }",
       "answers[0].events.events[0]"},
      {"answers { text: '' fault { status: 200 } }", "answers[0].fault.status"},
      {"answers { text: '' headers { key: 'a b' value: '' } }", "answers[0].headers"},
      {"answers { text: '' headers { key: 'a' value: 'b\\n' } }", "answers[0].headers"}};
  for (const auto& [request, field] : scripts) {
    const absl::Status status = Script(Fake(request));
    EXPECT_EQ(DetailOf(status).field(), field) << request << ": " << status;
  }
  const auto limit =
      Ask<v1::ListCallsResponse>("ListCalls", Parsed<v1::ListCallsRequest>("limit: 1001"));
  EXPECT_EQ(DetailOf(limit.status()).field(), "limit");
}

TEST_F(Controlled, EveryMethodWantsTheToken) {
  for (const std::string& given : {std::string(), std::string("Bearer x"), LineOf(token_.file())}) {
    rpc_.metadata["authorization"] = given;
    const absl::Status refused[] = {
        Put(kFake), Script(kFake),
        Ask<v1::RemoveMockResponse>("RemoveMock", Parsed<v1::RemoveMockRequest>(kFake)).status(),
        Ask<v1::ListCallsResponse>("ListCalls", v1::ListCallsRequest()).status(),
        Ask<v1::ResetResponse>("Reset", v1::ResetRequest()).status()};
    for (const absl::Status& status : refused) {
      EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr(token_.file()));
    }
  }
}

class Bounded : public Controlled {
 protected:
  Bounded() : Controlled({.sessions = 2, .calls = 3, .bytes = 32 << 10}) {}
};

TEST_F(Bounded, OldCallsGoAndTheirCountStays) {
  for (int i = 0; i < 5; ++i) Say(absl::StrCat(i), "s");
  v1::ListCallsResponse calls = List(kFake);
  EXPECT_EQ(calls.total(), 5);
  ASSERT_EQ(calls.calls_size(), 3);
  EXPECT_EQ(calls.calls(0).number(), 3);
  Say("x", "t");
  Say("x", "u");
  EXPECT_EQ(List(kFake).total(), 0) << "the session that was idle for the longest";

  Say(std::string(20 << 10, 'x'), "a");
  Say(std::string(20 << 10, 'y'), "b");
  EXPECT_EQ(List("target { session: 'a' }").calls_size(), 0) << "no room for both";
  EXPECT_EQ(List("target { session: 'b' }").calls_size(), 1);
}

TEST_F(Bounded, WhatIsPutDoesNotGrowOverTheLimit) {
  const std::string half(20 << 10, 'x');
  Say(half, "s");
  ASSERT_TRUE(Script(Fake("answers { text: '" + half + "' }")).ok());
  ASSERT_TRUE(Script(Fake("answers { text: '" + half + "' }")).ok()) << "in place of the other";
  const absl::Status full = Script("target { provider: 'fake' } answers { text: '" + half + "' }");
  EXPECT_EQ(DetailOf(full).kind(), v1::ERROR_KIND_GATEWAY_OVERLOADED) << full;
}

}  // namespace
}  // namespace mg
