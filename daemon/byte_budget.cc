#include "daemon/byte_budget.h"

#include "base/check.h"

namespace mg {

ByteReservation& ByteReservation::operator=(ByteReservation&& other) noexcept {
  if (this != &other) {
    ShrinkTo(0);
    budget_ = other.budget_;
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void ByteReservation::ShrinkTo(size_t bytes) {
  if (bytes >= bytes_) return;
  budget_->Release(bytes_ - bytes);
  bytes_ = bytes;
}

size_t ByteBudget::used() const {
  absl::MutexLock lock(&mutex_);
  return used_;
}

bool ByteBudget::TryReserve(size_t bytes) {
  absl::MutexLock lock(&mutex_);
  if (!waiting_.empty() || !HasRoom(bytes)) return false;
  used_ += bytes;
  return true;
}

Task<absl::StatusOr<ByteReservation>> ByteBudget::Reserve(Loop* loop, size_t bytes, Instant until,
                                                          Cancellation* cancellation) {
  if (TryReserve(bytes)) co_return ByteReservation(this, bytes);
  auto waiter = std::make_shared<Waiter>(loop, bytes);
  {
    absl::MutexLock lock(&mutex_);
    if (waiting_.size() >= max_waiting_) {
      co_return absl::ResourceExhaustedError("too many wait for room");
    }
    waiting_.push_back(waiter);
    GrantWaiting();  // room may have come since
  }
  const Wake wake = co_await waiter->room.Wait(until, cancellation);
  ByteReservation reservation;
  if (Leave(waiter)) reservation = ByteReservation(this, bytes);
  if (wake == Wake::kCancelled) co_return cancellation->status();
  if (reservation.bytes() == 0) co_return absl::DeadlineExceededError("no room in time");
  co_return reservation;
}

bool ByteBudget::Leave(const std::shared_ptr<Waiter>& waiter) {
  absl::MutexLock lock(&mutex_);
  if (waiter->granted) return true;
  waiting_.remove(waiter);
  GrantWaiting();  // a smaller one behind it may fit now
  return false;
}

bool ByteBudget::crowded() const {
  absl::MutexLock lock(&mutex_);
  return used_ > total_ || taken_ > total_ / 2;
}

bool ByteBudget::LeavesRoom(size_t bytes) const {
  absl::MutexLock lock(&mutex_);
  return used_ + bytes + largest_message() <= total_;
}

void ByteBudget::Take(size_t bytes) {
  absl::MutexLock lock(&mutex_);
  used_ += bytes;
  taken_ += bytes;
}

void ByteBudget::GiveBack(size_t bytes) {
  {
    absl::MutexLock lock(&mutex_);
    MG_CHECK(bytes <= taken_, "more bytes are given back than were taken");
    taken_ -= bytes;
  }
  Release(bytes);
}

void ByteBudget::Release(size_t bytes) {
  absl::MutexLock lock(&mutex_);
  MG_CHECK(bytes <= used_, "more bytes are given back than were taken");
  used_ -= bytes;
  if (!waiting_.empty()) GrantWaiting();
}

void ByteBudget::GrantWaiting() {
  while (!waiting_.empty() && HasRoom(waiting_.front()->bytes)) {
    std::shared_ptr<Waiter> waiter = std::move(waiting_.front());
    waiting_.pop_front();
    used_ += waiter->bytes;
    waiter->granted = true;
    // The signal belongs to the waiter's thread, which may be another one. The callback keeps the
    // waiter alive: it may have given up meanwhile.
    Loop* loop = waiter->loop;
    loop->Post([waiter = std::move(waiter)] { waiter->room.Notify(); });
  }
}

}  // namespace mg
