#include "routing/explain.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "routing/order.h"

namespace mg {
namespace {

std::string DefaultSource(const v1::CallContext& context) {
  if (!context.routing_key().empty()) return "routing_key";
  if (!context.end_user().empty()) return "end_user";
  return context.session_id().empty() ? "" : "session_id";
}

std::string SourceName(const Tier& tier, const v1::CallContext& context) {
  switch (tier.hash_key) {
    case HashKeySource::kDefault:
      return DefaultSource(context);
    case HashKeySource::kRoutingKey:
      return "routing_key";
    case HashKeySource::kEndUser:
      return "end_user";
    case HashKeySource::kSessionId:
      return "session_id";
    case HashKeySource::kTeam:
      return "team";
    case HashKeySource::kMetadata:
      return absl::StrCat("metadata.", tier.hash_metadata);
  }
  return "";
}

RankedCandidate Ranked(const Candidate& candidate) {
  RankedCandidate ranked;
  ranked.candidate = &candidate;
  if (candidate.weight <= 0) ranked.skipped = "weight_zero";
  return ranked;
}

// A hash has one order. The others decide anew for each call: as they are configured.
void Rank(const Tier& tier, const v1::CallContext& context, std::vector<RankedCandidate>* order) {
  const absl::string_view seed = tier.hash_seed.empty() ? tier.group : tier.hash_seed;
  const std::optional<absl::string_view> key = HashKeyOf(tier, context);
  const bool hashed = tier.strategy == Strategy::kWeightedHash && key.has_value();
  for (const Candidate* candidate : hashed ? HashOrder(tier, *key) : ConfiguredOrder(tier)) {
    RankedCandidate ranked = Ranked(*candidate);
    if (hashed) ranked.score = RendezvousScore(*key, seed, candidate->id, candidate->weight);
    order->push_back(std::move(ranked));
  }
  for (const Candidate& candidate : tier.candidates) {
    if (candidate.weight <= 0) order->push_back(Ranked(candidate));
  }
}

// What the plan of such a call would fail with. A rotation does not move on: it is not asked where
// there is nothing to choose, or no key that must be there.
absl::Status RefusalOf(const Router& router, const Explanation& explanation,
                       const v1::CallContext& context) {
  const bool key_wanted = explanation.hash_key_missing &&
                          explanation.route->tiers[0].missing_key == MissingKey::kReject;
  const bool any = std::any_of(explanation.order.begin(), explanation.order.end(),
                               [](const RankedCandidate& one) { return one.skipped.empty(); });
  if (any && !key_wanted) return absl::OkStatus();
  return router.MakePlan(explanation.route, context, [] { return 0.0; }).status();
}

}  // namespace

Explanation Explain(const Router& router, absl::string_view model, const v1::CallContext& context) {
  Explanation explanation;
  absl::StatusOr<std::shared_ptr<const Route>> route = router.Find(model);
  if (!route.ok()) {
    explanation.refusal = route.status();
    return explanation;
  }
  explanation.route = *std::move(route);
  const Route& found = *explanation.route;
  const Tier& first = found.tiers[0];
  if (!found.direct) explanation.strategy = std::string(StrategyName(first.strategy));
  if (!found.direct && first.strategy == Strategy::kWeightedHash) {
    explanation.hash_key_missing = !HashKeyOf(first, context).has_value();
    explanation.hash_key_source = SourceName(first, context);
  }
  const bool may_change = found.failover && !context.disable_fallback();
  for (const Tier& tier : found.tiers) {
    if (&tier != &first && !may_change) break;
    Rank(tier, context, &explanation.order);
  }
  explanation.refusal = RefusalOf(router, explanation, context);
  return explanation;
}

}  // namespace mg
