#include "daemon/config/load.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/config/aws.h"
#include "daemon/config/layers.h"
#include "daemon/config/provider_kind.h"
#include "daemon/config/reader.h"
#include "daemon/config/secrets.h"
#include "daemon/config/validate.h"
#include "daemon/config/warnings.h"
#include "daemon/config/yaml.h"

namespace mg {

int LoadedConfig::LineOf(absl::string_view path) const {
  while (!path.empty()) {
    const auto found = lines.find(path);
    if (found != lines.end()) return found->second;
    const size_t cut = path.find_last_of(".[");
    path = cut == absl::string_view::npos ? absl::string_view() : path.substr(0, cut);
  }
  return 0;
}

void LoadedConfig::Warn(absl::string_view path, absl::string_view message) {
  const SourceLines::Place at = sources.At(LineOf(path));
  warnings.push_back(
      ToText(Problem{at.file, at.line, std::string(path), std::string(message), ""}));
}

const Secret& LoadedConfig::SecretOf(absl::string_view provider, absl::string_view key) const {
  static const Secret kNone;
  const auto config_of = config.providers().find(std::string(provider));
  if (config_of == config.providers().end()) return kNone;
  const auto found =
      secrets.find(absl::StrCat("providers.", provider, ".", KindOf(config_of->second), ".", key));
  return found == secrets.end() ? kNone : found->second;
}

const Secret& LoadedConfig::ApiKeyOf(absl::string_view provider) const {
  const Secret& key = SecretOf(provider, "api_key");
  return key.empty() ? SecretOf(provider, "bearer_token") : key;
}

std::vector<absl::string_view> LoadedConfig::SecretTexts() const {
  std::vector<absl::string_view> texts;
  texts.reserve(secrets.size());
  for (const auto& [path, secret] : secrets) texts.push_back(secret.Reveal());
  return texts;
}

namespace {

// The root of all layers; false where one of them is no YAML.
bool ParseLayers(const std::vector<ConfigSource>& layers, LoadedConfig* loaded, ProblemLog* log,
                 YamlValue* root) {
  bool parsed = true;
  for (const ConfigSource& layer : layers) {
    const int begin = loaded->sources.Add(layer.name, layer.text);
    YamlValue top;
    YamlError error;
    if (ParseYaml(layer.text, &top, &error)) {
      MoveLines(begin, &top);
      LayOver(std::move(top), root);
    } else {
      log->Add(begin + error.line, "", error.message);
      parsed = false;
    }
  }
  return parsed;
}

}  // namespace

LoadedConfig LoadConfig(const ConfigSource& source, const Outside& outside) {
  return LoadLayers({source}, outside);
}

LoadedConfig LoadLayers(const std::vector<ConfigSource>& layers, const Outside& outside) {
  LoadedConfig loaded;
  ProblemLog log(&loaded.sources);
  YamlValue root;
  if (ParseLayers(layers, &loaded, &log, &root)) {
    for (const SecretPlace& place : ReadConfig(root, &loaded, &log)) {
      ResolveSecret(place, outside, &loaded, &log);
    }
    TakeAwsEnvironment(outside, &loaded, &log);
    ValidateConfig(outside, &loaded, &log);
    if (log.empty()) WarnOfRetries(&loaded);
  }
  loaded.problems = log.Take();
  return loaded;
}

std::string ReadUpTo(std::istream& in, size_t max_bytes) {
  std::string text;
  char piece[16 << 10];
  while (text.size() < max_bytes && in) {
    in.read(piece, static_cast<std::streamsize>(std::min(sizeof piece, max_bytes - text.size())));
    text.append(piece, static_cast<size_t>(in.gcount()));
  }
  return text;
}

namespace {

absl::StatusOr<FileContent> ReadFile(const std::string& path, size_t max_bytes) {
  struct stat info;
  std::ifstream in(path, std::ios::binary);
  if (!in || ::stat(path.c_str(), &info) != 0) {
    return absl::NotFoundError(std::strerror(errno));
  }
  if (S_ISDIR(info.st_mode)) return absl::NotFoundError("it is a directory");
  FileContent content;
  content.others_can_read = (info.st_mode & S_IROTH) != 0;
  content.text = ReadUpTo(in, max_bytes + 1);
  if (in.bad()) return absl::NotFoundError("reading it failed");
  if (content.text.size() > max_bytes) {
    return absl::NotFoundError(absl::StrCat("it is larger than ", max_bytes, " bytes"));
  }
  return content;
}

absl::StatusOr<std::vector<std::string>> ReadFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::directory_iterator entries(path, error);
  std::vector<std::string> names;
  for (const std::filesystem::directory_iterator end; !error && entries != end;
       entries.increment(error)) {
    names.push_back(entries->path().filename().string());
  }
  if (error) return absl::NotFoundError(error.message());
  return names;
}

}  // namespace

Outside RealOutside() {
  return {[](const std::string& name) -> std::optional<std::string> {
            const char* value = std::getenv(name.c_str());
            if (value == nullptr) return std::nullopt;
            return std::string(value);
          },
          &ReadFile, &ReadFolder};
}

}  // namespace mg
