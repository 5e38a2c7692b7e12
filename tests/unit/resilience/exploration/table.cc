#include "tests/unit/resilience/exploration/table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace mg {

const char* EventName(Event event) {
  static constexpr std::array<const char*, 15> kNames = {
      "admit",   "admit sole",  "success",      "commit",
      "fail",    "fail hinted", "rate limited", "rate limited hinted",
      "neutral", "clean end",   "cut",          "drop tail",
      "tick",    "isolate",     "reset"};
  return kNames[static_cast<size_t>(event)];
}

BreakerPolicy ExploredPolicy() {
  BreakerPolicy policy;
  policy.failure_threshold = kThreshold;
  policy.failure_ratio = 0.6;
  policy.min_requests = kMinRequests;
  policy.window = kWindowTicks * kTick;
  policy.cooldown = kCooldownTicks * kTick;
  policy.max_cooldown = kMaxCooldownTicks * kTick;
  policy.multiplier = 2;
  policy.jitter = 0;
  policy.half_open_max_probes = kProbes;
  policy.half_open_successes = kProbeSuccesses;
  policy.half_open_max_duration = kProbeTicks * kTick;
  policy.sole_candidate_max_cooldown = kSoleTicks * kTick;
  policy.slow_start_window = kRampTicks * kTick;
  policy.slow_start_min_percent = 10;
  return policy;
}

Seen Table::Do(Event event, int index) {
  Seen seen;
  if (event == Event::kTick) {
    ++tick;
    ok = {0, ok[0]};
    failed = {0, failed[0]};
    if (state == BreakerState::kClosed && ++closed_ticks == kWindowTicks) {
      closed_ticks = 0;
      k = std::max(0, k - 1);
    }
    return seen;
  }
  if (event == Event::kReset) {
    if (state != BreakerState::kClosed) Close("reset", &seen);
    AllZero();
    return seen;
  }
  if (event == Event::kIsolate) {
    const BreakerState before = Shown();
    if (before != BreakerState::kIsolated) {
      state = before;
      Change(BreakerState::kIsolated, "isolated", &seen);
      AllZero();
    }
    isolated_until = tick + 1;
    return seen;
  }
  Caller& caller = callers[static_cast<size_t>(index)];
  switch (event) {
    case Event::kAdmit:
    case Event::kAdmitSole:
      return Admit(caller, event == Event::kAdmitSole);
    case Event::kSuccess:
    case Event::kCommit:
      return Success(caller, event == Event::kSuccess);
    case Event::kFail:
    case Event::kFailHinted:
      return Fail(caller, event == Event::kFailHinted ? kHintTicks : 0);
    case Event::kRateLimited:
    case Event::kRateLimitedHinted:
      return RateLimited(caller, event == Event::kRateLimitedHinted ? kHintTicks : 0);
    case Event::kCut:
      return Cut(caller);
    case Event::kCleanEnd:
      seen.stale = Stale(caller);
      if (!seen.stale) truncated = 0;
      break;
    default:  // kNeutral, kDropTail
      break;
  }
  caller = {};
  return seen;
}

Seen Table::Admit(Caller& caller, bool sole) {
  Seen seen;
  if (state != Shown()) {
    Close("isolation_over", &seen);
    AllZero();
  }
  if (AvailableIn(sole) != absl::ZeroDuration()) return seen;
  if (state == BreakerState::kOpen) {
    Change(BreakerState::kHalfOpen, tick < open_until ? "sole_candidate" : "cooldown_over", &seen);
  }
  seen.admitted = true;
  seen.probe = state == BreakerState::kHalfOpen;
  if (seen.probe && Holders() == kProbes) {
    const Caller* slow = OldestOverdueHolder();
    callers[static_cast<size_t>(slow - callers.data())].holds_slot = false;
  }
  caller = {.phase = Caller::Phase::kPermit,
            .generation = generation,
            .probe = seen.probe,
            .holds_slot = seen.probe,
            .since = tick,
            .order = ++admissions};
  return seen;
}

Seen Table::Success(Caller& caller, bool whole) {
  Seen seen;
  seen.stale = Stale(caller);
  if (seen.stale) {
    caller = {};
    return seen;
  }
  caller = {.phase = Caller::Phase::kTail};
  rate_run = 0;
  if (state == BreakerState::kClosed) {
    consecutive = 0;
    ++ok[0];
    caller.success_at = tick;
  } else if (++probe_successes == kProbeSuccesses) {
    Close("probes_succeeded", &seen);
    recovered = tick;
  }
  caller.generation = generation;
  if (whole) {
    truncated = 0;
    caller = {};
  }
  return seen;
}

