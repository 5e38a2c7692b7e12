// The whole life of calls on one thread under virtual time, with seeded providers that fail in
// every way: whatever happens, the invariants of spec/resilience.md §3.14 hold. One seed again:
//   MG_SEED=4711 build/tests/component_test --gtest_filter='Simulation.*'

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/component/call_fixture.h"

namespace mg {
namespace {

#if __has_feature(address_sanitizer)
constexpr uint64_t kSeeds = 500;
#else
constexpr uint64_t kSeeds = 10000;
#endif

constexpr int kMostAttempts = 6;

class Dice {
 public:
  explicit Dice(uint64_t seed) : bits_(seed) {}
  int Below(int n) { return static_cast<int>(bits_() % static_cast<uint64_t>(n)); }
  bool OneIn(int n) { return Below(n) == 0; }
  int Between(int low, int high) { return low + Below(high - low + 1); }
  double Uniform() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }
  // Short ones are as likely as long ones.
  absl::Duration Time(absl::Duration most) {
    const int steps = static_cast<int>(std::log2(absl::ToDoubleMilliseconds(most)));
    return absl::Milliseconds(1) * (1 << Below(steps + 1)) * (1 + Uniform());
  }

 private:
  std::mt19937_64 bits_;
};

ResiliencePolicy PolicyOf(Dice& dice) {
  ResiliencePolicy policy;
  policy.breaker.enabled = !dice.OneIn(6);
  policy.breaker.scope = static_cast<BreakerScope>(dice.Below(3));
  policy.breaker.failure_threshold = dice.Below(6);
  policy.breaker.failure_ratio = dice.Below(4) * 0.25;
  policy.breaker.min_requests = dice.Between(1, 8);
  policy.breaker.window = absl::Seconds(dice.Between(1, 30));
  policy.breaker.cooldown = absl::Seconds(dice.Between(1, 10));
  policy.breaker.half_open_max_probes = dice.Between(1, 3);
  policy.breaker.half_open_successes = dice.Between(1, 3);
  policy.budget.max_tokens = dice.Between(2, 20);
  policy.budget.min_per_second = dice.Below(3) * 0.5;
  policy.limiter.max_in_flight = dice.OneIn(2) ? dice.Between(1, 4) : 1024;
  policy.limiter.queue = dice.Below(4);
  return policy;
}

// What a provider named `name` does this time; its content is its own name, again and again.
Script Answer(Dice& dice, const std::string& name, bool stream) {
  const absl::Duration think = dice.Time(absl::Minutes(5));
  const auto hinted = [&](Script script) {
    if (dice.OneIn(2)) return script;
    return std::move(script).With("retry-after-ms", absl::StrCat(dice.Between(0, 5000)));
  };
  switch (dice.Below(12)) {
    case 0:
      return hinted(Failing(429)).HeadAfter(think);
    case 1:
      return hinted(Failing(503)).HeadAfter(think);
    case 2:
      return Failing(std::vector{400, 401, 402, 404, 408, 409, 413, 500,
                                 504}[static_cast<size_t>(dice.Below(9))])
          .HeadAfter(think);
    case 3:
      return Script::Refused().HeadAfter(think);
    case 4:
      return Script::Json(200, "<html>no").HeadAfter(think);
    case 5:
      return (stream ? Script::Sse({}) : Script::Json(200, "")).HeadAfter(think);
    case 6:
      return Good(stream, name).HeadAfter(absl::Hours(2));  // for ever
    default:
      break;
  }
  if (!stream) return Good(false, name).HeadAfter(think);
  std::vector<std::string> data = {Role()};
  const int pieces = dice.Between(1, 6);
  for (int i = 0; i < pieces; ++i) data.push_back(Piece(name));
  const bool whole = !dice.OneIn(3);
  if (whole) data.insert(data.end(), {Stop(), "[DONE]"});
  return Script::Sse(std::move(data), dice.Time(absl::Seconds(30)))
      .EndsBy(whole ? Script::End::kEof : static_cast<Script::End>(dice.Below(3)))
      .HeadAfter(think);
}

struct Simulated {
  bool stream = false;
  Instant began;
  std::shared_ptr<CallOutcome> outcome;
};

// I6: one name, repeated, is all that reaches the caller: nobody else's bytes.
void ExpectOneVoice(const CallOutcome& outcome) {
  std::string text = outcome.Text();
  absl::string_view rest = text;
  const std::string& name = outcome.record.attempts.back().provider;
  while (absl::ConsumePrefix(&rest, name)) {
  }
  EXPECT_EQ(rest, "") << text << " from " << name;
}

void ExpectWellTold(const Simulated& call) {
  const CallOutcome& outcome = *call.outcome;
  if (!outcome.status.ok()) {
    EXPECT_NE(ClassOf(outcome.status), ErrorClass::kBug) << outcome.status;
    EXPECT_NE(DetailOf(outcome.status).kind(), v1::ERROR_KIND_UNSPECIFIED);
  }
  if (call.stream) {
    int started = 0;
    int completed = 0;
    for (const v1::ChatEvent& event : outcome.events) {
      EXPECT_EQ(completed, 0) << "an event behind the last";
      started += event.has_started() ? 1 : 0;
      completed += event.has_completed() ? 1 : 0;
    }
    EXPECT_EQ(completed, outcome.status.ok() ? 1 : 0);
    EXPECT_LE(started, 1);
  }
  if (outcome.record.attempts.empty()) return;
  ExpectOneVoice(outcome);
}

// I8: an attempt at the same candidate begins no earlier than its provider asked for.
void ExpectHintsKept(const CallRecord& record) {
  std::map<std::string, Instant> not_before;
  for (const AttemptRecord& attempt : record.attempts) {
    if (not_before.contains(attempt.candidate)) {
      EXPECT_GE(attempt.started, not_before[attempt.candidate]) << attempt.candidate;
    }
    if (attempt.status.ok()) continue;
    const v1::ErrorDetail detail = DetailOf(attempt.status);
    if (!detail.has_retry_after()) continue;
    not_before[attempt.candidate] = attempt.ended + absl::Seconds(detail.retry_after().seconds()) +
                                    absl::Nanoseconds(detail.retry_after().nanos());
  }
}

class World {
 public:
  explicit World(uint64_t seed) : dice_(seed) {
    fixture_.random = [this] { return dice_.Uniform(); };
    policy_ = PolicyOf(dice_);
    fixture_.SetPolicy(policy_);
    const int candidates = dice_.Between(1, 4);
    for (int i = 0; i < candidates; ++i) {
      Candidate& candidate = fixture_.Add(absl::StrCat("p", i));
      candidate.retry.backoff.jitter = static_cast<Jitter>(dice_.Below(4));
      if (dice_.OneIn(3)) candidate.retry.max_per_candidate = dice_.Between(1, 4);
      if (dice_.OneIn(4)) candidate.retry.inline_wait_max = dice_.Time(absl::Seconds(10));
      limits_[candidate.id] = candidate.retry.max_per_candidate.value_or(kMostAttempts);
      if (dice_.OneIn(3)) candidate.timeouts.ttft = absl::Seconds(dice_.Between(1, 20));
      if (dice_.OneIn(4)) candidate.timeouts.attempt = absl::Seconds(dice_.Between(1, 60));
    }
    candidates_ = static_cast<size_t>(candidates);
    fixture_.max_attempts = dice_.Between(1, kMostAttempts);
    fixture_.may_change_candidate = !dice_.OneIn(5);
    fixture_.http.Generate([this](const std::string& url) {
      ExpectProbesBounded();  // with the one that has just been let in
      const std::string name = url.substr(std::string("http://").size(), 2);
      return Answer(dice_, name, asked_stream_);
    });
  }

