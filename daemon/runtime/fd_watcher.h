// A thread that waits for one descriptor in the place of a thread that waits for something else:
// armed, it calls `ready` once when the descriptor becomes readable. The loop arms it while it
// blocks in a queue that is not its own.
#pragma once

#include <thread>

#include "absl/functional/any_invocable.h"

namespace mg {

class FdWatcher {
 public:
  // `ready` is called on the watcher's thread. `fd` must outlive the watcher.
  FdWatcher(int fd, absl::AnyInvocable<void()> ready);
  // Waits for a call of `ready` that is under way.
  ~FdWatcher();

  // One thread calls both. After Disarm a call that had begun may still be under way.
  void Arm();
  void Disarm();

 private:
  void Run();
  void Set(uint32_t events);

  const int fd_;
  const int epoll_fd_;
  const int stop_fd_;
  absl::AnyInvocable<void()> ready_;
  std::thread thread_;  // started last
};

}  // namespace mg
