// What a configuration of these tests may refer to: variables and files from maps.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "daemon/config/load.h"

namespace mg {

struct FakeOutside {
  std::map<std::string, std::string> variables;
  std::map<std::string, FileContent> files;

  Outside Get() const {
    return {[this](const std::string& name) -> std::optional<std::string> {
              const auto found = variables.find(name);
              if (found == variables.end()) return std::nullopt;
              return found->second;
            },
            [this](const std::string& path, size_t) -> absl::StatusOr<FileContent> {
              const auto found = files.find(path);
              if (found == files.end()) return absl::NotFoundError("No such file or directory");
              return found->second;
            },
            [this](const std::string& path) -> absl::StatusOr<std::vector<std::string>> {
              std::vector<std::string> names;
              const std::string folder(absl::StripSuffix(path, "/"));
              for (const auto& [file, content] : files) {
                if (absl::StartsWith(file, folder + "/"))
                  names.push_back(file.substr(folder.size() + 1));
              }
              if (names.empty()) return absl::NotFoundError("No such file or directory");
              return names;
            }};
  }
};

inline LoadedConfig Load(const std::string& text, const FakeOutside& outside = {}) {
  return LoadConfig({text, "test.yaml"}, outside.Get());
}

}  // namespace mg
