// The table of spec/resilience.md §3.2 a second time, for three callers and in whole ticks, with
// nothing in common with the breaker but the text: what the exploration holds the breaker against.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "resilience/breaker_machine.h"

namespace mg {

enum class Event {
  kAdmit,
  kAdmitSole,
  kSuccess,  // a whole answer
  kCommit,
  kFail,
  kFailHinted,
  kRateLimited,
  kRateLimitedHinted,
  kNeutral,  // a cancel, a caller's fault, a dropped permit
  kCleanEnd,
  kCut,
  kDropTail,
  // Not of a caller:
  kTick,
  kIsolate,  // for a tick
  kReset,
};
const char* EventName(Event event);

// The policy that is explored, with whatever it counts in ticks.
inline constexpr absl::Duration kTick = absl::Seconds(10);
inline constexpr int kCallers = 3;
inline constexpr int kThreshold = 2;
inline constexpr int kMinRequests = 3;
inline constexpr int kProbes = 2;
inline constexpr int kProbeSuccesses = 2;
inline constexpr int kWindowTicks = 2;
inline constexpr int kCooldownTicks = 1;  // doubles once
inline constexpr int kMaxCooldownTicks = 2;
inline constexpr int kHintTicks = 2;
inline constexpr int kSoleTicks = 1;
inline constexpr int kProbeTicks = 2;
inline constexpr int kRampTicks = 2;
BreakerPolicy ExploredPolicy();

// What a step is seen to do.
struct Seen {
  bool admitted = false;
  bool probe = false;
  bool stale = false;
  std::string transition;  // "closed>open ratio"; empty: none
  bool operator==(const Seen&) const = default;
};

// One of the three.
struct Caller {
  enum class Phase { kIdle, kPermit, kTail };
  Phase phase = Phase::kIdle;
  int generation = 0;
  bool probe = false;
  bool holds_slot = false;
  int since = 0;            // tick of its admission
  int order = 0;            // of its admission among all
  bool rate_known = false;  // a counted 429 came since it was admitted
  int success_at = -1;      // tail: the tick at which its success was counted; −1: nowhere
};

class Table {
 public:
  Seen Do(Event event, int caller);

  int tick = 0;
  BreakerState state = BreakerState::kClosed;
  std::string reason;
  int generation = 1;
  std::array<int, kWindowTicks> ok{};  // by age in ticks
  std::array<int, kWindowTicks> failed{};
  int consecutive = 0;
  int truncated = 0;
  int rate_run = 0;
  int k = 0;
  int closed_ticks = 0;  // since the last whole window
  int recovered = -100;
  int opened = -100;
  int open_until = -100;
  int rate_hint_until = -100;
  int isolated_until = -100;
  int probe_successes = 0;
  int admissions = 0;
  std::array<Caller, kCallers> callers;

  // What is to be seen without an event.
  BreakerState Shown() const;
  int Outcomes() const { return ok[0] + ok[1] + failed[0] + failed[1]; }
  int Holders() const;
  absl::Duration AvailableIn(bool sole) const;
  double Ramp() const;

 private:
  Seen Admit(Caller& caller, bool sole);
  Seen Success(Caller& caller, bool whole);
  Seen Fail(Caller& caller, int hint);
  Seen RateLimited(Caller& caller, int hint);
  Seen Cut(Caller& caller);
  bool Stale(const Caller& caller) const { return caller.generation != generation; }
  const Caller* OldestOverdueHolder() const;
  bool Ratio() const;
  void Change(BreakerState to, const char* why, Seen* seen);
  void Open(const char* why, int hint, Seen* seen);
  void Close(const char* why, Seen* seen);
  void AllZero();
};

}  // namespace mg
