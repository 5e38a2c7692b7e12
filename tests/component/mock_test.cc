// The mock on the path of a real provider: replies, pace and faults, under virtual time.

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "daemon/mock_provider.h"
#include "tests/component/call_fixture.h"

namespace mg {
namespace {

void AddMock(CallFixture* fixture, const std::string& textproto) {
  v1::MockConfig config;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(textproto, &config));
  auto mock = MockProvider::Create("fake", config);
  ASSERT_TRUE(mock.ok()) << mock.status();
  fixture->AddProvider(*std::move(mock));
}

void Say(CallFixture* fixture, const std::string& text) {
  fixture->request.mutable_messages(0)->mutable_parts(0)->set_text(text);
}

TEST(Mock, EchoesTheLastUserTextWordByWord) {
  for (const bool stream : {false, true}) {
    CallFixture fixture;
    AddMock(&fixture, "");
    Say(&fixture, "one  two\nthree");
    v1::Message* answer = fixture.request.add_messages();
    answer->set_role(v1::ROLE_ASSISTANT);
    answer->add_parts()->set_text("not this");
    const CallOutcome outcome = fixture.Run(stream);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(outcome.Text(), "one  two\nthree");
    EXPECT_EQ(outcome.response.usage().input_tokens(), 5);
    EXPECT_EQ(outcome.response.usage().output_tokens(), 3);
    EXPECT_EQ(outcome.response.choices(0).finish().reason(), v1::FINISH_REASON_STOP);
    if (stream) EXPECT_EQ(outcome.record.output_events, 3);
  }
}

TEST(Mock, TheSameCallHasTheSameAnswer) {
  std::string first;
  for (int i = 0; i < 2; ++i) {
    CallFixture fixture;
    AddMock(&fixture, "");
    CallOutcome outcome = fixture.Run(false);
    outcome.response.clear_report();
    const std::string text = outcome.response.SerializeAsString();
    if (i == 0) first = text;
    EXPECT_EQ(text, first);
  }
}

TEST(Mock, TheFirstRuleThatFitsAnswers) {
  const std::string rules = R"(
    rules { model: "other*" reply { text: "no" } }
    rules { model: "m" last_user: "(?i)weather" reply { text: "Sunny." } }
    rules { reply { text: "anything" } })";
  CallFixture weather;
  AddMock(&weather, rules);
  Say(&weather, "What WEATHER is it?");
  EXPECT_EQ(weather.Run(false).Text(), "Sunny.");
  CallFixture rest;
  AddMock(&rest, rules);
  EXPECT_EQ(rest.Run(false).Text(), "anything");
}

TEST(Mock, KeepsItsPace) {
  const std::string latency = "latency { first { nanos: 100000000 } token { nanos: 10000000 } }";
  for (const bool stream : {false, true}) {
    CallFixture fixture;
    AddMock(&fixture, latency);
    Say(&fixture, "a b c d e");
    const Instant start = fixture.loop.now();
    const CallOutcome outcome = fixture.Run(stream);
    EXPECT_EQ(outcome.ended_at - start, absl::Milliseconds(140));
    if (stream) {
      EXPECT_EQ(outcome.record.attempts[0].time_to_first_token, absl::Milliseconds(100));
    }
  }
}

TEST(Mock, StopsAtTheLimitOfTokens) {
  CallFixture fixture;
  AddMock(&fixture, "");
  Say(&fixture, "a b c d e");
  fixture.request.mutable_sampling()->set_max_output_tokens(2);
  const CallOutcome outcome = fixture.Run(true);
  EXPECT_EQ(outcome.Text(), "a b ");
  EXPECT_EQ(outcome.response.choices(0).finish().reason(), v1::FINISH_REASON_LENGTH);
}

struct FaultRow {
  const char* fault;
  bool stream;
  v1::ErrorKind kind;
  const char* text;  // what was delivered before
  size_t attempts;
};

class MockFaults : public testing::TestWithParam<FaultRow> {};

TEST_P(MockFaults, EndLikeThoseOfARealProvider) {
  const FaultRow& row = GetParam();
  CallFixture fixture;
  AddMock(&fixture, std::string("fault { ") + row.fault + " }");
  Say(&fixture, "a b c d e");
  fixture.deadline = absl::Seconds(100);
  const CallOutcome outcome = fixture.Run(row.stream);
  EXPECT_EQ(DetailOf(outcome.status).kind(), row.kind) << outcome.status;
  EXPECT_EQ(DetailOf(outcome.status).provider(), row.kind == v1::ERROR_KIND_DEADLINE ? "" : "fake");
  EXPECT_EQ(outcome.Text(), row.text);
  EXPECT_EQ(outcome.record.attempts.size(), row.attempts);
}

INSTANTIATE_TEST_SUITE_P(
    All, MockFaults,
    testing::Values(
        FaultRow{"status: 503", false, v1::ERROR_KIND_OVERLOADED, "", 3},
        FaultRow{"status: 429", true, v1::ERROR_KIND_RATE_LIMITED, "", 3},
        FaultRow{"status: 401", true, v1::ERROR_KIND_CREDENTIAL, "", 1},
        FaultRow{"status: 400", false, v1::ERROR_KIND_INVALID_REQUEST, "", 1},
        FaultRow{"reset_after: 0", true, v1::ERROR_KIND_CONNECTION, "", 3},
        FaultRow{"reset_after: 2", false, v1::ERROR_KIND_CONNECTION, "", 3},
        FaultRow{"reset_after: 2", true, v1::ERROR_KIND_STREAM_INTERRUPTED, "a b ", 1},
        FaultRow{"truncate_after: 0", true, v1::ERROR_KIND_MALFORMED_RESPONSE, "", 3},
        FaultRow{"truncate_after: 3", true, v1::ERROR_KIND_STREAM_INTERRUPTED, "a b c ", 1},
        FaultRow{"malformed: true", true, v1::ERROR_KIND_MALFORMED_RESPONSE, "", 1},
        FaultRow{"malformed: true", false, v1::ERROR_KIND_MALFORMED_RESPONSE, "", 1},
        FaultRow{"stall_after: 0", false, v1::ERROR_KIND_DEADLINE, "", 1},
        FaultRow{"stall_after: 2", true, v1::ERROR_KIND_STREAM_INTERRUPTED, "a b ", 1}));

TEST(Mock, RefusesWhatIsNoSchema) {
  CallFixture fixture;
  AddMock(&fixture, "");
  fixture.request.add_tools()->set_parameters_schema_json("{]");
  const CallOutcome outcome = fixture.Run(false);
  EXPECT_EQ(DetailOf(outcome.status).kind(), v1::ERROR_KIND_INVALID_REQUEST);
  EXPECT_EQ(DetailOf(outcome.status).field(), "tools[0].parameters_schema_json");
}

TEST(Mock, ARuleThatIsNoPatternIsRefused) {
  v1::MockConfig config;
  config.add_rules()->set_last_user("(");
  EXPECT_FALSE(MockProvider::Create("fake", config).ok());
}

}  // namespace
}  // namespace mg
