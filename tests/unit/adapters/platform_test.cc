#include <gtest/gtest.h>

#include <limits>

#include "adapters/dialect.h"
#include "adapters/platforms/bedrock.h"

namespace mg {
namespace {

TEST(Platform, UrlAndHeaders) {
  const Adapter* adapter = FindAdapter("openai");
  HttpRequest request;
  request.url = "/chat/completions";
  const PlatformConfig config = {.base_url = "https://e.test/v1",
                                 .headers = {{"user-agent", "mine"}, {"X-Extra", "1"}},
                                 .organization = "org",
                                 .project = "proj"};
  adapter->platform->Prepare(config, Secret("k"), absl::UnixEpoch(), &request);
  EXPECT_EQ(request.url, "https://e.test/v1/chat/completions");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(FindHeader(request.headers, "authorization"), "Bearer k");
  EXPECT_EQ(FindHeader(request.headers, "openai-organization"), "org");
  EXPECT_EQ(FindHeader(request.headers, "openai-project"), "proj");
  EXPECT_EQ(FindHeader(request.headers, "content-type"), "application/json");
  EXPECT_EQ(FindHeader(request.headers, "user-agent"), "mine");
  EXPECT_EQ(FindHeader(request.headers, "x-extra"), "1");
  EXPECT_EQ(request.headers.size(), 6u);
}

TEST(Platform, NoKeyNoAuthorization) {
  HttpRequest request;
  PlatformConfig config;
  config.base_url = "http://h";
  const Adapter* adapter = FindAdapter("openai_compatible");
  adapter->platform->Prepare(config, Secret(), absl::UnixEpoch(), &request);
  EXPECT_EQ(FindHeader(request.headers, "authorization"), "");
  EXPECT_EQ(FindHeader(request.headers, "user-agent").substr(0, 14), "model-gateway/");
}

TEST(Platform, AnthropicUrlAndHeaders) {
  const Platform* platform = FindAdapter("anthropic")->platform;
  HttpRequest request;
  request.url = "/v1/messages";
  request.headers.push_back({"anthropic-beta", "b-2,b-3"});
  PlatformConfig config = {.base_url = "https://e.test",
                           .headers = {{"Anthropic-Beta", "b-1"}, {"X-Extra", "1"}},
                           .organization = "",
                           .project = ""};
  platform->Prepare(config, Secret("k"), absl::UnixEpoch(), &request);
  EXPECT_EQ(request.url, "https://e.test/v1/messages");
  EXPECT_EQ(FindHeader(request.headers, "x-api-key"), "k");
  EXPECT_EQ(FindHeader(request.headers, "authorization"), "");
  EXPECT_EQ(FindHeader(request.headers, "anthropic-version"), "2023-06-01");
  EXPECT_EQ(FindHeader(request.headers, "anthropic-beta"), "b-1,b-2,b-3");
  EXPECT_EQ(FindHeader(request.headers, "x-extra"), "1");
  EXPECT_EQ(FindHeader(request.headers, "user-agent").substr(0, 14), "model-gateway/");
  EXPECT_EQ(request.headers.size(), 6u);

  HttpRequest by_token;
  config.headers.clear();
  config.api_version = "2026-10-21";
  config.bearer = true;
  platform->Prepare(config, Secret("t"), absl::UnixEpoch(), &by_token);
  EXPECT_EQ(FindHeader(by_token.headers, "authorization"), "Bearer t");
  EXPECT_EQ(FindHeader(by_token.headers, "x-api-key"), "");
  EXPECT_EQ(FindHeader(by_token.headers, "anthropic-version"), "2026-10-21");
  EXPECT_EQ(FindHeader(by_token.headers, "anthropic-beta"), "");
}

TEST(Platform, GeminiUrlAndHeaders) {
  const Platform* platform = FindAdapter("gemini")->platform;
  HttpRequest request;
  request.url = "/models/m:generateContent";
  PlatformConfig config;
  config.base_url = "https://e.test";
  config.headers = {{"X-Extra", "1"}};
  platform->Prepare(config, Secret("k"), absl::UnixEpoch(), &request);
  EXPECT_EQ(request.url, "https://e.test/v1beta/models/m:generateContent");
  EXPECT_EQ(FindHeader(request.headers, "x-goog-api-key"), "k");
  EXPECT_EQ(FindHeader(request.headers, "x-extra"), "1");
  EXPECT_EQ(FindHeader(request.headers, "content-type"), "application/json");
  EXPECT_EQ(FindHeader(request.headers, "user-agent").substr(0, 14), "model-gateway/");
  EXPECT_EQ(request.headers.size(), 4u);

  HttpRequest of_version;
  of_version.url = "/models/m:countTokens";
  config.api_version = "v1";
  platform->Prepare(config, Secret("k"), absl::UnixEpoch(), &of_version);
  EXPECT_EQ(of_version.url, "https://e.test/v1/models/m:countTokens");
}

std::string VertexUrl(absl::string_view project, absl::string_view location,
                      absl::string_view base_url = "") {
  HttpRequest request;
  request.url = "/publishers/google/models/m:predict";
  PlatformConfig config;
  config.base_url = std::string(base_url);
  config.project = std::string(project);
  config.location = std::string(location);
  FindAdapter("vertex")->platform->Prepare(config, Secret("k"), absl::UnixEpoch(), &request);
  EXPECT_EQ(FindHeader(request.headers, "x-goog-api-key"), "k");
  EXPECT_EQ(FindHeader(request.headers, "authorization"), "");
  return request.url;
}

TEST(Platform, VertexByItsLocation) {
  const std::string model = "/publishers/google/models/m:predict";
  EXPECT_EQ(VertexUrl("p", "europe-west4"),
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4" +
                model);
  EXPECT_EQ(VertexUrl("p", ""),
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global" + model);
  EXPECT_EQ(VertexUrl("p", "global"),
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global" + model);
  EXPECT_EQ(VertexUrl("p", "eu"),
            "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu" + model);
  EXPECT_EQ(VertexUrl("", ""), "https://aiplatform.googleapis.com/v1" + model);
  EXPECT_EQ(VertexUrl("p", "us", "http://h/x"), "http://h/x/v1/projects/p/locations/us" + model);
}

TEST(Platform, VertexByAToken) {
  HttpRequest request;
  PlatformConfig config;
  config.project = "p";
  config.bearer = true;
  FindAdapter("vertex")->platform->Prepare(config, Secret("t"), absl::UnixEpoch(), &request);
  EXPECT_EQ(FindHeader(request.headers, "authorization"), "Bearer t");
  EXPECT_EQ(FindHeader(request.headers, "x-goog-api-key"), "");
}

TEST(Platform, TheListOfVertexBelongsToNoProject) {
  HttpRequest request;
  request.url = "/v1beta1/publishers/google/models";
  PlatformConfig config;
  config.project = "p";
  config.location = "us-east1";
  FindAdapter("vertex")->platform->Prepare(config, Secret("t"), absl::UnixEpoch(), &request);
  EXPECT_EQ(request.url,
            "https://us-east1-aiplatform.googleapis.com/v1beta1/publishers/google/models");
  EXPECT_EQ(FindHeader(request.headers, "x-goog-user-project"), "p");
}

TEST(Platform, AzureUrlAndKey) {
  const Platform* platform = FindAdapter("azure_openai")->platform;
  const auto url_of = [&](const std::string& base_url, const std::string& path) {
    HttpRequest request;
    request.url = path;
    PlatformConfig config;
    config.base_url = base_url;
    platform->Prepare(config, Secret("k"), absl::UnixEpoch(), &request);
    EXPECT_EQ(FindHeader(request.headers, "api-key"), "k");
    EXPECT_EQ(FindHeader(request.headers, "authorization"), "");
    return request.url;
  };
  constexpr char kClassic[] = "/openai/deployments/d/chat/completions?api-version=2024-10-21";
  constexpr char kV1[] = "/openai/v1/chat/completions";
  EXPECT_EQ(url_of("https://r.test", kClassic),
            "https://r.test/openai/deployments/d/chat/completions?api-version=2024-10-21");
  EXPECT_EQ(url_of("https://r.test/openai", kClassic),
            "https://r.test/openai/deployments/d/chat/completions?api-version=2024-10-21");
  EXPECT_EQ(url_of("https://r.test/openai/deployments/mine", kClassic),
            "https://r.test/openai/deployments/mine/chat/completions?api-version=2024-10-21");
  EXPECT_EQ(url_of("https://r.test/openai/deployments/mine", "/openai/v1/models"),
            "https://r.test/openai/v1/models");
  EXPECT_EQ(url_of("https://r.test", kV1), "https://r.test/openai/v1/chat/completions");
  EXPECT_EQ(url_of("https://r.test/openai/v1", kV1), "https://r.test/openai/v1/chat/completions");

  HttpRequest by_token;
  PlatformConfig config;
  config.base_url = "https://r.test";
  config.bearer = true;
  platform->Prepare(config, Secret("t"), absl::UnixEpoch(), &by_token);
  EXPECT_EQ(FindHeader(by_token.headers, "authorization"), "Bearer t");
  EXPECT_EQ(FindHeader(by_token.headers, "api-key"), "");

  HttpRequest list;
  list.url = "/openai/v1/models";
  config.api_version = "2024-10-21";
  platform->Prepare(config, Secret("t"), absl::UnixEpoch(), &list);
  EXPECT_EQ(list.url, "https://r.test/openai/models?api-version=2024-10-21");
}

TEST(Platform, WhatStandsBesideTheVersion) {
  const Platform* platform = FindAdapter("openai_compatible")->platform;
  const auto url_of = [&](const std::string& base_url) {
    HttpRequest request;
    request.url = "/../tokenize";
    PlatformConfig config;
    config.base_url = base_url;
    platform->Prepare(config, Secret(), absl::UnixEpoch(), &request);
    return request.url;
  };
  EXPECT_EQ(url_of("http://localhost:8000/v1"), "http://localhost:8000/tokenize");
  EXPECT_EQ(url_of("http://localhost:8000"), "http://localhost:8000/tokenize");
}

TEST(Registry, Presets) {
  const Adapter& compatible = *FindAdapter("openai_compatible");
  EXPECT_EQ(DefaultBaseUrl(compatible, "groq"), "https://api.groq.com/openai/v1");
  EXPECT_EQ(DefaultBaseUrl(compatible, "vllm"), "http://localhost:8000/v1");
  EXPECT_EQ(DefaultBaseUrl(compatible, ""), "");
  EXPECT_EQ(DefaultBaseUrl(*FindAdapter("cohere"), ""), "https://api.cohere.com");
}

TEST(Registry, Kinds) {
  EXPECT_EQ(FindAdapter("gemini")->default_base_url, "https://generativelanguage.googleapis.com");
  EXPECT_EQ(FindAdapter("gemini")->dialect->name(), "gemini");
  EXPECT_EQ(FindAdapter("vertex")->dialect->name(), "gemini");
  EXPECT_EQ(FindAdapter("anthropic")->default_base_url, "https://api.anthropic.com");
  EXPECT_EQ(FindAdapter("anthropic")->dialect->name(), "anthropic");
  EXPECT_EQ(FindAdapter("cohere")->default_base_url, "https://api.cohere.com");
  EXPECT_EQ(FindAdapter("cohere")->dialect->name(), "cohere");
  EXPECT_EQ(FindAdapter("openai")->default_base_url, "https://api.openai.com/v1");
  EXPECT_FALSE(FindAdapter("openai")->compatible);
  EXPECT_TRUE(FindAdapter("openai_compatible")->compatible);
  EXPECT_EQ(FindAdapter("openai_compatible")->default_base_url, "");
  EXPECT_EQ(FindAdapter("mock"), nullptr);
  EXPECT_EQ(FindAdapter(""), nullptr);
  EXPECT_EQ(DialectNames().size(), 5u);
  EXPECT_EQ(FindAdapter("openai")->dialect->name(), "openai");
}

TEST(Registry, GoogleByItsAddress) {
  EXPECT_TRUE(IsGoogleCompatible("https://generativelanguage.googleapis.com/v1beta/openai"));
  EXPECT_TRUE(IsGoogleCompatible("http://proxy/v1/openai"));
  for (const char* url : {"https://api.openai.com/v1", "https://api.groq.com/openai/v1", "/openai",
                          "openai", "", "https://h/vx/openai", "https://h/v1/openai/x"}) {
    EXPECT_FALSE(IsGoogleCompatible(url)) << url;
  }
}

TEST(Dialect, RefusalsOfLongNamesStaySmall) {
  v1::ChatRequest request;
  request.add_messages()->set_role(v1::ROLE_USER);
  request.mutable_messages(0)->add_parts()->set_text("a");
  auto& inner = *(*(*request.mutable_provider_options())["openai"]
                       .mutable_fields())[std::string(1000000, 'x')]
                     .mutable_struct_value();
  (*inner.mutable_fields())["y"].set_number_value(std::numeric_limits<double>::infinity());
  const DialectContext context = {.provider = "p", .model = "m"};
  const auto encoded = FindAdapter("openai")->dialect->EncodeChat(request, context, false);
  EXPECT_EQ(ClassOf(encoded.status()), ErrorClass::kInvalidRequest);
  EXPECT_LT(encoded.status().message().size(), 1000u);
  EXPECT_LT(DetailOf(encoded.status()).field().size(), 300u);
}

TEST(Dialect, ProviderRequestId) {
  const Dialect& dialect = *FindAdapter("openai")->dialect;
  EXPECT_EQ(dialect.ProviderRequestId({200, {{"X-Request-Id", "req_1"}, {"cf-ray", "x"}}}),
            "req_1");
  EXPECT_EQ(dialect.ProviderRequestId({200, {}}), "");
}

HttpRequest BedrockRequest(Secrets secrets, absl::Status* status) {
  HttpRequest request;
  request.url = "/model/m%3A0/converse";
  request.body = "{}";
  const PlatformConfig config = {.base_url = BedrockBaseUrl("eu-west-1"),
                                 .headers = {{"X-Extra", "1"}},
                                 .organization = "",
                                 .project = "",
                                 .region = "eu-west-1"};
  *status = FindAdapter("bedrock")->platform->PrepareFrom(config, FixedSecrets(std::move(secrets)),
                                                          absl::UnixEpoch(), &request);
  return request;
}

TEST(Platform, BedrockByItsOwnKey) {
  Secrets secrets;
  secrets.key = Secret("k");
  secrets.aws = {Secret("id"), Secret("secret"), Secret("token")};
  absl::Status status;
  const HttpRequest request = BedrockRequest(std::move(secrets), &status);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(request.url, "https://bedrock-runtime.eu-west-1.amazonaws.com/model/m%3A0/converse");
  EXPECT_EQ(FindHeader(request.headers, "authorization"), "Bearer k");
  EXPECT_EQ(FindHeader(request.headers, "x-amz-date"), "");
  EXPECT_EQ(FindHeader(request.headers, "x-amz-security-token"), "");
  EXPECT_EQ(FindHeader(request.headers, "content-type"), "application/json");
  EXPECT_EQ(FindHeader(request.headers, "x-extra"), "1");
  EXPECT_EQ(FindHeader(request.headers, "user-agent").substr(0, 14), "model-gateway/");
}

TEST(Platform, BedrockBySignature) {
  Secrets secrets;
  secrets.aws = {Secret("id"), Secret("secret"), Secret()};
  absl::Status status;
  const HttpRequest request = BedrockRequest(std::move(secrets), &status);
  ASSERT_TRUE(status.ok()) << status;
  const std::string authorization(FindHeader(request.headers, "authorization"));
  EXPECT_EQ(authorization.substr(0, authorization.find(", Signature=")),
            "AWS4-HMAC-SHA256 Credential=id/19700101/eu-west-1/bedrock/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date");
  EXPECT_EQ(FindHeader(request.headers, "x-amz-date"), "19700101T000000Z");
}

TEST(Platform, BedrockWithoutAKey) {
  absl::Status status;
  BedrockRequest({}, &status);
  EXPECT_EQ(ClassOf(status), ErrorClass::kCredential);
  Secrets half;
  half.aws.access_key_id = Secret("id");
  BedrockRequest(std::move(half), &status);
  EXPECT_EQ(ClassOf(status), ErrorClass::kCredential);
}

TEST(Platform, BedrockBaseUrls) {
  EXPECT_EQ(BedrockBaseUrl("cn-north-1"), "https://bedrock-runtime.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(BedrockBaseUrl("eusc-de-east-1"),
            "https://bedrock-runtime.eusc-de-east-1.amazonaws.eu");
}

}  // namespace
}  // namespace mg
