// `model-gateway check FILE|-`: what `serve` would say of a configuration, without serving.

#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "daemon/config/load.h"
#include "daemon/config/source.h"
#include "main/commands.h"

namespace mg {
namespace {

// The file that was named, whatever configuration the environment has.
absl::StatusOr<ConfigSource> Read(const std::string& file, Outside outside) {
  if (file == "-") return ReadStandardInput();
  outside.variable = [](const std::string&) { return std::nullopt; };
  absl::StatusOr<ChosenConfig> chosen = ChooseConfig(file, outside);
  if (!chosen.ok()) return chosen.status();
  return std::move(chosen->source);
}

}  // namespace

int RunCheck(const std::vector<std::string>& arguments) {
  if (arguments.size() != 1 || (arguments[0].size() > 1 && arguments[0][0] == '-')) {
    std::fprintf(stderr, "usage: model-gateway check FILE|-\n");
    return kWrongUsage;
  }
  const Outside outside = RealOutside();
  absl::StatusOr<ConfigSource> source = Read(arguments[0], outside);
  if (!source.ok()) {
    std::fprintf(stderr, "model-gateway: %s\n", std::string(source.status().message()).c_str());
    return kWrongUsage;
  }
  const LoadedConfig loaded = LoadConfig(*source, outside);
  for (const std::string& warning : loaded.warnings) {
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
  if (!loaded.ok()) {
    std::fprintf(stderr, "%s", ToText(loaded.problems).c_str());
    return kWrongUsage;
  }
  if (!loaded.no_effect.empty()) {
    std::printf("%s: without effect in this version: %s\n", loaded.file.c_str(),
                absl::StrJoin(loaded.no_effect, ", ").c_str());
  }
  std::printf("%s: ok\n", loaded.file.c_str());
  return kOk;
}

}  // namespace mg
