#include "daemon/config/validate.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace mg {
namespace {

// A trailing slash says nothing.
void Normalise(v1::Config* config) {
  for (auto& [name, provider] : *config->mutable_providers()) {
    std::string url = TextOf(provider, "base_url");
    while (absl::EndsWith(url, "/")) url.pop_back();
    SetText("base_url", std::move(url), &provider);
  }
}

}  // namespace

void ValidateConfig(const Outside& outside, LoadedConfig* loaded, ProblemLog* log) {
  Findings findings(*loaded, log);
  ValidateListen(loaded->config, &findings);
  ValidateProviders(loaded->config, outside, &findings);
  ValidateGroups(loaded->config, &findings);
  ValidateAliases(loaded->config, &findings);
  ValidateModels(loaded->config, &findings);
  ValidateScopes(loaded->config, &findings);
  Normalise(&loaded->config);
}

bool IsName(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-') {
      return false;
    }
  }
  return !text.empty() && text.size() <= 128;
}

}  // namespace mg
