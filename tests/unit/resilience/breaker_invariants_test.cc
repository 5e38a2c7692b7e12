// I1 to I4 of spec/resilience.md §3.14 with real permits, for many random lives of a breaker.
#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

#include "tests/unit/resilience/breaker_driver.h"

namespace mg {
namespace {

using Permit = CircuitBreaker::Permit;
using Tail = CircuitBreaker::Tail;

BreakerPolicy RandomPolicy(std::mt19937* generator) {
  const auto draw = [generator](int from, int to) {
    return from + static_cast<int>((*generator)() % static_cast<uint32_t>(to - from + 1));
  };
  BreakerPolicy policy;
  policy.failure_threshold = draw(0, 4);
  policy.failure_ratio = policy.failure_threshold == 0 ? 0.4 : draw(0, 2) * 0.4;
  policy.min_requests = draw(1, 10);
  policy.window = absl::Seconds(draw(1, 30));
  policy.cooldown = absl::Seconds(draw(1, 10));
  policy.max_cooldown = policy.cooldown * draw(1, 20);
  policy.jitter = draw(0, 5) / 5.0;
  policy.half_open_max_probes = draw(1, 3);
  policy.half_open_successes = draw(1, 4);
  policy.half_open_max_duration = absl::Seconds(draw(1, 20));
  policy.sole_candidate_max_cooldown = absl::Seconds(draw(0, 5));
  return policy;
}

// Attempts that come, run and end at random.
class Life {
 public:
  explicit Life(uint32_t seed) : generator_(seed), policy_(RandomPolicy(&generator_)) {
    breaker_ = CircuitBreaker::New(policy_);
  }

  void Step() {
    now_ += absl::Milliseconds(Draw(3) == 0 ? Draw(8000) : 0);
    switch (Draw(4)) {
      case 0:
      case 1:
        Admit(Draw(4) == 0);
        break;
      case 2:
        EndOne();
        break;
      default:
        EndTail();
    }
    ASSERT_LE(View().probes, policy_.half_open_max_probes);  // I1
    if (View().state != BreakerState::kHalfOpen) ASSERT_EQ(View().probes, 0);
    ASSERT_GT(breaker_->Ramp(now_), 0);
    ASSERT_LE(breaker_->Ramp(now_), 1);
  }

  // Whatever happened: once the upstream is well and nobody holds a permit, it closes in time.
  void Recover() {
    permits_.clear();
    tails_.clear();
    ASSERT_EQ(View().probes, 0);  // I4: every slot has come back
    for (int i = 0; i <= policy_.half_open_successes; ++i) {
      now_ = breaker_->AvailableAt(now_, false);
      CircuitBreaker::Admission admission = breaker_->Admit(now_, false);
      ASSERT_TRUE(admission.permit.has_value());
      ASSERT_FALSE(admission.permit->Success(now_).stale);
    }
    ASSERT_EQ(View().state, BreakerState::kClosed);
  }

 private:
  uint32_t Draw(uint32_t below) { return generator_() % below; }
  double Uniform() { return std::uniform_real_distribution<double>()(generator_); }
  BreakerView View() const { return breaker_->View(now_); }

  void Admit(bool sole) {
    const BreakerView before = View();
    const Instant available_at = breaker_->AvailableAt(now_, sole);
    CircuitBreaker::Admission admission = breaker_->Admit(now_, sole);
    ASSERT_EQ(admission.permit.has_value(), available_at == now_);
    ASSERT_EQ(admission.available_at, available_at);
    if (!admission.permit.has_value()) return;
    if (before.state == BreakerState::kOpen) {  // I2
      const Instant cap = before.changed + policy_.sole_candidate_max_cooldown;
      ASSERT_GE(now_, sole ? std::min(cap, *before.open_until) : *before.open_until);
    }
    ASSERT_EQ(admission.permit->probe(), View().state == BreakerState::kHalfOpen);
    permits_.push_back({std::move(*admission.permit), View().generation});
  }

  void EndOne() {
    if (permits_.empty()) return;
    Held held = TakeOne(&permits_);
    const BreakerView before = View();
    const std::optional<absl::Duration> hint =
        Draw(2) == 0 ? std::optional(absl::Seconds(Draw(100))) : std::nullopt;
    const auto random = [this] { return Uniform(); };
    BreakerEffect effect;
    switch (Draw(6)) {
      case 0:
        effect = held.permit.Success(now_);
        break;
      case 1: {
        CircuitBreaker::Committed committed = held.permit.Commit(now_);
        effect = committed.effect;
        if (!effect.stale) tails_.push_back({std::move(committed.tail), View().generation});
        break;
      }
      case 2:
      case 3:
        effect = held.permit.Failure(now_, hint, random);
        break;
      case 4:
        effect = held.permit.RateLimited(now_, hint, random);
        break;
      default:
        held.permit.Neutral();
        ASSERT_EQ(View().state, before.state);
        ASSERT_EQ(View().generation, before.generation);
        return;
    }
    Judge(effect, held.generation, before);
  }

  void EndTail() {
    if (tails_.empty()) return;
    HeldTail held = TakeOne(&tails_);
    const BreakerView before = View();
    const uint32_t end = Draw(3);
    if (end == 0) return;  // dropped
    Judge(end == 1 ? held.tail.CleanEnd() : held.tail.Failure(now_, [this] { return Uniform(); }),
          held.generation, before);
  }

  // I3, and that a change of state is told.
  void Judge(const BreakerEffect& effect, uint64_t generation, const BreakerView& before) {
    const BreakerView after = View();
    ASSERT_EQ(effect.stale, generation != before.generation);
    ASSERT_EQ(effect.transition.has_value(), after.generation != before.generation);
    if (effect.stale) {
      ASSERT_EQ(after.generation, before.generation);
      ASSERT_EQ(after.probes, before.probes);
      ASSERT_EQ(after.consecutive, before.consecutive);
      ASSERT_EQ(after.rate_run, before.rate_run);
      ASSERT_EQ(after.window_failed, before.window_failed);
    }
  }

  template <typename T>
  T TakeOne(std::vector<T>* from) {
    std::swap((*from)[Draw(static_cast<uint32_t>(from->size()))], from->back());
    T taken = std::move(from->back());
    from->pop_back();
    return taken;
  }

  struct Held {
    Permit permit;
    uint64_t generation;
  };
  struct HeldTail {
    Tail tail;
    uint64_t generation;
  };
  std::mt19937 generator_;
  const BreakerPolicy policy_;
  std::shared_ptr<CircuitBreaker> breaker_;
  Instant now_ = absl::UnixEpoch() + absl::Hours(1000);
  std::vector<Held> permits_;
  std::vector<HeldTail> tails_;
};

TEST(BreakerInvariants, HoldForAnyLife) {
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(seed);
    Life life(seed);
    for (int i = 0; i < 200; ++i) life.Step();
    life.Recover();
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace mg
