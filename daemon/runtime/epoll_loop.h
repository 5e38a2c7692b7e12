// The loop of a real worker: epoll for file descriptors, the monotonic clock, and a queue of
// foreign completions (gRPC's) that it polls itself as long as there is work, since a hop between
// threads costs more than most calls.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "daemon/runtime/loop.h"

namespace mg {

// Completions that another library queues. Poll and Park are called on the loop's thread.
class CompletionSource {
 public:
  virtual ~CompletionSource() = default;
  // Handles what has completed, without blocking; whether there was anything.
  virtual bool Poll() = 0;
  // The loop is about to sleep: from now on something that completes is handed in by Loop::Post.
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

  // Not owned: whoever adds one removes it.
  void AddCompletionSource(CompletionSource* source) { sources_.push_back(source); }
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
  int SleepMs() const;

  const int epoll_fd_;
  const int wake_fd_;
  std::atomic<bool> stopped_ = false;
  uint64_t next_generation_ = 1;
  absl::flat_hash_map<int, std::shared_ptr<FdWatch>> watches_;
  std::vector<CompletionSource*> sources_;
};

}  // namespace mg
