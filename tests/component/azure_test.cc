// Calls to Azure OpenAI through the whole path: what goes out under which headers, what comes back,
// and what follows from its errors.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/component/call_fixture.h"

namespace mg {
namespace {

using testing::HasSubstr;

// What Azure tells of the prompt before anything else.
constexpr char kPromptFilter[] =
    R"({"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":)"
    R"([{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false}}}]})";

void AddAzure(CallFixture* fixture, PlatformConfig platform, const std::string& key) {
  platform.base_url = "http://azure.test";
  fixture->AddProvider(std::make_unique<HttpProvider>("azure", *FindAdapter("azure_openai"),
                                                      std::move(platform), Secret(std::string(key)),
                                                      HttpEndpoint()));
}

TEST(Azure, AStreamOfADeployment) {
  CallFixture fixture;
  PlatformConfig platform;
  platform.api_version = "2024-10-21";
  platform.deployments = {{"m", "my-small-one"}};
  AddAzure(&fixture, platform, "k");
  fixture.http.Then(Script::Sse({kPromptFilter, Role(), Piece("hi"), Stop(), "[DONE]"})
                        .With("apim-request-id", "a1"));
  const CallOutcome outcome = fixture.Run(true);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Text(), "hi");
  EXPECT_EQ(outcome.response.id(), "c1") << "not the empty one of the filter's chunk";
  EXPECT_EQ(outcome.record.attempts[0].provider_request_id, "a1");
  const HttpRequest& request = fixture.http.hits()[0]->request;
  EXPECT_EQ(request.url,
            "http://azure.test/openai/deployments/my-small-one/chat/completions"
            "?api-version=2024-10-21");
  EXPECT_EQ(FindHeader(request.headers, "api-key"), "k");
  EXPECT_EQ(FindHeader(request.headers, "authorization"), "");
}

TEST(Azure, WithoutAVersionByAToken) {
  CallFixture fixture;
  PlatformConfig platform;
  platform.bearer = true;
  AddAzure(&fixture, platform, "token");
  fixture.http.Then(Good(false));
  const CallOutcome outcome = fixture.Run(false);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  const HttpRequest& request = fixture.http.hits()[0]->request;
  EXPECT_EQ(request.url, "http://azure.test/openai/v1/chat/completions");
  EXPECT_EQ(FindHeader(request.headers, "authorization"), "Bearer token");
  EXPECT_EQ(FindHeader(request.headers, "api-key"), "");
  EXPECT_THAT(request.body, HasSubstr(R"("model":"m")"));
}

TEST(Azure, AFilteredPromptIsNotAskedAgain) {
  CallFixture fixture;
  AddAzure(&fixture, {}, "k");
  fixture.Add("other");
  fixture.http.Then(Script::Json(
      400, R"({"error":{"message":"filtered","type":null,"param":"prompt","code":"content_filter",)"
           R"("status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}})"));
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_CONTENT_BLOCKED) << outcome.status;
  EXPECT_EQ(fixture.http.hits().size(), 1u);
}

TEST(Azure, AMissingDeploymentIsAnUnknownModelAndAnotherCandidateAnswers) {
  CallFixture fixture;
  AddAzure(&fixture, {}, "k");
  fixture.Add("other");
  fixture.http.Then(Script::Json(404, R"({"error":{"code":"DeploymentNotFound","message":"x"}})"));
  fixture.http.Then(Good(true));
  const CallOutcome outcome = fixture.Run(true);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "azure:model other:ok");
}

TEST(Azure, ARateWithAHintOfNothingIsTriedAgain) {
  CallFixture fixture;
  AddAzure(&fixture, {}, "k");
  fixture.http.Then(Script::Json(429, R"({"error":{"code":"429","message":"slow"}})")
                        .With("retry-after-ms", "0")
                        .With("retry-after", "1"));
  fixture.http.Then(Good(true));
  const CallOutcome outcome = fixture.Run(true);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "azure:rate azure:ok");
  EXPECT_GE(fixture.http.hits()[1]->at - fixture.http.hits()[0]->at, absl::Seconds(1));
}

}  // namespace
}  // namespace mg
