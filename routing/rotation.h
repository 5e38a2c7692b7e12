// Smooth weighted round robin, as nginx does it: {5,1,1} gives a a b a c a a, exact counts and no
// bunches. A rotation is shared by all workers and calls; its mutex is held for a few instructions.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "routing/order.h"
#include "routing/route.h"

namespace mg {

class Rotation {
 public:
  // `phase`: how many turns it is ahead, so that not all processes begin with the same candidate.
  Rotation(const std::vector<int>& weights, uint64_t phase);

  // One turn: the index that is picked, then the others in the order in which they are due. Those
  // of weight 0 are left out; empty where that is all. `standings`, one for each candidate: the
  // turn is of those that are selectable, at the part of their weight that they have; the others
  // keep their place. Empty, or none selectable: all stand whole.
  std::vector<int> Turn(const std::vector<Standing>& standings = {});

 private:
  std::vector<int64_t> WeightsFor(const std::vector<Standing>& standings) const;
  int Pick(const std::vector<int64_t>& weights);

  const std::vector<int64_t> weights_;
  std::mutex mutex_;
  std::vector<int64_t> current_;  // guarded by mutex_
};

// The live rotations by group, candidates and weights, so that a reload which changes none of these
// goes on where the rotation stood. A rotation lives as long as a Router uses it. Any thread.
class Rotations {
 public:
  explicit Rotations(uint64_t random_seed) : seed_(random_seed) {}

  std::shared_ptr<Rotation> For(const Tier& tier);
  size_t size() const;

 private:
  const uint64_t seed_;
  mutable std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Rotation>> by_key_;  // guarded by mutex_
};

}  // namespace mg
