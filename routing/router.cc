#include "routing/router.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/error.h"
#include "base/nearest.h"
#include "base/utf8.h"

namespace mg {
namespace {

constexpr size_t kMaxNameBytes = 256;
constexpr size_t kNamesInAnError = 8;

// C0, DEL and (as UTF-8: C2 80 to C2 9F) C1.
bool HasControlCharacters(absl::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F) return true;
    if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      return true;
    }
  }
  return false;
}

absl::Status CheckName(absl::string_view model) {
  constexpr ErrorClass kClass = ErrorClass::kInvalidRequest;
  if (model.empty()) {
    return FieldError(kClass, "model",
                      "no model given: an alias, a group or provider/model is needed");
  }
  if (model.size() > kMaxNameBytes) {
    return FieldError(kClass, "model",
                      absl::StrCat("the name of the model has ", model.size(), " bytes; at most ",
                                   kMaxNameBytes, " are taken"));
  }
  if (HasControlCharacters(model) || !IsValidUtf8(model)) {
    return FieldError(kClass, "model", "the name of the model has control characters");
  }
  return absl::OkStatus();
}

v1::Skipped WeightZero(const Candidate& candidate) {
  v1::Skipped skipped;
  skipped.set_candidate(candidate.id);
  skipped.set_reason("weight_zero");
  return skipped;
}

absl::Status AllDrained(const Plan& plan) {
  v1::ErrorDetail detail;
  detail.set_reason("weight_zero");
  for (const v1::Skipped& skipped : plan.skipped) {
    *detail.mutable_report()->add_skipped() = skipped;
  }
  return MakeError(ErrorClass::kNoCandidate, detail,
                   absl::StrCat("every candidate of \"", plan.route->group,
                                "\" is drained: give one of them a weight above 0"));
}

// The field that would have been hashed.
std::string HashField(const Tier& tier) {
  switch (tier.hash_key) {
    case HashKeySource::kDefault:
    case HashKeySource::kRoutingKey:
      return "context.routing_key";
    case HashKeySource::kEndUser:
      return "context.end_user";
    case HashKeySource::kSessionId:
      return "context.session_id";
    case HashKeySource::kTeam:
      return "context.team";
    case HashKeySource::kMetadata:
      return absl::StrCat("context.metadata[\"", tier.hash_metadata, "\"]");
  }
  return "";
}

absl::Status KeyWanted(const Tier& tier) {
  const std::string field = HashField(tier);
  return FieldError(ErrorClass::kInvalidRequest, field,
                    absl::StrCat("group \"", tier.group, "\" is routed by ", field,
                                 ", which is empty or longer than ", kMaxHashKeyBytes,
                                 " bytes, and refuses calls without it (missing_key: reject)"));
}

std::vector<std::string> Sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

std::string PairOf(const Candidate& candidate) {
  return absl::StrCat(candidate.provider, "/", candidate.model);
}

}  // namespace

absl::string_view StrategyName(Strategy strategy) {
  switch (strategy) {
    case Strategy::kWeightedHash:
      return "weighted_hash";
    case Strategy::kRoundRobin:
      return "round_robin";
    case Strategy::kRandom:
      return "random";
  }
  return "";
}

Router::Router(absl::flat_hash_map<std::string, std::shared_ptr<const Route>> groups,
               const absl::flat_hash_map<std::string, std::string>& aliases,
               std::vector<std::string> providers, Route direct,
               const std::shared_ptr<Rotations>& rotations, ModelLists models, WindowOf window_of)
    : groups_(std::move(groups)),
      providers_(Sorted(std::move(providers))),
      models_(std::move(models)),
      window_of_(std::move(window_of)),
      direct_(std::move(direct)) {
  for (const auto& [name, route] : groups_) {
    names_.insert(name);
    for (const Tier& tier : route->tiers) {
      for (const Candidate& candidate : tier.candidates) names_.insert(PairOf(candidate));
      if (tier.strategy == Strategy::kRoundRobin) rotation_of_[&tier] = rotations->For(tier);
    }
  }
  for (const auto& [name, target] : aliases) {
    const auto group = groups_.find(target);
    std::shared_ptr<const Route> route = group != groups_.end() ? group->second : FindPair(target);
    if (route == nullptr) continue;  // refused when the configuration was checked
    aliases_[name] = std::move(route);
    names_.insert(name);
    names_.insert(target);
  }
  for (const auto& [provider, list] : models_) {
    for (const std::string& model : list) names_.insert(absl::StrCat(provider, "/", model));
  }
  sorted_names_ = Sorted({names_.begin(), names_.end()});
}

