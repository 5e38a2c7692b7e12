// How many attempts an endpoint has in flight at once, and who waits for a slot (spec/resilience.md
// §2.8, §3.9). It waits for nothing itself: a call that is queued holds a Ticket and is woken when
// its turn has come; how long it waits is its own clock's affair. First come, first served: nobody
// overtakes the queue. Any thread; no callback is called under the mutex.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace mg {

// limits.max_in_flight and limits.queue of the configuration, §3.11.
struct LimiterPolicy {
  int max_in_flight = 1024;
  int queue = 256;
};

class Limiter : public std::enable_shared_from_this<Limiter> {
 public:
  // Room for one attempt, given back when it is dropped. Movable; keeps the limiter alive.
  class Slot {
   public:
    Slot(Slot&&) noexcept = default;
    Slot& operator=(Slot&& other) noexcept;
    ~Slot() { Release(); }

   private:
    friend class Limiter;
    explicit Slot(std::shared_ptr<Limiter> limiter) : limiter_(std::move(limiter)) {}
    void Release();

    std::shared_ptr<Limiter> limiter_;  // null: moved from
  };

 private:
  struct Waiter {
    absl::AnyInvocable<void()> wake;
    bool called = false;  // out of the queue, and a slot is kept for it
  };

 public:
  // A place in the queue, left when it is dropped. Movable.
  class Ticket {
   public:
    Ticket(Ticket&&) noexcept = default;
    Ticket& operator=(Ticket&& other) noexcept;
    ~Ticket() { Leave(); }

    // Whether its turn has come: a slot is kept for it.
    bool called() const;
    // The slot that is kept, which spends the ticket; nullopt before its turn.
    std::optional<Slot> Take();

   private:
    friend class Limiter;
    Ticket(std::shared_ptr<Limiter> limiter, std::shared_ptr<Waiter> waiter)
        : limiter_(std::move(limiter)), waiter_(std::move(waiter)) {}
    void Leave();

    std::shared_ptr<Limiter> limiter_;  // null: spent or moved from
    std::shared_ptr<Waiter> waiter_;
  };

  struct View {
    int in_flight = 0;  // slots that are kept for woken waiters included
    int max_in_flight = 0;
    int queued = 0;
  };

  static std::shared_ptr<Limiter> New(const LimiterPolicy& policy);

  // nullopt: full, or others wait.
  std::optional<Slot> TryAcquire();
  // Whether TryAcquire would give one.
  bool HasRoom() const;
  // The last place of the queue; nullopt: it is full. `wake` is called once at most, by whoever
  // frees the slot and on that thread; where another thread drops the ticket at that very moment,
  // after that, so it owns what it touches.
  std::optional<Ticket> Enqueue(absl::AnyInvocable<void()> wake);

  // A smaller maximum lets those in flight end and admits nobody until they are few enough; a
  // larger one wakes. A shorter queue sends nobody away.
  void SetPolicy(const LimiterPolicy& policy);

  View Now() const;

 private:
  using Wakes = std::list<std::shared_ptr<Waiter>>;

  explicit Limiter(const LimiterPolicy& policy) : policy_(policy) {}
  void Release();
  // Takes those whose turn has come out of the queue, with a slot each. Under the mutex.
  Wakes CallNext();
  static void Wake(const Wakes& wakes);

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  LimiterPolicy policy_;
  int in_flight_ = 0;
  std::list<std::shared_ptr<Waiter>> queue_;
};

}  // namespace mg
