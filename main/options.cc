#include "main/options.h"

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace mg {
namespace {

bool IsSocket(const std::string& path) {
  struct stat found{};
  return stat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode);
}

}  // namespace

std::optional<std::string> Option(const std::vector<std::string>& arguments, absl::string_view name,
                                  size_t* at) {
  const std::string& argument = arguments[*at];
  if (argument == name && *at + 1 < arguments.size()) return arguments[++*at];
  if (absl::StartsWith(argument, absl::StrCat(name, "="))) return argument.substr(name.size() + 1);
  return std::nullopt;
}

bool TakeConfigOption(const std::vector<std::string>& arguments, size_t* at, ConfigPlace* place) {
  if (auto file = Option(arguments, "--config", at)) {
    place->file = *std::move(file);
  } else if (auto folder = Option(arguments, "--config-dir", at)) {
    place->folder = *std::move(folder);
  } else {
    return false;
  }
  return true;
}

std::shared_ptr<const ConfigReading> ReadOrSayWhyNot(const ConfigPlace& place) {
  auto reading = std::make_shared<const ConfigReading>(ReadConfiguration(place, RealOutside()));
  for (const std::string& warning : reading->loaded.warnings) {
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
  if (!reading->found.ok()) {
    std::fprintf(stderr, "model-gateway: %s\n", std::string(reading->found.message()).c_str());
    return nullptr;
  }
  if (reading->loaded.ok()) return reading;
  std::fputs(ToText(reading->loaded.problems).c_str(), stderr);
  return nullptr;
}

std::string DefaultSocket(absl::string_view name) {
  std::string path = absl::StrCat("/run/model-gateway/", name);
  if (IsSocket(path)) return absl::StrCat("unix:", path);
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime == nullptr || *runtime == '\0') return "";
  path = absl::StrCat(runtime, "/model-gateway/", name);
  return IsSocket(path) ? absl::StrCat("unix:", path) : "";
}

std::string DefaultAddress() {
  const std::string socket = DefaultSocket("gateway.sock");
  return socket.empty() ? "127.0.0.1:7411" : socket;
}

}  // namespace mg
