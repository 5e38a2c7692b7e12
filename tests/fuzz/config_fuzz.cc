// Configurations: any text is either told what is wrong with it, each problem with a line that it
// has, or can be served. Nothing outside of it is there.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "base/utf8.h"
#include "daemon/config/effective.h"
#include "daemon/config/listen.h"
#include "daemon/config/load.h"

namespace mg {
namespace {

Outside Nothing() {
  return {[](const std::string&) -> std::optional<std::string> { return std::nullopt; },
          [](const std::string&, size_t) -> absl::StatusOr<FileContent> {
            return absl::NotFoundError("No such file or directory");
          }};
}

// What the daemon asks of a configuration that it serves.
void Use(const LoadedConfig& loaded) {
  const v1::Config& config = loaded.config;
  const ListenPlan plan = ListenOf(config, Nothing(), [](const std::string&) { return false; });
  MG_CHECK(!plan.grpc.empty(), "a daemon without gRPC serves nobody");
  for (const auto& [name, group] : config.groups()) {
    MG_CHECK(MaxAttemptsOf(config, &group) >= 1, "a call is tried once");
    DeadlineOf(config, &group);
    StrategyOf(group);
    HashKeyOf(group);
    MG_CHECK(group.candidates_size() > 0, "a group has somebody to ask");
    for (const v1::CandidateConfig& candidate : group.candidates()) {
      TimeoutsOf(config, &group, &candidate);
      RetryOf(config, &group, &candidate);
      MG_CHECK(WeightOf(candidate) >= 0, "no negative weight");
    }
  }
  MG_CHECK(CallBufferOf(config) > 0, "a call may hold something");
  DrainTimeoutOf(config);
  LogsOf(config);
}

void Check(const std::string& text) {
  const ConfigSource source = {text, "fuzz.yaml"};
  const LoadedConfig loaded = LoadConfig(source, Nothing());
  const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
  for (const Problem& problem : loaded.problems) {
    MG_CHECK(problem.line >= 0 && problem.line <= lines, "a problem's line is one of the text");
    MG_CHECK(!problem.message.empty(), "a problem says what is wrong");
    const std::string shown = ToText(problem);
    MG_CHECK(IsValidUtf8(shown) && shown.find('\n') == std::string::npos, "a line of text");
  }
  MG_CHECK(ToText(LoadConfig(source, Nothing()).problems) == ToText(loaded.problems),
           "the same text has the same problems");
  if (loaded.ok()) Use(loaded);
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
