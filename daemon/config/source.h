// Where the configuration comes from: --config, the environment, or nothing, which means the
// embedded defaults; --config-dir's files lie over it. Pure functions of what Outside answers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/config/load.h"

namespace mg {

struct ChosenConfig {
  std::vector<ConfigSource> layers;  // each over those before it; at least one
  bool embedded = false;             // nothing was configured
  std::vector<std::string> notes;    // lines to say at start
};

// `file`: what --config names, `folder`: what --config-dir names; nullopt where the option is
// absent. Of the folder itself the files *.yaml, *.yml and *.json without a dot in front, in order
// of name; without --config and its like they stand alone. The status' message is whole ("--config
// and MODEL_GATEWAY_CONFIG are both set: …"); exit code 2.
absl::StatusOr<ChosenConfig> ChooseConfig(const std::optional<std::string>& file,
                                          const Outside& outside,
                                          const std::optional<std::string>& folder = std::nullopt);

// The defaults as a configuration text: a mock provider, and a provider for each well-known key of
// the environment whose kind this version has. `notes`: which keys it does not serve.
std::string EmbeddedConfig(const Outside& outside, std::vector<std::string>* notes);

// The variables that name a configuration are as if they were not set.
void HideConfigVariables(Outside* outside);

// A configuration from standard input (`check -`).
absl::StatusOr<ConfigSource> ReadStandardInput();

}  // namespace mg
