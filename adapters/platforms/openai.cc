#include "adapters/platforms/openai.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

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
  for (const HttpHeader& configured : config.headers) {
    const auto same = [&](const HttpHeader& ours) {
      return absl::EqualsIgnoreCase(ours.name, configured.name);
    };
    headers.erase(std::remove_if(headers.begin(), headers.end(), same), headers.end());
  }
  headers.insert(headers.end(), config.headers.begin(), config.headers.end());
}

}  // namespace mg
