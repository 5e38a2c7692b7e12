// Waiting, the one way it is done: a coroutine waits on a Signal until somebody notifies it, a time
// is reached, or its call is cancelled, whichever comes first. The waiting coroutine then looks at
// its own state and goes on or returns a status: nothing is ever torn down from outside.
//
//   while (buffer.empty() && !ended) {
//     switch (co_await arrived.Wait(until, cancellation)) { … }
//   }
//
// A Notify without a waiter is remembered for the next Wait. At most one coroutine waits on a
// Signal. Everything here belongs to the loop's thread.
#pragma once

#include <coroutine>
#include <vector>

#include "absl/status/status.h"
#include "base/time.h"
#include "daemon/runtime/loop.h"

namespace mg {

class Signal;

// Why a call must end before its time: set once, by the first who knows. Whatever waits under it
// wakes up then.
class Cancellation {
 public:
  Cancellation() = default;
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  bool cancelled() const { return !status_.ok(); }
  const absl::Status& status() const { return status_; }
  void Cancel(absl::Status status);

 private:
  friend class Signal;
  absl::Status status_;
  std::vector<Signal*> waiting_;
};

enum class Wake { kNotified, kTimeout, kCancelled };

class Signal {
 public:
  explicit Signal(Loop* loop) : loop_(loop) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal();

  void Notify();

  class Awaiter {
   public:
    Awaiter(Signal* signal, Instant until, Cancellation* cancellation)
        : signal_(signal), until_(until), cancellation_(cancellation) {}
    bool await_ready() { return signal_->Ready(until_, cancellation_); }
    void await_suspend(std::coroutine_handle<> waiter) {
      signal_->Suspend(waiter, until_, cancellation_);
    }
    Wake await_resume() { return signal_->wake_; }

   private:
    Signal* signal_;
    Instant until_;
    Cancellation* cancellation_;
  };
  // `cancellation` may be null: then only the time ends the wait.
  Awaiter Wait(Instant until, Cancellation* cancellation) { return {this, until, cancellation}; }

 private:
  friend class Cancellation;
  bool Ready(Instant until, const Cancellation* cancellation);
  void Suspend(std::coroutine_handle<> waiter, Instant until, Cancellation* cancellation);
  void Complete(Wake wake);

  Loop* const loop_;
  std::coroutine_handle<> waiter_;
  Cancellation* cancellation_ = nullptr;
  Loop::TimerId timer_{kNever, 0};
  bool notified_ = false;
  Wake wake_ = Wake::kNotified;
};

// Sleeps until `until`; the cancellation's status if that comes first.
Task<absl::Status> SleepUntil(Loop* loop, Instant until, Cancellation* cancellation);

}  // namespace mg
