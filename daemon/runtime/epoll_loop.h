// The loop of a real worker: epoll for file descriptors, the monotonic clock, and a queue of
// foreign completions (gRPC's) that it polls itself as long as there is work, since a hop between
// threads costs more than most calls.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "daemon/runtime/fd_watcher.h"
#include "daemon/runtime/loop.h"

namespace mg {

// Completions that another library queues. All but Interrupt is called on the loop's thread. The
// loop sleeps in the source that was added first (Wait), and a thread of its own watches the
// descriptors meanwhile: what a turn brings about in the queue itself (every write to a caller)
// then costs no hop between threads. The other sources, which have little to do, are parked.
class CompletionSource {
 public:
  virtual ~CompletionSource() = default;
  // Handles what has completed, without blocking; whether there was anything.
  virtual bool Poll() = 0;
  // Blocks until something has completed, which the next Poll handles, until Interrupt or `until`.
  virtual void Wait(Instant until) = 0;
  // Ends a Wait that is under way, else the next one. From any thread.
  virtual void Interrupt() = 0;
  // The loop is about to sleep elsewhere: something that completes is handed in by Loop::Post.
  virtual void Park() = 0;
};

class EpollLoop final : public Loop {
 public:
  EpollLoop();
  ~EpollLoop() override;

  Instant Measure() const override;
  absl::Time WallTime() const override { return absl::Now(); }

  // Until Stop. The thread that runs the loop owns it from then on.
  void Run();
  // Ends Run after the current turn. From any thread.
  void Stop();

  // Calls `callback` with the ready epoll events (EPOLLIN, EPOLLOUT …, level-triggered) of `fd`.
  // One watch a descriptor; a second call changes events and callback. The callback may unwatch and
  // close its own descriptor.
  static constexpr uint32_t kReadable = 0x001;  // EPOLLIN
  static constexpr uint32_t kWritable = 0x004;  // EPOLLOUT
  using FdCallback = absl::AnyInvocable<void(uint32_t events)>;
  void Watch(int fd, uint32_t events, FdCallback callback);
  void Modify(int fd, uint32_t events);
  void Unwatch(int fd);

  // Not owned: whoever adds one removes it. Not while the loop runs.
  void AddCompletionSource(CompletionSource* source);
  void RemoveCompletionSource(CompletionSource* source);

 private:
  struct FdWatch {
    FdCallback callback;
    uint32_t events = 0;
    uint64_t generation = 0;
  };

  void WakeUp() override;
  // One epoll_wait of at most `timeout_ms`; whether anything was ready.
  bool PollFds(int timeout_ms);
  void Sleep();
  int SleepMs() const;

  const int epoll_fd_;
  const int wake_fd_;
  std::atomic<bool> stopped_ = false;
  uint64_t next_generation_ = 1;
  absl::flat_hash_map<int, std::shared_ptr<FdWatch>> watches_;
  std::vector<CompletionSource*> sources_;
  CompletionSource* sleeps_in_ = nullptr;
  std::unique_ptr<FdWatcher> watcher_;  // where sleeps_in_ is set
};

}  // namespace mg
