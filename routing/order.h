// The order in which the candidates of one tier are tried, by its strategy. Pure: the key, the draw
// and the rotation are handed in.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "modelgateway/v1/gateway.pb.h"
#include "resilience/retry.h"
#include "routing/route.h"

namespace mg {

// −ln(U)/weight with U in (0,1) from XXH3-64 of key and candidate id under the seed: the least
// wins, ascending order is the fallback order. Stable over builds, processes and machines (golden
// vectors in tests/unit); infinite for weight 0.
double RendezvousScore(absl::string_view key, absl::string_view seed,
                       absl::string_view candidate_id, double weight);

// How a candidate stands at the moment (spec/resilience.md §3.9): may it be asked, and which part
// of its weight, over 0 and up to 1, has it got back since its breaker closed.
struct Standing {
  bool selectable = true;
  double ramp = 1;
};
using StandingOf = absl::FunctionRef<Standing(const Candidate&)>;
inline Standing Whole(const Candidate&) { return {}; }

// Longer keys count as missing: hashing is not to be a caller's way to keep the daemon busy.
inline constexpr size_t kMaxHashKeyBytes = 4096;

// What the call is hashed by; nullopt: it has nothing of the kind, or something overlong.
std::optional<absl::string_view> HashKeyOf(const Tier& tier, const v1::CallContext& context);

// Candidates of weight over 0, the first to be tried first.
std::vector<const Candidate*> HashOrder(const Tier& tier, absl::string_view key,
                                        StandingOf standing_of = Whole);
std::vector<const Candidate*> RandomOrder(const Tier& tier, Random random,
                                          StandingOf standing_of = Whole);
std::vector<const Candidate*> ConfiguredOrder(const Tier& tier);

}  // namespace mg
