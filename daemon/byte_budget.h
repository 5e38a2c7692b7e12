// The bytes that all request, response and queue buffers of the process may hold together
// (limits.buffered_bytes). Main makes the one instance; all workers share it, so any thread may
// call it. Who must wait for room waits in order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/time.h"
#include "daemon/runtime/loop.h"
#include "daemon/runtime/signal.h"
#include "daemon/runtime/task.h"

namespace mg {

class ByteBudget;

// Bytes of a budget, given back when it goes.
class ByteReservation {
 public:
  ByteReservation() = default;
  // Owns `bytes` that were already taken.
  ByteReservation(ByteBudget* budget, size_t bytes) : budget_(budget), bytes_(bytes) {}
  ByteReservation(ByteReservation&& other) noexcept
      : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
  ByteReservation& operator=(ByteReservation&& other) noexcept;
  ~ByteReservation() { ShrinkTo(0); }

  size_t bytes() const { return bytes_; }
  void ShrinkTo(size_t bytes);

 private:
  ByteBudget* budget_ = nullptr;
  size_t bytes_ = 0;
};

class ByteBudget {
 public:
  explicit ByteBudget(size_t total, size_t max_waiting = 4096)
      : total_(total), max_waiting_(max_waiting) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  // What one call may hold though all is taken: those that hold more make room, so that small calls
  // go on.
  static constexpr size_t kSmallShare = size_t{256} << 10;
  // Of one message that is read, where there is enough.
  static constexpr size_t kLargestMessage = size_t{48} << 20;

  size_t total() const { return total_; }
  // What one message that is read may have: so much must be left for the next call to be read at
  // all. In a small process a third: the message, what is sent for it, and the next one.
  size_t largest_message() const { return std::min(kLargestMessage, total_ / 3); }
  size_t used() const;
  // All is used, or answers have taken their half: calls that read no answer, or get one that never
  // ends, must not keep out all others.
  bool crowded() const;
  // Whether another call could be read if a running one took `bytes` for what it sends.
  bool LeavesRoom(size_t bytes) const;

  // Takes `bytes` if there is room and nobody waits for some.
  bool TryReserve(size_t bytes);
  // Waits in order for room until `until`. RESOURCE_EXHAUSTED (a plain status) where too many wait
  // already, DEADLINE_EXCEEDED (plain) where the time came first, the cancellation's status where
  // that did.
  Task<absl::StatusOr<ByteReservation>> Reserve(Loop* loop, size_t bytes, Instant until,
                                                Cancellation* cancellation);
  void Release(size_t bytes);  // of what was reserved
  // Takes `bytes` whatever is left: for what a running call must buffer of its answer and what is
  // bounded otherwise (limits.call_buffer). New calls find less room, or none.
  void Take(size_t bytes);
  void GiveBack(size_t bytes);  // of what was taken

 private:
  struct Waiter {
    Waiter(Loop* waiter_loop, size_t wanted) : loop(waiter_loop), bytes(wanted), room(loop) {}
    Loop* const loop;
    const size_t bytes;
    bool granted = false;  // guarded by the budget's mutex
    Signal room;           // belongs to the loop
  };

  bool HasRoom(size_t bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return used_ <= total_ && bytes <= total_ - used_;
  }
  void GrantWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ends the wait; whether the bytes were granted.
  bool Leave(const std::shared_ptr<Waiter>& waiter);

  const size_t total_;
  const size_t max_waiting_;
  mutable absl::Mutex mutex_;
  size_t used_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t taken_ ABSL_GUARDED_BY(mutex_) = 0;  // of these, by answers
  std::list<std::shared_ptr<Waiter>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mg