Seen Table::Fail(Caller& caller, int hint) {
  Seen seen;
  seen.stale = Stale(caller);
  caller = {};
  if (seen.stale) return seen;
  if (state == BreakerState::kHalfOpen) {
    ++k;
    Open("probe_failed", hint, &seen);
    return seen;
  }
  ++failed[0];
  ++consecutive;
  if (consecutive == kThreshold) {
    Open("consecutive", hint, &seen);
  } else if (Ratio()) {
    Open("ratio", hint, &seen);
  }
  return seen;
}

Seen Table::RateLimited(Caller& caller, int hint) {
  Seen seen;
  seen.stale = Stale(caller);
  const bool counts = !seen.stale && !caller.rate_known;
  caller = {};
  if (!counts) return seen;
  for (Caller& other : callers) other.rate_known = true;
  if (++rate_run == kThreshold) {
    Open("rate_limited", hint, &seen);
    rate_run = 0;
    if (hint > 0) rate_hint_until = tick + hint;
  }
  return seen;
}

Seen Table::Cut(Caller& caller) {
  Seen seen;
  seen.stale = Stale(caller);
  const int success_at = caller.success_at;
  caller = {};
  if (seen.stale) return seen;
  if (success_at >= 0 && tick - success_at < kWindowTicks) {
    --ok[static_cast<size_t>(tick - success_at)];
  }
  ++failed[0];
  ++truncated;
  if (truncated >= kThreshold || Ratio()) {
    if (state == BreakerState::kHalfOpen) ++k;
    Open("truncated", 0, &seen);
  }
  return seen;
}

BreakerState Table::Shown() const {
  const bool over = state == BreakerState::kIsolated && tick >= isolated_until;
  return over ? BreakerState::kClosed : state;
}

int Table::Holders() const {
  return static_cast<int>(std::count_if(callers.begin(), callers.end(),
                                        [](const Caller& caller) { return caller.holds_slot; }));
}

const Caller* Table::OldestOverdueHolder() const {
  const Caller* oldest = nullptr;
  for (const Caller& caller : callers) {
    if (!caller.holds_slot || tick - caller.since < kProbeTicks) continue;
    if (oldest == nullptr || caller.order < oldest->order) oldest = &caller;
  }
  return oldest;
}

absl::Duration Table::AvailableIn(bool sole) const {
  switch (Shown()) {
    case BreakerState::kClosed:
      return absl::ZeroDuration();
    case BreakerState::kIsolated:
      return absl::InfiniteDuration();
    case BreakerState::kHalfOpen: {
      const bool room = Holders() < kProbes || OldestOverdueHolder() != nullptr;
      return room ? absl::ZeroDuration() : absl::Seconds(1);
    }
    case BreakerState::kOpen: {
      int end = open_until;
      if (sole) end = std::min(end, std::max(opened + kSoleTicks, rate_hint_until));
      return std::max(0, end - tick) * kTick;
    }
  }
  return absl::ZeroDuration();
}

double Table::Ramp() const {
  if (Shown() != BreakerState::kClosed || tick - recovered >= kRampTicks) return 1;
  return std::max(0.1, static_cast<double>(tick - recovered) / kRampTicks);
}

bool Table::Ratio() const {
  const int all = Outcomes();
  return all >= kMinRequests && 5 * (failed[0] + failed[1]) >= 3 * all;
}

void Table::Change(BreakerState to, const char* why, Seen* seen) {
  seen->transition = absl::StrCat(BreakerStateName(state), ">", BreakerStateName(to), " ", why);
  state = to;
  ++generation;
  probe_successes = 0;
  for (Caller& caller : callers) caller.holds_slot = false;
  if (to != BreakerState::kHalfOpen) reason = why;
  if (to == BreakerState::kClosed) reason.clear();
}

void Table::Open(const char* why, int hint, Seen* seen) {
  Change(BreakerState::kOpen, why, seen);
  opened = tick;
  open_until = tick + std::max(k == 0 ? kCooldownTicks : kMaxCooldownTicks, hint);
  rate_hint_until = -100;
  closed_ticks = 0;
}

void Table::Close(const char* why, Seen* seen) {
  Change(BreakerState::kClosed, why, seen);
  ok = failed = {};
  consecutive = rate_run = closed_ticks = 0;
  recovered = -100;
}

void Table::AllZero() {
  ok = failed = {};
  consecutive = truncated = rate_run = k = closed_ticks = 0;
  recovered = -100;
  // A success that is forgotten is not taken back either.
  for (Caller& caller : callers) caller.success_at = -1;
}

}  // namespace mg
