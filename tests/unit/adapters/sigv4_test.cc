// Signature Version 4: AWS's own vectors, and those of the provider sheet for Bedrock.
#include "adapters/platforms/sigv4.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/json.h"

namespace mg {
namespace {

constexpr char kPath[] = "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse";
constexpr char kHost[] = "bedrock-runtime.us-east-1.amazonaws.com";
constexpr char kBody[] =
    R"({"messages":[{"role":"user","content":[{"text":"Hi"}]}],"inferenceConfig":{"maxTokens":16}})";
constexpr char kBodySha256[] = "9086f5ed72696dae888c64846e3db151bb80e2483eba722648ee71231780c823";

AwsKeys Keys(absl::string_view session_token = "") {
  return {Secret("AKIDEXAMPLE"), Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
          Secret(std::string(session_token))};
}

SigV4Scope BedrockScope() {
  return {"us-east-1", "bedrock",
          absl::FromCivil(absl::CivilSecond(2026, 11, 22), absl::UTCTimeZone())};
}

std::string SignatureOf(const std::string& authorization) {
  return authorization.substr(authorization.rfind('=') + 1);
}

struct Variant {
  const char* path;
  bool with_sha256;
  bool with_token;
  const char* signature;
  const char* canonical_sha256;
};

TEST(SigV4, BedrockVectors) {
  EXPECT_EQ(Sha256Hex(kBody), kBodySha256);
  const Variant variants[] = {
      {kPath, true, false, "610f7fb443102c16cddef89979a6d5e1e1e54cef09541016ae08fb657f4cfdcb",
       "c5e1e0826041f849ade7e94e0806b807b63ab555797c36ac3f0421711ed34a99"},
      {kPath, false, false, "9db1faf11d21b79d69247dd1108432ccbed6ea8788d59f2a819e66f871c61903",
       "3d79f0e0db26169af7c887c51cc6ca8992c84ae6d6157437b6af60472587d397"},
      {kPath, true, true, "0e5006ab7319cb9f0339ab3a5d1fef9fbb499d1fcb38bb447881940c9c640375", ""},
      {kPath, false, true, "444f48145e9b52bc80555e762d0f0da460e11db120f51c648a9f26717d18ca15", ""},
      {"/model/us.anthropic.claude-haiku-4-5-20251001-v1:0/converse", true, false,
       "1389b92b0c68204254d587c4f27144518ca0882624d67992d2d3776a601195d8", ""}};
  for (const Variant& variant : variants) {
    SCOPED_TRACE(variant.signature);
    HttpHeaders headers = {
        {"content-type", "application/json"}, {"host", kHost}, {"x-amz-date", "20261122T000000Z"}};
    if (variant.with_sha256) headers.push_back({"x-amz-content-sha256", kBodySha256});
    if (variant.with_token) headers.push_back({"x-amz-security-token", "SESSIONTOKENEXAMPLE/+="});
    std::string signed_headers;
    const std::string canonical =
        SigV4CanonicalRequest({"POST", variant.path, "", headers, kBodySha256}, &signed_headers);
    EXPECT_EQ(SignatureOf(SigV4Authorization(Keys(), BedrockScope(), canonical, signed_headers)),
              variant.signature);
    if (*variant.canonical_sha256 != '\0') {
      EXPECT_EQ(Sha256Hex(canonical), variant.canonical_sha256);
    }
  }
}

TEST(SigV4, ARequestIsSigned) {
  HttpRequest request;
  request.url = absl::StrCat("https://", kHost, ":443", kPath);
  request.headers = {{"Content-Type", "application/json"}, {"User-Agent", "x"}};
  request.body = kBody;
  SignSigV4(Keys("SESSIONTOKENEXAMPLE/+="), BedrockScope(), &request);
  EXPECT_EQ(FindHeader(request.headers, "x-amz-date"), "20261122T000000Z");
  EXPECT_EQ(FindHeader(request.headers, "x-amz-content-sha256"), kBodySha256);
  EXPECT_EQ(FindHeader(request.headers, "x-amz-security-token"), "SESSIONTOKENEXAMPLE/+=");
  EXPECT_EQ(FindHeader(request.headers, "authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/bedrock/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
            "Signature=0e5006ab7319cb9f0339ab3a5d1fef9fbb499d1fcb38bb447881940c9c640375");
}

TEST(SigV4, AHostWithItsPort) {
  HttpRequest request;
  request.url = "http://LocalHost:8080/model/m/converse?a=b";
  SignSigV4(Keys(), BedrockScope(), &request);
  HttpRequest again;
  again.url = "http://localhost:8080/model/m/converse?a=b";
  SignSigV4(Keys(), BedrockScope(), &again);
  EXPECT_EQ(FindHeader(request.headers, "authorization"),
            FindHeader(again.headers, "authorization"));
  HttpRequest other;
  other.url = "http://localhost/model/m/converse?a=b";
  SignSigV4(Keys(), BedrockScope(), &other);
  EXPECT_NE(FindHeader(request.headers, "authorization"),
            FindHeader(other.headers, "authorization"));
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The request of a vector: its first line, its headers (a value may go on in the next line), its
// body.
struct Request {
  std::string method;
  std::string path;
  std::string query;
  HttpHeaders headers;
  std::string body;
};

Request ReadRequest(const std::string& text) {
  Request request;
  const std::pair<std::string, std::string> halves =
      absl::StrSplit(text, absl::MaxSplits("\n\n", 1));
  request.body = halves.second;
  const std::vector<std::string> lines = absl::StrSplit(halves.first, '\n', absl::SkipEmpty());
  absl::string_view first = lines[0];
  absl::ConsumeSuffix(&first, " HTTP/1.1");
  const std::pair<std::string, std::string> asked = absl::StrSplit(first, absl::MaxSplits(' ', 1));
  request.method = asked.first;
  const std::pair<std::string, std::string> target =
      absl::StrSplit(asked.second, absl::MaxSplits('?', 1));
  request.path = target.first;
  request.query = target.second;
  for (size_t i = 1; i < lines.size(); ++i) {
    if (lines[i][0] == ' ') {
      absl::StrAppend(&request.headers.back().value, "\n", lines[i]);
      continue;
    }
    const std::pair<std::string, std::string> header =
        absl::StrSplit(lines[i], absl::MaxSplits(':', 1));
    request.headers.push_back({header.first, header.second});
  }
  return request;
}

void ExpectVector(const std::filesystem::path& dir) {
  SCOPED_TRACE(dir.string());
  JsonDocument context;
  ASSERT_TRUE(ParseJson(ReadFile(dir / "context.json"), &context).ok());
  const JsonValue& credentials = *Member(context, "credentials");
  const std::string token(StringMember(credentials, "token"));
  const AwsKeys keys = {Secret(std::string(StringMember(credentials, "access_key_id"))),
                        Secret(std::string(StringMember(credentials, "secret_access_key"))),
                        Secret(token)};
  absl::Time now;
  std::string error;
  ASSERT_TRUE(
      absl::ParseTime(absl::RFC3339_full, StringMember(context, "timestamp"), &now, &error));
  const SigV4Scope scope = {StringMember(context, "region"), StringMember(context, "service"), now};
  Request request = ReadRequest(ReadFile(dir / "request.txt"));
  const std::string body_sha256 = Sha256Hex(request.body);
  request.headers.push_back(
      {"X-Amz-Date", absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone())});
  if (Member(context, "sign_body")->GetBool()) {
    request.headers.push_back({"x-amz-content-sha256", body_sha256});
  }
  const JsonValue* omit = Member(context, "omit_session_token");
  if (!token.empty() && (omit == nullptr || !omit->GetBool())) {
    request.headers.push_back({"X-Amz-Security-Token", token});
  }
  std::string signed_headers;
  const std::string canonical =
      SigV4CanonicalRequest({request.method, request.path, request.query, request.headers,
                             body_sha256, Member(context, "normalize")->GetBool()},
                            &signed_headers);
  EXPECT_EQ(canonical, ReadFile(dir / "header-canonical-request.txt"));
  EXPECT_EQ(SigV4StringToSign(scope, canonical), ReadFile(dir / "header-string-to-sign.txt"));
  const std::string authorization = SigV4Authorization(keys, scope, canonical, signed_headers);
  EXPECT_EQ(SignatureOf(authorization), ReadFile(dir / "header-signature.txt"));
  EXPECT_TRUE(absl::StrContains(ReadFile(dir / "header-signed-request.txt"), authorization))
      << authorization;
}

TEST(SigV4, VectorsOfAws) {
  const std::filesystem::path dir = MG_SOURCE_DIR "/../shared/fixtures/aws-sigv4";
  if (!std::filesystem::exists(dir)) {
    const char* ci = std::getenv("CI");
    ASSERT_FALSE(ci != nullptr && absl::string_view(ci) == "true") << "the vectors are absent";
    GTEST_SKIP() << "SKIPPED: the vectors are absent";
  }
  size_t run = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    ExpectVector(entry.path());
    ++run;
  }
  EXPECT_EQ(run, 19u);
  std::printf("sigv4: cases found %zu, run %zu, skipped 0\n", run, run);
}

}  // namespace
}  // namespace mg
