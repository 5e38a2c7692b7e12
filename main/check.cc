// `model-gateway check FILE|- [--config-dir DIR]`: what `serve` would say of a configuration,
// without serving.

#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "daemon/config/reading.h"
#include "daemon/config/source.h"
#include "main/commands.h"

namespace mg {
namespace {

std::optional<ConfigPlace> Parse(const std::vector<std::string>& arguments) {
  ConfigPlace place;
  for (size_t at = 0; at < arguments.size(); ++at) {
    const std::string& argument = arguments[at];
    if (argument == "--config-dir" && at + 1 < arguments.size() && !place.folder.has_value()) {
      place.folder = arguments[++at];
    } else if ((argument == "-" || !absl::StartsWith(argument, "-")) && !place.file.has_value()) {
      place.file = argument;
    } else {
      return std::nullopt;
    }
  }
  if (!place.file.has_value() && !place.folder.has_value()) return std::nullopt;
  if (place.file == "-" && place.folder.has_value()) return std::nullopt;
  return place;
}

ConfigReading Read(const ConfigPlace& place) {
  Outside outside = RealOutside();
  if (place.file != "-") {
    // The file that was named, whatever configuration the environment has.
    if (place.file.has_value()) HideConfigVariables(&outside);
    return ReadConfiguration(place, outside);
  }
  ConfigReading reading;
  absl::StatusOr<ConfigSource> source = ReadStandardInput();
  reading.found = source.status();
  if (!source.ok()) return reading;
  reading.sources.push_back(source->name);
  reading.loaded = LoadConfig(*source, outside);
  return reading;
}

}  // namespace

int RunCheck(const std::vector<std::string>& arguments) {
  const std::optional<ConfigPlace> place = Parse(arguments);
  if (!place.has_value()) {
    std::fprintf(stderr,
                 "usage: model-gateway check FILE [--config-dir DIR]\n"
                 "       model-gateway check --config-dir DIR\n"
                 "       model-gateway check -\n");
    return kWrongUsage;
  }
  const ConfigReading reading = Read(*place);
  if (!reading.found.ok()) {
    std::fprintf(stderr, "model-gateway: %s\n", std::string(reading.found.message()).c_str());
    return kWrongUsage;
  }
  const LoadedConfig& loaded = reading.loaded;
  for (const std::string& warning : loaded.warnings) {
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
  if (!loaded.ok()) {
    std::fprintf(stderr, "%s", ToText(loaded.problems).c_str());
    return kWrongUsage;
  }
  const std::string files = absl::StrJoin(reading.sources, ", ");
  if (!loaded.no_effect.empty()) {
    std::printf("%s: without effect in this version: %s\n", files.c_str(),
                absl::StrJoin(loaded.no_effect, ", ").c_str());
  }
  std::printf("%s: ok\n", files.c_str());
  return kOk;
}

}  // namespace mg
