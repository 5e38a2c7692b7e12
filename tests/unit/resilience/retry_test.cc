#include "resilience/retry.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace mg {
namespace {

using Kind = RetryDecision::Kind;
using C = ErrorClass;

const Instant kStart = absl::UnixEpoch() + absl::Hours(1);

absl::Status Failed(C error_class) { return MakeError(error_class, "it failed"); }

absl::Status Hinted(C error_class, absl::Duration hint) {
  v1::ErrorDetail detail;
  detail.mutable_retry_after()->set_seconds(absl::ToInt64Seconds(hint));
  detail.mutable_retry_after()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(hint % absl::Seconds(1))));
  return MakeError(error_class, detail, "later, please");
}

bool All(int) { return true; }
bool Paid(int, int) { return true; }
double Zero() { return 0; }

const Instant kLongAgo = absl::InfinitePast();
const Outlook kAll = {All, kLongAgo, Paid};

struct Limits {
  int max_attempts = 3;
  std::optional<int> max_per_candidate;  // of each
};

Limits AtMost(int attempts) { return {.max_attempts = attempts, .max_per_candidate = {}}; }

RetryPolicy WithoutJitter() {
  RetryPolicy policy;
  policy.backoff.jitter = Jitter::kNone;
  return policy;
}

std::vector<RetryPolicy> Alike(int candidates, const Limits& limits) {
  RetryPolicy policy = WithoutJitter();
  policy.max_per_candidate = limits.max_per_candidate;
  return std::vector<RetryPolicy>(static_cast<size_t>(candidates), policy);
}

// A call over candidates a, b, c … whose answers a test gives one by one; the clock follows the
// decisions.
class Call {
 public:
  explicit Call(int candidates, Limits limits = {}, bool may_change = true)
      : Call(limits.max_attempts, Alike(candidates, limits), may_change) {}
  Call(int max_attempts, const std::vector<RetryPolicy>& policies, bool may_change = true)
      : state_(max_attempts, policies, may_change) {}

  // What the failure leads to: "stop", or the candidate to ask and the wait before it: "b+0ms".
  std::string Fail(const absl::Status& status) {
    const auto selectable = [this](int i) { return !out_.contains(i); };
    const auto pay = [this](int candidate, int tokens) {
      if (poor_.contains(candidate)) return false;
      paid_ += tokens;
      return true;
    };
    const Instant again = out_.contains(current_) ? kNever : std::max(again_from_, now_);
    const RetryDecision next =
        state_.After(status, current_, now_, not_after_, {selectable, again, pay}, Zero);
    budget_denied_ = next.budget_denied;
    if (next.kind == Kind::kStop) return "stop";
    EXPECT_EQ(next.kind == Kind::kSame, next.candidate == current_);
    const absl::Duration wait = next.at - now_;
    now_ = next.at;
    current_ = next.candidate;
    return std::string(1, static_cast<char>('a' + current_)) + "+" +
           std::to_string(absl::ToInt64Milliseconds(wait)) + "ms";
  }
  std::string Fail(C error_class) { return Fail(Failed(error_class)); }

  bool MayRepair() { return state_.MayRepair(current_, now_, not_after_); }

  void Exclude(int candidate) { out_.insert(candidate); }
  void EndAfter(absl::Duration time) { not_after_ = kStart + time; }
  // The cooldown that the next failure of the current candidate sets ends then.
  void CoolsUntil(Instant again_from) { again_from_ = again_from; }
  void HasNoBudget(int candidate) { poor_.insert(candidate); }
  int paid() const { return paid_; }
  bool budget_denied() const { return budget_denied_; }
  int attempts() const { return state_.attempts(); }

 private:
  RetryState state_;
  std::set<int> out_;
  std::set<int> poor_;
  int paid_ = 0;
  bool budget_denied_ = false;
  Instant again_from_ = absl::InfinitePast();
  int current_ = 0;
  Instant now_ = kStart;
  Instant not_after_ = kNever;
};

