// May a target be asked now, and if not, why and until when (spec/resilience.md §3.1, §3.9). Asks
// and takes nothing; an attempt then takes its Permits, which may still be refused.
#pragma once

#include "base/error.h"
#include "base/time.h"
#include "resilience/live_state.h"

namespace mg {

// In the order in which it is told: the first that holds.
enum class BlockedBy { kNothing, kIsolated, kBreaker, kCooldown, kLimiter };
const char* BlockedByName(BlockedBy blocked_by);  // "breaker_open"

struct Availability {
  BlockedBy blocked_by = BlockedBy::kNothing;
  CooldownScope cooling = CooldownScope::kNone;  // kCooldown: for what
  bool rate_limited = false;                     // kBreaker: it opened for too many 429s
  Instant at;  // when it may be asked as far as is known; kNever: only by hand

  bool selectable() const { return blocked_by == BlockedBy::kNothing; }
};

// `sole`: nothing of the call's plan is selectable and breakers are the reason, so that an open one
// may be probed earlier (§3.9, circuit_breaker.sole_candidate_max_cooldown).
Availability AvailabilityOf(const Target& target, Instant now, bool sole);

// When its cooldowns are over, and nothing else; kNever where a breaker would refuse it now.
Instant RepeatableFrom(const Target& target, Instant now);

// Which part of its weight it has got back (slow start), the smaller of endpoint and target.
double RampOf(const Target& target, Instant now);

}  // namespace mg
