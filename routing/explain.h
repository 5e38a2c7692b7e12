// Which candidates a call would be given, in which order and why, without making it: nothing moves
// on. Pure but for the router, which is asked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "modelgateway/v1/gateway.pb.h"
#include "routing/router.h"

namespace mg {

struct RankedCandidate {
  const Candidate* candidate = nullptr;  // of the explanation's route
  double score = 0;     // of the race of weighted_hash: the least wins; of other strategies 0
  std::string skipped;  // why it would be passed over ("weight_zero"); empty: it would not
};

struct Explanation {
  std::shared_ptr<const Route> route;  // null where the model is not known
  std::string strategy;                // of tier 0; empty for a pair that was asked for by name
  // What is hashed: "routing_key", "end_user", "session_id", "team", "metadata.NAME"; empty where
  // nothing is.
  std::string hash_key_source;
  bool hash_key_missing = false;  // the strategy is a hash, and the call has nothing for it
  // Tier by tier, those that are skipped at the end of theirs. Of a hash the very order; what other
  // strategies decide anew for each call stands as it is configured.
  std::vector<RankedCandidate> order;
  absl::Status refusal;  // not OK: the call would end with this
};

Explanation Explain(const Router& router, absl::string_view model, const v1::CallContext& context);

}  // namespace mg