TEST(RetryTest, OnceOnTheSameThenTheNext) {
  for (C error_class : {C::kConnect, C::kReset, C::kServerError, C::kGatewayTimeout, C::kEmpty}) {
    Call call(2, AtMost(4));
    EXPECT_EQ(call.Fail(error_class), "a+250ms");
    EXPECT_EQ(call.Fail(error_class), "b+0ms");
    EXPECT_EQ(call.Fail(error_class), "b+250ms");
    EXPECT_EQ(call.Fail(error_class), "stop");
    EXPECT_EQ(call.attempts(), 4);
  }
}

TEST(RetryTest, WithTheDefaultsTheThirdOfThreeIsNotAsked) {
  Call call(3);
  EXPECT_EQ(call.Fail(C::kServerError), "a+250ms");
  EXPECT_EQ(call.Fail(C::kServerError), "b+0ms");
  EXPECT_EQ(call.Fail(C::kServerError), "stop");
}

TEST(RetryTest, TheNextElseTheSame) {
  for (C error_class : {C::kTimeout, C::kOverload, C::kRate}) {
    Call two(2, AtMost(5));
    EXPECT_EQ(two.Fail(error_class), "b+0ms");
    EXPECT_EQ(two.Fail(error_class), "a+250ms");  // a second lap waits
    EXPECT_EQ(two.Fail(error_class), "b+250ms");
    EXPECT_EQ(two.Fail(error_class), "b+500ms");  // a has had its two: b is alone
    EXPECT_EQ(two.Fail(error_class), "stop");
    Call alone(1);
    EXPECT_EQ(alone.Fail(error_class), "a+250ms");
    EXPECT_EQ(alone.Fail(error_class), "a+500ms");
    EXPECT_EQ(alone.Fail(error_class), "stop");
  }
}

TEST(RetryTest, NeverTheSame) {
  for (C error_class : {C::kConnectFinal, C::kQuota, C::kCredential, C::kModel, C::kMalformed,
                        C::kRedirect, C::kSchema, C::kShed, C::kContext}) {
    Call call(3, AtMost(10));
    EXPECT_EQ(call.Fail(error_class), "b+0ms");
    EXPECT_EQ(call.Fail(error_class), "c+0ms");
    EXPECT_EQ(call.Fail(error_class), "stop");  // all are spent
    Call alone(1);
    EXPECT_EQ(alone.Fail(error_class), "stop");
  }
}

TEST(RetryTest, EndsTheCall) {
  for (C error_class :
       {C::kCallerCredential, C::kUnknownModel, C::kInvalidRequest, C::kCaller, C::kPolicy,
        C::kUnsupportedField, C::kUnsupportedMethod, C::kUnknown, C::kSlowReader, C::kShuttingDown,
        C::kCancel, C::kDeadline, C::kBug, C::kNoCandidate, C::kInterrupted}) {
    EXPECT_EQ(Call(3, AtMost(10)).Fail(error_class), "stop") << RuleOf(error_class).name;
    EXPECT_EQ(Call(1).Fail(error_class), "stop") << RuleOf(error_class).name;
  }
  EXPECT_EQ(Call(3).Fail(absl::InternalError("not made here")), "stop");
}

TEST(RetryTest, AConflictIsRepeatedOnceAndNeverMore) {
  for (int candidates : {1, 2}) {
    Call call(candidates, AtMost(10));
    EXPECT_EQ(call.Fail(C::kConflict), "a+250ms");
    EXPECT_EQ(call.Fail(C::kConflict), "stop");
  }
}

TEST(RetryTest, ASoleCandidateHasAllAttempts) {
  Call call(1, AtMost(5));
  EXPECT_EQ(call.Fail(C::kOverload), "a+250ms");
  EXPECT_EQ(call.Fail(C::kServerError), "a+500ms");
  EXPECT_EQ(call.Fail(C::kOverload), "a+1000ms");
  EXPECT_EQ(call.Fail(C::kOverload), "a+2000ms");
  EXPECT_EQ(call.Fail(C::kOverload), "stop");
  EXPECT_EQ(call.attempts(), 5);
}

