// The shared state of all workers under threads; the plain build runs this under ThreadSanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "resilience/breaker.h"
#include "resilience/cooldown.h"
#include "resilience/limiter.h"
#include "resilience/retry_budget.h"

namespace mg {
namespace {

using Permit = CircuitBreaker::Permit;
using Slot = Limiter::Slot;
using Ticket = Limiter::Ticket;

const Instant kNow = absl::UnixEpoch() + absl::Hours(1000);

double NoRandom() { return 0; }

// `work` on so many threads at once, each told its number.
void OnThreads(int count, const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

// A threshold of five is five, however many workers report.
TEST(ThreadsTest, FailuresTripOnce) {
  for (int round = 0; round < 64; ++round) {
    const std::shared_ptr<CircuitBreaker> breaker = CircuitBreaker::New({});
    std::vector<Permit> permits;
    for (int i = 0; i < 8; ++i) permits.push_back(*breaker->Admit(kNow, false).permit);
    std::atomic<int> trips = 0;
    OnThreads(8, [&](int i) {
      const BreakerEffect effect = permits[static_cast<size_t>(i)].Failure(kNow, {}, NoRandom);
      if (effect.transition.has_value()) ++trips;
    });
    EXPECT_EQ(trips, 1);
  }
}

TEST(ThreadsTest, OneProbeAtATimeAndNoSlotIsLost) {
  BreakerPolicy policy;
  policy.half_open_successes = 1000000;
  const std::shared_ptr<CircuitBreaker> breaker = CircuitBreaker::New(policy);
  for (int i = 0; i < 5; ++i) breaker->Admit(kNow, false).permit->Failure(kNow, {}, NoRandom);
  const Instant due = kNow + absl::Minutes(1);
  std::atomic<int> probing = 0;
  std::atomic<int> probes = 0;
  std::atomic<bool> too_many = false;
  OnThreads(4, [&](int) {
    for (int i = 0; i < 5000; ++i) {
      CircuitBreaker::Admission admission = breaker->Admit(due, false);
      breaker->View(due);
      breaker->Ramp(due);
      if (!admission.permit.has_value()) continue;
      ++probes;
      if (++probing > 1) too_many = true;
      --probing;
      if (i % 2 == 0) admission.permit->Commit(due).tail.CleanEnd();
    }
  });
  EXPECT_FALSE(too_many);
  EXPECT_GT(probes, 0);
  EXPECT_EQ(breaker->View(due).probes, 0);
}

TEST(ThreadsTest, ABreakerIsChangedWhileItIsUsed) {
  const std::shared_ptr<CircuitBreaker> breaker = CircuitBreaker::New({});
  OnThreads(4, [&](int thread) {
    for (int i = 0; i < 2000; ++i) {
      const Instant now = kNow + absl::Milliseconds(i);
      if (thread == 0) {
        BreakerPolicy policy;
        policy.failure_threshold = 1 + i % 10;
        breaker->SetPolicy(policy, now);
        if (i % 100 == 0) breaker->Isolate(now, now + absl::Milliseconds(1));
        if (i % 50 == 0) breaker->Reset(now);
        continue;
      }
      CircuitBreaker::Admission admission = breaker->Admit(now, true);
      if (admission.permit.has_value()) admission.permit->Failure(now, {}, NoRandom);
    }
  });
  breaker->Reset(kNow + absl::Hours(1));
  EXPECT_TRUE(breaker->Admit(kNow + absl::Hours(1), false).permit.has_value());
}

TEST(ThreadsTest, ACooldownAndABudgetAreSharedByAll) {
  Cooldown cooldown{CooldownPolicy{}};
  RetryBudget budget(RetryBudgetPolicy{}, kNow);
  std::atomic<int> taken = 0;
  OnThreads(4, [&](int) {
    for (int i = 0; i < 2000; ++i) {
      cooldown.Start(CooldownScope::kRate, std::nullopt, kNow, NoRandom);
      cooldown.Success(kNow);
      if (budget.Take(1, kNow)) ++taken;
    }
  });
  EXPECT_EQ(cooldown.Until(kNow), kNow + absl::Seconds(5));
  EXPECT_EQ(taken, 10);
}

TEST(ThreadsTest, NeverMoreInFlightThanTheMaximumAndNobodyIsForgotten) {
  const std::shared_ptr<Limiter> limiter = Limiter::New({.max_in_flight = 3, .queue = 64});
  std::atomic<int> holding = 0;
  std::atomic<int> served = 0;
  std::atomic<bool> too_many = false;
  const auto hold = [&](const Slot&) {
    if (++holding > 3) too_many = true;
    ++served;
    --holding;
  };
  OnThreads(8, [&](int) {
    for (int i = 0; i < 1000; ++i) {
      if (const std::optional<Slot> slot = limiter->TryAcquire()) {
        hold(*slot);
        continue;
      }
      std::optional<Ticket> ticket = limiter->Enqueue([] {});
      while (!ticket->called()) std::this_thread::yield();
      const std::optional<Slot> slot = ticket->Take();
      hold(*slot);
    }
  });
  EXPECT_FALSE(too_many);
  EXPECT_EQ(served, 8000);
  EXPECT_EQ(limiter->Now().in_flight, 0);
  EXPECT_EQ(limiter->Now().queued, 0);
}

}  // namespace
}  // namespace mg
