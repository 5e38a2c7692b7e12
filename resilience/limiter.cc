#include "resilience/limiter.h"

namespace mg {

Limiter::Slot& Limiter::Slot::operator=(Slot&& other) noexcept {
  if (this == &other) return *this;
  Release();
  limiter_ = std::move(other.limiter_);
  return *this;
}

void Limiter::Slot::Release() {
  if (const std::shared_ptr<Limiter> limiter = std::move(limiter_)) limiter->Release();
}

Limiter::Ticket& Limiter::Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  Leave();
  limiter_ = std::move(other.limiter_);
  waiter_ = std::move(other.waiter_);
  return *this;
}

bool Limiter::Ticket::called() const {
  if (limiter_ == nullptr) return false;
  const std::lock_guard<std::mutex> lock(limiter_->mutex_);
  return waiter_->called;
}

std::optional<Limiter::Slot> Limiter::Ticket::Take() {
  if (!called()) return std::nullopt;
  return Slot(std::move(limiter_));
}

void Limiter::Ticket::Leave() {
  const std::shared_ptr<Limiter> limiter = std::move(limiter_);
  if (limiter == nullptr) return;
  {
    const std::lock_guard<std::mutex> lock(limiter->mutex_);
    if (!waiter_->called) {
      limiter->queue_.remove(waiter_);
      return;
    }
  }
  limiter->Release();
}

std::shared_ptr<Limiter> Limiter::New(const LimiterPolicy& policy) {
  return std::shared_ptr<Limiter>(new Limiter(policy));
}

std::optional<Limiter::Slot> Limiter::TryAcquire() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (in_flight_ >= policy_.max_in_flight || !queue_.empty()) return std::nullopt;
  ++in_flight_;
  return Slot(shared_from_this());
}

bool Limiter::HasRoom() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return in_flight_ < policy_.max_in_flight && queue_.empty();
}

std::optional<Limiter::Ticket> Limiter::Enqueue(absl::AnyInvocable<void()> wake) {
  auto waiter = std::make_shared<Waiter>();
  waiter->wake = std::move(wake);
  Wakes wakes;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (queue_.size() >= static_cast<size_t>(policy_.queue)) return std::nullopt;
    queue_.push_back(waiter);
    wakes = CallNext();  // a slot may have come free since it was refused
  }
  Wake(wakes);
  return Ticket(shared_from_this(), std::move(waiter));
}

void Limiter::SetPolicy(const LimiterPolicy& policy) {
  Wakes wakes;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    policy_ = policy;
    wakes = CallNext();
  }
  Wake(wakes);
}

Limiter::View Limiter::Now() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {in_flight_, policy_.max_in_flight, static_cast<int>(queue_.size())};
}

void Limiter::Release() {
  Wakes wakes;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    --in_flight_;
    wakes = CallNext();
  }
  Wake(wakes);
}

Limiter::Wakes Limiter::CallNext() {
  Wakes wakes;
  while (!queue_.empty() && in_flight_ < policy_.max_in_flight) {
    queue_.front()->called = true;
    ++in_flight_;
    wakes.splice(wakes.end(), queue_, queue_.begin());
  }
  return wakes;
}

void Limiter::Wake(const Wakes& wakes) {
  for (const std::shared_ptr<Waiter>& waiter : wakes) waiter->wake();
}

}  // namespace mg
