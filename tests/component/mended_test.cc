// Failures that the gateway itself can mend: a preference that the provider refuses to know, and a
// clock that differs from the provider's. Each is one more attempt at the same candidate.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/component/call_fixture.h"

namespace mg {
namespace {

using testing::HasSubstr;
using testing::Not;

Script Refusing(const std::string& param, const std::string& code = "unsupported_parameter") {
  return Script::Json(400, absl::StrCat(R"({"error":{"message":"no )", param,
                                        R"(","type":"invalid_request_error","param":")", param,
                                        R"(","code":")", code, R"("}})"));
}

CallFixture& WithSampling(CallFixture* fixture) {
  fixture->request.mutable_sampling()->set_temperature(0.5);
  fixture->request.mutable_sampling()->set_top_p(0.9);
  return *fixture;
}

class Mended : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(WholeAndStreamed, Mended, testing::Bool());

TEST_P(Mended, WithoutThePreferenceThatWasRefused) {
  CallFixture fixture;
  WithSampling(&fixture).Add("a");
  fixture.Add("b");
  fixture.http.Then(Refusing("temperature")).Then(Good(GetParam()));
  const CallOutcome outcome = fixture.Run(GetParam());
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "a:caller a:ok");
  EXPECT_THAT(fixture.http.hits()[0]->request.body, HasSubstr("temperature"));
  EXPECT_THAT(fixture.http.hits()[1]->request.body, Not(HasSubstr("temperature")));
  EXPECT_THAT(fixture.http.hits()[1]->request.body, HasSubstr("\"top_p\":0.9"));
  EXPECT_EQ(fixture.http.hits()[1]->at, fixture.http.hits()[0]->at) << "at once";
  ASSERT_EQ(outcome.record.warnings.size(), 1u);
  EXPECT_EQ(outcome.record.warnings[0].code(), "dropped");
  EXPECT_EQ(outcome.record.warnings[0].field(), "sampling.temperature");
  EXPECT_THAT(outcome.record.warnings[0].message(), HasSubstr("no temperature"));
}

TEST_P(Mended, OnceInACall) {
  CallFixture fixture;
  WithSampling(&fixture).Add("a");
  fixture.http.Then(Refusing("temperature", "unsupported_value")).Then(Refusing("top_p"));
  const CallOutcome outcome = fixture.Run(GetParam());
  EXPECT_EQ(outcome.Attempts(), "a:caller a:caller");
  EXPECT_EQ(DetailOf(outcome.status).field(), "sampling.top_p");
  EXPECT_EQ(DetailOf(outcome.status).reason(), "unsupported_parameter");
  EXPECT_TRUE(outcome.record.warnings.empty());
}

TEST_P(Mended, AsAnAttemptLikeAnyOther) {
  CallFixture fixture;
  fixture.max_attempts = 1;
  WithSampling(&fixture).Add("a");
  fixture.http.Then(Refusing("temperature"));
  const CallOutcome outcome = fixture.Run(GetParam());
  EXPECT_EQ(outcome.Attempts(), "a:caller");
  EXPECT_EQ(DetailOf(outcome.status).field(), "sampling.temperature");
}

// What follows is what the caller is told, and another candidate gets the whole request.
TEST_P(Mended, AndThenAnotherFailure) {
  CallFixture fixture;
  WithSampling(&fixture).Add("a");
  fixture.Add("b");
  fixture.http.Then(Refusing("temperature")).Then(Script::Json(502, "{}")).Then(Good(GetParam()));
  const CallOutcome outcome = fixture.Run(GetParam());
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.record.attempts.back().provider, "b");
  EXPECT_THAT(fixture.http.hits().back()->request.body, HasSubstr("temperature"));
  EXPECT_TRUE(outcome.record.warnings.empty());

  CallFixture alone;
  alone.max_attempts = 2;
  WithSampling(&alone).Add("a");
  alone.http.Then(Refusing("temperature")).Then(Script::Json(502, "{}"));
  EXPECT_EQ(DetailOf(alone.Run(GetParam()).status).kind(), v1::ERROR_KIND_SERVER_ERROR);
}

TEST_P(Mended, NotWhatChangesTheMeaningNorAWrongValue) {
  for (const Script& refusal :
       {Refusing("n"), Refusing("messages"), Refusing("temperature", "invalid_value"),
        Refusing("seed"), Refusing("max_completion_tokens")}) {
    CallFixture fixture;
    WithSampling(&fixture).Add("a");
    fixture.request.mutable_sampling()->set_max_output_tokens(9);
    fixture.http.Then(refusal);
    EXPECT_EQ(fixture.Run(GetParam()).Attempts(), "a:caller");
  }
}

