// Calls to Cohere through the whole path: what goes out under which headers, what comes back, and
// what follows from its errors.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/component/call_fixture.h"

namespace mg {
namespace {

constexpr char kStart[] =
    R"({"id":"c1","type":"message-start","delta":{"message":{"role":"assistant"}}})";
constexpr char kBegin[] = R"({"type":"content-start","index":0,)"
                          R"("delta":{"message":{"content":{"type":"text","text":""}}}})";
constexpr char kHello[] =
    R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hello"}}}})";
constexpr char kEnd[] = R"({"type":"message-end","delta":{"finish_reason":"COMPLETE",)"
                        R"("usage":{"tokens":{"input_tokens":9,"output_tokens":2}}}})";
constexpr char kBroken[] = R"({"type":"message-end","delta":{"finish_reason":"ERROR","usage":{},)"
                           R"("error":"no such tool","error_type":"INVALID_TOOL_GENERATION"}})";

TEST(Cohere, AStreamAndItsRequest) {
  CallFixture fixture;
  fixture.Add("command", "cohere");
  fixture.http.Then(Script::Sse({kStart, kBegin, kHello, kEnd, "[DONE]"}));
  const CallOutcome outcome = fixture.Run(true);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Text(), "Hello");
  EXPECT_EQ(outcome.response.usage().total_tokens(), 11);
  EXPECT_EQ(outcome.response.choices(0).finish().provider_reason(), "COMPLETE");
  const HttpRequest& request = fixture.http.hits()[0]->request;
  EXPECT_EQ(request.url, "http://command.test/v1/v2/chat");
  EXPECT_EQ(FindHeader(request.headers, "authorization"), "Bearer sk-test");
  EXPECT_EQ(request.body,
            R"({"model":"m","messages":[{"role":"user","content":"hello"}],"stream":true})");
}

TEST(Cohere, AWholeAnswer) {
  CallFixture fixture;
  fixture.Add("command", "cohere");
  fixture.http.Then(
      Script::Json(200, R"({"id":"c1","finish_reason":"MAX_TOKENS","message":{"role":"assistant",)"
                        R"("content":[{"type":"text","text":"Hello"}]}})"));
  const CallOutcome outcome = fixture.Run(false);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Text(), "Hello");
  EXPECT_EQ(outcome.response.choices(0).finish().reason(), v1::FINISH_REASON_LENGTH);
}

TEST(Cohere, ATokenThatIsRefusedIsOfTheGateway) {
  CallFixture fixture;
  fixture.Add("command", "cohere");
  fixture.http.Then(Script::Json(498, R"({"message":"invalid api token"})"));
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_CREDENTIAL) << outcome.status;
  EXPECT_EQ(DetailOf(outcome.status).http_status(), 498);
  EXPECT_EQ(fixture.http.hits().size(), 1u);
}

// The request was sound, so another candidate is asked, as long as nothing was said.
TEST(Cohere, AnErrorInsteadOfContentGoesToTheNextCandidate) {
  CallFixture fixture;
  fixture.Add("command", "cohere");
  fixture.Add("other");
  fixture.http.Then(Script::Sse({kStart, kBroken, "[DONE]"})).Then(Good(true));
  const CallOutcome outcome = fixture.Run(true);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "command:malformed other:ok");
}

TEST(Cohere, AnErrorBehindContentEndsTheStream) {
  CallFixture fixture;
  fixture.Add("command", "cohere");
  fixture.http.Then(Script::Sse({kStart, kBegin, kHello, kBroken, "[DONE]"}));
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_MALFORMED_RESPONSE) << outcome.status;
  EXPECT_EQ(outcome.Text(), "Hello");
  EXPECT_EQ(fixture.http.hits().size(), 1u);
}

}  // namespace
}  // namespace mg
