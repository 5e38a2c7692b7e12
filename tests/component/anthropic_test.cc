// Calls to Anthropic's API through the whole path: what goes out under which headers, what comes
// back, and what follows from its errors.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "tests/component/call_fixture.h"

namespace mg {
namespace {

using testing::HasSubstr;

constexpr char kStart[] =
    R"({"type":"message_start","message":{"id":"msg_1","role":"assistant","model":"claude-x",)"
    R"("content":[],"usage":{"input_tokens":9,"cache_read_input_tokens":3,"output_tokens":1}}})";
constexpr char kBlock[] =
    R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})";
constexpr char kHello[] =
    R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}})";
constexpr char kBlockStop[] = R"({"type":"content_block_stop","index":0})";
constexpr char kEnd[] =
    R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}})";
constexpr char kStop[] = R"({"type":"message_stop"})";
constexpr char kOverloaded[] =
    R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})";

Script Good() { return Script::Sse({kStart, kBlock, kHello, kBlockStop, kEnd, kStop}); }

TEST(Anthropic, AStreamAndItsRequest) {
  CallFixture fixture;
  fixture.Add("claude", "anthropic");
  fixture.http.Then(Good().With("request-id", "req_1"));
  const CallOutcome outcome = fixture.Run(true);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Text(), "Hello");
  EXPECT_EQ(outcome.response.usage().input_tokens(), 12);
  EXPECT_EQ(outcome.response.usage().cached_input_tokens(), 3);
  EXPECT_EQ(outcome.response.choices(0).finish().provider_reason(), "end_turn");
  EXPECT_EQ(outcome.record.attempts.size(), 1u);

  const HttpRequest& request = fixture.http.hits()[0]->request;
  EXPECT_EQ(request.url, "http://claude.test/v1/v1/messages");
  EXPECT_EQ(FindHeader(request.headers, "x-api-key"), "sk-test");
  EXPECT_EQ(FindHeader(request.headers, "authorization"), "");
  EXPECT_EQ(FindHeader(request.headers, "anthropic-version"), "2023-06-01");
  EXPECT_EQ(FindHeader(request.headers, "content-type"), "application/json");
  JsonDocument body;
  ASSERT_TRUE(ParseJson(request.body, &body).ok()) << request.body;
  EXPECT_TRUE(Member(body, "stream")->GetBool());
  EXPECT_GT(Member(body, "max_tokens")->GetInt(), 0);
}

TEST(Anthropic, AWholeAnswer) {
  CallFixture fixture;
  fixture.Add("claude", "anthropic");
  fixture.http.Then(Script::Json(
      200, R"({"id":"msg_1","type":"message","model":"claude-x","content":[{"type":"text",)"
           R"("text":"Hello"}],"stop_reason":"end_turn","usage":{"input_tokens":1}})"));
  const CallOutcome outcome = fixture.Run(false);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Text(), "Hello");
}

TEST(Anthropic, AnErrorBeforeContentIsTriedAgain) {
  CallFixture fixture;
  fixture.Add("claude", "anthropic");
  fixture.http.Then(Script::Sse({kStart, kOverloaded})).Then(Script::Json(529, kOverloaded));
  fixture.http.Then(Good());
  const CallOutcome outcome = fixture.Run(true);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "claude:overload claude:overload claude:ok");
}

TEST(Anthropic, AnErrorBehindContentEndsTheStream) {
  CallFixture fixture;
  fixture.Add("claude", "anthropic");
  fixture.http.Then(Script::Sse({kStart, kBlock, kHello, kOverloaded}));
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_OVERLOADED) << outcome.status;
  EXPECT_EQ(outcome.Text(), "Hello");
  EXPECT_EQ(fixture.http.hits().size(), 1u);
}

TEST(Anthropic, ARefusedKeyIsTheGatewaysAffair) {
  CallFixture fixture;
  fixture.Add("claude", "anthropic");
  fixture.http.Then(Script::Json(
      401,
      R"({"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}})"));
  const CallOutcome outcome = fixture.Run(true);
  const v1::ErrorDetail detail = DetailOf(outcome.status);
  EXPECT_EQ(detail.kind(), v1::ERROR_KIND_CREDENTIAL) << outcome.status;
  EXPECT_EQ(detail.provider_code(), "authentication_error");
  EXPECT_EQ(detail.provider_message(), "");
}

TEST(Anthropic, WhatItCannotServeGoesToTheNextCandidate) {
  CallFixture fixture;
  fixture.Add("claude", "anthropic");
  fixture.Add("other");
  fixture.request.mutable_sampling()->set_choices(2);
  fixture.http.Then(Script::Json(
      200,
      R"({"id":"1","choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]})"));
  const CallOutcome outcome = fixture.Run(false);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "other:ok");
  EXPECT_THAT(fixture.http.hits()[0]->request.url, HasSubstr("other.test"));
}

}  // namespace
}  // namespace mg
