#include "adapters/platforms/anthropic.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/platforms/headers.h"
#include "base/version.h"

namespace mg {
namespace {

constexpr absl::string_view kBeta = "anthropic-beta";
// Still served, and the last version under which older models keep their sampling controls.
constexpr absl::string_view kDefaultVersion = "2023-06-01";

// Betas of the configuration and of the call go out together.
HttpHeaders WithBetasOfCall(HttpHeaders configured, const HttpHeaders& of_call) {
  const absl::string_view betas = FindHeader(of_call, kBeta);
  for (HttpHeader& header : configured) {
    if (!betas.empty() && absl::EqualsIgnoreCase(header.name, kBeta)) {
      absl::StrAppend(&header.value, ",", betas);
    }
  }
  return configured;
}

}  // namespace

void AnthropicPlatform::Prepare(const PlatformConfig& config, const Secret& key, absl::Time,
                                HttpRequest* request) const {
  request->url = absl::StrCat(config.base_url, request->url);
  HttpHeaders& headers = request->headers;
  headers.push_back({"Content-Type", "application/json"});
  headers.push_back({"User-Agent", absl::StrCat("model-gateway/", kVersion)});
  headers.push_back({"anthropic-version", config.api_version.empty() ? std::string(kDefaultVersion)
                                                                     : config.api_version});
  if (!key.empty() && config.bearer) {
    headers.push_back({"Authorization", absl::StrCat("Bearer ", key.Reveal())});
  } else if (!key.empty()) {
    headers.push_back({"x-api-key", std::string(key.Reveal())});
  }
  ReplaceHeaders(WithBetasOfCall(config.headers, headers), &headers);
}

}  // namespace mg
