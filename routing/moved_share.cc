#include "routing/moved_share.h"

#include <algorithm>
#include <memory>
#include <vector>

namespace mg {
namespace {

// Below this it is the rounding of the sum.
constexpr double kNothing = 1e-12;

struct Weights {
  double before = 0;
  double after = 0;
};

std::vector<Weights> WeightsOf(const Tier& before, const Tier& after) {
  std::map<std::string, Weights> by_id;
  for (const Candidate& candidate : before.candidates)
    by_id[candidate.id].before = candidate.weight;
  for (const Candidate& candidate : after.candidates) by_id[candidate.id].after = candidate.weight;
  std::vector<Weights> weights;
  weights.reserve(by_id.size());
  for (const auto& [id, both] : by_id) weights.push_back(both);
  return weights;
}

bool SameRace(const Tier& before, const Tier& after) {
  return before.strategy == after.strategy && before.hash_key == after.hash_key &&
         before.hash_metadata == after.hash_metadata && before.hash_seed == after.hash_seed;
}

// Σ p·p′: two independent draws agree.
double AgreeByChance(const std::vector<Weights>& weights) {
  double before = 0;
  double after = 0;
  double both = 0;
  for (const Weights& one : weights) {
    before += one.before;
    after += one.after;
    both += one.before * one.after;
  }
  return both == 0 ? 0 : both / before / after;
}

// Σ_i 1 / (1 + Σ_{j≠i} max(w_j/w_i, w′_j/w′_i)): i wins both races.
double StayWithWinner(const std::vector<Weights>& weights) {
  double stay = 0;
  for (const Weights& winner : weights) {
    if (winner.before <= 0 || winner.after <= 0) continue;
    double others = 0;
    for (const Weights& other : weights) {
      if (&other == &winner) continue;
      others += std::max(other.before / winner.before, other.after / winner.after);
    }
    stay += 1 / (1 + others);
  }
  return stay;
}

std::map<std::string, std::shared_ptr<const Route>> GroupsOf(const Router& router) {
  std::map<std::string, std::shared_ptr<const Route>> groups;
  for (Router::Named& named : router.List()) {
    if (named.kind == v1::Model::KIND_GROUP) groups[named.name] = std::move(named.route);
  }
  return groups;
}

}  // namespace

double MovedShare(const Tier& before, const Tier& after) {
  const std::vector<Weights> weights = WeightsOf(before, after);
  const double stay = SameRace(before, after) ? StayWithWinner(weights) : AgreeByChance(weights);
  const double moved = 1 - stay;
  return moved < kNothing ? 0 : std::min(moved, 1.0);
}

std::map<std::string, double> MovedShares(const Router& before, const Router& after) {
  const auto old_groups = GroupsOf(before);
  std::map<std::string, double> shares;
  for (const auto& [name, route] : GroupsOf(after)) {
    const auto found = old_groups.find(name);
    if (found == old_groups.end()) continue;
    const Tier& was = found->second->tiers[0];
    const Tier& is = route->tiers[0];
    const bool hashed =
        was.strategy == Strategy::kWeightedHash || is.strategy == Strategy::kWeightedHash;
    if (hashed) shares[name] = MovedShare(was, is);
  }
  return shares;
}

}  // namespace mg
