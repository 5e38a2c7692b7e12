// A loop whose time is the test's: it jumps to the next timer as soon as nothing else is left to
// do.
#pragma once

#include "daemon/runtime/loop.h"

namespace mg {

class VirtualLoop final : public Loop {
 public:
  VirtualLoop()
      : Loop(absl::UnixEpoch() + absl::Hours(1)), wall_(absl::FromUnixSeconds(1'795'000'000)) {}

  absl::Time WallTime() const override {
    return wall_ + jumped_ + (now() - (absl::UnixEpoch() + absl::Hours(1)));
  }

  // Runs until nothing is ready and no timer is set.
  void RunUntilIdle() { RunUntil(kNever); }

  // Runs everything up to and including `end`; time is `end` afterwards (or that of the last timer
  // for kNever).
  void RunUntil(Instant end) {
    while (true) {
      while (RunReady()) {
      }
      const Instant next = NextTimer();
      if (next == kNever || next > end) break;
      set_now(next);
    }
    if (end != kNever && now() < end) set_now(end);
  }

  // What is ready, then on to the next timer; false: there was nothing left to do.
  bool Step() {
    bool any = false;
    while (RunReady()) any = true;
    const Instant next = NextTimer();
    if (next == kNever) return any;
    set_now(next);
    return true;
  }

  // Somebody sets the clock that people read.
  void JumpWall(absl::Duration by) { jumped_ += by; }

  void RunFor(absl::Duration duration) { RunUntil(now() + duration); }

 private:
  void WakeUp() override {}

  const absl::Time wall_;
  absl::Duration jumped_;
};

}  // namespace mg
