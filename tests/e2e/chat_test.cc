// A call from an application to a model and back through the real binary, whole and streamed.

#include "base/json.h"
#include "gmock/gmock.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/daemon.h"

namespace mg::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kUsage[] = R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,)"
                          R"("prompt_tokens_details":{"cached_tokens":4},)"
                          R"("completion_tokens_details":{"reasoning_tokens":2}})";

std::string UsageChunk() {
  return absl::StrCat(
      R"({"id":"c1","object":"chat.completion.chunk","created":1790000000,"model":"m-1",)",
      R"("choices":[],"usage":)", kUsage, "}");
}

std::string WholeWith(const std::string& message, const std::string& finish) {
  return absl::StrCat(
      R"({"id":"c1","object":"chat.completion","created":1790000000,"model":"m-1","choices":[)",
      R"({"index":0,"message":)", message, R"(,"finish_reason":")", finish, R"("}],"usage":)",
      kUsage, "}");
}

std::string Call(int index, const std::string& rest) {
  return Chunk(absl::StrCat(R"({"tool_calls":[{"index":)", index, ",", rest, "}]}"));
}

// One answer in both forms.
struct Content {
  const char* name;
  std::vector<std::string> stream;
  std::string whole;
};

const Content kContents[] = {
    {"Text",
     {Role(), Piece("Hello, "), Piece("w\\u00f6rld"), Stop(), UsageChunk(), "[DONE]"},
     WholeWith(R"({"role":"assistant","content":"Hello, w\u00f6rld"})", "stop")},
    {"ParallelTools",
     {Role(),
      Call(0, R"("id":"call_a","type":"function","function":{"name":"weather","arguments":""})"),
      Call(1, R"("id":"call_b","type":"function","function":{"name":"time","arguments":""})"),
      Call(0, R"("function":{"arguments":"{\"ci"})"), Call(1, R"("function":{"arguments":"{}"})"),
      Call(0, R"("function":{"arguments":"ty\":\"P\"}"})"), Chunk("{}", R"("tool_calls")"),
      UsageChunk(), "[DONE]"},
     WholeWith(R"({"role":"assistant","content":null,"tool_calls":[)"
               R"({"id":"call_a","type":"function","function":{"name":"weather",)"
               R"("arguments":"{\"city\":\"P\"}"}},)"
               R"({"id":"call_b","type":"function","function":{"name":"time","arguments":"{}"}}]})",
               "tool_calls")},
    {"Refusal",
     {Role(), Chunk(R"({"refusal":"I can"})"), Chunk(R"({"refusal":"not."})"), Stop(), UsageChunk(),
      "[DONE]"},
     WholeWith(R"({"role":"assistant","content":null,"refusal":"I cannot."})", "stop")},
    {"Reasoning",
     {Role(), Chunk(R"({"reasoning_content":"Let me "})"), Chunk(R"({"reasoning_content":"see."})"),
      Piece("Yes."), Stop(), UsageChunk(), "[DONE]"},
     WholeWith(R"({"role":"assistant","reasoning_content":"Let me see.","content":"Yes."})",
               "stop")},
};

std::string ConfigFor(const FakeUpstream& upstream) {
  return absl::StrCat(Listening(), "providers:\n",
                      Compatible("a", upstream, "api_key: { env: KEY_A }"),
                      "aliases: { fast: a/m-1 }\n");
}

Daemon::Options Configured(const FakeUpstream& upstream) {
  return {.config = ConfigFor(upstream), .environment = {{"KEY_A", "sk-key-of-a-12345678"}}};
}

class Contents : public ::testing::TestWithParam<Content> {};

TEST_P(Contents, StreamedFoldIsTheWholeAnswer) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Sse(GetParam().stream)).Reply(Json(GetParam().whole));
  Daemon daemon(Configured(upstream));
  Caller over_tcp(daemon.tcp());
  Caller over_socket(daemon.socket_address());
  Reply streamed = over_tcp.StreamChat(Ask("fast"));
  Reply whole = over_socket.Chat(Ask("fast"));
  ASSERT_TRUE(streamed.ok()) << streamed.message;
  ASSERT_TRUE(whole.ok()) << whole.message;
  EXPECT_TRUE(streamed.events.front().has_started());
  EXPECT_TRUE(streamed.completed());

  for (Reply* reply : {&streamed, &whole}) {
    EXPECT_EQ(reply->response.report().provider(), "a");
    EXPECT_EQ(reply->response.report().requested_model(), "fast");
    EXPECT_EQ(reply->Attempts(), "a:ok");
    reply->response.clear_report();
  }
  EXPECT_EQ(streamed.response.DebugString(), whole.response.DebugString());
  const v1::Usage& usage = whole.response.usage();
  EXPECT_EQ(usage.input_tokens(), 10);
  EXPECT_EQ(usage.output_tokens(), 5);
  EXPECT_EQ(usage.cached_input_tokens(), 4);
  EXPECT_EQ(usage.reasoning_tokens(), 2);
}