absl::StatusOr<std::shared_ptr<const Route>> Router::Find(absl::string_view model) const {
  absl::Status fit = CheckName(model);
  if (!fit.ok()) return fit;
  const auto alias = aliases_.find(model);
  if (alias != aliases_.end()) return alias->second;
  const auto group = groups_.find(model);
  if (group != groups_.end()) return group->second;
  std::shared_ptr<const Route> pair = FindPair(model);
  if (pair == nullptr) return Unknown(model);
  return pair;
}

std::vector<Router::Named> Router::List() const {
  std::vector<Named> named;
  for (const std::string& name : sorted_names_) {
    if (const auto alias = aliases_.find(name); alias != aliases_.end()) {
      named.push_back({name, v1::Model::KIND_ALIAS, alias->second});
    } else if (const auto group = groups_.find(name); group != groups_.end()) {
      named.push_back({name, v1::Model::KIND_GROUP, group->second});
    } else if (std::shared_ptr<const Route> pair = FindPair(name); pair != nullptr) {
      named.push_back({name, v1::Model::KIND_PROVIDER_MODEL, std::move(pair)});
    }
  }
  std::sort(named.begin(), named.end(), [](const Named& a, const Named& b) {
    return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
  });
  return named;
}

std::shared_ptr<const Route> Router::FindPair(absl::string_view pair) const {
  const size_t slash = pair.find('/');
  if (slash == absl::string_view::npos || slash + 1 == pair.size()) return nullptr;
  const absl::string_view provider = pair.substr(0, slash);
  const absl::string_view model = pair.substr(slash + 1);
  if (std::find(providers_.begin(), providers_.end(), provider) == providers_.end()) return nullptr;
  const auto list = models_.find(provider);
  if (list != models_.end() &&
      std::find(list->second.begin(), list->second.end(), model) == list->second.end()) {
    return nullptr;
  }
  Candidate candidate;
  if (!direct_.tiers.empty() && !direct_.tiers[0].candidates.empty()) {
    candidate = direct_.tiers[0].candidates[0];
  }
  candidate.id = std::string(pair);
  candidate.provider = std::string(provider);
  candidate.model = std::string(model);
  candidate.weight = 1;
  candidate.tier = 0;
  if (window_of_ != nullptr) candidate.context_window = window_of_(provider, model);
  auto route = std::make_shared<Route>();
  route->group = candidate.id;
  route->direct = true;
  route->failover = direct_.failover;
  route->max_attempts = direct_.max_attempts;
  route->deadline = direct_.deadline;
  Tier& tier = route->tiers.emplace_back();
  tier.group = candidate.id;
  tier.candidates.push_back(std::move(candidate));
  return route;
}

std::string Router::NearestTo(absl::string_view model) const {
  const size_t slash = model.find('/');
  if (slash == absl::string_view::npos) return Nearest(model, sorted_names_);
  const std::string provider = Nearest(model.substr(0, slash), providers_);
  const auto list = models_.find(provider);
  if (provider.empty()) return Nearest(model, sorted_names_);
  if (list == models_.end()) return absl::StrCat(provider, model.substr(slash));
  const std::string name = Nearest(model.substr(slash + 1), list->second);
  return name.empty() ? "" : absl::StrCat(provider, "/", name);
}

