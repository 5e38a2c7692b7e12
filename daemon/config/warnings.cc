#include "daemon/config/warnings.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "daemon/config/effective.h"
#include "daemon/config/provider_kind.h"
#include "daemon/config/validate.h"

namespace mg {
namespace {

constexpr int kMostAttempts = 10;  // the range of retry.max_attempts

// One that a call may ask, with the group whose settings it has.
struct Link {
  const v1::GroupConfig* group;
  const v1::CandidateConfig* candidate;
};

void AddLinks(const v1::GroupConfig& group, std::vector<Link>* chain) {
  for (const v1::CandidateConfig& candidate : group.candidates()) {
    if (WeightOf(candidate) > 0) chain->push_back({&group, &candidate});
  }
}

// Whom calls to the group may ask, tier by tier; with `failover: false` each call has one of them.
std::vector<Link> ChainOf(const v1::Config& config, const v1::GroupConfig& group) {
  std::vector<Link> chain;
  AddLinks(group, &chain);
  if (!FailoverOf(group)) return chain;
  for (const std::string& name : group.fallback()) AddLinks(config.groups().at(name), &chain);
  return chain;
}

// May one be asked twice before the last of the chain is asked for the first time? Who comes last
// within a tier is not known.
bool RepeatsOnTheWay(const v1::Config& config, const std::vector<Link>& chain) {
  const bool last_alone = chain[chain.size() - 2].group != chain.back().group;
  return std::any_of(chain.begin(), chain.end() - (last_alone ? 1 : 0), [&](const Link& link) {
    return RetryOf(config, link.group, link.candidate).max_per_candidate.value_or(2) > 1;
  });
}

// So that the last of `count` candidates is reached by more than `attempts`.
std::string ToReachAll(int count, int attempts, bool repeats) {
  if (count > kMostAttempts) {
    return absl::StrCat("no call has more than ", kMostAttempts, ": take out candidates");
  }
  if (count == kMostAttempts && repeats) {
    return absl::StrCat("write max_attempts: ", count, " with max_attempts_per_candidate: 1");
  }
  const bool without_repeats = repeats && attempts >= count;
  return absl::StrCat("write max_attempts: ", count + (repeats ? 1 : 0),
                      without_repeats ? ", or max_attempts_per_candidate: 1" : "");
}

// A chain of m with one repetition on the way takes m + 1 attempts (§3.6).
void WarnOfChain(const std::string& path, const v1::GroupConfig& group,
                 const std::vector<Link>& chain, LoadedConfig* loaded) {
  const v1::Config& config = loaded->config;
  const int count = static_cast<int>(chain.size());
  const bool has_fallback = chain.back().group != &group;
  const int attempts = MaxAttemptsOf(config, &group);
  const bool repeats = RepeatsOnTheWay(config, chain);
  if (attempts >= count + (repeats ? 1 : 0)) return;
  // Without a fallback, one attempt says that nothing is to be retried, and more candidates than a
  // call may have attempts share the load.
  if (!has_fallback && (attempts == 1 || count > kMostAttempts)) return;

  const bool one_repeats = repeats && attempts > 1;
  loaded->Warn(absl::StrCat(path, ".retry.max_attempts"),
               absl::StrCat("max_attempts (", attempts, ")",
                            one_repeats ? ", one of them a repetition," : "", " reaches ",
                            attempts - (one_repeats ? 1 : 0), " of ", count, " candidates",
                            has_fallback ? ", fallbacks included" : "",
                            "; the others are asked only while these cannot be: ",
                            ToReachAll(count, attempts, repeats)));
}

// How often a call without another candidate would ask each of these, by its provider.
using Alone = std::map<std::string, int>;

// Where the breaker of the only candidate opens, its call ends.
void WarnOfBreakers(const std::string& path, int attempts, const Alone& alone,
                    LoadedConfig* loaded) {
  std::vector<std::string> over;
  int least = kMostAttempts;
  for (const auto& [name, times] : alone) {
    const v1::ScopedProviderConfig* scoped = ScopedOf(loaded->config.providers().at(name));
    const v1::CircuitBreakerConfig breaker = MergedBreaker(loaded->config, scoped);
    const int threshold = breaker.failure_threshold();
    if (!breaker.enabled() || threshold == 0 || times <= threshold) continue;
    over.push_back(absl::StrCat(name, " (", threshold, ")"));
    least = std::min(least, threshold);
  }
  if (over.empty()) return;
  loaded->Warn(
      absl::StrCat(path, "retry.max_attempts"),
      absl::StrCat("max_attempts (", attempts, ") is more than circuit_breaker.failure_threshold ",
                   "of ", absl::StrJoin(over, ", "),
                   "; so many failures open the breaker, and a call without another candidate ends "
                   "there: write max_attempts: ",
                   least, ", or a higher failure_threshold"));
}

void WarnOfGroup(const std::string& name, LoadedConfig* loaded) {
  const v1::Config& config = loaded->config;
  const v1::GroupConfig& group = config.groups().at(name);
  const std::string path = absl::StrCat("groups.", name);
  const std::vector<Link> chain = ChainOf(config, group);
  if (FailoverOf(group) && chain.size() > 1) {
    WarnOfChain(path, group, chain, loaded);
    return;
  }
  if (!FailoverOf(group) && group.fallback_size() > 0) {
    loaded->Warn(absl::StrCat(path, ".fallback"),
                 "is ignored, because failover is false and a call never changes its candidate: "
                 "take out one of the two");
  }
  const int attempts = MaxAttemptsOf(config, &group);
  Alone alone;
  for (const Link& link : chain) {
    const RetryPolicy retry = RetryOf(config, link.group, link.candidate);
    int& times = alone[link.candidate->provider()];
    times = std::max(times, retry.max_per_candidate.value_or(attempts));
  }
  WarnOfBreakers(path + ".", attempts, alone, loaded);
}

// PROVIDER/MODEL asked for by name is alone too. Who does so is seen from the aliases; where there
// is no group, everybody.
void WarnOfPairs(LoadedConfig* loaded) {
  const v1::Config& config = loaded->config;
  std::set<std::string> providers;
  for (const auto& [alias, target] : config.aliases()) {
    const size_t slash = target.find('/');
    if (slash != std::string::npos) providers.insert(target.substr(0, slash));
  }
  if (config.groups().empty()) {
    for (const auto& [name, provider] : config.providers()) providers.insert(name);
  }
  const int attempts = MaxAttemptsOf(config, nullptr);
  const int times = RetryOf(config, nullptr, nullptr).max_per_candidate.value_or(attempts);
  Alone alone;
  for (const std::string& name : providers) alone[name] = times;
  WarnOfBreakers("", attempts, alone, loaded);
}

}  // namespace

void WarnOfRetries(LoadedConfig* loaded) {
  WarnOfPairs(loaded);
  const std::set<std::string> fallbacks = FallbacksOnly(loaded->config);
  for (const std::string& name : NamesOf(loaded->config.groups())) {
    if (!fallbacks.contains(name)) WarnOfGroup(name, loaded);
  }
}

}  // namespace mg
