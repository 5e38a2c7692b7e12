// Answers that were asked for by a schema, through the whole path: what is mended, what counts as
// an attempt, what the caller gets of an answer that does not fit, and what of none of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "tests/component/call_fixture.h"

namespace mg {
namespace {

using testing::HasSubstr;

constexpr char kFits[] = R"({\"a\":1})";
constexpr char kMisses[] = R"({\"a\":\"one\"})";

class SchemaCall : public CallFixture {
 public:
  SchemaCall() {
    request.mutable_response_format()->mutable_json_schema()->set_schema_json(
        R"({"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]})");
  }
  // A model without structured output.
  Candidate& AddOld(const std::string& provider) {
    Candidate& candidate = Add(provider, "anthropic");
    candidate.model = "claude-3-5-haiku";
    return candidate;
  }
  std::string Body(size_t hit) const { return http.hits()[hit]->request.body; }
};

class Structured : public SchemaCall, public testing::Test {
 protected:
  using SchemaCall::Run;
  static std::vector<std::string> WarningCodes(const CallOutcome& outcome) {
    std::vector<std::string> codes;
    for (const v1::Warning& warning : outcome.response.report().warnings()) {
      codes.push_back(absl::StrCat(warning.code(), " ", warning.field()));
    }
    return codes;
  }
};

// One call of the tool "json", whole or streamed.
Script ByTool(bool stream, const std::string& arguments) {
  if (!stream) {
    std::string input = arguments;
    std::erase(input, '\\');
    return Script::Json(
        200, absl::StrCat(R"({"id":"msg_1","type":"message","model":"c","content":[{"type":)",
                          R"("tool_use","id":"t","name":"json","input":)", input,
                          R"(}],"stop_reason":"tool_use","usage":{"output_tokens":7}})"));
  }
  return Script::Sse(
      {R"({"type":"message_start","message":{"id":"msg_1","model":"c","content":[],"usage":{}}})",
       R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"I see."}})",
       R"({"type":"content_block_stop","index":0})",
       R"({"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t",)"
       R"("name":"json","input":{}}})",
       absl::StrCat(R"({"type":"content_block_delta","index":1,"delta":{"type":)",
                    R"("input_json_delta","partial_json":")", arguments, R"("}})"),
       R"({"type":"content_block_stop","index":1})",
       R"({"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":7}})",
       R"({"type":"message_stop"})"},
      absl::Milliseconds(10));
}

TEST_F(Structured, AnEmulatedAnswerIsTheAnswer) {
  AddOld("old");
  http.Then(ByTool(false, kFits));
  const CallOutcome outcome = Run(false);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Text(), R"({"a":1})");
  ASSERT_EQ(outcome.response.choices(0).message().parts_size(), 1);
  EXPECT_EQ(outcome.response.choices(0).finish().reason(), v1::FINISH_REASON_STOP);
  EXPECT_EQ(outcome.response.choices(0).finish().provider_reason(), "tool_use");
  EXPECT_THAT(WarningCodes(outcome), testing::ElementsAre("emulated response_format"));
  EXPECT_THAT(Body(0), HasSubstr(R"("tool_choice":{"type":"tool","name":"json",)"
                                 R"("disable_parallel_tool_use":true})"));
}

TEST_F(Structured, AnEmulatedStreamComesWhole) {
  AddOld("old");
  http.Then(ByTool(true, kFits));
  const CallOutcome outcome = Run(true);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Text(), R"({"a":1})");
  ASSERT_EQ(outcome.events.size(), 4u);  // Started, one delta, the finish, Completed
  EXPECT_EQ(outcome.events[1].delta().part().text(), R"({"a":1})");
  EXPECT_THAT(WarningCodes(outcome),
              testing::ElementsAre("emulated response_format",
                                   "structured_output_buffered response_format"));
}

TEST_F(Structured, AnAnswerThatMissesIsMendedOnce) {
  for (const bool old : {false, true}) {
    for (const bool stream : {false, true}) {
      if (stream && !old) continue;  // its content went out before its end
      SCOPED_TRACE(absl::StrCat("old ", old, " stream ", stream));
      SchemaCall fixture;
      if (old) {
        fixture.AddOld("a");
        fixture.http.Then(ByTool(stream, kMisses)).Then(ByTool(stream, kFits));
      } else {
        fixture.Add("a");
        fixture.http.Then(Good(stream, kMisses)).Then(Good(stream, kFits));
      }
      const CallOutcome outcome = fixture.Run(stream);
      ASSERT_TRUE(outcome.status.ok()) << outcome.status;
      EXPECT_EQ(outcome.Text(), R"({"a":1})");
      EXPECT_EQ(outcome.Attempts(), "a:schema a:ok");
      EXPECT_EQ(outcome.record.attempts[0].usage.output_tokens(), old ? 7 : 2);
      EXPECT_EQ(outcome.record.attempts[1].waited, absl::ZeroDuration());
      // Its own words as history, and what is wrong with them.
      EXPECT_THAT(fixture.Body(1), HasSubstr(R"({\"a\":\"one\"})"));
      EXPECT_THAT(fixture.Body(1), HasSubstr("- at /a: must be integer (type)"));
      EXPECT_THAT(fixture.Body(0), testing::Not(HasSubstr("must be integer")));
    }
  }
}