TEST(RetryTest, AnExplicitLimitPerCandidateHoldsAlways) {
  Call alone(1, {.max_attempts = 10, .max_per_candidate = 2});
  EXPECT_EQ(alone.Fail(C::kServerError), "a+250ms");
  EXPECT_EQ(alone.Fail(C::kServerError), "stop");
  Call once(2, {.max_attempts = 10, .max_per_candidate = 1});
  EXPECT_EQ(once.Fail(C::kServerError), "b+0ms");
  EXPECT_EQ(once.Fail(C::kServerError), "stop");
  Call thrice(2, {.max_attempts = 10, .max_per_candidate = 3});
  EXPECT_EQ(thrice.Fail(C::kServerError), "a+250ms");
  EXPECT_EQ(thrice.Fail(C::kServerError), "b+0ms");
  EXPECT_EQ(thrice.Fail(C::kServerError), "b+250ms");
  EXPECT_EQ(thrice.Fail(C::kServerError), "a+500ms");
}

// What is explicit for one candidate says nothing about the others (§3.11).
TEST(RetryTest, EachCandidateHasItsOwnLimit) {
  std::vector<RetryPolicy> policies(3, WithoutJitter());
  policies[0].max_per_candidate = 1;
  policies[2].max_per_candidate = 3;
  Call call(10, policies);
  EXPECT_EQ(call.Fail(C::kServerError), "b+0ms");
  EXPECT_EQ(call.Fail(C::kServerError), "b+250ms");  // the default
  EXPECT_EQ(call.Fail(C::kServerError), "c+0ms");
  EXPECT_EQ(call.Fail(C::kServerError), "c+250ms");
  EXPECT_EQ(call.Fail(C::kServerError), "c+500ms");  // the others have had theirs
  EXPECT_EQ(call.Fail(C::kServerError), "stop");
  EXPECT_EQ(call.attempts(), 6);

  // By default who is alone has all attempts, whatever those before it were allowed.
  std::vector<RetryPolicy> last_has_default(2, WithoutJitter());
  last_has_default[0].max_per_candidate = 1;
  Call last(5, last_has_default);
  EXPECT_EQ(last.Fail(C::kTimeout), "b+0ms");
  EXPECT_EQ(last.Fail(C::kTimeout), "b+250ms");
  EXPECT_EQ(last.Fail(C::kTimeout), "b+500ms");
  EXPECT_EQ(last.Fail(C::kTimeout), "b+1000ms");
  EXPECT_EQ(last.Fail(C::kTimeout), "stop");

  // No limit of a candidate lengthens the call.
  std::vector<RetryPolicy> generous(1, WithoutJitter());
  generous[0].max_per_candidate = 5;
  Call lowered(2, generous);
  EXPECT_EQ(lowered.Fail(C::kServerError), "a+250ms");
  EXPECT_EQ(lowered.Fail(C::kServerError), "stop");

  std::vector<RetryPolicy> mended(2, WithoutJitter());
  mended[0].max_per_candidate = 1;
  Call repair(4, mended);
  EXPECT_FALSE(repair.MayRepair());
  EXPECT_EQ(repair.Fail(C::kSchema), "b+0ms");
  EXPECT_TRUE(repair.MayRepair());
}

TEST(RetryTest, EachCandidateIsWaitedForByItsOwnLimit) {
  std::vector<RetryPolicy> policies(2, WithoutJitter());
  policies[0].inline_wait_max = absl::ZeroDuration();
  policies[1].inline_wait_max = absl::Seconds(5);
  Call call(10, policies);
  EXPECT_EQ(call.Fail(Hinted(C::kOverload, absl::Seconds(1))), "b+0ms");
  EXPECT_EQ(call.Fail(Hinted(C::kOverload, absl::Seconds(5))), "b+5000ms");
  Call alone(10, {policies[0]});
  EXPECT_EQ(alone.Fail(Hinted(C::kRate, absl::Milliseconds(1))), "stop");
  Call patient(10, {policies[1]});
  EXPECT_EQ(patient.Fail(Hinted(C::kRate, absl::Seconds(5))), "a+5000ms");
  EXPECT_EQ(patient.Fail(Hinted(C::kRate, absl::Milliseconds(5001))), "stop");
}

