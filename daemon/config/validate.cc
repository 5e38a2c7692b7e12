#include "daemon/config/validate.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace mg {
namespace {

// A trailing slash says nothing.
void Normalise(v1::Config* config) {
  for (auto& [name, provider] : *config->mutable_providers()) {
    std::string* url = nullptr;
    if (provider.has_openai()) url = provider.mutable_openai()->mutable_base_url();
    if (provider.has_anthropic()) url = provider.mutable_anthropic()->mutable_base_url();
    if (provider.has_openai_compatible()) {
      url = provider.mutable_openai_compatible()->mutable_base_url();
    }
    while (url != nullptr && absl::EndsWith(*url, "/")) url->pop_back();
  }
}

}  // namespace

void ValidateConfig(const Outside& outside, LoadedConfig* loaded, ProblemLog* log) {
  Findings findings(*loaded, log);
  ValidateListen(loaded->config, &findings);
  ValidateProviders(loaded->config, outside, &findings);
  ValidateGroups(loaded->config, &findings);
  ValidateAliases(loaded->config, &findings);
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

const v1::ScopedProviderConfig* ScopedOf(const v1::ProviderConfig& provider) {
  if (provider.has_openai()) return &provider.openai().scoped();
  if (provider.has_openai_compatible()) return &provider.openai_compatible().scoped();
  if (provider.has_anthropic()) return &provider.anthropic().scoped();
  if (provider.has_mock()) return &provider.mock().scoped();
  return nullptr;
}

const v1::HttpProviderConfig* HttpOf(const v1::ProviderConfig& provider) {
  if (provider.has_openai()) return &provider.openai().http();
  if (provider.has_openai_compatible()) return &provider.openai_compatible().http();
  if (provider.has_anthropic()) return &provider.anthropic().http();
  return nullptr;
}

std::string KindOf(const v1::ProviderConfig& provider) {
  const auto* oneof = v1::ProviderConfig::descriptor()->FindOneofByName("kind");
  const auto* field = provider.GetReflection()->GetOneofFieldDescriptor(provider, oneof);
  return field == nullptr ? "" : field->name();
}

}  // namespace mg
