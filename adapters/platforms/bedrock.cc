#include "adapters/platforms/bedrock.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/platforms/headers.h"
#include "adapters/platforms/sigv4.h"
#include "base/version.h"

namespace mg {
namespace {

constexpr absl::string_view kService = "bedrock";

void PutTogether(const PlatformConfig& config, HttpRequest* request) {
  request->url = absl::StrCat(config.base_url, request->url);
  request->headers.push_back({"Content-Type", "application/json"});
  request->headers.push_back({"User-Agent", absl::StrCat("model-gateway/", kVersion)});
  ReplaceHeaders(config.headers, &request->headers);
}

}  // namespace

void BedrockPlatform::Prepare(const PlatformConfig& config, const Secret& key, absl::Time,
                              HttpRequest* request) const {
  PutTogether(config, request);
  request->headers.push_back({"Authorization", absl::StrCat("Bearer ", key.Reveal())});
}

absl::Status BedrockPlatform::PrepareFrom(const PlatformConfig& config, const SecretSource& source,
                                          absl::Time wall_now, HttpRequest* request) const {
  const std::shared_ptr<const Secrets> secrets = source.Now();
  if (!secrets->key.empty()) {
    Prepare(config, secrets->key, wall_now, request);
    return absl::OkStatus();
  }
  if (secrets->aws.access_key_id.empty() || secrets->aws.secret_access_key.empty()) {
    v1::ErrorDetail detail;
    detail.set_reason("upstream_auth");
    return MakeError(ErrorClass::kCredential, std::move(detail),
                     "there is no credential for Bedrock: set api_key or aws at the provider, or "
                     "AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in "
                     "the gateway's environment");
  }
  PutTogether(config, request);
  SignSigV4(secrets->aws, {config.region, kService, wall_now}, request);
  return absl::OkStatus();
}

std::string BedrockBaseUrl(absl::string_view region) {
  absl::string_view domain = "amazonaws.com";
  if (absl::StartsWith(region, "cn-")) domain = "amazonaws.com.cn";
  if (absl::StartsWith(region, "eusc-")) domain = "amazonaws.eu";
  return absl::StrCat("https://bedrock-runtime.", region, ".", domain);
}

}  // namespace mg