TEST(RetryTest, WithoutFailoverTheCandidateStays) {
  Call call(2, AtMost(4), /*may_change=*/false);
  EXPECT_EQ(call.Fail(C::kTimeout), "a+250ms");
  EXPECT_EQ(call.Fail(C::kServerError), "a+500ms");
  EXPECT_EQ(call.Fail(C::kServerError), "a+1000ms");
  EXPECT_EQ(call.Fail(C::kServerError), "stop");
  EXPECT_EQ(Call(2, AtMost(4), false).Fail(C::kModel), "stop");
}

TEST(RetryTest, WhoCannotBeSelectedIsPassedOver) {
  Call call(3, AtMost(10));
  call.Exclude(1);
  EXPECT_EQ(call.Fail(C::kTimeout), "c+0ms");
  call.Exclude(0);
  EXPECT_EQ(call.Fail(C::kTimeout), "c+250ms");
  call.Exclude(2);
  EXPECT_EQ(call.Fail(C::kTimeout), "stop");
}

TEST(RetryTest, FirstTakesTheFirstThatCanBeSelected) {
  const std::vector<RetryPolicy> three(3);
  EXPECT_EQ(RetryState(3, three, true).First(All), 0);
  EXPECT_EQ(RetryState(3, three, true).First([](int i) { return i == 2; }), 2);
  EXPECT_EQ(RetryState(3, three, true).First([](int) { return false; }), std::nullopt);
  EXPECT_EQ(RetryState(3, three, false).First([](int i) { return i != 0; }), std::nullopt);
  EXPECT_EQ(RetryState(3, {}, true).First(All), std::nullopt);
}

TEST(RetryTest, OtherLeftTellsWhoElseMayServe) {
  RetryState state(10, std::vector<RetryPolicy>(3), true);
  EXPECT_EQ(state.OtherLeft(0, All), 1);
  EXPECT_EQ(state.OtherLeft(2, All), 0);
  EXPECT_EQ(state.OtherLeft(0, [](int i) { return i != 1; }), 2);
  EXPECT_EQ(state.OtherLeft(0, [](int i) { return i == 0; }), std::nullopt);
  state.After(Failed(C::kMalformed), 0, kStart, kNever, kAll, Zero);
  state.After(Hinted(C::kRate, absl::Seconds(9)), 1, kStart, kNever, kAll, Zero);
  EXPECT_EQ(state.OtherLeft(2, All), std::nullopt);  // one is spent, the other asked to wait
  EXPECT_EQ(RetryState(3, std::vector<RetryPolicy>(3), false).OtherLeft(0, All), std::nullopt);
}

TEST(RetryTest, ARateHintIsWaitedForOnlyAloneAndOnlyIfShort) {
  EXPECT_EQ(Call(1).Fail(Hinted(C::kRate, absl::Seconds(1))), "a+1000ms");
  EXPECT_EQ(Call(1).Fail(Hinted(C::kRate, absl::Milliseconds(100))), "a+250ms");
  EXPECT_EQ(Call(1).Fail(Hinted(C::kRate, absl::ZeroDuration())), "a+250ms");
  EXPECT_EQ(Call(1).Fail(Hinted(C::kRate, absl::Seconds(2))), "a+2000ms");
  EXPECT_EQ(Call(1).Fail(Hinted(C::kRate, absl::Milliseconds(2001))), "stop");
  EXPECT_EQ(Call(1).Fail(Hinted(C::kRate, absl::Seconds(60))), "stop");
  EXPECT_EQ(Call(2).Fail(Hinted(C::kRate, absl::Seconds(60))), "b+0ms");
  EXPECT_EQ(Call(2).Fail(Hinted(C::kRate, absl::Seconds(1))), "b+0ms");
}

TEST(RetryTest, WhoAskedToWaitIsNotComeBackToBefore) {
  Call call(2, AtMost(10));
  EXPECT_EQ(call.Fail(Hinted(C::kRate, absl::Seconds(3))), "b+0ms");
  EXPECT_EQ(call.Fail(C::kRate), "b+250ms");  // a is not left yet
  EXPECT_EQ(call.Fail(Hinted(C::kRate, absl::Seconds(2))), "b+2000ms");
  EXPECT_EQ(call.Fail(Hinted(C::kRate, absl::Seconds(60))), "stop");  // at 2.25 s
  Call later(2, AtMost(10));
  EXPECT_EQ(later.Fail(Hinted(C::kRate, absl::Milliseconds(200))), "b+0ms");
  EXPECT_EQ(later.Fail(C::kServerError), "b+250ms");
  EXPECT_EQ(later.Fail(C::kServerError), "a+250ms");  // its 200 ms are over
}