INSTANTIATE_TEST_SUITE_P(Chat, Contents, ::testing::ValuesIn(kContents),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Chat, PartsAreWhatTheProviderSaid) {
  FakeUpstream upstream;
  upstream.When(PathOf("a"))
      .Reply(Sse(kContents[1].stream))
      .Reply(Sse(kContents[2].stream))
      .Reply(Sse(kContents[3].stream));
  Daemon daemon(Configured(upstream));
  Caller caller(daemon.tcp());

  const Reply tools = caller.StreamChat(Ask("fast"));
  ASSERT_EQ(tools.response.choices_size(), 1) << tools.message;
  ASSERT_EQ(tools.response.choices(0).message().parts_size(), 2);
  EXPECT_EQ(tools.response.choices(0).message().parts(0).tool_call().id(), "call_a");
  EXPECT_EQ(tools.response.choices(0).message().parts(0).tool_call().arguments_json(),
            R"({"city":"P"})");
  EXPECT_EQ(tools.response.choices(0).message().parts(1).tool_call().name(), "time");
  EXPECT_EQ(tools.response.choices(0).finish().reason(), v1::FINISH_REASON_TOOL_CALLS);

  const Reply refusal = caller.StreamChat(Ask("fast"));
  ASSERT_EQ(refusal.response.choices_size(), 1) << refusal.message;
  EXPECT_EQ(refusal.response.choices(0).message().parts(0).refusal(), "I cannot.");
  EXPECT_EQ(refusal.response.choices(0).finish().reason(), v1::FINISH_REASON_REFUSAL);

  const Reply reasoning = caller.StreamChat(Ask("fast"));
  ASSERT_EQ(reasoning.response.choices_size(), 1) << reasoning.message;
  ASSERT_EQ(reasoning.response.choices(0).message().parts_size(), 2);
  EXPECT_EQ(reasoning.response.choices(0).message().parts(0).reasoning().text(), "Let me see.");
  EXPECT_EQ(reasoning.response.choices(0).message().parts(1).text(), "Yes.");
}

TEST(Chat, TheProviderIsAskedInItsDialect) {
  FakeUpstream upstream;
  upstream.When("/v1/chat/completions").Reply(Good(false)).Reply(Good(true));
  Daemon daemon({.config = absl::StrCat(
                     Listening(), "providers: { openai: { openai: { api_key: { file: @DIR@/key }, ",
                     "organization: org-1, project: proj-1, base_url: \"", upstream.Url("/v1"),
                     "\", headers: { x-tenant: search } } } }\n"),
                 .files = {{"key", "sk-of-the-file-1234\n"}}});
  Caller caller(daemon.tcp());
  v1::ChatRequest request = Ask("openai/m-1", "What is \"up\"?");
  request.mutable_sampling()->set_temperature(0.5);
  EXPECT_TRUE(caller.Chat(request).ok());
  EXPECT_TRUE(caller.StreamChat(request).ok());

  const std::vector<UpstreamRequest> requests = upstream.requests();
  ASSERT_EQ(requests.size(), 2u);
  for (const bool stream : {false, true}) {
    const UpstreamRequest& seen = requests[stream ? 1 : 0];
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.target, "/v1/chat/completions");
    EXPECT_EQ(FindHeader(seen.headers, "authorization"), "Bearer sk-of-the-file-1234");
    EXPECT_EQ(FindHeader(seen.headers, "content-type"), "application/json");
    EXPECT_EQ(FindHeader(seen.headers, "openai-organization"), "org-1");
    EXPECT_EQ(FindHeader(seen.headers, "openai-project"), "proj-1");
    EXPECT_EQ(FindHeader(seen.headers, "x-tenant"), "search");
    EXPECT_EQ(FindHeader(seen.headers, "expect"), "");
    JsonDocument body;
    ASSERT_TRUE(ParseJson(seen.body, &body).ok()) << seen.body;
    EXPECT_EQ(StringMember(body, "model"), "m-1");
    ASSERT_NE(Member(body, "messages"), nullptr) << seen.body;
    ASSERT_EQ(Member(body, "messages")->Size(), 1u);
    EXPECT_EQ(StringMember((*Member(body, "messages"))[0], "role"), "user");
    EXPECT_THAT(seen.body, HasSubstr(R"(What is \"up\"?)"));
    ASSERT_NE(Member(body, "temperature"), nullptr);
    EXPECT_EQ(Member(body, "temperature")->GetDouble(), 0.5);
    const JsonValue* options = Member(body, "stream_options");
    ASSERT_EQ(options != nullptr, stream) << seen.body;
    if (stream) {
      EXPECT_TRUE(Member(body, "stream")->GetBool());
      EXPECT_TRUE(Member(*options, "include_usage")->GetBool());
    }
  }
  EXPECT_EQ(upstream.connections(), 1) << "the second call found the first one's connection";
}

