// What a configuration must keep beyond the single key (spec/resilience.md §3.12): names that refer
// to something, ranges between keys as they result from their scopes, addresses, URLs, headers.
// Each part is a file.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "daemon/config/load.h"
#include "daemon/config/problem.h"
#include "daemon/config/provider_kind.h"

namespace mg {

// Where the parts of validation put what they find: a problem at a path, with the line of it.
class Findings {
 public:
  Findings(const LoadedConfig& loaded, ProblemLog* log) : loaded_(loaded), log_(log) {}

  // Not told where something is already known at this path or beneath it, from which this may
  // follow.
  void Add(absl::string_view path, absl::string_view message, absl::string_view nearest = "") {
    if (!Known(path)) Tell(path, message, nearest);
  }
  // Whatever is known already.
  void Tell(absl::string_view path, absl::string_view message, absl::string_view nearest = "") {
    log_->Add(loaded_.LineOf(path), path, message, nearest);
  }
  // No more will be kept: looking on is for nothing.
  bool full() const { return log_->full(); }
  // Whether something is known to be wrong at this path or beneath it.
  bool Known(absl::string_view path) const { return log_->Has(path); }
  // Whether the key stands in the file.
  bool Written(absl::string_view path) const { return loaded_.lines.contains(path); }

 private:
  const LoadedConfig& loaded_;
  ProblemLog* log_;
};

// Adds what is wrong to `log`, whose problems so far came from reading. Normalises what may be
// written in two ways (a slash at the end of a base_url is dropped).
void ValidateConfig(const Outside& outside, LoadedConfig* loaded, ProblemLog* log);

// The parts.
void ValidateListen(const v1::Config& config, Findings* findings);
void ValidateProviders(const v1::Config& config, const Outside& outside, Findings* findings);
void ValidateGroups(const v1::Config& config, Findings* findings);
void ValidateAliases(const v1::Config& config, Findings* findings);
void ValidateModels(const v1::Config& config, Findings* findings);
void ValidateScopes(const v1::Config& config, Findings* findings);

// Letters, digits, '.', '_' and '-': what a provider or group may be called.
bool IsName(absl::string_view text);
// The keys of a map in order, so that problems come out the same each time.
template <typename Map>
std::vector<std::string> NamesOf(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : map) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace mg
