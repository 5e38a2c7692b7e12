// Finds the route of a model name and orders its candidates for one call (spec/resilience.md §2.9-2.10, §3.9).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "modelgateway/v1/gateway.pb.h"
#include "resilience/retry.h"
#include "routing/route.h"

namespace mg {

// The live rotations of round robin groups: shared by all workers, one mutex each, and kept over a reload where group,
// candidates and weights are the same.
class Rotations;

// The candidates of one call in the order in which they are to be tried, tier by tier; pointers into the Route.
struct Plan {
  std::shared_ptr<const Route> route;
  std::vector<const Candidate*> order;
  std::vector<v1::Skipped> skipped;    // passed over, with the reason (weight_zero …)
  absl::string_view strategy;          // of tier 0
  std::string reason;                  // why the first is the first: "weighted_hash", "round_robin", "direct", …
  bool may_change_candidate = true;    // failover and not disable_fallback
  bool hash_key_missing = false;       // a weighted hash had nothing to hash
};

class Router {
 public:
  // `groups` by name; `aliases`: name → group or "provider/model"; `providers`: their names, with the settings a pair
  // asked for by name gets (`direct`: the global ones).
  Router(absl::flat_hash_map<std::string, std::shared_ptr<const Route>> groups,
         absl::flat_hash_map<std::string, std::string> aliases, std::vector<std::string> providers,
         Route direct, std::shared_ptr<Rotations> rotations);

  // Looked up as alias, group, then provider/model (cut at the first slash). kUnknownModel names the nearest.
  absl::StatusOr<std::shared_ptr<const Route>> Find(absl::string_view model) const;

  // Orders the candidates; `random` gives U[0,1). kInvalidRequest where missing_key: reject holds; kNoCandidate where
  // every weight is 0.
  absl::StatusOr<Plan> MakePlan(std::shared_ptr<const Route> route, const v1::CallContext& context,
                                Random random) const;

 private:
  absl::flat_hash_map<std::string, std::shared_ptr<const Route>> groups_;
  absl::flat_hash_map<std::string, std::string> aliases_;
  std::vector<std::string> providers_;
  Route direct_;
  std::shared_ptr<Rotations> rotations_;
};

// −ln(U)/weight with U in (0,1) from XXH3-64 of key and candidate id under the seed: the least wins, ascending order is
// the fallback order. Stable over builds, processes and machines (golden vectors in tests/unit).
double RendezvousScore(absl::string_view key, absl::string_view seed, absl::string_view candidate_id,
                       int weight);

}  // namespace mg
