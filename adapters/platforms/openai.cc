#include "adapters/platforms/openai.h"

#include "absl/strings/str_cat.h"
#include "adapters/platforms/headers.h"

namespace mg {

void OpenAiPlatform::Prepare(const PlatformConfig& config, const Secret& key, absl::Time,
                             HttpRequest* request) const {
  request->url = absl::StrCat(config.base_url, request->url);
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
