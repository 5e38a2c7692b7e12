// What the configuration's groups and aliases become: routes. Immutable once built, shared by all
// threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "resilience/attempt_limits.h"
#include "resilience/retry.h"

namespace mg {

// Provider + model that may serve a call.
struct Candidate {
  std::string id;  // unique in its group; "provider/model" unless configured
  std::string provider;
  std::string model;       // as the provider names it
  int weight = 1;          // 0: drained, serves nothing
  int tier = 0;            // 0: the group itself; 1 and up: its fallbacks, in order
  int context_window = 0;  // tokens of prompt and answer together; 0: not known
  Timeouts timeouts;
  RetryPolicy retry;
};

enum class Strategy { kWeightedHash, kRoundRobin, kRandom };
absl::string_view StrategyName(Strategy strategy);  // "weighted_hash"

// What is hashed: kDefault is the first that is set of routing key, end user and session id.
enum class HashKeySource { kDefault, kRoutingKey, kEndUser, kSessionId, kTeam, kMetadata };
enum class MissingKey { kRandom, kFixed, kReject };

// Candidates of one tier, with the strategy that orders them.
struct Tier {
  std::string group;
  Strategy strategy = Strategy::kWeightedHash;
  HashKeySource hash_key = HashKeySource::kDefault;
  std::string hash_metadata;  // for kMetadata: its name
  std::string hash_seed;  // the group's id unless configured: else the same users get every canary
  MissingKey missing_key = MissingKey::kRandom;
  std::vector<Candidate> candidates;
};

struct DeadlinePolicy {
  absl::Duration default_deadline = absl::Seconds(600);  // of a call without one
  absl::Duration max = absl::Seconds(3600);
};

struct Route {
  std::string group;    // "provider/model" for a pair that was asked for by name
  bool direct = false;  // such a pair: one candidate, and no strategy
  std::vector<Tier> tiers;
  bool failover = true;
  int max_attempts = 3;  // of a call, over all candidates
  DeadlinePolicy deadline;
};

}  // namespace mg
