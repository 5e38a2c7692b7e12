// Groups and aliases: what they name must be there, once, and able to serve.
#include <limits>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/nearest.h"
#include "daemon/config/effective.h"
#include "daemon/config/validate.h"

namespace mg {
namespace {

constexpr size_t kMaxName = 256;
constexpr int kMaxFallbacks = 8;  // more are told by reading

// The models of a mock that has a list of them; nullptr: any name is a model.
const google::protobuf::RepeatedPtrField<std::string>* ModelsOf(
    const v1::ProviderConfig& provider) {
  const bool listed = provider.has_mock() && provider.mock().models_size() > 0;
  return listed ? &provider.mock().models() : nullptr;
}

void CheckTarget(const v1::Config& config, const std::string& provider, const std::string& model,
                 const std::string& provider_path, const std::string& model_path,
                 Findings* findings) {
  const auto found = config.providers().find(provider);
  if (found == config.providers().end()) {
    findings->Add(provider_path, absl::StrCat("there is no provider ", Shown(provider)),
                  Nearest(provider, NamesOf(config.providers())));
    return;
  }
  const auto* models = ModelsOf(found->second);
  if (models == nullptr || std::find(models->begin(), models->end(), model) != models->end())
    return;
  findings->Add(model_path, absl::StrCat("the mock \"", provider, "\" has no model ", Shown(model)),
                Nearest(model, std::vector<std::string>(models->begin(), models->end())));
}

bool IsHashKey(absl::string_view key) {
  return key.empty() || key == "routing_key" || key == "end_user" || key == "session_id" ||
         key == "team" || (absl::StartsWith(key, "metadata.") && key.size() > 9);
}

void CheckHash(const v1::GroupConfig& group, const std::string& path, Findings* findings) {
  if (!IsHashKey(group.hash_key())) {
    findings->Add(
        absl::StrCat(path, ".hash_key"),
        absl::StrCat(Shown(group.hash_key()),
                     " is none of: routing_key, end_user, session_id, team, metadata.NAME"),
        Nearest(group.hash_key(), {"routing_key", "end_user", "session_id", "team"}));
  }
  if (StrategyOf(group) == Strategy::kWeightedHash) return;
  for (const char* key : {"hash_key", "hash_seed", "missing_key"}) {
    const std::string at = absl::StrCat(path, ".", key);
    if (findings->Written(at)) findings->Add(at, "belongs to the strategy weighted_hash alone");
  }
}

void CheckWeights(const v1::GroupConfig& group, bool only_fallback, const std::string& path,
                  Findings* findings) {
  int64_t sum = 0;
  for (const v1::CandidateConfig& candidate : group.candidates()) sum += WeightOf(candidate);
  if (sum > std::numeric_limits<int32_t>::max()) {
    findings->Add(
        path, absl::StrCat("has weights whose sum is over ", std::numeric_limits<int32_t>::max()));
  }
  if (group.candidates_size() == 0) {
    findings->Add(path, "has no candidate");
  } else if (sum == 0 && !only_fallback) {
    findings->Add(path, "all weights are 0: nothing could serve a call");
  }
}

void CheckCandidates(const v1::Config& config, const v1::GroupConfig& group,
                     const std::string& path, Findings* findings) {
  std::set<std::string> ids;
  for (int i = 0; i < group.candidates_size(); ++i) {
    const v1::CandidateConfig& candidate = group.candidates(i);
    const std::string at = absl::StrCat(path, "[", i, "]");
    if (findings->full()) return;
    if (candidate.provider().empty() || candidate.model().empty()) continue;  // told by reading
    CheckTarget(config, candidate.provider(), candidate.model(), absl::StrCat(at, ".provider"),
                absl::StrCat(at, ".model"), findings);
    if (!ids.insert(CandidateIdOf(candidate)).second) {
      findings->Add(candidate.id().empty() ? at : absl::StrCat(at, ".id"),
                    absl::StrCat("the group has another candidate with the id \"",
                                 CandidateIdOf(candidate), "\""));
    }
  }
}

// Provider and model once in the whole chain of a group: its own candidates, then those of its
// fallbacks.
void CheckChain(const v1::Config& config, const std::string& name, const v1::GroupConfig& group,
                const std::string& path, Findings* findings) {
  std::set<std::pair<std::string, std::string>> targets;
  for (int i = 0; i < group.candidates_size(); ++i) {
    const v1::CandidateConfig& candidate = group.candidates(i);
    if (!targets.emplace(candidate.provider(), candidate.model()).second &&
        !candidate.model().empty()) {
      findings->Add(absl::StrCat(path, ".candidates[", i, "]"),
                    "the group has this provider and model already");
    }
  }
  std::set<std::string> seen = {name};
  for (int i = 0; i < std::min(group.fallback_size(), kMaxFallbacks); ++i) {
    const std::string at = absl::StrCat(path, ".fallback[", i, "]");
    const std::string& fallback = group.fallback(i);
    const auto found = config.groups().find(fallback);
    if (fallback == name) {
      findings->Add(at, "names the group itself");
    } else if (found == config.groups().end()) {
      findings->Add(at, absl::StrCat("there is no group ", Shown(fallback)),
                    Nearest(fallback, NamesOf(config.groups())));
    } else if (!seen.insert(fallback).second) {
      findings->Add(at, "is there twice");
    } else {
      for (const v1::CandidateConfig& candidate : found->second.candidates()) {
        if (targets.emplace(candidate.provider(), candidate.model()).second) continue;
        findings->Add(at, absl::StrCat("brings ", candidate.provider(), "/", candidate.model(),
                                       " into this group's chain a second time"));
      }
    }
  }
}

}  // namespace

void ValidateGroups(const v1::Config& config, Findings* findings) {
  const std::set<std::string> only_fallback = FallbacksOnly(config);
  for (const std::string& name : NamesOf(config.groups())) {
    if (findings->full()) return;
    const v1::GroupConfig& group = config.groups().at(name);
    const std::string path = absl::StrCat("groups.", name);
    if (!IsName(name)) {
      findings->Tell(path, "a group's name has letters, digits, '.', '_' and '-', at most 128");
    }
    CheckHash(group, path, findings);
    CheckWeights(group, only_fallback.contains(name), absl::StrCat(path, ".candidates"), findings);
    CheckCandidates(config, group, absl::StrCat(path, ".candidates"), findings);
    CheckChain(config, name, group, path, findings);
  }
}

void ValidateAliases(const v1::Config& config, Findings* findings) {
  const std::vector<std::string> targets = NamesOf(config.groups());
  for (const std::string& name : NamesOf(config.aliases())) {
    if (findings->full()) return;
    const std::string& target = config.aliases().at(name);
    const std::string path = absl::StrCat("aliases.", name);
    const size_t slash = target.find('/');
    if (name.size() > kMaxName) findings->Tell(path, "its name is longer than 256 bytes");
    if (config.groups().contains(name)) {
      findings->Add(path, "is also the name of a group, which it would hide");
    }
    if (config.providers().contains(name.substr(0, name.find('/'))) &&
        absl::StrContains(name, "/")) {
      findings->Add(path, "is also a provider and model, which it would hide");
    }
    if (config.groups().contains(target)) continue;
    if (config.aliases().contains(target)) {
      findings->Add(path, absl::StrCat(Shown(target),
                                       " is an alias itself: an alias names a group or "
                                       "PROVIDER/MODEL"));
    } else if (slash == std::string::npos || slash + 1 == target.size()) {
      findings->Add(path,
                    absl::StrCat("there is no group ", Shown(target),
                                 ": an alias names a group or PROVIDER/MODEL"),
                    Nearest(target, targets));
    } else {
      CheckTarget(config, target.substr(0, slash), target.substr(slash + 1), path, path, findings);
    }
  }
}

}  // namespace mg
