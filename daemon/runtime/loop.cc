#include "daemon/runtime/loop.h"

namespace mg {

Loop::TimerId Loop::CallAt(Instant at, absl::AnyInvocable<void()> callback) {
  if (at == kNever) return {kNever, 0};
  const TimerId id{at, next_timer_++};
  timers_.emplace(id, std::move(callback));
  return id;
}

void Loop::Post(absl::AnyInvocable<void()> callback) {
  bool first = false;
  {
    absl::MutexLock lock(&mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(callback));
  }
  if (first) WakeUp();
}

bool Loop::HasPosted() {
  absl::MutexLock lock(&mutex_);
  return !posted_.empty();
}

bool Loop::RunReady() {
  // What makes new work without end must not keep the descriptors waiting.
  constexpr int kMaxRounds = 16;
  for (int round = 0; round < kMaxRounds; ++round) {
    bool ran = RunPosted();
    ran |= RunTimers();
    ran |= RunCoroutines();
    if (!ran) return round > 0;
  }
  return true;
}

bool Loop::RunPosted() {
  std::vector<absl::AnyInvocable<void()>> posted;
  {
    absl::MutexLock lock(&mutex_);
    posted.swap(posted_);
  }
  for (auto& callback : posted) callback();
  return !posted.empty();
}

bool Loop::RunTimers() {
  bool any = false;
  // Those that are set meanwhile come after the coroutines, which may have to take what the timers
  // bring.
  const uint64_t first_new = next_timer_;
  while (!timers_.empty() && timers_.begin()->first.first <= now_ &&
         timers_.begin()->first.second < first_new) {
    auto timer = timers_.extract(timers_.begin());
    timer.mapped()();
    any = true;
  }
  return any;
}

bool Loop::RunCoroutines() {
  if (ready_.empty()) return false;
  running_.swap(ready_);
  for (std::coroutine_handle<> coroutine : running_) coroutine.resume();
  running_.clear();
  return true;
}

}  // namespace mg
