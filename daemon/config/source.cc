#include "daemon/config/source.h"

#include <algorithm>
#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/json.h"
#include "base/utf8.h"
#include "daemon/config/aws.h"
#include "daemon/config/provider_kind.h"
#include "daemon/config/yaml.h"

namespace mg {
namespace {

constexpr char kText[] = "MODEL_GATEWAY_CONFIG";
constexpr char kFile[] = "MODEL_GATEWAY_CONFIG_FILE";

// A key of Azure's is one of a resource.
constexpr char kAzureKey[] = "AZURE_OPENAI_API_KEY";
constexpr char kAzureEndpoint[] = "AZURE_OPENAI_ENDPOINT";

// Likewise of vendors whose servers a preset of openai_compatible knows.
struct PresetKey {
  const char* variable;
  const char* preset;
};
constexpr PresetKey kPresetKeys[] = {
    {"MISTRAL_API_KEY", "mistral"},       {"GROQ_API_KEY", "groq"},
    {"DEEPSEEK_API_KEY", "deepseek"},     {"XAI_API_KEY", "xai"},
    {"OPENROUTER_API_KEY", "openrouter"}, {"TOGETHER_API_KEY", "together"}};

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

// The files of --config-dir, the first one lowest.
absl::Status AddFolder(const std::string& folder, const Outside& outside, ChosenConfig* chosen) {
  absl::StatusOr<std::vector<std::string>> names = outside.folder(folder);
  if (!names.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the folder ", folder, " (--config-dir) cannot be read: ", names.status().message()));
  }
  std::sort(names->begin(), names->end());
  for (const std::string& name : *names) {
    const bool ours = absl::EndsWith(name, ".yaml") || absl::EndsWith(name, ".yml") ||
                      absl::EndsWith(name, ".json");
    if (!ours || name[0] == '.') continue;
    const std::string path = absl::StrCat(folder, absl::EndsWith(folder, "/") ? "" : "/", name);
    absl::StatusOr<ConfigSource> layer = ReadSource(path, "--config-dir", outside);
    if (!layer.ok()) return layer.status();
    chosen->layers.push_back(*std::move(layer));
  }
  if (!chosen->layers.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the folder ", folder,
      " (--config-dir) has no file *.yaml, *.yml or *.json, and there is no other configuration"));
}

bool IsSet(const Outside& outside, const std::string& name) {
  return !outside.variable(name).value_or("").empty();
}

}  // namespace

absl::StatusOr<ChosenConfig> ChooseConfig(const std::optional<std::string>& file,
                                          const Outside& outside,
                                          const std::optional<std::string>& folder) {
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
    chosen.layers.push_back({*text, kText});
  } else if (file.has_value() || path.has_value()) {
    auto source = file.has_value() ? ReadSource(*file, "--config", outside)
                                   : ReadSource(*path, kFile, outside);
    if (!source.ok()) return source.status();
    chosen.layers.push_back(*std::move(source));
  } else if (!folder.has_value()) {
    chosen.embedded = true;
    chosen.layers.push_back({EmbeddedConfig(outside, &chosen.notes), "(embedded defaults)"});
  }
  if (folder.has_value()) {
    if (absl::Status status = AddFolder(*folder, outside, &chosen); !status.ok()) return status;
  }
  return chosen;
}

std::string EmbeddedConfig(const Outside& outside, std::vector<std::string>* notes) {
  std::string text = "providers:\n  mock: { mock: {} }\n";
  for (const ProviderKind& kind : ProviderKinds()) {
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
    notes->emplace_back(
        "there are AWS keys, but neither AWS_REGION nor AWS_DEFAULT_REGION is set: no provider "
        "bedrock was added for them");
  }
  if (IsSet(outside, kAzureKey) && IsSet(outside, kAzureEndpoint)) {
    absl::StrAppend(&text, "  azure_openai: { azure_openai: { base_url: ");
    AppendJsonString(WithValidUtf8(*outside.variable(kAzureEndpoint)), &text);
    absl::StrAppend(&text, ", api_key: { env: ", kAzureKey, " } } }\n");
  } else if (IsSet(outside, kAzureKey)) {
    notes->push_back(absl::StrCat(kAzureKey, " is set, but ", kAzureEndpoint,
                                  " is not: nothing was added for it"));
  }
  for (const PresetKey& key : kPresetKeys) {
    if (!IsSet(outside, key.variable)) continue;
    absl::StrAppend(&text, "  ", key.preset, ": { openai_compatible: { preset: ", key.preset,
                    ", api_key: { env: ", key.variable, " } } }\n");
  }
  absl::StrAppend(&text, "aliases: { default: mock/echo }\nmock_control: true\n");
  return text;
}

void HideConfigVariables(Outside* outside) {
  outside->variable = [variable = std::move(outside->variable)](
                          const std::string& name) -> std::optional<std::string> {
    if (name == kText || name == kFile) return std::nullopt;
    return variable(name);
  };
}

absl::StatusOr<ConfigSource> ReadStandardInput() {
  ConfigSource source{ReadUpTo(std::cin, kMaxConfigBytes + 1), "(standard input)"};
  if (source.text.size() > kMaxConfigBytes) {
    return absl::InvalidArgumentError("the configuration on standard input is larger than 10MiB");
  }
  return source;
}

}  // namespace mg