TEST(RetryTest, AHintOfAClassWithoutCooldownIsWaitedForFirst) {
  for (C error_class : {C::kOverload, C::kServerError, C::kTimeout}) {
    Call call(2, AtMost(10));
    EXPECT_EQ(call.Fail(Hinted(error_class, absl::Seconds(1))), "a+1000ms");
    EXPECT_EQ(call.Fail(Hinted(error_class, absl::Seconds(1))), "b+0ms");
    EXPECT_EQ(Call(2).Fail(Hinted(error_class, absl::Seconds(3))), "b+0ms");
    EXPECT_EQ(Call(1).Fail(Hinted(error_class, absl::Seconds(3))), "stop");
  }
  EXPECT_EQ(Call(2).Fail(Hinted(C::kConflict, absl::Seconds(3))), "stop");
  EXPECT_EQ(Call(2).Fail(Hinted(C::kMalformed, absl::Seconds(1))), "b+0ms");
}

TEST(RetryTest, ThreeRateAnswersWithoutHintsOfASoleCandidate) {
  std::mt19937_64 generator(3);
  const auto random = [&] { return std::uniform_real_distribution<double>()(generator); };
  for (int i = 0; i < 1000; ++i) {
    RetryState state(3, std::vector<RetryPolicy>(1), true);
    const auto first = state.After(Failed(C::kRate), 0, kStart, kNever, kAll, random);
    ASSERT_EQ(first.kind, Kind::kSame);
    ASSERT_LT(first.at - kStart, absl::Milliseconds(250));
    const auto second = state.After(Failed(C::kRate), 0, first.at, kNever, kAll, random);
    ASSERT_EQ(second.kind, Kind::kSame);
    ASSERT_LT(second.at - first.at, absl::Milliseconds(500));
    ASSERT_EQ(state.After(Failed(C::kRate), 0, second.at, kNever, kAll, random).kind, Kind::kStop);
  }
}

TEST(RetryTest, TheProviderMayForbidTheSameButNotTheNext) {
  absl::Status status = Failed(C::kServerError);
  ForbidSameCandidate(&status);
  Call call(2, AtMost(10));
  EXPECT_EQ(call.Fail(status), "b+0ms");
  EXPECT_EQ(call.Fail(C::kTimeout), "b+250ms");  // a is not asked again
  EXPECT_EQ(Call(1).Fail(status), "stop");
}

TEST(RetryTest, WhoseAnswerHadNoRepeatIsNotAskedAgain) {
  Call call(3, AtMost(10));
  EXPECT_EQ(call.Fail(C::kMalformed), "b+0ms");
  EXPECT_EQ(call.Fail(C::kTimeout), "c+0ms");
  EXPECT_EQ(call.Fail(C::kTimeout), "b+250ms");
  EXPECT_EQ(call.Fail(C::kTimeout), "c+250ms");
}

TEST(RetryTest, NoSleepPastTheEnd) {
  Call next_now(2, AtMost(10));
  next_now.EndAfter(absl::Milliseconds(100));
  EXPECT_EQ(next_now.Fail(C::kServerError), "b+0ms");  // 250 ms are too late
  EXPECT_EQ(next_now.Fail(C::kServerError), "stop");   // so they are for both
  Call just(1);
  just.EndAfter(absl::Milliseconds(250));
  EXPECT_EQ(just.Fail(C::kServerError), "a+250ms");
  EXPECT_EQ(just.Fail(C::kServerError), "stop");
  Call over(2);
  over.EndAfter(absl::Milliseconds(-1));
  EXPECT_EQ(over.Fail(C::kTimeout), "stop");
  Call hint(1);
  hint.EndAfter(absl::Milliseconds(900));
  EXPECT_EQ(hint.Fail(Hinted(C::kRate, absl::Seconds(1))), "stop");
}