  void Run() {
    const int calls = dice_.Between(3, 25);
    asked_stream_ = dice_.OneIn(2);  // all alike, so that an answer knows what it was asked for
    for (int i = 0; i < calls; ++i) {
      fixture_.deadline = dice_.Time(absl::Minutes(10));
      fixture_.is_retry = dice_.OneIn(8);
      deadlines_.push_back(fixture_.deadline);
      calls_.push_back({asked_stream_, fixture_.loop.now(), fixture_.Begin(asked_stream_)});
      if (dice_.OneIn(4)) CancelAt(fixture_.loop.now() + dice_.Time(absl::Minutes(1)));
      if (dice_.OneIn(10)) Operate();
      fixture_.loop.RunFor(dice_.OneIn(3) ? absl::ZeroDuration() : dice_.Time(absl::Minutes(1)));
      ExpectProbesBounded();
    }
    fixture_.loop.RunUntilIdle();
  }

  void Check() {
    size_t attempts = 0;
    for (size_t i = 0; i < calls_.size(); ++i) {
      const CallOutcome& outcome = *calls_[i].outcome;
      ASSERT_TRUE(outcome.ended) << "call " << i;
      // I7
      EXPECT_LE(outcome.ended_at, calls_[i].began + deadlines_[i] + absl::Milliseconds(50));
      EXPECT_LE(outcome.record.attempts.size(), static_cast<size_t>(fixture_.max_attempts));
      attempts += outcome.record.attempts.size();
      ExpectWellTold(calls_[i]);
      ExpectHintsKept(outcome.record);
      ExpectWithinLimits(outcome.record);
    }
    EXPECT_EQ(attempts, fixture_.http.hits().size());
    for (size_t i = 0; i < candidates_; ++i) {
      const Limiter::View limits = fixture_.EndpointAt(i).limiter->Now();
      EXPECT_EQ(limits.in_flight, 0);
      EXPECT_EQ(limits.queued, 0);
      EXPECT_EQ(fixture_.TargetAt(i).breaker->View(fixture_.loop.now()).probes, 0);
      EXPECT_EQ(fixture_.EndpointAt(i).breaker->View(fixture_.loop.now()).probes, 0);
      EXPECT_GE(fixture_.EndpointAt(i).budget.Tokens(fixture_.loop.now()), 0);
    }
  }