absl::Status Router::Unknown(absl::string_view model) const {
  std::string text = absl::StrCat("no model \"", model, "\": ");
  const std::string nearest = NearestTo(model);
  if (!nearest.empty() && nearest != model) {
    absl::StrAppend(&text, "did you mean \"", nearest, "\"?");
    return FieldError(ErrorClass::kUnknownModel, "model", text);
  }
  const size_t shown = std::min(sorted_names_.size(), kNamesInAnError);
  std::vector<std::string> known(sorted_names_.begin(),
                                 sorted_names_.begin() + static_cast<std::ptrdiff_t>(shown));
  for (const std::string& provider : providers_) {
    if (!models_.contains(provider)) known.push_back(provider + "/MODEL");
  }
  absl::StrAppend(&text, "this gateway serves ",
                  known.empty() ? "none" : absl::StrJoin(known, ", "),
                  shown < sorted_names_.size() ? " and more" : "");
  return FieldError(ErrorClass::kUnknownModel, "model", text);
}

absl::StatusOr<Plan> Router::MakePlan(std::shared_ptr<const Route> route,
                                      const v1::CallContext& context, Random random,
                                      StandingOf standing_of) const {
  Plan plan;
  MG_CHECK(!route->tiers.empty(), "a route without a tier");
  plan.may_change_candidate = route->failover && !context.disable_fallback();
  if (!route->direct) plan.strategy = StrategyName(route->tiers[0].strategy);
  plan.route = std::move(route);
  for (const Tier& tier : plan.route->tiers) {
    const bool first = &tier == &plan.route->tiers[0];
    if (!first && !plan.may_change_candidate) break;
    absl::StatusOr<std::vector<const Candidate*>> order = OrderOf(
        tier, first, context, random, plan.may_change_candidate ? standing_of : Whole, &plan);
    if (!order.ok()) return order.status();
    if (!first && plan.order.empty()) plan.reason = "fallback";
    plan.order.insert(plan.order.end(), order->begin(), order->end());
    for (const Candidate& candidate : tier.candidates) {
      if (candidate.weight <= 0) plan.skipped.push_back(WeightZero(candidate));
    }
  }
  if (plan.order.empty()) return AllDrained(plan);
  if (!plan.may_change_candidate) plan.order.resize(1);
  return plan;
}

absl::StatusOr<std::vector<const Candidate*>> Router::OrderOf(const Tier& tier, bool first,
                                                              const v1::CallContext& context,
                                                              Random random, StandingOf standing_of,
                                                              Plan* plan) const {
  if (first) plan->reason = plan->route->direct ? "direct" : std::string(plan->strategy);
  if (plan->route->direct) return ConfiguredOrder(tier);
  if (tier.strategy == Strategy::kRandom) return RandomOrder(tier, random, standing_of);
  if (tier.strategy == Strategy::kRoundRobin) {
    std::vector<const Candidate*> order;
    const auto rotation = rotation_of_.find(&tier);
    MG_CHECK(rotation != rotation_of_.end(), "a route of another router");
    std::vector<Standing> standings;
    standings.reserve(tier.candidates.size());
    for (const Candidate& candidate : tier.candidates) standings.push_back(standing_of(candidate));
    for (int index : rotation->second->Turn(standings)) {
      order.push_back(&tier.candidates[static_cast<size_t>(index)]);
    }
    return order;
  }
  const std::optional<absl::string_view> key = HashKeyOf(tier, context);
  if (key.has_value()) return HashOrder(tier, *key, standing_of);
  if (first) {
    plan->hash_key_missing = true;
    plan->reason = "hash_key_missing";
    if (tier.missing_key == MissingKey::kReject) return KeyWanted(tier);
  }
  return tier.missing_key == MissingKey::kFixed ? ConfiguredOrder(tier)
                                                : RandomOrder(tier, random, standing_of);
}

}  // namespace mg
