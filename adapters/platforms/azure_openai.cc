#include "adapters/platforms/azure_openai.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/platforms/headers.h"
#include "base/version.h"

namespace mg {
namespace {

constexpr absl::string_view kDeployments = "/openai/deployments/";
constexpr absl::string_view kModels = "/openai/v1/models";

// What of the path the base URL has already, as it is copied from one of Azure's pages, is not put
// there again: /openai, /openai/v1, or all up to a deployment, beneath which some operations are
// not.
std::string UrlOf(absl::string_view base, absl::string_view path) {
  if (absl::StrContains(base, "/deployments/")) {
    absl::string_view rest = path;
    if (!absl::ConsumePrefix(&rest, kDeployments)) {
      return absl::StrCat(base.substr(0, base.find(kDeployments)), path);
    }
    return absl::StrCat(base, rest.substr(std::min(rest.find('/'), rest.size())));
  }
  for (absl::string_view part : {"/openai/v1", "/openai"}) {
    if (absl::EndsWith(base, part) && absl::ConsumePrefix(&path, part)) break;
  }
  return absl::StrCat(base, path);
}

}  // namespace

void AzureOpenAiPlatform::Prepare(const PlatformConfig& config, const Secret& key, absl::Time,
                                  HttpRequest* request) const {
  if (request->url == kModels && !config.api_version.empty()) {
    request->url = absl::StrCat("/openai/models?api-version=", config.api_version);
  }
  request->url = UrlOf(config.base_url, request->url);
  HttpHeaders& headers = request->headers;
  headers.push_back({"Content-Type", "application/json"});
  headers.push_back({"User-Agent", absl::StrCat("model-gateway/", kVersion)});
  if (!key.empty() && config.bearer) {
    headers.push_back({"Authorization", absl::StrCat("Bearer ", key.Reveal())});
  } else if (!key.empty()) {
    headers.push_back({"api-key", std::string(key.Reveal())});
  }
  ReplaceHeaders(config.headers, &headers);
}

}  // namespace mg