 private:
  void CancelAt(Instant at) {
    std::shared_ptr<CallOutcome> outcome = calls_.back().outcome;
    fixture_.loop.CallAt(at, [outcome] {
      outcome->rpc->cancellation()->Cancel(MakeError(ErrorClass::kCancel, "gone"));
    });
  }

  // No candidate is asked more often than its own limit says.
  void ExpectWithinLimits(const CallRecord& record) {
    std::map<std::string, int> asked;
    for (const AttemptRecord& attempt : record.attempts) ++asked[attempt.candidate];
    for (const auto& [candidate, times] : asked) EXPECT_LE(times, limits_[candidate]) << candidate;
  }

  // An operator isolates somebody, or closes a breaker.
  void Operate() {
    const auto i = static_cast<size_t>(dice_.Below(static_cast<int>(candidates_)));
    CircuitBreaker& breaker =
        dice_.OneIn(2) ? *fixture_.TargetAt(i).breaker : *fixture_.EndpointAt(i).breaker;
    const Instant now = fixture_.loop.now();
    if (dice_.OneIn(2)) {
      breaker.Reset(now);
    } else {
      breaker.Isolate(now, now + dice_.Time(absl::Minutes(1)));
    }
  }

  // I1: of each breaker there is.
  void ExpectProbesBounded() {
    const Instant now = fixture_.loop.now();
    for (size_t i = 0; i < candidates_; ++i) {
      for (const CircuitBreaker* breaker :
           {fixture_.TargetAt(i).breaker.get(), fixture_.EndpointAt(i).breaker.get()}) {
        EXPECT_LE(breaker->View(now).probes, policy_.breaker.half_open_max_probes);
      }
    }
  }

  Dice dice_;
  ResiliencePolicy policy_;
  CallFixture fixture_;
  size_t candidates_ = 0;
  std::map<std::string, int> limits_;  // by candidate: attempts of one call
  bool asked_stream_ = false;
  std::vector<Simulated> calls_;
  std::vector<absl::Duration> deadlines_;
};

void Simulate(uint64_t seed) {
  SCOPED_TRACE(absl::StrCat("MG_SEED=", seed));
  World world(seed);
  world.Run();
  world.Check();
}

TEST(Simulation, TheInvariantsHoldWhateverTheProvidersDo) {
  if (const char* seed = std::getenv("MG_SEED"); seed != nullptr) {
    Simulate(std::strtoull(seed, nullptr, 10));
    return;
  }
  for (uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) Simulate(seed);
}

}  // namespace
}  // namespace mg
