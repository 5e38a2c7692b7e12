#include "routing/order.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/hash.h"

namespace mg {
namespace {

// No byte of UTF-8: neither a key nor an id can hold it, so no two pairs run together into the same
// bytes.
constexpr absl::string_view kSeparator = "\xFF";

struct Racer {
  double score;
  const Candidate* candidate;
};

std::vector<const Candidate*> Ascending(std::vector<Racer> racers) {
  std::sort(racers.begin(), racers.end(), [](const Racer& a, const Racer& b) {
    return a.score != b.score ? a.score < b.score : a.candidate->id < b.candidate->id;
  });
  std::vector<const Candidate*> order;
  order.reserve(racers.size());
  for (const Racer& racer : racers) order.push_back(racer.candidate);
  return order;
}

absl::string_view MetadataOf(const v1::CallContext& context, const std::string& name) {
  const auto found = context.metadata().find(name);
  return found == context.metadata().end() ? absl::string_view() : found->second;
}

absl::string_view FirstSet(const v1::CallContext& context) {
  if (!context.routing_key().empty()) return context.routing_key();
  if (!context.end_user().empty()) return context.end_user();
  return context.session_id();
}

absl::string_view SourceOf(const Tier& tier, const v1::CallContext& context) {
  switch (tier.hash_key) {
    case HashKeySource::kDefault:
      return FirstSet(context);
    case HashKeySource::kRoutingKey:
      return context.routing_key();
    case HashKeySource::kEndUser:
      return context.end_user();
    case HashKeySource::kSessionId:
      return context.session_id();
    case HashKeySource::kTeam:
      return context.team();
    case HashKeySource::kMetadata:
      return MetadataOf(context, tier.hash_metadata);
  }
  return {};
}

}  // namespace

double RendezvousScore(absl::string_view key, absl::string_view seed,
                       absl::string_view candidate_id, double weight) {
  if (weight <= 0) return std::numeric_limits<double>::infinity();
  const uint64_t hash = StableHash(absl::StrCat(key, kSeparator, candidate_id), StableHash(seed));
  const double u = (static_cast<double>(hash >> 11) + 0.5) / 0x1p53;
  return -std::log(u) / weight;
}

std::optional<absl::string_view> HashKeyOf(const Tier& tier, const v1::CallContext& context) {
  const absl::string_view key = SourceOf(tier, context);
  if (key.empty() || key.size() > kMaxHashKeyBytes) return std::nullopt;
  return key;
}

std::vector<const Candidate*> HashOrder(const Tier& tier, absl::string_view key,
                                        StandingOf standing_of) {
  const absl::string_view seed = tier.hash_seed.empty() ? tier.group : tier.hash_seed;
  std::vector<Racer> racers;
  racers.reserve(tier.candidates.size());
  for (const Candidate& candidate : tier.candidates) {
    if (candidate.weight <= 0) continue;
    const double weight = candidate.weight * standing_of(candidate).ramp;
    racers.push_back({RendezvousScore(key, seed, candidate.id, weight), &candidate});
  }
  return Ascending(std::move(racers));
}

std::vector<const Candidate*> RandomOrder(const Tier& tier, Random random, StandingOf standing_of) {
  std::vector<Racer> racers;
  racers.reserve(tier.candidates.size());
  for (const Candidate& candidate : tier.candidates) {
    if (candidate.weight <= 0) continue;
    const double weight = candidate.weight * standing_of(candidate).ramp;
    racers.push_back({-std::log1p(-random()) / weight, &candidate});
  }
  return Ascending(std::move(racers));
}

std::vector<const Candidate*> ConfiguredOrder(const Tier& tier) {
  std::vector<const Candidate*> order;
  order.reserve(tier.candidates.size());
  for (const Candidate& candidate : tier.candidates) {
    if (candidate.weight > 0) order.push_back(&candidate);
  }
  return order;
}

}  // namespace mg