TEST(Chat, AProviderWithoutKeyGetsNoAuthorization) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Good(false));
  Daemon daemon({.config = absl::StrCat(Listening(), "providers:\n", Compatible("a", upstream))});
  Caller caller(daemon.tcp());
  const CallOptions options{
      .metadata = {{"authorization", "Bearer of-the-caller"}, {"x-correlation-id", "order-66"}}};
  const Reply reply = caller.Chat(Ask("a/m-1"), options);
  ASSERT_TRUE(reply.ok()) << reply.message;
  EXPECT_EQ(reply.Text(), "hi");
  EXPECT_EQ(reply.response.report().correlation_id(), "order-66");
  EXPECT_EQ(reply.metadata.at("x-correlation-id"), "order-66");
  EXPECT_EQ(reply.metadata.at("x-request-id"), reply.response.report().request_id());
  ASSERT_EQ(upstream.requests().size(), 1u);
  EXPECT_EQ(FindHeader(upstream.requests()[0].headers, "authorization"), "");
}

// curl would ask first whether a body of a megabyte is welcome, and wait a second for the answer.
TEST(Chat, ALargeRequestGoesOutUnasked) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Good(false));
  Daemon daemon(Configured(upstream));
  const std::string prompt(3 << 20, 'x');
  EXPECT_TRUE(Caller(daemon.tcp()).Chat(Ask("fast", prompt)).ok());
  ASSERT_EQ(upstream.requests().size(), 1u);
  EXPECT_EQ(FindHeader(upstream.requests()[0].headers, "expect"), "");
  EXPECT_THAT(upstream.requests()[0].body, HasSubstr(prompt));
}

class NothingIsHeldBack : public ::testing::TestWithParam<bool> {};

// Each piece is read before the provider says the next.
TEST_P(NothingIsHeldBack, WhileTheProviderHoldsTheRest) {
  constexpr int kPieces = 4;
  std::vector<Gate> gates(kPieces);
  FakeUpstream upstream;
  Script script = Sse();
  if (GetParam()) script.Gzip();
  script.Event(Role());
  for (int i = 0; i < kPieces; ++i) {
    script.Event(Piece(absl::StrCat("p", i))).Hold(gates[static_cast<size_t>(i)]);
  }
  upstream.When(PathOf("a")).Reply(script.Event(Stop()).Event("[DONE]"));
  Daemon daemon(Configured(upstream));
  Caller caller(daemon.socket_address());
  auto call = caller.Start(Ask("fast"), true);
  ASSERT_TRUE(call->Next()->has_started());
  std::vector<std::string> pieces;
  for (Gate& gate : gates) {
    const std::optional<v1::ChatEvent> event = call->Next();
    ASSERT_TRUE(event.has_value());
    EXPECT_FALSE(gate.open());
    pieces.push_back(event->delta().part().text());
    gate.Open();
  }
  EXPECT_THAT(pieces, ElementsAre("p0", "p1", "p2", "p3"));
  const Reply reply = call->End();
  EXPECT_TRUE(reply.ok()) << reply.message;
  EXPECT_TRUE(reply.completed());
}

INSTANTIATE_TEST_SUITE_P(Chat, NothingIsHeldBack, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Gzip" : "Plain"; });

}  // namespace
}  // namespace mg::e2e
