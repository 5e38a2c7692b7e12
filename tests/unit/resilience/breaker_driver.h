// A circuit breaker on a clock that stands still until the test moves it, with jitter 0 unless the
// test says otherwise.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "resilience/breaker.h"

namespace mg {

inline double NoRandom() { return 0; }
inline double HalfRandom() { return 0.5; }

inline std::string Text(const std::optional<Transition>& transition) {
  if (!transition.has_value()) return "none";
  return absl::StrCat(BreakerStateName(transition->from), ">", BreakerStateName(transition->to),
                      " ", transition->reason);
}

class BreakerDriver {
 public:
  explicit BreakerDriver(const BreakerPolicy& policy) : breaker_(CircuitBreaker::New(policy)) {}

  CircuitBreaker& breaker() { return *breaker_; }
  std::shared_ptr<CircuitBreaker> shared() { return breaker_; }
  Instant now() const { return now_; }
  void Advance(absl::Duration time) { now_ += time; }

  CircuitBreaker::Admission TryAdmit(bool sole = false) {
    CircuitBreaker::Admission admission = breaker_->Admit(now_, sole);
    if (admission.transition.has_value()) last_ = Text(admission.transition);
    return admission;
  }
  CircuitBreaker::Permit Admit() {
    CircuitBreaker::Admission admission = TryAdmit();
    EXPECT_TRUE(admission.permit.has_value()) << "refused in state " << State();
    if (!admission.permit.has_value()) std::abort();
    return std::move(*admission.permit);
  }
  bool Refused(bool sole = false) { return !TryAdmit(sole).permit.has_value(); }

  // One attempt each, and what it changed.
  std::string Succeed() { return Text(Admit().Success(now_).transition); }
  std::string Fail(std::optional<absl::Duration> hint = {}) {
    return Text(Admit().Failure(now_, hint, NoRandom).transition);
  }
  std::string RateLimit(std::optional<absl::Duration> hint = {}) {
    return Text(Admit().RateLimited(now_, hint, NoRandom).transition);
  }
  std::string Cut() { return Text(Admit().Commit(now_).tail.Failure(now_, NoRandom).transition); }
  // Opens a closed one by failures.
  void Open() {
    while (breaker_->View(now_).state == BreakerState::kClosed) Fail();
  }
  // Opens it and lets the time pass after which it admits a probe.
  void OpenAndWait() {
    Open();
    WaitUntilDue();
  }
  void WaitUntilDue() { now_ = breaker_->AvailableAt(now_, false); }

  std::string State() const { return BreakerStateName(View().state); }
  BreakerView View() const { return breaker_->View(now_); }
  // How long it still is open.
  absl::Duration OpenFor() const { return View().open_until.value_or(now_) - now_; }
  // The last transition that an admission made.
  const std::string& admitted() const { return last_; }

 private:
  std::shared_ptr<CircuitBreaker> breaker_;
  Instant now_ = absl::UnixEpoch() + absl::Hours(1000);
  std::string last_ = "none";
};

inline BreakerPolicy WithoutJitter() {
  BreakerPolicy policy;
  policy.jitter = 0;
  return policy;
}

}  // namespace mg
