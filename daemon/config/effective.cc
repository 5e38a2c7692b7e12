#include "daemon/config/effective.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "daemon/config/reader.h"

namespace mg {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Each key that `from` has replaces that of `to`, whole. (Protobuf's own merge would add a
// duration's seconds to the nanoseconds of another.)
void Overlay(const Message& from, Message* to) {
  std::vector<const FieldDescriptor*> fields;
  const Reflection& reflection = *from.GetReflection();
  reflection.ListFields(from, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool section = field->message_type() != nullptr && !field->is_repeated() &&
                         field->message_type() != google::protobuf::Duration::descriptor();
    if (section) {
      Overlay(reflection.GetMessage(from, field), reflection.MutableMessage(to, field));
      continue;
    }
    reflection.ClearField(to, field);
    const std::unique_ptr<Message> one(from.New());
    one->CopyFrom(from);
    for (const FieldDescriptor* other : fields) {
      if (other != field) reflection.ClearField(one.get(), other);
    }
    to->MergeFrom(*one);
  }
}

Jitter JitterOf(const v1::RetryConfig& merged) {
  switch (merged.jitter()) {
    case v1::RetryConfig::NONE:
      return Jitter::kNone;
    case v1::RetryConfig::EQUAL:
      return Jitter::kEqual;
    case v1::RetryConfig::DECORRELATED:
      return Jitter::kDecorrelated;
    default:
      return Jitter::kFull;
  }
}

// The defaults, then each of `scopes` that is there, the inner ones last.
template <typename M>
M Merged(std::initializer_list<const M*> scopes) {
  static const M kDefaults = [] {
    M defaults;
    ReadDefaults(&defaults);
    return defaults;
  }();
  M merged = kDefaults;
  for (const M* scope : scopes) {
    if (scope != nullptr) Overlay(*scope, &merged);
  }
  return merged;
}

}  // namespace

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

v1::RetryConfig MergedRetry(const v1::Config& config, const v1::GroupConfig* group,
                            const v1::CandidateConfig* candidate) {
  return Merged<v1::RetryConfig>({&config.retry(), group != nullptr ? &group->retry() : nullptr,
                                  candidate != nullptr ? &candidate->retry() : nullptr});
}

v1::TimeoutsConfig MergedTimeouts(const v1::Config& config, const v1::GroupConfig* group,
                                  const v1::CandidateConfig* candidate) {
  return Merged<v1::TimeoutsConfig>({&config.timeouts(),
                                     group != nullptr ? &group->timeouts() : nullptr,
                                     candidate != nullptr ? &candidate->timeouts() : nullptr});
}

v1::DeadlineConfig MergedDeadline(const v1::Config& config, const v1::GroupConfig* group) {
  return Merged<v1::DeadlineConfig>(
      {&config.deadline(), group != nullptr ? &group->deadline() : nullptr});
}

v1::CircuitBreakerConfig MergedBreaker(const v1::Config& config,
                                       const v1::ScopedProviderConfig* provider) {
  return Merged<v1::CircuitBreakerConfig>(
      {&config.circuit_breaker(), provider != nullptr ? &provider->circuit_breaker() : nullptr});
}

v1::CooldownConfig MergedCooldown(const v1::Config& config,
                                  const v1::ScopedProviderConfig* provider) {
  return Merged<v1::CooldownConfig>(
      {&config.cooldown(), provider != nullptr ? &provider->cooldown() : nullptr});
}

v1::RetryBudgetConfig MergedBudget(const v1::Config& config,
                                   const v1::ScopedProviderConfig* provider) {
  return Merged<v1::RetryBudgetConfig>(
      {&config.retry().budget(), provider != nullptr ? &provider->retry().budget() : nullptr});
}

v1::LimitsConfig MergedLimits(const v1::Config& config, const v1::ScopedProviderConfig* provider) {
  v1::LimitsConfig merged = Merged<v1::LimitsConfig>({&config.limits()});
  if (provider == nullptr) return merged;
  const v1::ProviderLimitsConfig& own = provider->limits();
  if (own.has_max_in_flight()) merged.set_max_in_flight(own.max_in_flight());
  if (own.has_queue()) merged.set_queue(own.queue());
  if (own.has_queue_timeout()) *merged.mutable_queue_timeout() = own.queue_timeout();
  return merged;
}

Timeouts TimeoutsOf(const v1::Config& config, const v1::GroupConfig* group,
                    const v1::CandidateConfig* candidate) {
  const v1::TimeoutsConfig merged = MergedTimeouts(config, group, candidate);
  return {.connect = ToDuration(merged.connect()),
          .ttft = ToDuration(merged.ttft()),
          .final_ttft = ToDuration(merged.final_ttft()),
          .attempt = ToDuration(merged.attempt()),
          .stream_idle = ToDuration(merged.stream_idle()),
          .stream_progress = ToDuration(merged.stream_progress()),
          .stream_end = ToDuration(merged.stream_end()),
          .min_attempt = ToDuration(merged.min_attempt())};
}

RetryPolicy RetryOf(const v1::Config& config, const v1::GroupConfig* group,
                    const v1::CandidateConfig* candidate) {
  const v1::RetryConfig merged = MergedRetry(config, group, candidate);
  RetryPolicy retry;
  retry.backoff = {.base = ToDuration(merged.base_delay()),
                   .max = ToDuration(merged.max_delay()),
                   .jitter = JitterOf(merged)};
  if (merged.has_max_attempts_per_candidate()) {
    retry.max_per_candidate = merged.max_attempts_per_candidate();
  }
  retry.inline_wait_max = ToDuration(merged.inline_wait_max());
  return retry;
}

int MaxAttemptsOf(const v1::Config& config, const v1::GroupConfig* group) {
  return MergedRetry(config, group, nullptr).max_attempts();
}

DeadlinePolicy DeadlineOf(const v1::Config& config, const v1::GroupConfig* group) {
  const v1::DeadlineConfig merged = MergedDeadline(config, group);
  const absl::Duration max = ToDuration(merged.max());
  // A smaller max alone does not contradict the default of `default`.
  return {.default_deadline = std::min(ToDuration(merged.default_()), max), .max = max};
}

Strategy StrategyOf(const v1::GroupConfig& group) {
  switch (group.strategy()) {
    case v1::GroupConfig::ROUND_ROBIN:
      return Strategy::kRoundRobin;
    case v1::GroupConfig::RANDOM:
      return Strategy::kRandom;
    default:
      return Strategy::kWeightedHash;
  }
}

MissingKey MissingKeyOf(const v1::GroupConfig& group) {
  switch (group.missing_key()) {
    case v1::GroupConfig::MISSING_KEY_FIXED:
      return MissingKey::kFixed;
    case v1::GroupConfig::MISSING_KEY_REJECT:
      return MissingKey::kReject;
    default:
      return MissingKey::kRandom;
  }
}

HashKey HashKeyOf(const v1::GroupConfig& group) {
  absl::string_view key = group.hash_key();
  if (key == "routing_key") return {HashKeySource::kRoutingKey, ""};
  if (key == "end_user") return {HashKeySource::kEndUser, ""};
  if (key == "session_id") return {HashKeySource::kSessionId, ""};
  if (key == "team") return {HashKeySource::kTeam, ""};
  if (absl::ConsumePrefix(&key, "metadata.")) return {HashKeySource::kMetadata, std::string(key)};
  return {};
}

std::string HashSeedOf(absl::string_view group_name, const v1::GroupConfig& group) {
  return group.hash_seed().empty() ? std::string(group_name) : group.hash_seed();
}

std::set<std::string> FallbacksOnly(const v1::Config& config) {
  std::set<std::string> names;
  for (const auto& [name, group] : config.groups()) {
    names.insert(group.fallback().begin(), group.fallback().end());
  }
  for (const auto& [alias, target] : config.aliases()) names.erase(target);
  return names;
}

std::string CandidateIdOf(const v1::CandidateConfig& candidate) {
  return candidate.id().empty() ? absl::StrCat(candidate.provider(), "/", candidate.model())
                                : candidate.id();
}

absl::Duration DrainTimeoutOf(const v1::Config& config) {
  return ToDuration(Merged<v1::DrainConfig>({&config.drain()}).timeout());
}

size_t CallBufferOf(const v1::Config& config) {
  return Merged<v1::LimitsConfig>({&config.limits()}).call_buffer();
}

v1::LogsConfig LogsOf(const v1::Config& config) {
  return Merged<v1::LogsConfig>({&config.observability().logs()});
}

int MaxSeriesOf(const v1::Config& config) {
  return Merged<v1::MetricsConfig>({&config.observability().metrics()}).max_series();
}

v1::MockLatency LatencyOf(const v1::MockConfig& mock) {
  return Merged<v1::MockLatency>({&mock.latency()});
}

std::vector<std::string> LabelValuesOf(const v1::Config& config) {
  std::vector<std::string> values;
  const auto add_pair = [&](const std::string& provider, const std::string& model) {
    values.push_back(model);
    values.push_back(absl::StrCat(provider, "/", model));
  };
  for (const auto& [name, target] : config.aliases()) {
    values.push_back(name);
    const size_t slash = target.find('/');
    if (slash != std::string::npos) add_pair(target.substr(0, slash), target.substr(slash + 1));
  }
  for (const auto& [name, provider] : config.providers()) {
    values.push_back(name);
    for (const std::string& model : provider.mock().models()) add_pair(name, model);
  }
  for (const auto& [name, group] : config.groups()) {
    values.push_back(name);
    for (const v1::CandidateConfig& candidate : group.candidates()) {
      add_pair(candidate.provider(), candidate.model());
    }
  }
  return values;
}

}  // namespace mg