TEST(RetryTest, ASecondLapPicksWhoIsInTime) {
  Call call(3, AtMost(10));
  call.EndAfter(absl::Milliseconds(10));
  call.Exclude(2);
  EXPECT_EQ(call.Fail(C::kTimeout), "b+0ms");
  EXPECT_EQ(call.Fail(C::kTimeout), "stop");  // a again would be too late
}

// Any sequence of answers keeps the invariants (I5, I8 of spec/resilience.md §3.14 and the cells of
// §3.4).
TEST(RetryTest, InvariantsHoldForAnySequence) {
  std::mt19937_64 generator(4711);
  const auto below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(generator); };
  const auto random = [&] { return std::uniform_real_distribution<double>()(generator); };
  for (int round = 0; round < 20000; ++round) {
    const int count = 1 + below(4);
    const int max_attempts = 1 + below(10);
    std::vector<RetryPolicy> policies(static_cast<size_t>(count));
    for (RetryPolicy& policy : policies) {
      policy.backoff = {absl::Milliseconds(1 + below(500)), absl::Seconds(1 + below(9)),
                        static_cast<Jitter>(below(4))};
      if (below(2) == 0) policy.max_per_candidate = 1 + below(5);
      policy.inline_wait_max = absl::Milliseconds(below(4000));
    }
    const bool may_change = below(4) != 0;
    RetryState state(max_attempts, policies, may_change);
    const Instant not_after = kStart + absl::Milliseconds(below(20000));
    std::vector<bool> selectable(static_cast<size_t>(count));
    std::vector<bool> spent(static_cast<size_t>(count));
    std::vector<int> asked(static_cast<size_t>(count));
    std::vector<Instant> not_before(static_cast<size_t>(count), absl::InfinitePast());
    const auto can = [&](int i) { return static_cast<bool>(selectable[static_cast<size_t>(i)]); };
    Instant now = kStart;
    int current = 0;
    int attempts = 0;
    while (true) {
      ++attempts;
      const auto at = static_cast<size_t>(current);
      ++asked[at];
      const auto error_class = static_cast<C>(below(kErrorClasses));
      const bool hinted = below(3) == 0;
      const absl::Duration hint = absl::Milliseconds(below(4000));
      absl::Status status = hinted ? Hinted(error_class, hint) : Failed(error_class);
      if (below(8) == 0) ForbidSameCandidate(&status);
      for (int i = 0; i < count; ++i) selectable[static_cast<size_t>(i)] = below(5) != 0;
      const ErrorRule& rule = RuleOf(error_class);
      const bool no_repeat = rule.same == SameCandidate::kNever || SameCandidateForbidden(status);
      if (no_repeat) spent[at] = true;
      if (hinted) not_before[at] = std::max(not_before[at], now + hint);

      const RetryDecision next = state.After(status, current, now, not_after,
                                             {can, can(current) ? now : kNever, Paid}, random);
      ASSERT_EQ(state.attempts(), attempts);
      if (next.kind == Kind::kStop) break;
      const auto to = static_cast<size_t>(next.candidate);
      ASSERT_LT(attempts, max_attempts);
      ASSERT_LT(asked[to], policies[to].max_per_candidate.value_or(max_attempts));
      ASSERT_TRUE(can(next.candidate));
      ASSERT_FALSE(spent[to]);
      ASSERT_GE(next.at, now);
      ASSERT_GE(next.at, not_before[to]);
      ASSERT_LE(next.at, not_after);
      ASSERT_EQ(next.kind == Kind::kSame, next.candidate == current);
      if (next.kind == Kind::kSame) {
        ASSERT_FALSE(no_repeat);
        if (hinted) {
          ASSERT_LE(hint, policies[to].inline_wait_max);
        }
      } else {
        ASSERT_TRUE(may_change && rule.next);
        if (asked[to] == 0) {
          ASSERT_EQ(next.at, now);
        }
      }
      current = next.candidate;
      now = next.at;
    }
    ASSERT_LE(attempts, std::max(1, max_attempts));
  }
}

