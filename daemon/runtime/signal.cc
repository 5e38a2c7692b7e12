#include "daemon/runtime/signal.h"

#include <algorithm>

#include "base/check.h"

namespace mg {

void Cancellation::Cancel(absl::Status status) {
  MG_CHECK(!status.ok(), "a cancellation needs a reason");
  if (cancelled()) return;
  status_ = std::move(status);
  std::vector<Signal*> waiting;
  waiting.swap(waiting_);
  for (Signal* signal : waiting) signal->Complete(Wake::kCancelled);
}

Signal::~Signal() { MG_CHECK(!waiter_, "a Signal goes while a coroutine waits on it"); }

void Signal::Notify() {
  if (waiter_) {
    Complete(Wake::kNotified);
  } else {
    notified_ = true;
  }
}

bool Signal::Ready(Instant until, const Cancellation* cancellation) {
  if (notified_) {
    notified_ = false;
    wake_ = Wake::kNotified;
  } else if (cancellation != nullptr && cancellation->cancelled()) {
    wake_ = Wake::kCancelled;
  } else if (until <= loop_->now()) {
    wake_ = Wake::kTimeout;
  } else {
    return false;
  }
  return true;
}

void Signal::Suspend(std::coroutine_handle<> waiter, Instant until, Cancellation* cancellation) {
  MG_CHECK(!waiter_, "two coroutines wait on one Signal");
  waiter_ = waiter;
  cancellation_ = cancellation;
  if (cancellation != nullptr) cancellation->waiting_.push_back(this);
  timer_ = loop_->CallAt(until, [this] {
    timer_ = {kNever, 0};
    Complete(Wake::kTimeout);
  });
}

void Signal::Complete(Wake wake) {
  if (!waiter_) return;
  wake_ = wake;
  if (timer_.second != 0) {
    loop_->CancelTimer(timer_);
    timer_ = {kNever, 0};
  }
  if (cancellation_ != nullptr) {
    auto& waiting = cancellation_->waiting_;
    waiting.erase(std::remove(waiting.begin(), waiting.end(), this), waiting.end());
    cancellation_ = nullptr;
  }
  loop_->Resume(std::exchange(waiter_, nullptr));
}

Task<absl::Status> SleepUntil(Loop* loop, Instant until, Cancellation* cancellation) {
  Signal never(loop);
  if (co_await never.Wait(until, cancellation) == Wake::kCancelled) {
    co_return cancellation->status();
  }
  co_return absl::OkStatus();
}

}  // namespace mg
