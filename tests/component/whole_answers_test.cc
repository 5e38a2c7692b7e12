// Embed, CountTokens and ListModels from the RPC's request to its answer, under virtual time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_replace.h"
#include "daemon/build_snapshot.h"
#include "daemon/config/load.h"
#include "daemon/count_tokens_method.h"
#include "daemon/embed_method.h"
#include "daemon/list_models_method.h"
#include "tests/component/recording_rpc.h"
#include "tests/component/scripted_http.h"
#include "tests/support/virtual_loop.h"

namespace mg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kConfig[] = R"(
providers:
  fake: { mock: { models: [m] } }
  house: { openai_compatible: { base_url: "http://127.0.0.1:1/v1" } }
  claude: { anthropic: { api_key: { env: KEY }, base_url: "http://127.0.0.1:2/" } }
groups:
  both: { candidates: [{ provider: house, model: e }], fallback: [mocked] }
  mocked: { candidates: [{ provider: fake, model: m }] }
aliases: { best: both }
models:
  - { match: "fake/*", context_window: 4096, capabilities: [chat, count_tokens, json_schema] }
  - { match: "claude/c-?", context_window: 200000, base_model: claude-haiku-4-5 }
  - { match: "claude/uncounted", capabilities: [chat] }
  - { match: "house/quiet", capabilities: [chat, stream] }
)";

class WholeAnswers : public testing::Test {
 public:
  ~WholeAnswers() override {
    close(log_[0]);
    close(log_[1]);
  }

 protected:
  explicit WholeAnswers(const std::string& config = kConfig) : http_(&loop_) {
    EXPECT_EQ(pipe(log_), 0);
    Outside outside;
    outside.variable = [](const std::string&) { return "sk-ant"; };
    outside.file = [](const std::string&, size_t) { return absl::NotFoundError("none"); };
    const LoadedConfig loaded = LoadConfig({config, "test"}, outside);
    EXPECT_TRUE(loaded.ok()) << ToText(loaded.problems);
    auto snapshot = BuildSnapshot(loaded, &lasting_, loop_.now());
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    LogOptions options;
    options.fd = log_[1];
    logger_ = std::make_unique<Logger>(options);
    telemetry_ = std::make_unique<Telemetry>(logger_.get(), MetricsOptions());
    worker_.loop = &loop_;
    worker_.http = &http_;
    worker_.telemetry = telemetry_.get();
    worker_.snapshot = *snapshot;
  }

  template <typename Method, typename Request>
  absl::Status Call(const Request& request) {
    Method method(&worker_);
    return Call(&method, request);
  }
  template <typename Request>
  absl::Status Call(RpcMethod* method, const Request& request) {
    absl::Status status = absl::UnknownError("did not end");
    Spawn(Serve(method, &rpc_, std::make_unique<Request>(request), &status));
    loop_.RunUntilIdle();
    return status;
  }
  static Task<void> Serve(RpcMethod* method, Rpc* rpc,
                          std::unique_ptr<google::protobuf::Message> request,
                          absl::Status* status) {
    *status = co_await method->Serve(*rpc, std::move(request));
  }
  template <typename Response>
  Response Sent() {
    Response response;
    EXPECT_EQ(rpc_.sent.size(), 1u);
    if (!rpc_.sent.empty()) EXPECT_TRUE(response.ParseFromString(rpc_.sent[0]));
    return response;
  }
  static v1::EmbedRequest Texts(const std::string& model, int count) {
    v1::EmbedRequest request;
    request.set_model(model);
    for (int i = 0; i < count; ++i) request.add_inputs()->set_text("t" + std::to_string(i));
    return request;
  }
  // Vectors [first + i], indexes counted from the batch's end, so that order matters.
  static Script Vectors(int first, int count) {
    std::string body = R"({"object":"list","model":"e-1","data":[)";
    for (int i = count - 1; i >= 0; --i) {
      body += R"({"object":"embedding","index":)" + std::to_string(i) + R"(,"embedding":[)" +
              std::to_string(first + i) + "]}" + (i > 0 ? "," : "");
    }
    body += R"(],"usage":{"prompt_tokens":)" + std::to_string(count) + R"(,"total_tokens":)" +
            std::to_string(count) + "}}";
    return Script::Json(200, body);
  }

  static std::vector<std::string> NamesOf(const v1::ListModelsResponse& response) {
    std::vector<std::string> names;
    for (const v1::Model& model : response.models()) names.push_back(model.name());
    return names;
  }

