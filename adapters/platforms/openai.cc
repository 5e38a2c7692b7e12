#include "adapters/platforms/openai.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/platforms/headers.h"

namespace mg {

void OpenAiPlatform::Prepare(const PlatformConfig& config, const Secret& key, absl::Time,
                             HttpRequest* request) const {
  // What stands beside the version of the API, not beneath it: a path that begins with "/..".
  absl::string_view base = config.base_url;
  absl::string_view path = request->url;
  if (absl::ConsumePrefix(&path, "/..")) absl::ConsumeSuffix(&base, "/v1");
  request->url = absl::StrCat(base, path);
  HttpHeaders& headers = request->headers;
  headers.push_back({"Content-Type", "application/json"});
  headers.push_back({"User-Agent", "model-gateway/" MG_VERSION});
  if (!key.empty()) headers.push_back({"Authorization", absl::StrCat("Bearer ", key.Reveal())});
  if (!config.organization.empty()) {
    headers.push_back({"OpenAI-Organization", config.organization});
  }
  if (!config.project.empty()) headers.push_back({"OpenAI-Project", config.project});
  ReplaceHeaders(config.headers, &headers);
}

}  // namespace mg