// An answer that misses its schema is mended once by the same candidate, as an attempt.
TEST(RetryTest, ARepairIsAnAttemptAndComesOnce) {
  Call call(2, AtMost(4));
  EXPECT_TRUE(call.MayRepair());
  EXPECT_EQ(call.attempts(), 1);
  EXPECT_FALSE(call.MayRepair());
  EXPECT_EQ(call.attempts(), 1);
  EXPECT_EQ(call.Fail(C::kSchema), "b+0ms");
  EXPECT_TRUE(call.MayRepair());
  EXPECT_EQ(call.Fail(C::kSchema), "stop");
  EXPECT_EQ(call.attempts(), 4);
}

TEST(RetryTest, NoRepairBeyondTheLimits) {
  EXPECT_FALSE(Call(2, AtMost(1)).MayRepair());
  EXPECT_FALSE(Call(1, {.max_attempts = 3, .max_per_candidate = 1}).MayRepair());
  Call late(1, AtMost(3));
  late.EndAfter(-absl::Seconds(1));
  EXPECT_FALSE(late.MayRepair());
  Call second(1, AtMost(2));
  EXPECT_EQ(second.Fail(C::kServerError), "a+250ms");
  EXPECT_FALSE(second.MayRepair());
}

TEST(RetryTest, RepetitionsArePaidForAndAFirstAttemptElsewhereIsNot) {
  Call unsent(1, AtMost(5));
  EXPECT_EQ(unsent.Fail(C::kConnect), "a+250ms");
  EXPECT_EQ(unsent.paid(), 1);
  Call sent(1, AtMost(5));
  EXPECT_EQ(sent.Fail(C::kReset), "a+250ms");
  EXPECT_EQ(sent.Fail(C::kTimeout), "a+500ms");
  EXPECT_EQ(sent.Fail(C::kRate), "a+1000ms");
  EXPECT_EQ(sent.paid(), 6);
  Call chain(2, AtMost(5));
  EXPECT_EQ(chain.Fail(C::kOverload), "b+0ms");  // for the first time
  EXPECT_EQ(chain.paid(), 0);
  EXPECT_EQ(chain.Fail(C::kOverload), "a+250ms");  // again
  EXPECT_EQ(chain.paid(), 2);
}

TEST(RetryTest, WithoutBudgetOnlyFirstAttemptsElsewhereAreMade) {
  Call chain(2, AtMost(5));
  chain.HasNoBudget(0);
  chain.HasNoBudget(1);
  EXPECT_EQ(chain.Fail(C::kServerError), "b+0ms");
  EXPECT_FALSE(chain.budget_denied());
  EXPECT_EQ(chain.Fail(C::kServerError), "stop");
  EXPECT_TRUE(chain.budget_denied());
  Call alone(1, AtMost(5));
  alone.HasNoBudget(0);
  EXPECT_EQ(alone.Fail(C::kServerError), "stop");
  EXPECT_TRUE(alone.budget_denied());
  Call final(1, AtMost(5));
  final.HasNoBudget(0);
  EXPECT_EQ(final.Fail(C::kMalformed), "stop");  // it would not have been repeated anyway
  EXPECT_FALSE(final.budget_denied());
}

TEST(RetryTest, ARepetitionWaitsForTheCooldownOfItsOwnAnswer) {
  Call call(1, AtMost(5));
  call.CoolsUntil(kStart + absl::Milliseconds(1100));
  EXPECT_EQ(call.Fail(Hinted(C::kRate, absl::Seconds(1))), "a+1100ms");  // one draw, not two
  Call longer(1, AtMost(5));
  longer.CoolsUntil(kStart + absl::Milliseconds(2001));  // over inline_wait_max
  EXPECT_EQ(longer.Fail(Hinted(C::kRate, absl::Seconds(1))), "stop");
  Call others(1, AtMost(5));  // a cooldown that another call's answer set, shorter than this hint
  others.CoolsUntil(kStart + absl::Milliseconds(500));
  EXPECT_EQ(others.Fail(Hinted(C::kOverload, absl::Seconds(1))), "a+1000ms");
}

}  // namespace
}  // namespace mg
