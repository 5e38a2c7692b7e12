#include "adapters/dialects/openai_errors.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace mg {
namespace {

const DialectContext kContext = {.provider = "acme", .model = "m"};

absl::Status Http(int status, absl::string_view body, HttpHeaders headers = {}) {
  return OpenAiHttpError(kContext, {status, std::move(headers)}, body, absl::UnixEpoch());
}

ErrorClass ClassFor(int status, absl::string_view body) { return ClassOf(Http(status, body)); }

std::string Error(absl::string_view members) { return absl::StrCat("{\"error\":{", members, "}}"); }

using C = ErrorClass;

TEST(OpenAiErrors, ByStatusAlone) {
  const std::vector<std::pair<int, C>> rows = {{301, C::kRedirect},
                                               {400, C::kCaller},
                                               {401, C::kCredential},
                                               {402, C::kQuota},
                                               {403, C::kCredential},
                                               {404, C::kModel},
                                               {405, C::kUnsupportedMethod},
                                               {408, C::kTimeout},
                                               {409, C::kConflict},
                                               {410, C::kModel},
                                               {413, C::kContext},
                                               {415, C::kCaller},
                                               {418, C::kUnknown},
                                               {422, C::kCaller},
                                               {424, C::kServerError},
                                               {425, C::kConflict},
                                               {429, C::kRate},
                                               {498, C::kOverload},
                                               {499, C::kCancel},
                                               {500, C::kServerError},
                                               {501, C::kUnsupportedMethod},
                                               {502, C::kServerError},
                                               {503, C::kOverload},
                                               {504, C::kGatewayTimeout},
                                               {520, C::kServerError},
                                               {524, C::kGatewayTimeout},
                                               {529, C::kOverload},
                                               {599, C::kServerError}};
  for (const auto& [status, expected] : rows) {
    for (const char* body : {"", "{}", "[]", "null", "<html>no</html>", "{\"error\":null}"}) {
      EXPECT_EQ(ClassFor(status, body), expected) << status << body;
      EXPECT_EQ(DetailOf(Http(status, body)).http_status(), status);
    }
  }
}

TEST(OpenAiErrors, ByWords) {
  EXPECT_EQ(ClassFor(400, Error(R"("code":"context_length_exceeded")")), C::kContext);
  EXPECT_EQ(ClassFor(422, R"({"detail":"prompt too long"})"), C::kContext);
  EXPECT_EQ(ClassFor(400, Error(R"("type":"TOO_MANY_TOKENS")")), C::kContext);
  EXPECT_EQ(ClassFor(429, Error(R"("message":"too many tokens")")), C::kRate);
  EXPECT_EQ(ClassFor(400, Error(R"("message":"string too long","code":"string_above_max_length")")),
            C::kCaller);
  EXPECT_EQ(ClassFor(400, Error(R"("code":"content_policy_violation")")), C::kPolicy);
  EXPECT_EQ(
      ClassFor(400, Error(R"("code":"x","innererror":{"code":"ResponsibleAIPolicyViolation"})")),
      C::kPolicy);
  EXPECT_EQ(ClassFor(429, Error(R"("type":"insufficient_quota")")), C::kQuota);
  EXPECT_EQ(ClassFor(403, Error(R"("code":"billing_hard_limit_reached")")), C::kQuota);
  EXPECT_EQ(ClassFor(400, Error(R"("code":"model_not_found","param":"model")")), C::kModel);
  EXPECT_EQ(ClassFor(404, Error(R"("param":"previous_response_id")")), C::kCaller);
  EXPECT_EQ(ClassFor(404, R"({"error":"model \"x\" not found, try pulling it first"})"), C::kModel);
  EXPECT_EQ(ClassFor(403, Error(R"("message":"Project does not have access to model x")")),
            C::kModel);
  EXPECT_EQ(
      ClassFor(400, R"({"code":"invalid-argument","error":"Incorrect API key provided: xai-12"})"),
      C::kCredential);
  EXPECT_EQ(ClassFor(503, Error(R"("code":503,"message":"Loading model")")), C::kOverload);
  EXPECT_EQ(ClassFor(500, Error(R"("code":"server_is_overloaded")")), C::kOverload);
  EXPECT_EQ(ClassFor(400, Error(R"("code":"tool_use_failed")")), C::kMalformed);
}

TEST(OpenAiErrors, PaymentWithAHintIsAWait) {
  EXPECT_EQ(ClassOf(Http(402, "{}", {{"Retry-After", "5"}})), C::kRate);
  EXPECT_EQ(DetailOf(Http(402, "{}", {{"Retry-After", "5"}})).retry_after().seconds(), 5);
}

TEST(OpenAiErrors, BodiesOfAllForms) {
  const auto message = [](absl::string_view body) {
    return DetailOf(Http(400, body)).provider_message();
  };
  EXPECT_EQ(message(R"({"error":{"message":"m"}})"), "m");
  EXPECT_EQ(message(R"([{"error":{"message":"m"}}])"), "m");
  EXPECT_EQ(message(R"({"error":"m"})"), "m");
  EXPECT_EQ(message(R"("m")"), "m");
  EXPECT_EQ(message(R"({"error":"{\"error\":{\"message\":\"m\"}}"})"), "m");
  EXPECT_EQ(message(R"("{\"message\":\"m\"}")"), "m");
  const std::string nested = Error(R"("code":"content_filter","message":"{\"message\":\"m\"}")");
  EXPECT_EQ(message(nested), "m");
  EXPECT_EQ(ClassFor(400, nested), C::kPolicy);
  EXPECT_EQ(message(R"({"detail":"m"})"), "m");
  EXPECT_EQ(message(R"({"message":"m","object":"error"})"), "m");
  EXPECT_EQ(message("m"), "m");
  EXPECT_EQ(message("<html>m</html>"), "");
  EXPECT_EQ(
      message(
          R"({"detail":[{"loc":["body","temperature"],"msg":"a"},{"loc":["body","x"],"msg":"b"}]})"),
      "a; b");
  EXPECT_EQ(message(std::string(100, '[')), std::string(100, '['));
}

TEST(OpenAiErrors, CodesAndFields) {
  const auto code = [](absl::string_view body) {
    return DetailOf(Http(400, body)).provider_code();
  };
  EXPECT_EQ(code(Error(R"("code":"a","type":"b")")), "a");
  EXPECT_EQ(code(Error(R"("code":401,"type":"b")")), "b");
  EXPECT_EQ(code(Error(R"("code":"401")")), "401");
  EXPECT_EQ(code(R"({"object":"error","type":"400","code":400})"), "400");
  EXPECT_EQ(code(R"({"code":"invalid-argument","error":"t"})"), "invalid-argument");
  EXPECT_EQ(code(Error(R"("code":400,"status":"FAILED_PRECONDITION")")), "FAILED_PRECONDITION");
  const auto field = [](absl::string_view body) { return DetailOf(Http(422, body)).field(); };
  EXPECT_EQ(field(Error(R"("param":"temperature")")), "sampling.temperature");
  EXPECT_EQ(field(R"({"detail":[{"loc":["body","max_tokens"],"msg":"a"}]})"),
            "sampling.max_output_tokens");
  EXPECT_EQ(field(R"({"detail":[{"loc":["body","messages",2,"content"],"msg":"a"}]})"),
            "messages[2]");
  EXPECT_EQ(OpenAiFieldOf("messages.[2].content"), "messages[2]");
  EXPECT_EQ(OpenAiFieldOf("messages[12].content[0].image_url"), "messages[12]");
  EXPECT_EQ(OpenAiFieldOf("tools[0].function.parameters"), "tools[0].parameters_schema_json");
  EXPECT_EQ(OpenAiFieldOf("tools.1.function.name"), "tools[1].name");
  EXPECT_EQ(OpenAiFieldOf("max_completion_tokens"), "sampling.max_output_tokens");
  EXPECT_EQ(OpenAiFieldOf("messages"), "messages");
  EXPECT_EQ(OpenAiFieldOf("messagesX"), "");
  EXPECT_EQ(OpenAiFieldOf("nothing.known"), "");
}

TEST(OpenAiErrors, WhatTheCallerMustNotRead) {
  const absl::Status status = Http(
      401,
      Error(R"("message":"Incorrect API key provided: sk-proj-1234","code":"invalid_api_key")"));
  EXPECT_EQ(ClassOf(status), C::kCredential);
  EXPECT_EQ(DetailOf(status).provider_message(), "");
  EXPECT_EQ(DetailOf(status).provider_code(), "invalid_api_key");
  EXPECT_EQ(std::string(status.message()).find("1234"), std::string::npos);
  const absl::Status other =
      Http(500, Error(R"("message":"key sk-proj-1234 at http://10.0.0.1/")"));
  EXPECT_EQ(DetailOf(other).provider_message(), "key [redacted] at [url]");
  EXPECT_EQ(std::string(other.message()).find("1234"), std::string::npos);
}

TEST(OpenAiErrors, LongMessagesFitIntoATrailer) {
  const absl::Status status = Http(400, std::string(100000, 'a'));
  EXPECT_EQ(DetailOf(status).provider_message().size(), 2048u);
  EXPECT_LT(status.message().size(), 600u);
}

TEST(OpenAiErrors, RetryHints) {
  EXPECT_TRUE(SameCandidateForbidden(Http(500, "{}", {{"X-Should-Retry", "false"}})));
  EXPECT_FALSE(SameCandidateForbidden(Http(500, "{}", {{"x-should-retry", "true"}})));
  EXPECT_EQ(DetailOf(Http(503, "{}", {{"Retry-After", "2.5"}})).retry_after().nanos(), 500000000);
  EXPECT_FALSE(DetailOf(Http(400, "{}", {{"Retry-After", "2"}})).has_retry_after());
  EXPECT_FALSE(DetailOf(Http(401, "{}", {{"Retry-After", "2"}})).has_retry_after());
  const std::string quota =
      R"([{"error":{"code":429,"details":[{"@type":"x/google.rpc.RetryInfo","retryDelay":"5s"}]}}])";
  EXPECT_EQ(DetailOf(Http(429, quota)).retry_after().seconds(), 5);
}

TEST(OpenAiErrors, InBand) {
  const auto in_band = [](absl::string_view json) {
    JsonDocument document;
    EXPECT_TRUE(ParseJson(json, &document).ok());
    return OpenAiInBandError(kContext, document);
  };
  EXPECT_EQ(ClassOf(in_band(R"({"error":{"code":429}})")), C::kRate);
  EXPECT_EQ(ClassOf(in_band(R"({"error":{"code":"tool_use_failed","status_code":400}})")),
            C::kMalformed);
  EXPECT_EQ(ClassOf(in_band(R"({"error":{"type":"overloaded_error"}})")), C::kOverload);
  EXPECT_EQ(ClassOf(in_band(R"({"error":{"type":"invalid_request_error"}})")), C::kCaller);
  EXPECT_EQ(ClassOf(in_band(R"({"error":{"message":"prompt is too long"}})")), C::kContext);
  EXPECT_EQ(ClassOf(in_band(R"({"error":"boom"})")), C::kServerError);
  EXPECT_EQ(DetailOf(in_band(R"({"error":"boom"})")).http_status(), 200);
}

}  // namespace
}  // namespace mg
