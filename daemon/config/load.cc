#include "daemon/config/load.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "daemon/config/aws.h"
#include "daemon/config/provider_kind.h"
#include "daemon/config/reader.h"
#include "daemon/config/secrets.h"
#include "daemon/config/validate.h"
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

LoadedConfig LoadConfig(const ConfigSource& source, const Outside& outside) {
  LoadedConfig loaded;
  loaded.file = source.name;
  ProblemLog log(source.name);
  YamlValue root;
  YamlError error;
  if (ParseYaml(source.text, &root, &error)) {
    for (const SecretPlace& place : ReadConfig(root, &loaded, &log)) {
      ResolveSecret(place, outside, &loaded, &log);
    }
    TakeAwsEnvironment(outside, &loaded, &log);
    ValidateConfig(outside, &loaded, &log);
  } else {
    log.Add(error.line, "", error.message);
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

}  // namespace

Outside RealOutside() {
  return {[](const std::string& name) -> std::optional<std::string> {
            const char* value = std::getenv(name.c_str());
            if (value == nullptr) return std::nullopt;
            return std::string(value);
          },
          &ReadFile};
}

}  // namespace mg
