// The event loop of a worker: one thread that runs timers, ready coroutines and what other threads
// post. EpollLoop (epoll_loop.h) adds file descriptors and real time; tests use VirtualLoop
// (tests/support) and own the time.
//
// Time stands still within a turn: everything that happens in one turn happens at now(). All
// functions but Post belong to the loop's own thread.
#pragma once

#include <coroutine>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "base/time.h"
#include "daemon/runtime/task.h"

namespace mg {

class Loop {
 public:
  using TimerId = std::pair<Instant, uint64_t>;

  virtual ~Loop() = default;

  Instant now() const { return now_; }
  // The clock itself, which goes on within a turn: for what is measured, never for what is decided.
  virtual Instant Measure() const { return now_; }
  // The date, for what people read (log lines, `created`); it may jump.
  virtual absl::Time WallTime() const = 0;

  // Calls `callback` in the first turn at or after `at`. An id of {kNever, 0} stands for no timer.
  TimerId CallAt(Instant at, absl::AnyInvocable<void()> callback);
  void CancelTimer(TimerId id) { timers_.erase(id); }

  // Resumes `coroutine` at the end of this turn (or the next), never from within the caller.
  void Resume(std::coroutine_handle<> coroutine) { ready_.push_back(coroutine); }

  // Calls `callback` on the loop's thread, soon. From any thread.
  void Post(absl::AnyInvocable<void()> callback);

 protected:
  explicit Loop(Instant start) : now_(start) {}

  void set_now(Instant now) { now_ = now; }
  // Runs what was posted, the timers that are due and the coroutines that are ready, in rounds:
  // until nothing of it is left, or for so long that the rest must wait for the next turn. Returns
  // whether there was anything.
  bool RunReady();
  Instant NextTimer() const { return timers_.empty() ? kNever : timers_.begin()->first.first; }
  bool HasPosted();
  // Another thread posted something: leave a blocking wait.
  virtual void WakeUp() = 0;

 private:
  bool RunPosted();
  bool RunTimers();
  bool RunCoroutines();

  Instant now_;
  uint64_t next_timer_ = 1;
  std::map<TimerId, absl::AnyInvocable<void()>> timers_;
  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::coroutine_handle<>> running_;

  absl::Mutex mutex_;
  std::vector<absl::AnyInvocable<void()>> posted_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mg