  int log_[2];
  VirtualLoop loop_;
  Lasting lasting_{1};
  ScriptedHttp http_;
  std::unique_ptr<Logger> logger_;
  std::unique_ptr<Telemetry> telemetry_;
  Worker worker_;
  RecordingRpc rpc_;
};

TEST_F(WholeAnswers, BatchesAreOneAttemptAndKeepTheirOrder) {
  http_.Then(Vectors(0, 256).HeadAfter(absl::Seconds(2))).Then(Vectors(256, 256));
  http_.Then(Vectors(512, 88));
  const absl::Status status = Call<EmbedMethod>(Texts("house/e", 600));
  ASSERT_TRUE(status.ok()) << status;
  const auto response = Sent<v1::EmbedResponse>();
  ASSERT_EQ(response.embeddings_size(), 600);
  for (int i = 0; i < 600; ++i) {
    ASSERT_THAT(response.embeddings(i).values(), ElementsAre(static_cast<float>(i)));
  }
  EXPECT_EQ(response.model(), "e-1");
  EXPECT_EQ(response.usage().input_tokens(), 600);
  EXPECT_EQ(response.report().attempts_size(), 1);
  EXPECT_EQ(response.report().attempts(0).usage().input_tokens(), 600);
  EXPECT_EQ(http_.hits().size(), 3u);
  EXPECT_THAT(http_.hits()[0]->request.url, HasSubstr("/v1/embeddings"));
}

TEST_F(WholeAnswers, AFailedPieceFailsTheAttemptAndAnotherCandidateAnswers) {
  http_.Then(Vectors(0, 256)).Then(Script::Json(503, "{}"));
  const absl::Status status = Call<EmbedMethod>(Texts("best", 300));
  ASSERT_TRUE(status.ok()) << status;
  const auto response = Sent<v1::EmbedResponse>();
  EXPECT_EQ(response.embeddings_size(), 300);
  EXPECT_EQ(response.embeddings(0).values_size(), 8);
  EXPECT_EQ(response.report().attempts_size(), 2);
  EXPECT_EQ(response.report().provider(), "fake");
}

TEST_F(WholeAnswers, AWrongNumberOfVectorsIsMalformed) {
  http_.Then(Vectors(0, 2));
  const absl::Status status = Call<EmbedMethod>(Texts("house/e", 3));
  EXPECT_EQ(DetailOf(status).kind(), v1::ERROR_KIND_MALFORMED_RESPONSE) << status;
}

TEST_F(WholeAnswers, EmbedRefusesByName) {
  const auto refused = [&](const v1::EmbedRequest& request) {
    return DetailOf(Call<EmbedMethod>(request));
  };
  v1::EmbedRequest request = Texts("house/e", 2);
  request.set_truncate(true);
  EXPECT_EQ(refused(request).field(), "truncate");
  EXPECT_EQ(refused(request).kind(), v1::ERROR_KIND_UNSUPPORTED);
  request = Texts("house/e", 2);
  request.mutable_inputs(1)->clear_text();
  EXPECT_EQ(refused(request).field(), "inputs[1]");
  request.mutable_inputs(1)->add_token_ids(1);
  EXPECT_EQ(refused(request).field(), "inputs[1].token_ids");
  request = Texts("house/e", 0);
  EXPECT_EQ(refused(request).field(), "inputs");
  request = Texts("house/e", 1);
  request.set_dimensions(0);
  EXPECT_EQ(refused(request).field(), "dimensions");
  EXPECT_TRUE(http_.hits().empty());
}

TEST_F(WholeAnswers, ATaskIsDroppedWithAWarning) {
  http_.Then(Vectors(0, 1));
  v1::EmbedRequest request = Texts("house/e", 1);
  request.set_task("query");
  ASSERT_TRUE(Call<EmbedMethod>(request).ok());
  const auto response = Sent<v1::EmbedResponse>();
  ASSERT_EQ(response.report().warnings_size(), 1);
  EXPECT_EQ(response.report().warnings(0).code(), "dropped");
  EXPECT_EQ(response.report().warnings(0).field(), "task");
}

TEST_F(WholeAnswers, TheMockCountsWords) {
  v1::CountTokensRequest request;
  request.mutable_chat()->set_model("fake/m");
  request.set_text("one two  three");
  ASSERT_TRUE(Call<CountTokensMethod>(request).ok());
  const auto response = Sent<v1::CountTokensResponse>();
  EXPECT_EQ(response.tokens(), 3);
  EXPECT_EQ(response.accuracy(), v1::CountTokensResponse::ACCURACY_EXACT);
  EXPECT_EQ(response.method(), "mock words");
  EXPECT_EQ(response.report().attempts_size(), 1);
}

