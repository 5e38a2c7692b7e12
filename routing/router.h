// Finds the route of a model name and orders its candidates for one call (spec/resilience.md
// §2.9-2.10, §3.9). Immutable once built, shared by all threads; of the rotations each has its own
// mutex.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "modelgateway/v1/gateway.pb.h"
#include "resilience/retry.h"
#include "routing/order.h"
#include "routing/rotation.h"
#include "routing/route.h"

namespace mg {

// The candidates of one call in the order in which they are to be tried, tier by tier; pointers
// into the Route.
struct Plan {
  std::shared_ptr<const Route> route;
  std::vector<const Candidate*> order;
  std::vector<v1::Skipped> skipped;  // passed over, with the reason (weight_zero …)
  absl::string_view strategy;        // of tier 0; empty for a pair that was asked for by name
  // Why the first is the first: "weighted_hash", "round_robin", "random", "direct";
  // "hash_key_missing" where a hash had nothing to hash; "fallback" where the group itself has no
  // candidate with a weight.
  std::string reason;
  bool may_change_candidate = true;  // failover and not disable_fallback
  bool hash_key_missing = false;     // the group's hash had nothing to hash
};

// The models that a provider's configuration limits it to, by provider; absent: any name is passed
// on.
using ModelLists = absl::flat_hash_map<std::string, std::vector<std::string>>;

// The context window of a provider's model, in tokens; 0: not known.
using WindowOf = std::function<int(absl::string_view provider, absl::string_view model)>;

class Router {
 public:
  // `groups` by name; `aliases`: name → group or "provider/model"; `providers`: their names.
  // `direct`: the settings of a pair that is asked for by name; the clocks and the back-off are
  // those of its first tier's first candidate, where it has one; its context window is told by
  // `window_of` (nullptr: not known).
  Router(absl::flat_hash_map<std::string, std::shared_ptr<const Route>> groups,
         const absl::flat_hash_map<std::string, std::string>& aliases,
         std::vector<std::string> providers, Route direct,
         const std::shared_ptr<Rotations>& rotations, ModelLists models = {},
         WindowOf window_of = nullptr);

  // Looked up as alias, group, then provider/model (cut at the first slash). kInvalidRequest for
  // what is no name, kUnknownModel, naming the nearest, for one that is not known.
  absl::StatusOr<std::shared_ptr<const Route>> Find(absl::string_view model) const;

  // Orders the candidates by how they stand; `random` gives U[0,1). Where the call may not change
  // its candidate, how they stand does not matter. kInvalidRequest where missing_key: reject holds;
  // kNoCandidate where every weight is 0 (its detail's report says which were skipped).
  absl::StatusOr<Plan> MakePlan(std::shared_ptr<const Route> route, const v1::CallContext& context,
                                Random random, StandingOf standing_of = Whole) const;

  // What the configuration names, in order of name: aliases, then groups, then the pairs of
  // candidates, aliases and model lists.
  struct Named {
    std::string name;
    v1::Model::Kind kind = v1::Model::KIND_UNSPECIFIED;
    std::shared_ptr<const Route> route;
  };
  std::vector<Named> List() const;

  // Does the configuration itself hold this name: alias, group, or the pair of a candidate, an
  // alias or a model list? Only such names may become metric labels.
  bool Names(absl::string_view model) const { return names_.contains(model); }

 private:
  std::shared_ptr<const Route> FindPair(absl::string_view pair) const;
  std::string NearestTo(absl::string_view model) const;
  absl::Status Unknown(absl::string_view model) const;
  absl::StatusOr<std::vector<const Candidate*>> OrderOf(const Tier& tier, bool first,
                                                        const v1::CallContext& context,
                                                        Random random, StandingOf standing_of,
                                                        Plan* plan) const;

  absl::flat_hash_map<std::string, std::shared_ptr<const Route>> groups_;
  absl::flat_hash_map<std::string, std::shared_ptr<const Route>> aliases_;
  const std::vector<std::string> providers_;
  const ModelLists models_;
  const WindowOf window_of_;
  const Route direct_;
  absl::flat_hash_map<const Tier*, std::shared_ptr<Rotation>> rotation_of_;
  absl::flat_hash_set<std::string> names_;
  std::vector<std::string> sorted_names_;  // for errors
};

}  // namespace mg
