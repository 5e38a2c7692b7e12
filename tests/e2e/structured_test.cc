// Answers by a schema through the real binary: emulated, mended, and refused in the end.

#include "gmock/gmock.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/daemon.h"

namespace mg::e2e {
namespace {

using ::testing::HasSubstr;

constexpr char kFits[] = R"({\"a\":1})";
constexpr char kMisses[] = R"({\"a\":\"one\"})";

v1::ChatRequest BySchema(const std::string& model) {
  v1::ChatRequest request = Ask(model);
  request.mutable_response_format()->mutable_json_schema()->set_schema_json(
      R"({"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]})");
  return request;
}

Daemon::Options Configured(const FakeUpstream& upstream) {
  return {.config = absl::StrCat(Listening(), "providers:\n", Compatible("a", upstream),
                                 "  claude: { anthropic: { api_key: { env: KEY_C }, base_url: \"",
                                 upstream.Url("/claude"), "\" } }\n"),
          .environment = {{"KEY_C", "sk-key-of-c-12345678"}}};
}

TEST(Structured, AModelWithoutStructuredOutputAnswersByATool) {
  FakeUpstream upstream;
  upstream.When("/claude/v1/messages")
      .Reply(Sse({R"({"type":"message_start","message":{"id":"m","content":[],"usage":{}}})",
                  R"({"type":"content_block_start","index":0,"content_block":{"type":)"
                  R"("tool_use","id":"t","name":"json","input":{}}})",
                  R"({"type":"content_block_delta","index":0,"delta":{"type":)"
                  R"("input_json_delta","partial_json":"{\"a\""}})",
                  R"({"type":"content_block_delta","index":0,"delta":{"type":)"
                  R"("input_json_delta","partial_json":":1}"}})",
                  R"({"type":"content_block_stop","index":0})",
                  R"({"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{}})",
                  R"({"type":"message_stop"})"}));
  Daemon daemon(Configured(upstream));
  const Reply reply = Caller(daemon.tcp()).StreamChat(BySchema("claude/claude-3-5-haiku"));
  ASSERT_TRUE(reply.ok()) << reply.message;
  EXPECT_EQ(reply.Text(), R"({"a":1})");
  EXPECT_EQ(reply.response.choices(0).finish().reason(), v1::FINISH_REASON_STOP);
  ASSERT_EQ(reply.response.report().warnings_size(), 2);
  EXPECT_EQ(reply.response.report().warnings(0).code(), "emulated");
  EXPECT_EQ(reply.response.report().warnings(1).code(), "structured_output_buffered");
}

TEST(Structured, AnAnswerIsMendedOrRefused) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Good(false, kMisses)).Reply(Good(false, kFits));
  Daemon daemon(Configured(upstream));
  const Reply mended = Caller(daemon.tcp()).Chat(BySchema("a/m-1"));
  ASSERT_TRUE(mended.ok()) << mended.message;
  EXPECT_EQ(mended.Text(), R"({"a":1})");
  ASSERT_EQ(mended.response.report().attempts_size(), 2);
  EXPECT_EQ(mended.response.report().attempts(0).error_kind(), v1::ERROR_KIND_SCHEMA_MISMATCH);

  FakeUpstream wrong;
  wrong.Otherwise().Reply(Good(false, kMisses));
  Daemon other(Configured(wrong));
  const Reply refused = Caller(other.tcp()).Chat(BySchema("a/m-1"));
  EXPECT_EQ(refused.code, absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(refused.has_detail);
  EXPECT_EQ(refused.detail.kind(), v1::ERROR_KIND_SCHEMA_MISMATCH);
  EXPECT_THAT(refused.message, HasSubstr("/a"));
  EXPECT_EQ(wrong.hits(), 2);
}

TEST(Structured, AStreamThatMissesHasNoCompleted) {
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Good(true, kMisses));
  Daemon daemon(Configured(upstream));
  const Reply reply = Caller(daemon.tcp()).StreamChat(BySchema("a/m-1"));
  EXPECT_EQ(reply.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(reply.detail.kind(), v1::ERROR_KIND_SCHEMA_MISMATCH);
  EXPECT_FALSE(reply.completed());
  EXPECT_EQ(reply.Text(), R"({"a":"one"})");
}

}  // namespace
}  // namespace mg::e2e
