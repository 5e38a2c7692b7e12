// One reading of the configuration, from wherever it comes: what start, reload and the sub-commands
// that look at a configuration have in common. Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "daemon/config/footprint.h"
#include "daemon/config/load.h"

namespace mg {

// As the command line says it.
struct ConfigPlace {
  std::optional<std::string> file;    // --config
  std::optional<std::string> folder;  // --config-dir
  // --ephemeral: the folder of its sockets (ephemeral.h).
  std::optional<std::string> ephemeral = {};
};

struct ConfigReading {
  absl::Status found;                // not OK: there was nothing to load, and this says why
  std::vector<std::string> sources;  // names, the lowest layer first
  std::vector<std::string> notes;    // lines to say
  LoadedConfig loaded;
  Footprint footprint;

  bool ok() const { return found.ok() && loaded.ok(); }
  // Of both kinds.
  std::vector<Problem> Problems() const;
};

ConfigReading ReadConfiguration(const ConfigPlace& place, const Outside& outside);

// The keys that wait for a restart and whose values differ ("listen.grpc"), in order of the schema.
// `running`: what the process was started with.
std::vector<std::string> NeedsRestart(const v1::Config& running, const v1::Config& wanted);

}  // namespace mg