TEST_F(WholeAnswers, ElsewhereTheCountIsAnHonestEstimate) {
  v1::CountTokensRequest request;
  request.mutable_chat()->set_model("house/e");
  v1::Message* message = request.mutable_chat()->add_messages();
  message->set_role(v1::ROLE_USER);
  message->add_parts()->set_text(std::string(400, 'x'));
  ASSERT_TRUE(Call<CountTokensMethod>(request).ok());
  const auto response = Sent<v1::CountTokensResponse>();
  EXPECT_EQ(response.tokens(), 100);
  EXPECT_EQ(response.lower_bound(), 50);
  EXPECT_EQ(response.upper_bound(), 200);
  EXPECT_EQ(response.accuracy(), v1::CountTokensResponse::ACCURACY_ESTIMATE);
  EXPECT_EQ(response.method(), "estimate bytes");
  EXPECT_EQ(response.report().provider(), "house");
  EXPECT_EQ(response.report().attempts_size(), 0);
  EXPECT_THAT(response.tokens_by_message(), ElementsAre(100));
}

v1::CountTokensRequest OfClaude() {
  v1::CountTokensRequest request;
  request.mutable_chat()->set_model("claude/claude-haiku-4-5");
  v1::Message* message = request.mutable_chat()->add_messages();
  message->set_role(v1::ROLE_USER);
  message->add_parts()->set_text(std::string(400, 'x'));
  return request;
}

TEST_F(WholeAnswers, AProviderWithAnEndpointForItCounts) {
  http_.Then(Script::Json(200, R"({"input_tokens":200})").With("request-id", "req_1"));
  ASSERT_TRUE(Call<CountTokensMethod>(OfClaude()).ok());
  const auto response = Sent<v1::CountTokensResponse>();
  EXPECT_EQ(response.tokens(), 200);
  EXPECT_EQ(response.lower_bound(), 190);
  EXPECT_EQ(response.upper_bound(), 210);
  EXPECT_EQ(response.accuracy(), v1::CountTokensResponse::ACCURACY_PROVIDER_ESTIMATE);
  EXPECT_EQ(response.method(), "anthropic count_tokens");
  ASSERT_EQ(response.report().attempts_size(), 1);
  EXPECT_EQ(response.report().attempts(0).provider_request_id(), "req_1");
  const HttpRequest& request = http_.hits()[0]->request;
  EXPECT_EQ(request.url, "http://127.0.0.1:2/v1/messages/count_tokens");
  EXPECT_EQ(FindHeader(request.headers, "x-api-key"), "sk-ant");
  EXPECT_EQ(FindHeader(request.headers, "anthropic-version"), "2023-06-01");
}

TEST_F(WholeAnswers, ACountThatFailsBecomesAnEstimate) {
  http_.Then(Script::Json(402, R"({"error":{"type":"billing_error","message":"no money"}})"));
  ASSERT_TRUE(Call<CountTokensMethod>(OfClaude()).ok());
  const auto response = Sent<v1::CountTokensResponse>();
  EXPECT_EQ(response.tokens(), 100);
  EXPECT_EQ(response.accuracy(), v1::CountTokensResponse::ACCURACY_ESTIMATE);
  EXPECT_EQ(response.report().attempts_size(), 1);
  ASSERT_EQ(response.report().warnings_size(), 1);
  EXPECT_EQ(response.report().warnings(0).code(), "emulated");
  EXPECT_THAT(response.report().warnings(0).message(), HasSubstr("no money"));
}

TEST_F(WholeAnswers, WhatTheProviderDoesNotCountIsEstimatedUnasked) {
  v1::CountTokensRequest request = OfClaude();
  request.mutable_chat()->mutable_messages(0)->add_parts()->mutable_image()->set_uri("https://a/b");
  ASSERT_TRUE(Call<CountTokensMethod>(request).ok());
  EXPECT_EQ(Sent<v1::CountTokensResponse>().accuracy(), v1::CountTokensResponse::ACCURACY_ESTIMATE);
  EXPECT_TRUE(http_.hits().empty());
}

