// What providers say that they have: their own lists of models, asked for side by side and kept for
// ten minutes. Belongs to one worker and its loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "adapters/listed_models.h"
#include "base/time.h"
#include "daemon/call.h"
#include "daemon/snapshot.h"

namespace mg {

class Discovery {
 public:
  struct Listing {
    std::string provider;
    absl::StatusOr<std::vector<ListedModel>> models;  // or why there are none
  };

  // One for each provider of the call's configuration, by name. Providers have until `until`. What
  // `call` refers to must outlive the task.
  Task<std::vector<Listing>> Ask(const Call& call, Instant until);

 private:
  struct Kept {
    std::weak_ptr<const Snapshot> snapshot;  // whose provider it was
    Instant until;
    std::vector<ListedModel> models;
  };

  bool TakeKept(const Call& call, Listing* listing) const;
  void Keep(const Call& call, const Listing& listing);

  absl::flat_hash_map<std::string, Kept> kept_;  // by provider
};

}  // namespace mg
