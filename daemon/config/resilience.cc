#include "daemon/config/resilience.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/hash.h"
#include "daemon/config/effective.h"
#include "daemon/config/provider_kind.h"

namespace mg {
namespace {

constexpr size_t kBufferedWithoutLimit = size_t{512} << 20;
constexpr uint64_t kLeastBuffered = uint64_t{64} << 20;

BreakerScope ScopeNamed(absl::string_view name) {
  if (name == "provider") return BreakerScope::kProvider;
  return name == "target" ? BreakerScope::kTarget : BreakerScope::kAuto;
}

BreakerPolicy BreakerOf(const v1::CircuitBreakerConfig& merged) {
  BreakerPolicy policy;
  policy.enabled = merged.enabled();
  policy.scope = ScopeNamed(merged.scope());
  policy.failure_threshold = merged.failure_threshold();
  policy.failure_ratio = merged.failure_ratio();
  policy.min_requests = merged.min_requests();
  policy.window = ToDuration(merged.window());
  policy.cooldown = ToDuration(merged.cooldown());
  policy.max_cooldown = ToDuration(merged.max_cooldown());
  policy.multiplier = merged.multiplier();
  policy.jitter = merged.jitter();
  policy.half_open_max_probes = merged.half_open_max_probes();
  policy.half_open_successes = merged.half_open_successes();
  policy.half_open_max_duration = ToDuration(merged.half_open_max_duration());
  policy.sole_candidate_max_cooldown = ToDuration(merged.sole_candidate_max_cooldown());
  policy.slow_start_window = ToDuration(merged.slow_start().window());
  policy.slow_start_min_percent = merged.slow_start().min_percent();
  return policy;
}

CooldownPolicy CooldownOf(const v1::CooldownConfig& merged) {
  CooldownPolicy policy;
  policy.rate_default = ToDuration(merged.rate_default());
  policy.rate_max = ToDuration(merged.rate_max());
  policy.quota = ToDuration(merged.quota());
  policy.auth = ToDuration(merged.auth());
  policy.model_missing = ToDuration(merged.model_missing());
  return policy;
}

// Where each reference under `message` leads, by the names of the keys.
void AddReferences(const google::protobuf::Message& message, const std::string& path,
                   std::map<std::string, std::string>* references) {
  if (message.GetDescriptor() == v1::SecretRef::descriptor()) {
    const auto& secret = static_cast<const v1::SecretRef&>(message);
    (*references)[path] = secret.has_env() ? absl::StrCat("env:", secret.env())
                                           : absl::StrCat("file:", secret.file());
    return;
  }
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (field->message_type() == nullptr || field->is_repeated()) continue;
    AddReferences(message.GetReflection()->GetMessage(message, field),
                  absl::StrCat(path, "/", field->name()), references);
  }
}

}  // namespace

ResiliencePolicy ResilienceOf(const v1::Config& config, const v1::ScopedProviderConfig* scoped) {
  ResiliencePolicy policy;
  policy.breaker = BreakerOf(MergedBreaker(config, scoped));
  policy.cooldown = CooldownOf(MergedCooldown(config, scoped));
  const v1::RetryBudgetConfig budget = MergedBudget(config, scoped);
  policy.budget.ratio = budget.ratio();
  policy.budget.min_per_second = budget.min_per_second();
  policy.budget.max_tokens = budget.max_tokens();
  const v1::LimitsConfig limits = MergedLimits(config, scoped);
  policy.limiter.max_in_flight = limits.max_in_flight();
  policy.limiter.queue = limits.queue();
  return policy;
}

absl::Duration QueueTimeoutOf(const v1::Config& config, const v1::ScopedProviderConfig* scoped) {
  return ToDuration(MergedLimits(config, scoped).queue_timeout());
}

size_t BufferedBytesOf(const v1::Config& config, std::optional<uint64_t> memory_limit) {
  if (config.limits().has_buffered_bytes()) return config.limits().buffered_bytes();
  if (!memory_limit.has_value()) return kBufferedWithoutLimit;
  return std::max(*memory_limit / 5 * 2, kLeastBuffered);
}

std::string SecretReferenceOf(const v1::ProviderConfig& provider) {
  std::map<std::string, std::string> references;
  AddReferences(provider, "", &references);
  std::string text;
  for (const auto& [path, source] : references) absl::StrAppend(&text, path, "=", source, ";");
  return text;
}

uint64_t SecretFingerprintOf(const LoadedConfig& loaded, absl::string_view provider,
                             uint64_t salt) {
  const std::string prefix = absl::StrCat("providers.", provider, ".");
  std::map<std::string, const Secret*> secrets;
  for (const auto& [path, secret] : loaded.secrets) {
    if (absl::StartsWith(path, prefix)) secrets[path] = &secret;
  }
  uint64_t fingerprint = salt;
  for (const auto& [path, secret] : secrets) {
    fingerprint = StableHash(secret->Reveal(), StableHash(path, fingerprint));
  }
  return fingerprint;
}

}  // namespace mg
