#include "daemon/config/source.h"

#include <iostream>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "daemon/config/aws.h"
#include "daemon/config/provider_kind.h"
#include "daemon/config/yaml.h"

namespace mg {
namespace {

constexpr char kText[] = "MODEL_GATEWAY_CONFIG";
constexpr char kFile[] = "MODEL_GATEWAY_CONFIG_FILE";

// Keys that the SDKs of other vendors look for. A kind of provider that has one among its env_keys
// takes it; the others come with a later version.
constexpr const char* kLaterKeys[] = {
    "GEMINI_API_KEY",       "GOOGLE_API_KEY",     "COHERE_API_KEY",  "CO_API_KEY",
    "AZURE_OPENAI_API_KEY", "MISTRAL_API_KEY",    "GROQ_API_KEY",    "DEEPSEEK_API_KEY",
    "XAI_API_KEY",          "OPENROUTER_API_KEY", "TOGETHER_API_KEY"};

absl::StatusOr<ConfigSource> ReadSource(const std::string& path, absl::string_view named_by,
                                        const Outside& outside) {
  absl::StatusOr<FileContent> content = outside.file(path, kMaxConfigBytes);
  if (!content.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the configuration ", path, " (", named_by,
                     ") cannot be read: ", content.status().message()));
  }
  return ConfigSource{std::move(content->text), path};
}

bool IsSet(const Outside& outside, const std::string& name) {
  return !outside.variable(name).value_or("").empty();
}

}  // namespace

absl::StatusOr<ChosenConfig> ChooseConfig(const std::optional<std::string>& file,
                                          const Outside& outside) {
  const std::optional<std::string> text = outside.variable(kText);
  const std::optional<std::string> path = outside.variable(kFile);
  std::vector<std::string> set;
  if (file.has_value()) set.emplace_back("--config");
  if (text.has_value()) set.emplace_back(kText);
  if (path.has_value()) set.emplace_back(kFile);
  if (set.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        absl::StrJoin(set, " and "), " are set at once: the configuration comes from one of them"));
  }
  ChosenConfig chosen;
  if (text.has_value()) {
    chosen.source = {*text, kText};
  } else if (file.has_value() || path.has_value()) {
    auto source = file.has_value() ? ReadSource(*file, "--config", outside)
                                   : ReadSource(*path, kFile, outside);
    if (!source.ok()) return source.status();
    chosen.source = *std::move(source);
  } else {
    chosen.embedded = true;
    chosen.source = {EmbeddedConfig(outside, &chosen.notes), "(embedded defaults)"};
  }
  return chosen;
}

std::string EmbeddedConfig(const Outside& outside, std::vector<std::string>* notes) {
  std::string text = "providers:\n  mock: { mock: {} }\n";
  std::set<std::string> served;
  for (const ProviderKind& kind : ProviderKinds()) {
    served.insert(kind.env_keys.begin(), kind.env_keys.end());
    for (const std::string& key : kind.env_keys) {
      if (!IsSet(outside, key)) continue;
      absl::StrAppend(&text, "  ", kind.name, ": { ", kind.name, ": { api_key: { env: ", key,
                      " } } }\n");
      break;
    }
  }
  if (HasBedrockKeys(outside) && !AwsRegion(outside).empty()) {
    absl::StrAppend(&text, "  bedrock: { bedrock: {} }\n");
  } else if (HasBedrockKeys(outside)) {
    notes->push_back(
        "there are AWS keys, but neither AWS_REGION nor AWS_DEFAULT_REGION is set: no provider "
        "bedrock was added for them");
  }
  absl::StrAppend(&text, "aliases: { default: mock/echo }\n");
  std::vector<std::string> later;
  for (const char* name : kLaterKeys) {
    if (served.count(name) == 0 && IsSet(outside, name)) later.emplace_back(name);
  }
  if (!later.empty()) {
    notes->push_back(absl::StrCat(absl::StrJoin(later, ", "),
                                  later.size() == 1 ? " is set, but its kind of provider is"
                                                    : " are set, but their kinds of provider are",
                                  " not in this version: nothing was added for it"));
  }
  return text;
}

absl::StatusOr<ConfigSource> ReadStandardInput() {
  ConfigSource source{ReadUpTo(std::cin, kMaxConfigBytes + 1), "(standard input)"};
  if (source.text.size() > kMaxConfigBytes) {
    return absl::InvalidArgumentError("the configuration on standard input is larger than 10MiB");
  }
  return source;
}

}  // namespace mg
