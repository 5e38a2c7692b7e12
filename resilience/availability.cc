#include "resilience/availability.h"

#include <algorithm>
#include <cstring>

namespace mg {
namespace {

// The breaker of the two that keeps it back for longer; null: none does.
const CircuitBreaker* Refusing(const Target& target, Instant now, bool sole, Instant* at) {
  const CircuitBreaker* refusing = nullptr;
  for (const CircuitBreaker* breaker :
       {target.credential->endpoint().breaker.get(), target.breaker.get()}) {
    const Instant available_at = breaker->AvailableAt(now, sole);
    if (available_at <= now || (refusing != nullptr && available_at <= *at)) continue;
    refusing = breaker;
    *at = available_at;
  }
  return refusing;
}

// Of credential and target, what ends last.
CooldownView CoolingOf(const Target& target, Instant now) {
  const CooldownView credential = target.credential->cooldown().View(now);
  const CooldownView own = target.cooldown.View(now);
  return credential.until > own.until ? credential : own;
}

}  // namespace

const char* BlockedByName(BlockedBy blocked_by) {
  switch (blocked_by) {
    case BlockedBy::kNothing:
      return "";
    case BlockedBy::kIsolated:
      return "isolated";
    case BlockedBy::kBreaker:
      return "breaker_open";
    case BlockedBy::kCooldown:
      return "cooldown";
    case BlockedBy::kLimiter:
      return "limiter";
  }
  return "";
}

Availability AvailabilityOf(const Target& target, Instant now, bool sole) {
  Availability availability;
  availability.at = now;
  const CooldownView cooling = CoolingOf(target, now);
  const CircuitBreaker* refusing = Refusing(target, now, sole, &availability.at);
  if (refusing != nullptr) {
    const BreakerView view = refusing->View(now);
    const bool isolated = view.state == BreakerState::kIsolated;
    availability.blocked_by = isolated ? BlockedBy::kIsolated : BlockedBy::kBreaker;
    availability.rate_limited = !isolated && std::strcmp(view.reason, "rate_limited") == 0;
  } else if (cooling.until > now) {
    availability.blocked_by = BlockedBy::kCooldown;
    availability.cooling = cooling.reason;
  } else if (!target.credential->endpoint().limiter->HasRoom()) {
    availability.blocked_by = BlockedBy::kLimiter;
  }
  availability.at = std::max(availability.at, cooling.until);
  return availability;
}

Instant RepeatableFrom(const Target& target, Instant now) {
  Instant at = now;
  if (Refusing(target, now, false, &at) != nullptr) return kNever;
  return std::max(at, CoolingOf(target, now).until);
}

double RampOf(const Target& target, Instant now) {
  return std::min(target.credential->endpoint().breaker->Ramp(now), target.breaker->Ramp(now));
}

}  // namespace mg
