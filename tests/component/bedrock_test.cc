// Calls to Bedrock through the whole path: what goes out under which headers, what comes back in
// frames, and what follows from its errors.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/component/call_fixture.h"
#include "tests/support/frames.h"

namespace mg {
namespace {

using testing::HasSubstr;

constexpr char kHello[] =
    "messageStart {\"role\":\"assistant\"}\n"
    "contentBlockDelta {\"contentBlockIndex\":0,\"delta\":{\"text\":\"Hello\"}}\n";
constexpr char kEnd[] =
    "contentBlockStop {\"contentBlockIndex\":0}\n"
    "messageStop {\"stopReason\":\"end_turn\"}\n"
    "metadata {\"usage\":{\"inputTokens\":9,\"outputTokens\":5,\"totalTokens\":14}}\n";
constexpr char kThrottled[] = "exception throttlingException {\"message\":\"slow down\"}\n";

Script Frames(const std::string& lines) {
  Script script = Script::Json(200, FramesOf(lines));
  script.headers = {{"content-type", "application/vnd.amazon.eventstream"}};
  return script;
}

TEST(Bedrock, AStreamAndItsRequest) {
  CallFixture fixture;
  fixture.Add("claude", "bedrock");
  fixture.http.Then(Frames(std::string(kHello) + kEnd).With("x-amzn-requestid", "req_1"));
  const CallOutcome outcome = fixture.Run(true);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Text(), "Hello");
  EXPECT_EQ(outcome.response.usage().input_tokens(), 9);
  EXPECT_EQ(outcome.response.choices(0).finish().provider_reason(), "end_turn");
  const HttpRequest& request = fixture.http.hits()[0]->request;
  EXPECT_EQ(request.url, "http://claude.test/v1/model/m/converse-stream");
  EXPECT_EQ(FindHeader(request.headers, "authorization"), "Bearer sk-test");
  EXPECT_EQ(request.body, R"({"messages":[{"role":"user","content":[{"text":"hello"}]}]})");
}

TEST(Bedrock, AWholeAnswer) {
  CallFixture fixture;
  fixture.Add("claude", "bedrock");
  fixture.http.Then(Script::Json(
      200, R"({"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},)"
           R"("stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2}})"));
  const CallOutcome outcome = fixture.Run(false);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Text(), "Hello");
  EXPECT_EQ(fixture.http.hits()[0]->request.url, "http://claude.test/v1/model/m/converse");
}

TEST(Bedrock, AnExceptionBeforeContentIsTriedAgain) {
  CallFixture fixture;
  fixture.Add("claude", "bedrock");
  fixture.http.Then(Frames("exception serviceUnavailableException {\"message\":\"x\"}\n"));
  fixture.http.Then(Script::Json(503, R"({"message":"x"})")
                        .With("x-amzn-errortype", "ServiceUnavailableException"));
  fixture.http.Then(Frames(std::string(kHello) + kEnd));
  const CallOutcome outcome = fixture.Run(true);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "claude:overload claude:overload claude:ok");
}

TEST(Bedrock, AnExceptionBehindContentEndsTheStream) {
  CallFixture fixture;
  fixture.Add("claude", "bedrock");
  fixture.http.Then(Frames(std::string(kHello) + kThrottled));
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_RATE_LIMITED) << outcome.status;
  EXPECT_EQ(outcome.Text(), "Hello");
  EXPECT_EQ(fixture.http.hits().size(), 1u);
}

TEST(Bedrock, WithoutACredentialNobodyIsAsked) {
  CallFixture fixture;
  PlatformConfig platform;
  platform.base_url = "http://aws.test";
  fixture.AddProvider(std::make_unique<HttpProvider>("aws", *FindAdapter("bedrock"), platform,
                                                     Secret(), HttpEndpoint()));
  const CallOutcome outcome = fixture.Run(true);
  const v1::ErrorDetail detail = DetailOf(outcome.status);
  EXPECT_EQ(detail.kind(), v1::ERROR_KIND_CREDENTIAL) << outcome.status;
  EXPECT_EQ(detail.provider(), "aws");
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("AWS_BEARER_TOKEN_BEDROCK"));
  EXPECT_TRUE(fixture.http.hits().empty());
}

}  // namespace
}  // namespace mg
