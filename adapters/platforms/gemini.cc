#include "adapters/platforms/gemini.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/platforms/headers.h"
#include "base/version.h"

namespace mg {
namespace {

// What both have alike; `prefix` is what stands between host and model.
void PrepareGoogle(const PlatformConfig& config, const Secret& key, absl::string_view prefix,
                   HttpRequest* request) {
  request->url = absl::StrCat(config.base_url, prefix, request->url);
  HttpHeaders& headers = request->headers;
  headers.push_back({"Content-Type", "application/json"});
  headers.push_back({"User-Agent", absl::StrCat("model-gateway/", kVersion)});
  if (!key.empty() && config.bearer) {
    headers.push_back({"Authorization", absl::StrCat("Bearer ", key.Reveal())});
  } else if (!key.empty()) {
    headers.push_back({"x-goog-api-key", std::string(key.Reveal())});
  }
  ReplaceHeaders(config.headers, &headers);
}

}  // namespace

void GeminiPlatform::Prepare(const PlatformConfig& config, const Secret& key, absl::Time,
                             HttpRequest* request) const {
  const std::string version = config.api_version.empty() ? "v1beta" : config.api_version;
  PrepareGoogle(config, key, absl::StrCat("/", version), request);
}

void VertexPlatform::Prepare(const PlatformConfig& config, const Secret& key, absl::Time,
                             HttpRequest* request) const {
  // The list of what Google publishes is of no project; one is billed all the same.
  const bool of_no_project = absl::StartsWith(request->url, "/v1beta1/");
  std::string prefix = of_no_project ? "" : "/v1";
  if (of_no_project && !config.project.empty()) {
    request->headers.push_back({"x-goog-user-project", config.project});
  } else if (!config.project.empty()) {
    absl::StrAppend(&prefix, "/projects/", config.project, "/locations/",
                    config.location.empty() ? "global" : config.location);
  }
  PlatformConfig located = config;
  if (located.base_url.empty()) located.base_url = VertexBaseUrl(config.location);
  PrepareGoogle(located, key, prefix, request);
}

std::string VertexBaseUrl(absl::string_view location) {
  if (location.empty() || location == "global") return "https://aiplatform.googleapis.com";
  if (location == "us" || location == "eu") {
    return absl::StrCat("https://aiplatform.", location, ".rep.googleapis.com");
  }
  return absl::StrCat("https://", location, "-aiplatform.googleapis.com");
}

}  // namespace mg
