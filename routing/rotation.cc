#include "routing/rotation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/hash.h"

namespace mg {
namespace {

// Above this many turns a start anywhere in the round costs more than it spreads.
constexpr int64_t kMaxPhase = 10000;

// What a whole weight is counted in, so that a part of it is a whole number too.
constexpr int64_t kGrains = 1000;

// The same shares in the smallest numbers: the length of a round is their sum.
std::vector<int64_t> Reduced(const std::vector<int>& weights) {
  int64_t divisor = 0;
  for (int weight : weights) divisor = std::gcd(divisor, int64_t{weight});
  std::vector<int64_t> reduced;
  reduced.reserve(weights.size());
  for (int weight : weights) reduced.push_back(divisor == 0 ? 0 : weight / divisor);
  return reduced;
}

std::string KeyOf(const Tier& tier) {
  std::string key;
  const auto add = [&key](absl::string_view text) {
    absl::StrAppend(&key, text.size(), ":", text);
  };
  add(tier.group);
  for (const Candidate& candidate : tier.candidates) {
    add(candidate.id);
    absl::StrAppend(&key, candidate.weight, ";");
  }
  return key;
}

}  // namespace

Rotation::Rotation(const std::vector<int>& weights, uint64_t phase)
    : weights_(Reduced(weights)), current_(weights_.size(), 0) {
  const int64_t round = std::accumulate(weights_.begin(), weights_.end(), int64_t{0});
  const int64_t turns = std::min(round, kMaxPhase);
  if (turns == 0) return;
  const std::vector<int64_t> whole = WeightsFor({});
  for (uint64_t i = phase % static_cast<uint64_t>(turns); i > 0; --i) Pick(whole);
}

std::vector<int64_t> Rotation::WeightsFor(const std::vector<Standing>& standings) const {
  std::vector<int64_t> weights(weights_.size(), 0);
  bool any = false;
  for (size_t i = 0; i < standings.size(); ++i) {
    if (weights_[i] == 0 || !standings[i].selectable) continue;
    const int64_t grains = std::llround(static_cast<double>(kGrains) * standings[i].ramp);
    weights[i] = weights_[i] * std::max(grains, int64_t{1});
    any = true;
  }
  if (any) return weights;
  for (size_t i = 0; i < weights_.size(); ++i) weights[i] = weights_[i] * kGrains;
  return weights;
}

int Rotation::Pick(const std::vector<int64_t>& weights) {
  int picked = -1;
  int64_t total = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    total += weights[i];
    current_[i] += weights[i];
    if (picked < 0 || current_[i] > current_[static_cast<size_t>(picked)]) {
      picked = static_cast<int>(i);
    }
  }
  if (picked >= 0) current_[static_cast<size_t>(picked)] -= total;
  return picked;
}

std::vector<int> Rotation::Turn(const std::vector<Standing>& standings) {
  const std::vector<int64_t> weights = WeightsFor(standings);
  std::vector<int64_t> due;
  std::vector<int> order;
  order.reserve(weights_.size());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const int picked = Pick(weights);
    if (picked < 0) return order;
    order.push_back(picked);
    due = current_;
  }
  for (size_t i = 0; i < weights_.size(); ++i) {
    due[i] += weights[i];
    if (weights_[i] != 0 && static_cast<int>(i) != order[0]) order.push_back(static_cast<int>(i));
  }
  std::sort(order.begin() + 1, order.end(), [&due](int a, int b) {
    const int64_t due_a = due[static_cast<size_t>(a)];
    const int64_t due_b = due[static_cast<size_t>(b)];
    return due_a != due_b ? due_a > due_b : a < b;
  });
  return order;
}

std::shared_ptr<Rotation> Rotations::For(const Tier& tier) {
  std::string key = KeyOf(tier);
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    if (std::shared_ptr<Rotation> live = found->second.lock()) return live;
  }
  std::erase_if(by_key_, [](const auto& entry) { return entry.second.expired(); });
  std::vector<int> weights;
  weights.reserve(tier.candidates.size());
  for (const Candidate& candidate : tier.candidates) weights.push_back(candidate.weight);
  auto rotation = std::make_shared<Rotation>(std::move(weights), StableHash(key, seed_));
  by_key_[std::move(key)] = rotation;
  return rotation;
}

size_t Rotations::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return by_key_.size();
}

}  // namespace mg