TEST_F(Structured, Row45OnlyOnceAndThenTheNextCandidate) {
  Add("a");
  Add("b");
  http.Then(Good(false, kMisses)).Then(Good(false, kMisses)).Then(Good(false, kFits));
  const CallOutcome outcome = Run(false);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "a:schema a:schema b:ok");
  EXPECT_THAT(Body(2), testing::Not(HasSubstr("must be integer")));
}

TEST_F(Structured, Row45NothingThatFitsIsAnError) {
  Add("a");
  http.Then(Good(false, kMisses)).Then(Good(false, kMisses));
  const CallOutcome outcome = Run(false);
  EXPECT_EQ(outcome.Attempts(), "a:schema a:schema");
  EXPECT_EQ(outcome.status.code(), absl::StatusCode::kFailedPrecondition);
  const v1::ErrorDetail detail = DetailOf(outcome.status);
  EXPECT_EQ(detail.kind(), v1::ERROR_KIND_SCHEMA_MISMATCH);
  EXPECT_EQ(detail.provider(), "a");
  EXPECT_EQ(detail.http_status(), 200);
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("at /a: must be integer (type)"));
}

TEST_F(Structured, AMendingIsAnAttemptWithinTheLimit) {
  Add("a");
  Add("b");
  max_attempts = 1;
  http.Then(Good(false, kMisses));
  EXPECT_EQ(Run(false).Attempts(), "a:schema");

  SchemaCall per_candidate;
  per_candidate.Add("a").retry.max_per_candidate = 1;
  per_candidate.Add("b");
  per_candidate.http.Then(Good(false, kMisses)).Then(Good(false, kFits));
  EXPECT_EQ(per_candidate.Run(false).Attempts(), "a:schema b:ok");
}

// A repeat of the mending asks the same once more.
TEST_F(Structured, AMendingThatFailsIsTriedAgainAsAnyAttempt) {
  Add("a");
  http.Then(Good(false, kMisses)).Then(Failing(500)).Then(Good(false, kFits));
  const CallOutcome outcome = Run(false);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "a:schema a:5xx a:ok");
  EXPECT_EQ(Body(1), Body(2));
}

TEST_F(Structured, ANativeStreamEndsInAnErrorInsteadOfCompleted) {
  Add("a");
  Add("b");
  http.Then(Good(true, kMisses));
  const CallOutcome outcome = Run(true);
  EXPECT_EQ(outcome.Attempts(), "a:schema");
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_SCHEMA_MISMATCH) << outcome.status;
  EXPECT_EQ(outcome.Text(), R"({"a":"one"})");
  for (const v1::ChatEvent& event : outcome.events) {
    EXPECT_FALSE(event.has_completed() || event.has_finished());
  }
}

// Nothing was sent of a stream without content: it may be mended.
TEST_F(Structured, AnEmptyNativeStreamIsMended) {
  Add("a");
  http.Then(Script::Sse({Role(), Stop(), "[DONE]"})).Then(Good(true, kFits));
  const CallOutcome outcome = Run(true);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "a:schema a:ok");
  EXPECT_EQ(outcome.Text(), R"({"a":1})");
}

TEST_F(Structured, SeveralChoicesAreNotMended) {
  Add("a");
  request.mutable_sampling()->set_choices(2);
  http.Then(Good(false, kMisses));
  EXPECT_EQ(Run(false).Attempts(), "a:schema");
}

TEST_F(Structured, ASchemaThatIsNoneReachesNobody) {
  Add("a");
  request.mutable_response_format()->mutable_json_schema()->set_schema_json(R"({"$ref":"#"})");
  const CallOutcome outcome = Run(false);
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_INVALID_REQUEST) << outcome.status;
  EXPECT_EQ(DetailOf(outcome.status).field(), "response_format.json_schema.schema_json");
  EXPECT_TRUE(http.hits().empty());
}

}  // namespace
}  // namespace mg