TEST_F(WholeAnswers, ACountThatTheCallerIsToBlameForIsRefused) {
  v1::CountTokensRequest request = OfClaude();
  request.mutable_chat()->mutable_messages(0)->clear_parts();
  EXPECT_EQ(DetailOf(Call<CountTokensMethod>(request)).kind(), v1::ERROR_KIND_INVALID_REQUEST);
  http_.Then(Script::Json(200, R"({"input_tokens":-1})"));
  ASSERT_TRUE(Call<CountTokensMethod>(OfClaude()).ok());
  EXPECT_EQ(Sent<v1::CountTokensResponse>().accuracy(), v1::CountTokensResponse::ACCURACY_ESTIMATE);
}

TEST_F(WholeAnswers, CountingWantsOneThingToCount) {
  v1::CountTokensRequest request;
  request.mutable_chat()->set_model("house/e");
  request.set_text("x");
  request.mutable_chat()->add_messages()->set_role(v1::ROLE_USER);
  EXPECT_EQ(DetailOf(Call<CountTokensMethod>(request)).field(), "text");
  request.mutable_chat()->clear_messages();
  for (const bool empty_text : {true, false}) {
    request.clear_text();
    if (empty_text) request.set_text("");
    rpc_.sent.clear();
    ASSERT_TRUE(Call<CountTokensMethod>(request).ok());
    const auto response = Sent<v1::CountTokensResponse>();
    EXPECT_EQ(response.tokens(), 0);
    EXPECT_EQ(response.accuracy(), v1::CountTokensResponse::ACCURACY_EXACT);
  }
}

class CountOfAGroup : public WholeAnswers {
 protected:
  CountOfAGroup()
      : WholeAnswers(absl::StrReplaceAll(kConfig, {{"{ provider: house, model: e }",
                                                    "{ provider: claude, model: claude-haiku-4-5 "
                                                    "}"}})) {}
};

TEST_F(CountOfAGroup, APromptIsCountedByNobodyButWhoWouldBeAskedFirst) {
  http_.Then(Script::Json(402, R"({"error":{"type":"billing_error","message":"no money"}})"));
  v1::CountTokensRequest request = OfClaude();
  request.mutable_chat()->set_model("both");
  ASSERT_TRUE(Call<CountTokensMethod>(request).ok());
  const auto response = Sent<v1::CountTokensResponse>();
  EXPECT_EQ(response.method(), "estimate bytes") << "not the mock's count of words";
  EXPECT_EQ(response.report().provider(), "claude");
  for (const v1::Attempt& attempt : response.report().attempts()) {
    EXPECT_EQ(attempt.provider(), "claude");
  }
}

TEST_F(WholeAnswers, ModelsAreListedAliasesFirst) {
  ASSERT_TRUE(Call<ListModelsMethod>(v1::ListModelsRequest()).ok());
  const auto response = Sent<v1::ListModelsResponse>();
  EXPECT_THAT(NamesOf(response), ElementsAre("best", "both", "mocked", "fake/m", "house/e"));
  EXPECT_EQ(response.models(0).kind(), v1::Model::KIND_ALIAS);
  ASSERT_EQ(response.models(0).candidates_size(), 2);
  EXPECT_EQ(response.models(0).candidates(1).tier(), 1);
  // What every candidate has: the mock counts, the other does not; only the other has log
  // probabilities.
  EXPECT_THAT(response.models(0).capabilities(), testing::Contains("chat"));
  EXPECT_THAT(response.models(0).capabilities(), testing::Not(testing::Contains("count_tokens")));
  EXPECT_THAT(response.models(0).capabilities(), testing::Not(testing::Contains("logprobs")));
  EXPECT_EQ(response.warnings_size(), 0);
  EXPECT_TRUE(http_.hits().empty());
}

TEST_F(WholeAnswers, WhatTheConfigurationSaysOfModelsIsListed) {
  ASSERT_TRUE(Call<ListModelsMethod>(v1::ListModelsRequest()).ok());
  const auto response = Sent<v1::ListModelsResponse>();
  const v1::Model& mock = response.models(3);
  ASSERT_EQ(mock.name(), "fake/m");
  EXPECT_THAT(mock.capabilities(), ElementsAre("chat", "count_tokens", "json_schema"));
  EXPECT_EQ(mock.candidates(0).context_window(), 4096);
  EXPECT_EQ(response.models(0).candidates(1).context_window(), 4096) << "in a group";
  EXPECT_FALSE(response.models(4).candidates(0).has_context_window());
}

