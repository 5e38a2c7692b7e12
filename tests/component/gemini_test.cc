// Calls to Gemini through the whole path: what goes out under which headers, what comes back, and
// what follows from its errors.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "tests/component/call_fixture.h"

namespace mg {
namespace {

constexpr char kHello[] =
    R"({"candidates":[{"content":{"role":"model","parts":[{"text":"Hello"}]}}],)"
    R"("usageMetadata":{"promptTokenCount":9},"modelVersion":"gemini-x","responseId":"r1"})";
constexpr char kEnd[] =
    R"({"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],)"
    R"("usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":2,"totalTokenCount":11}})";
constexpr char kOverloaded[] =
    R"({"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}})";

TEST(Gemini, AStreamAndItsRequest) {
  CallFixture fixture;
  fixture.Add("google", "gemini");
  fixture.http.Then(Script::Sse({kHello, kEnd}));
  const CallOutcome outcome = fixture.Run(true);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Text(), "Hello");
  EXPECT_EQ(outcome.response.usage().total_tokens(), 11);
  EXPECT_EQ(outcome.response.choices(0).finish().provider_reason(), "STOP");
  EXPECT_EQ(outcome.record.attempts.size(), 1u);

  const HttpRequest& request = fixture.http.hits()[0]->request;
  EXPECT_THAT(request.url, testing::StartsWith("http://google.test/v1/v1beta/models/"));
  EXPECT_THAT(request.url, testing::EndsWith(":streamGenerateContent?alt=sse"));
  EXPECT_EQ(FindHeader(request.headers, "x-goog-api-key"), "sk-test");
  EXPECT_EQ(FindHeader(request.headers, "authorization"), "");
  JsonDocument body;
  ASSERT_TRUE(ParseJson(request.body, &body).ok()) << request.body;
  EXPECT_NE(Member(body, "contents"), nullptr);
}

TEST(Gemini, AWholeAnswer) {
  CallFixture fixture;
  fixture.Add("google", "vertex");
  fixture.http.Then(Script::Json(
      200, R"({"candidates":[{"content":{"parts":[{"text":"Hello"}]},"finishReason":"STOP"}]})"));
  const CallOutcome outcome = fixture.Run(false);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Text(), "Hello");
  EXPECT_THAT(fixture.http.hits()[0]->request.url,
              testing::HasSubstr("/v1/publishers/google/models/"));
}

TEST(Gemini, AnErrorBeforeContentIsTriedAgain) {
  CallFixture fixture;
  fixture.Add("google", "gemini");
  fixture.http.Then(Script::Sse({kOverloaded})).Then(Script::Json(503, kOverloaded));
  fixture.http.Then(Script::Sse({kHello, kEnd}));
  const CallOutcome outcome = fixture.Run(true);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "google:overload google:overload google:ok");
}

TEST(Gemini, AnErrorBehindContentEndsTheStream) {
  CallFixture fixture;
  fixture.Add("google", "gemini");
  fixture.http.Then(Script::Sse({kHello, kOverloaded}));
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_OVERLOADED) << outcome.status;
  EXPECT_EQ(outcome.Text(), "Hello");
  EXPECT_EQ(fixture.http.hits().size(), 1u);
}

TEST(Gemini, ABadKeyIsABadRequestThere) {
  CallFixture fixture;
  fixture.Add("google", "gemini");
  fixture.http.Then(Script::Json(
      400,
      R"({"error":{"code":400,"message":"Key refused.","status":"INVALID_ARGUMENT","details":)"
      R"([{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}})"));
  const CallOutcome outcome = fixture.Run(true);
  const v1::ErrorDetail detail = DetailOf(outcome.status);
  EXPECT_EQ(detail.kind(), v1::ERROR_KIND_CREDENTIAL) << outcome.status;
  EXPECT_EQ(detail.provider_code(), "INVALID_ARGUMENT");
  EXPECT_EQ(detail.provider_message(), "");
}

TEST(Gemini, AFieldThatItRefusesIsNamed) {
  CallFixture fixture;
  fixture.Add("google", "gemini");
  fixture.http.Then(Script::Json(
      400,
      R"({"error":{"code":400,"message":"Invalid value","status":"INVALID_ARGUMENT","details":)"
      R"([{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":)"
      R"([{"field":"generation_config.top_k","description":"x"}]}]}})"));
  const v1::ErrorDetail detail = DetailOf(fixture.Run(true).status);
  EXPECT_EQ(detail.kind(), v1::ERROR_KIND_INVALID_REQUEST);
  EXPECT_EQ(detail.field(), "sampling.top_k");
}

TEST(Gemini, APromptThatIsTooLong) {
  CallFixture fixture;
  fixture.Add("google", "gemini");
  fixture.http.Then(Script::Json(
      400, R"({"error":{"code":400,"message":"The input token count (1250074) exceeds the maximum )"
           R"(number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}})"));
  EXPECT_EQ(DetailOf(fixture.Run(false).status).kind(), v1::ERROR_KIND_CONTEXT_LENGTH);
}

}  // namespace
}  // namespace mg