// Each server has words of its own for it.
TEST(MendedRefusal, HoweverItNamesItsField) {
  const Script refusals[] = {
      Script::Json(422, R"({"detail":[{"type":"extra_forbidden","loc":["body","random_seed"],)"
                        R"("msg":"Extra inputs are not permitted"}]})"),
      Script::Json(400, R"([{"error":{"code":400,"message":"Invalid JSON payload received. )"
                        R"(Unknown name \"seed\": Cannot find field.","status":"INVALID_ARGUMENT",)"
                        R"("details":[{"fieldViolations":[{"description":"Invalid JSON payload )"
                        R"(received. Unknown name \"seed\": Cannot find field."}]}]}}])"),
      Script::Json(400, R"({"code":"invalid-argument",)"
                        R"("error":"Argument not supported on this model: seed"})"),
      Script::Json(400, R"({"code":"invalid-argument",)"
                        R"("error":"Model grok-4 does not support parameter seed."})")};
  for (const Script& refusal : refusals) {
    CallFixture fixture;
    fixture.request.mutable_sampling()->set_seed(7);
    fixture.Add("a", "openai_compatible");
    fixture.http.Then(refusal).Then(Good(true));
    const CallOutcome outcome = fixture.Run(true);
    EXPECT_EQ(outcome.Attempts(), "a:caller a:ok") << refusal.pieces[0].bytes;
  }
  CallFixture camel;
  camel.request.mutable_sampling()->set_presence_penalty(0.1);
  camel.Add("a", "openai_compatible");
  camel.http
      .Then(
          Script::Json(400, R"({"error":"Argument not supported on this model: presencePenalty"})"))
      .Then(Good(true));
  EXPECT_EQ(camel.Run(true).Attempts(), "a:caller a:ok");
}

constexpr char kExpired[] =
    R"({"message":"Signature expired: 20261122T000000Z is now earlier than it may be"})";
constexpr char kAnswer[] =
    R"({"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},)"
    R"("stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2}})";

void AddSigning(CallFixture* fixture) {
  PlatformConfig platform;
  platform.base_url = "http://aws.test";
  platform.region = "us-east-1";
  Secrets secrets;
  secrets.aws = {Secret("AKID"), Secret("secret"), Secret()};
  fixture->AddProvider(std::make_unique<HttpProvider>(
      "aws", *FindAdapter("bedrock"), platform, std::make_unique<FixedSecrets>(std::move(secrets)),
      HttpEndpoint()));
}

std::string DateOf(absl::Time time) {
  return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", time, absl::UTCTimeZone());
}

std::string SignedAt(const CallFixture& fixture, size_t hit) {
  return std::string(FindHeader(fixture.http.hits()[hit]->request.headers, "x-amz-date"));
}

std::string AmzDate(absl::Time time) {
  return absl::FormatTime("%Y%m%dT%H%M%SZ", time, absl::UTCTimeZone());
}

TEST(ClockOfTheProvider, IsLearntFromItsDateAndKept) {
  CallFixture fixture;
  AddSigning(&fixture);
  const absl::Time theirs = fixture.loop.WallTime() + absl::Hours(3);
  fixture.http.Then(Script::Json(403, kExpired)
                        .With("x-amzn-errortype", "InvalidSignatureException")
                        .With("date", DateOf(theirs)));
  fixture.http.Then(Script::Json(200, kAnswer)).Then(Script::Json(200, kAnswer));
  const CallOutcome outcome = fixture.Run(false);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.Attempts(), "aws:credential aws:ok");
  EXPECT_EQ(SignedAt(fixture, 0), AmzDate(fixture.loop.WallTime()));
  EXPECT_EQ(SignedAt(fixture, 1), AmzDate(theirs));
  EXPECT_TRUE(outcome.record.warnings.empty());

  EXPECT_EQ(fixture.Run(false).Attempts(), "aws:ok") << "the next call knows";
  EXPECT_EQ(SignedAt(fixture, 2), AmzDate(theirs));
}

TEST(ClockOfTheProvider, AlsoWhereItIsBehind) {
  CallFixture fixture;
  AddSigning(&fixture);
  const absl::Time theirs = fixture.loop.WallTime() - absl::Minutes(20);
  fixture.http.Then(Script::Json(400, R"({"__type":"RequestExpired","message":"x"})")
                        .With("date", DateOf(theirs)));
  fixture.http.Then(Script::Json(200, kAnswer));
  EXPECT_EQ(fixture.Run(false).Attempts(), "aws:credential aws:ok");
  EXPECT_EQ(SignedAt(fixture, 1), AmzDate(theirs));
}

// A key that is wrong is wrong at any time.
TEST(ClockOfTheProvider, IsNotToBlameForAWrongKey) {
  for (const absl::Duration skew : {absl::ZeroDuration(), absl::Minutes(4)}) {
    CallFixture fixture;
    AddSigning(&fixture);
    fixture.http.Then(Script::Json(403, kExpired)
                          .With("x-amzn-errortype", "InvalidSignatureException")
                          .With("date", DateOf(fixture.loop.WallTime() + skew)));
    EXPECT_EQ(fixture.Run(false).Attempts(), "aws:credential");
  }
  CallFixture without_date;
  AddSigning(&without_date);
  without_date.http.Then(
      Script::Json(403, kExpired).With("x-amzn-errortype", "InvalidSignatureException"));
  EXPECT_EQ(without_date.Run(false).Attempts(), "aws:credential");

  CallFixture twice;
  AddSigning(&twice);
  const absl::Time theirs = twice.loop.WallTime() + absl::Hours(1);
  for (int i = 0; i < 2; ++i) {
    twice.http.Then(Script::Json(403, kExpired)
                        .With("x-amzn-errortype", "InvalidSignatureException")
                        .With("date", DateOf(theirs)));
  }
  EXPECT_EQ(twice.Run(false).Attempts(), "aws:credential aws:credential");
}

}  // namespace
}  // namespace mg