TEST_F(WholeAnswers, AModelThatCannotByTheConfigurationIsNotAsked) {
  EXPECT_EQ(DetailOf(Call<EmbedMethod>(Texts("house/quiet", 1))).kind(),
            v1::ERROR_KIND_UNSUPPORTED);
  rpc_.sent.clear();
  v1::CountTokensRequest request = OfClaude();
  request.mutable_chat()->set_model("claude/uncounted");
  ASSERT_TRUE(Call<CountTokensMethod>(request).ok());
  EXPECT_EQ(Sent<v1::CountTokensResponse>().accuracy(), v1::CountTokensResponse::ACCURACY_ESTIMATE);
  EXPECT_TRUE(http_.hits().empty());
}

TEST_F(WholeAnswers, ModelsThatProvidersListComeLast) {
  ListModelsMethod method(&worker_);
  v1::ListModelsRequest request;
  request.set_discover(true);
  // In the order of their names: claude, fake (a mock, which is not asked), house.
  http_.Then(Script::Json(200, R"({"data":[{"id":"c-1"}],"has_more":true,"last_id":"c 1"})")
                 .HeadAfter(absl::Seconds(1)));
  http_.Then(Script::Json(401, R"({"error":{"message":"no key"}})").HeadAfter(absl::Seconds(2)));
  http_.Then(Script::Json(200, R"({"data":[{"id":"c-2"}],"has_more":false,"last_id":"c-2"})"));
  ASSERT_TRUE(Call(&method, request).ok());
  const auto first = Sent<v1::ListModelsResponse>();
  EXPECT_THAT(NamesOf(first), ElementsAre("best", "both", "mocked", "fake/m", "house/e",
                                          "claude/c-1", "claude/c-2"));
  const v1::Model& listed = first.models(5);
  EXPECT_EQ(listed.kind(), v1::Model::KIND_PROVIDER_MODEL);
  EXPECT_THAT(listed.capabilities(), testing::Contains("chat"));
  ASSERT_EQ(listed.candidates_size(), 1);
  EXPECT_EQ(listed.candidates(0).provider(), "claude");
  EXPECT_EQ(listed.candidates(0).context_window(), 200000);
  ASSERT_EQ(first.warnings_size(), 2);
  EXPECT_THAT(first.warnings(0).message(), HasSubstr("provider fake gave no list"));
  EXPECT_THAT(first.warnings(1).message(), HasSubstr("provider house gave no list"));
  ASSERT_EQ(http_.hits().size(), 3u);
  EXPECT_EQ(http_.hits()[0]->request.url, "http://127.0.0.1:2/v1/models?limit=1000");
  EXPECT_EQ(http_.hits()[0]->request.method, "GET");
  EXPECT_EQ(FindHeader(http_.hits()[0]->request.headers, "x-api-key"), "sk-ant");
  EXPECT_EQ(http_.hits()[1]->request.url, "http://127.0.0.1:1/v1/models");
  EXPECT_EQ(http_.hits()[1]->at, http_.hits()[0]->at) << "side by side";
  EXPECT_THAT(http_.hits()[2]->request.url, HasSubstr("limit=1000&after_id=c%201"));

  // A list is kept for ten minutes; one that failed is asked for again, and has five seconds.
  rpc_.sent.clear();
  http_.Then(Script::Json(200, R"([{"id":"e"},{"id":"f"}])").HeadAfter(absl::Seconds(6)));
  ASSERT_TRUE(Call(&method, request).ok());
  const auto second = Sent<v1::ListModelsResponse>();
  EXPECT_THAT(NamesOf(second), ElementsAre("best", "both", "mocked", "fake/m", "house/e",
                                           "claude/c-1", "claude/c-2"));
  EXPECT_EQ(http_.hits().size(), 4u);
  EXPECT_THAT(second.warnings(1).message(), HasSubstr("it did not come in time"));

  rpc_.sent.clear();
  loop_.RunFor(absl::Minutes(11));
  http_.Then(Script::Json(200, "<html>"));
  http_.Then(Script::Json(200, R"([{"id":"e"},{"id":"f"},{"id":""},{"name":"g"}])"));
  ASSERT_TRUE(Call(&method, request).ok());
  const auto third = Sent<v1::ListModelsResponse>();
  EXPECT_THAT(NamesOf(third),
              ElementsAre("best", "both", "mocked", "fake/m", "house/e", "house/f"));
  EXPECT_THAT(third.warnings(0).message(), HasSubstr("provider claude gave no list"));
}

}  // namespace
}  // namespace mg
