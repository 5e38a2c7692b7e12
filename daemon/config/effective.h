// What holds once the scopes are laid over each other (global < group < candidate; global <
// provider) and absent keys have their defaults. Defaults stand in config.proto alone. Pure
// functions of the configuration; used at load.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "modelgateway/v1/config.pb.h"
#include "resilience/retry.h"
#include "routing/route.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

// The same as messages, every key of them set: for validation. A scope that is absent is nullptr.
v1::RetryConfig MergedRetry(const v1::Config& config, const v1::GroupConfig* group,
                            const v1::CandidateConfig* candidate);
v1::TimeoutsConfig MergedTimeouts(const v1::Config& config, const v1::GroupConfig* group,
                                  const v1::CandidateConfig* candidate);
v1::DeadlineConfig MergedDeadline(const v1::Config& config, const v1::GroupConfig* group);
v1::CircuitBreakerConfig MergedBreaker(const v1::Config& config,
                                       const v1::ScopedProviderConfig* provider);

v1::CooldownConfig MergedCooldown(const v1::Config& config,
                                  const v1::ScopedProviderConfig* provider);
v1::RetryBudgetConfig MergedBudget(const v1::Config& config,
                                   const v1::ScopedProviderConfig* provider);
v1::LimitsConfig MergedLimits(const v1::Config& config, const v1::ScopedProviderConfig* provider);

// Of an attempt. `group` is the one the candidate stands in; both nullptr: PROVIDER/MODEL asked for
// by name.
Timeouts TimeoutsOf(const v1::Config& config, const v1::GroupConfig* group,
                    const v1::CandidateConfig* candidate);
RetryPolicy RetryOf(const v1::Config& config, const v1::GroupConfig* group,
                    const v1::CandidateConfig* candidate);
// Of a call. `group` is the one that was asked for.
int MaxAttemptsOf(const v1::Config& config, const v1::GroupConfig* group);
DeadlinePolicy DeadlineOf(const v1::Config& config, const v1::GroupConfig* group);

// Group and candidate as routing has them.
Strategy StrategyOf(const v1::GroupConfig& group);
MissingKey MissingKeyOf(const v1::GroupConfig& group);
struct HashKey {
  HashKeySource source = HashKeySource::kDefault;
  std::string metadata;  // for kMetadata: its name
};
HashKey HashKeyOf(const v1::GroupConfig& group);
std::string HashSeedOf(absl::string_view group_name, const v1::GroupConfig& group);
inline bool FailoverOf(const v1::GroupConfig& group) {
  return !group.has_failover() || group.failover();
}
// The groups that are meant to be asked after another has failed: such a one may be drained whole.
std::set<std::string> FallbacksOnly(const v1::Config& config);
std::string CandidateIdOf(const v1::CandidateConfig& candidate);
inline int WeightOf(const v1::CandidateConfig& candidate) {
  return candidate.has_weight() ? candidate.weight() : 1;
}

absl::Duration DrainTimeoutOf(const v1::Config& config);
size_t CallBufferOf(const v1::Config& config);
// Every key set.
v1::LogsConfig LogsOf(const v1::Config& config);
int MaxSeriesOf(const v1::Config& config);
v1::MockLatency LatencyOf(const v1::MockConfig& mock);

// Every name of the configuration that may become the value of a metric's label.
std::vector<std::string> LabelValuesOf(const v1::Config& config);

absl::Duration ToDuration(const google::protobuf::Duration& duration);

}  // namespace mg
