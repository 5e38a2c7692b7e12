// Where the configuration comes from: --config, the environment, or nothing, which means the
// embedded defaults. Used at start, by the main thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/config/load.h"

namespace mg {

struct ChosenConfig {
  ConfigSource source;
  bool embedded = false;           // nothing was configured
  std::vector<std::string> notes;  // lines to say at start
};

// `file`: what --config names; nullopt where the option is absent. The status' message is whole
// ("--config and MODEL_GATEWAY_CONFIG are both set: …"); exit code 2.
absl::StatusOr<ChosenConfig> ChooseConfig(const std::optional<std::string>& file,
                                          const Outside& outside);

// The defaults as a configuration text: a mock provider, and a provider for each well-known key of
// the environment whose kind this version has. `notes`: which keys it does not serve.
std::string EmbeddedConfig(const Outside& outside, std::vector<std::string>* notes);

// A configuration from standard input (`check -`).
absl::StatusOr<ConfigSource> ReadStandardInput();

}  // namespace mg
