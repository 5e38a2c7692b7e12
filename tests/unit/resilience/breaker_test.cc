// Every row of the table of spec/resilience.md §3.2, each edge on a paused clock.
#include "resilience/breaker.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/resilience/breaker_driver.h"

namespace mg {
namespace {

class BreakerTest : public testing::Test, public BreakerDriver {
 protected:
  BreakerTest() : BreakerDriver(WithoutJitter()) {}
};

using Permit = CircuitBreaker::Permit;

TEST_F(BreakerTest, OpensAtTheThresholdOfConsecutiveFailures) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Fail(), "none");
  EXPECT_EQ(View().consecutive, 4);
  EXPECT_EQ(Fail(), "closed>open consecutive");
  EXPECT_STREQ(View().reason, "consecutive");
  EXPECT_EQ(OpenFor(), absl::Seconds(10));
  const CircuitBreaker::Admission refused = TryAdmit();
  EXPECT_FALSE(refused.permit.has_value());
  EXPECT_EQ(refused.available_at, now() + absl::Seconds(10));
}

TEST_F(BreakerTest, NeutralVerdictsAndDropsNeitherCountNorReset) {
  for (int i = 0; i < 4; ++i) Fail();
  for (int i = 0; i < 30; ++i) {
    Admit().Neutral();
    {
      const Permit dropped = Admit();
    }
  }
  EXPECT_EQ(View().consecutive, 4);
  EXPECT_EQ(View().window_ok + View().window_failed, 4);
  EXPECT_EQ(Fail(), "closed>open consecutive");
}

TEST_F(BreakerTest, ASuccessBeginsTheRunAnew) {
  for (int i = 0; i < 4; ++i) Fail();
  EXPECT_EQ(Succeed(), "none");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Fail(), "none");
  EXPECT_EQ(State(), "closed");
}

TEST_F(BreakerTest, OpensByRatioFromTheMinimumOn) {
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(Succeed(), "none");
    EXPECT_EQ(Fail(), "none");
  }
  EXPECT_EQ(Succeed(), "none");  // 19 in the window
  EXPECT_EQ(State(), "closed");
  EXPECT_EQ(Fail(), "closed>open ratio");
}

TEST_F(BreakerTest, AShareBelowTheRatioStaysClosed) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Succeed(), "none");
    EXPECT_EQ(Succeed(), "none");
    EXPECT_EQ(Fail(), "none");
  }
}

TEST(BreakerEdges, TheRatioIsReachedExactly) {
  BreakerPolicy policy = WithoutJitter();
  policy.failure_threshold = 0;
  policy.failure_ratio = 0.7;
  policy.min_requests = 10;
  BreakerDriver driver(policy);
  for (int i = 0; i < 3; ++i) driver.Succeed();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(driver.Fail(), "none");
  EXPECT_EQ(driver.Fail(), "closed>open ratio");
}

TEST(BreakerEdges, OfTwoThresholdsAtOnceTheRunIsNamed) {
  BreakerPolicy policy = WithoutJitter();
  policy.failure_threshold = 4;
  policy.min_requests = 4;
  BreakerDriver driver(policy);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(driver.Fail(), "none");
  EXPECT_EQ(driver.Fail(), "closed>open consecutive");
}

TEST(BreakerEdges, ZeroTurnsAThresholdOff) {
  BreakerPolicy policy = WithoutJitter();
  policy.failure_threshold = 0;
  BreakerDriver ratio_alone(policy);
  for (int i = 0; i < 19; ++i) EXPECT_EQ(ratio_alone.Fail(), "none");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(ratio_alone.RateLimit(), "none");
  EXPECT_EQ(ratio_alone.Fail(), "closed>open ratio");

  policy = WithoutJitter();
  policy.failure_ratio = 0;
  BreakerDriver run_alone(policy);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(run_alone.Succeed(), "none");
    for (int j = 0; j < 4; ++j) EXPECT_EQ(run_alone.Fail(), "none");
  }
}

TEST_F(BreakerTest, OldOutcomesLeaveTheWindow) {
  for (int i = 0; i < 10; ++i) {
    Succeed();
    Fail();
    Advance(absl::Seconds(4));
  }
  EXPECT_EQ(State(), "closed");  // never 20 at once
  EXPECT_EQ(View().window_ok + View().window_failed, 14);
  EXPECT_EQ(Succeed(), "none");
  Advance(absl::Seconds(30));
  EXPECT_EQ(View().window_ok + View().window_failed, 0);
  EXPECT_EQ(View().consecutive, 0);
}

TEST_F(BreakerTest, SimultaneousFailuresOpenOnce) {
  std::vector<Permit> permits;
  for (int i = 0; i < 8; ++i) permits.push_back(Admit());
  int transitions = 0;
  int stale = 0;
  for (Permit& permit : permits) {
    const BreakerEffect effect = permit.Failure(now(), {}, NoRandom);
    if (effect.transition.has_value()) ++transitions;
    if (effect.stale) ++stale;
  }
  EXPECT_EQ(transitions, 1);
  EXPECT_EQ(stale, 3);
  EXPECT_EQ(View().reopened, 0);
}

TEST_F(BreakerTest, RateLimitsInARowOpenForAtLeastTheHint) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(RateLimit(absl::Seconds(1)), "none");
  EXPECT_EQ(View().rate_run, 4);
  EXPECT_EQ(View().window_failed, 0);
  EXPECT_EQ(RateLimit(absl::Seconds(42)), "closed>open rate_limited");
  EXPECT_EQ(OpenFor(), absl::Seconds(42));
  EXPECT_EQ(View().rate_run, 0);
  EXPECT_EQ(View().reopened, 0);
}

TEST_F(BreakerTest, OnlyASuccessEndsTheRunOfRateLimits) {
  for (int i = 0; i < 4; ++i) {
    RateLimit();
    Admit().Neutral();
    Fail();
  }
  EXPECT_EQ(View().rate_run, 4);
  EXPECT_EQ(View().consecutive, 4);  // and none of the 429s ended the run of failures
  Succeed();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(RateLimit(), "none");
  EXPECT_EQ(RateLimit(), "closed>open rate_limited");
}

TEST_F(BreakerTest, RateLimitsThatWereUnderWayTogetherCountOnce) {
  std::vector<Permit> burst;
  for (int i = 0; i < 20; ++i) burst.push_back(Admit());
  for (Permit& permit : burst) {
    EXPECT_FALSE(permit.RateLimited(now(), {}, NoRandom).transition.has_value());
  }
  EXPECT_EQ(View().rate_run, 1);
  EXPECT_EQ(RateLimit(), "none");
  EXPECT_EQ(View().rate_run, 2);
}

TEST_F(BreakerTest, ReportsToAnOpenOneAreStale) {
  std::deque<Permit> late;
  for (int i = 0; i < 4; ++i) late.push_back(Admit());
  Open();
  const Instant until = now() + OpenFor();
  const uint64_t generation = View().generation;
  EXPECT_TRUE(late[0].Success(now()).stale);
  EXPECT_TRUE(late[1].Failure(now(), absl::Seconds(100), NoRandom).stale);
  EXPECT_TRUE(late[2].RateLimited(now(), absl::Seconds(100), NoRandom).stale);
  CircuitBreaker::Committed committed = late[3].Commit(now());
  EXPECT_TRUE(committed.effect.stale);
  EXPECT_FALSE(committed.tail.Failure(now(), NoRandom).transition.has_value());
  EXPECT_EQ(now() + OpenFor(), until);
  EXPECT_EQ(View().generation, generation);
  EXPECT_EQ(View().consecutive_truncated, 0);
}

TEST_F(BreakerTest, AdmitsAProbeExactlyWhenItsTimeIsOver) {
  Open();
  Advance(absl::Seconds(10) - absl::Nanoseconds(1));
  EXPECT_TRUE(Refused());
  Advance(absl::Nanoseconds(1));
  const Permit probe = Admit();
  EXPECT_TRUE(probe.probe());
  EXPECT_EQ(admitted(), "open>half_open cooldown_over");
  EXPECT_EQ(View().probes, 1);
  EXPECT_STREQ(View().reason, "consecutive");
}

TEST_F(BreakerTest, HalfOpenAdmitsNoMoreThanItsProbes) {
  OpenAndWait();
  Permit probe = Admit();
  const CircuitBreaker::Admission second = TryAdmit();
  EXPECT_FALSE(second.permit.has_value());
  EXPECT_EQ(second.available_at, now() + absl::Seconds(1));
  probe.Neutral();
  EXPECT_FALSE(Refused());
}

TEST_F(BreakerTest, EnoughProbesClose) {
  OpenAndWait();
  EXPECT_EQ(Succeed(), "none");
  EXPECT_EQ(State(), "half_open");
  EXPECT_EQ(Succeed(), "half_open>closed probes_succeeded");
  EXPECT_EQ(View().consecutive, 0);
  EXPECT_EQ(View().window_ok + View().window_failed, 0);
  EXPECT_FALSE(Admit().probe());
}

TEST_F(BreakerTest, AFailedProbeOpensForLongerEachTime) {
  Open();
  std::vector<int64_t> seconds;
  for (int i = 0; i < 8; ++i) {
    seconds.push_back(absl::ToInt64Seconds(OpenFor()));
    WaitUntilDue();
    EXPECT_EQ(Fail(), "half_open>open probe_failed");
    EXPECT_EQ(View().reopened, i + 1);
  }
  EXPECT_EQ(seconds, (std::vector<int64_t>{10, 20, 40, 80, 160, 300, 300, 300}));
}

TEST(BreakerEdges, JitterOnlyEverAdds) {
  for (const double draw : {0.0, 0.25, 1 - 0x1p-53}) {
    const std::shared_ptr<CircuitBreaker> breaker = CircuitBreaker::New({});
    const Instant now = absl::UnixEpoch() + absl::Hours(1);
    for (int i = 0; i < 5; ++i)
      breaker->Admit(now, false).permit->Failure(now, {}, [&] { return draw; });
    const absl::Duration open_for = *breaker->View(now).open_until - now;
    EXPECT_GE(open_for, absl::Seconds(10));
    EXPECT_LE(open_for, absl::Seconds(12));
    EXPECT_EQ(open_for == absl::Seconds(10), draw == 0);
  }
}

TEST_F(BreakerTest, AHintIsKeptToUpToTheMaximum) {
  for (int i = 0; i < 4; ++i) Fail();
  Fail(absl::Seconds(90));
  EXPECT_EQ(OpenFor(), absl::Seconds(90));
  WaitUntilDue();
  Fail(absl::Hours(5));
  EXPECT_EQ(OpenFor(), absl::Seconds(300));
  WaitUntilDue();
  Fail(absl::Seconds(1));  // shorter than its own time
  EXPECT_EQ(OpenFor(), absl::Seconds(40));
}

TEST_F(BreakerTest, KDecaysByOneForEachWholeWindowClosed) {
  OpenAndWait();
  for (int i = 0; i < 3; ++i) {
    Fail();
    WaitUntilDue();
  }
  Succeed();
  Succeed();
  EXPECT_EQ(View().reopened, 3);
  Advance(absl::Seconds(30) - absl::Nanoseconds(1));
  EXPECT_EQ(View().reopened, 3);
  Advance(absl::Nanoseconds(1));
  EXPECT_EQ(View().reopened, 2);
  Open();
  EXPECT_EQ(OpenFor(), absl::Seconds(40));
  EXPECT_EQ(View().reopened, 2);
  Advance(absl::Seconds(40));  // open: nothing decays
  EXPECT_EQ(View().reopened, 2);
  Succeed();
  Succeed();
  Advance(absl::Hours(1));
  EXPECT_EQ(View().reopened, 0);
}

TEST_F(BreakerTest, ALeakedPermitGivesItsSlotBack) {
  OpenAndWait();
  {
    const Permit leaked = Admit();
  }
  EXPECT_EQ(View().probes, 0);
  Permit moved_over = Admit();
  EXPECT_TRUE(Refused());
  Permit other = std::move(moved_over);
  EXPECT_TRUE(Refused());  // moving is no end
  other.Neutral();
  moved_over = Admit();
  EXPECT_EQ(View().probes, 1);
  moved_over = std::move(other);  // the one before is dropped
  EXPECT_EQ(View().probes, 0);
}

TEST_F(BreakerTest, AProbeThatIsRateLimitedLeavesItHalfOpen) {
  OpenAndWait();
  EXPECT_EQ(RateLimit(absl::Seconds(3)), "none");
  EXPECT_EQ(State(), "half_open");
  EXPECT_EQ(View().probes, 0);
  EXPECT_EQ(View().rate_run, 1);
  EXPECT_EQ(Succeed(), "none");
  EXPECT_EQ(View().rate_run, 0);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(RateLimit(), "none");
  EXPECT_EQ(RateLimit(), "half_open>open rate_limited");
  EXPECT_EQ(View().reopened, 0);
}

TEST_F(BreakerTest, ASlowHealthyProbeLosesItsSlotButNotItsVerdict) {
  OpenAndWait();
  Permit slow = Admit();
  Advance(absl::Seconds(60) - absl::Nanoseconds(1));
  EXPECT_TRUE(Refused());
  Advance(absl::Nanoseconds(1));
  Permit second = Admit();
  EXPECT_EQ(View().probes, 1);
  EXPECT_EQ(Text(slow.Success(now()).transition), "none");  // counts, and returns no slot
  EXPECT_EQ(View().probes, 1);
  EXPECT_TRUE(Refused());
  EXPECT_EQ(Text(second.Success(now()).transition), "half_open>closed probes_succeeded");
}

TEST_F(BreakerTest, AHungProbeBlocksNothingAndComesTooLate) {
  OpenAndWait();
  Permit hung = Admit();
  Advance(absl::Seconds(60));
  EXPECT_EQ(Succeed(), "none");
  EXPECT_EQ(Succeed(), "half_open>closed probes_succeeded");
  Advance(absl::Minutes(9));
  EXPECT_TRUE(hung.Failure(now(), {}, NoRandom).stale);
  EXPECT_EQ(State(), "closed");
  EXPECT_EQ(View().consecutive, 0);
}

TEST_F(BreakerTest, AStaleProbeReturnsNoSlotOfALaterGeneration) {
  OpenAndWait();
  Permit old_probe = Admit();
  Advance(absl::Seconds(60));
  Fail();  // a second probe reopens it
  WaitUntilDue();
  const Permit current = Admit();
  EXPECT_TRUE(old_probe.Success(now()).stale);
  EXPECT_EQ(View().probes, 1);
  EXPECT_TRUE(Refused());
}

TEST_F(BreakerTest, AStreamIsASuccessAtItsCommit) {
  OpenAndWait();
  std::vector<CircuitBreaker::Committed> running;
  running.push_back(Admit().Commit(now()));
  running.push_back(Admit().Commit(now()));
  EXPECT_EQ(State(), "closed");
}

TEST_F(BreakerTest, StreamsThatAreCutOpenThoughEachCommitted) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Cut(), "none");
  EXPECT_EQ(View().window_ok, 0);
  EXPECT_EQ(View().window_failed, 4);
  EXPECT_EQ(View().consecutive, 0);
  EXPECT_EQ(Cut(), "closed>open truncated");
}

TEST_F(BreakerTest, ACleanEndBeginsTheRunOfCutsAnew) {
  for (int i = 0; i < 4; ++i) Cut();
  EXPECT_FALSE(Admit().Commit(now()).tail.CleanEnd().stale);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Cut(), "none");
  Succeed();  // a whole answer is a clean end too
  EXPECT_EQ(View().consecutive_truncated, 0);
}

TEST_F(BreakerTest, ADroppedTailIsNeutral) {
  for (int i = 0; i < 4; ++i) Cut();
  {
    const CircuitBreaker::Committed cancelled = Admit().Commit(now());
  }
  EXPECT_EQ(View().consecutive_truncated, 4);
  EXPECT_EQ(View().window_ok, 1);
  EXPECT_EQ(Cut(), "closed>open truncated");
}

TEST(BreakerEdges, CutsCountForTheRatio) {
  BreakerPolicy policy = WithoutJitter();
  policy.failure_threshold = 0;
  BreakerDriver driver(policy);
  for (int i = 0; i < 10; ++i) driver.Succeed();
  for (int i = 0; i < 9; ++i) EXPECT_EQ(driver.Cut(), "none");
  EXPECT_EQ(driver.Cut(), "closed>open truncated");
}

TEST_F(BreakerTest, ACutTakesBackItsOwnSuccessAlone) {
  CircuitBreaker::Committed early = Admit().Commit(now());
  Advance(absl::Seconds(33));
  Succeed();
  EXPECT_EQ(View().window_ok, 1);
  early.tail.Failure(now(), NoRandom);  // whose bucket is gone
  EXPECT_EQ(View().window_ok, 1);
  EXPECT_EQ(View().window_failed, 1);
}

TEST_F(BreakerTest, WhatCutsEverythingOpensAgainAtItsFirstCut) {
  for (int i = 0; i < 5; ++i) Cut();
  WaitUntilDue();
  CircuitBreaker::Committed first = Admit().Commit(now());
  CircuitBreaker::Committed second = Admit().Commit(now());
  EXPECT_EQ(State(), "closed");
  EXPECT_TRUE(first.tail.Failure(now(), NoRandom).stale);  // of the half-open generation
  EXPECT_EQ(Text(second.tail.Failure(now(), NoRandom).transition), "closed>open truncated");
}

TEST_F(BreakerTest, ACutProbeOpensAgainWhereTheRunIsFull) {
  for (int i = 0; i < 5; ++i) Cut();
  WaitUntilDue();
  EXPECT_EQ(Cut(), "half_open>open truncated");
  EXPECT_EQ(View().reopened, 1);
  EXPECT_EQ(OpenFor(), absl::Seconds(20));
}

TEST_F(BreakerTest, AStaleTailChangesNothing) {
  CircuitBreaker::Committed committed = Admit().Commit(now());
  Open();
  EXPECT_TRUE(committed.tail.Failure(now(), NoRandom).stale);
  EXPECT_EQ(View().consecutive_truncated, 0);
  EXPECT_FALSE(committed.tail.Failure(now(), NoRandom).stale);  // spent: of nothing
}

TEST_F(BreakerTest, TheSoleCandidateIsProbedSooner) {
  OpenAndWait();
  for (int i = 0; i < 4; ++i) {
    Fail();
    WaitUntilDue();
  }
  Fail();
  EXPECT_EQ(OpenFor(), absl::Seconds(300));
  EXPECT_EQ(breaker().AvailableAt(now(), false), now() + absl::Seconds(300));
  EXPECT_EQ(breaker().AvailableAt(now(), true), now() + absl::Seconds(5));
  Advance(absl::Seconds(5) - absl::Nanoseconds(1));
  EXPECT_TRUE(Refused(/*sole=*/true));
  Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(Refused(/*sole=*/false));
  EXPECT_FALSE(Refused(/*sole=*/true));
  EXPECT_EQ(admitted(), "open>half_open sole_candidate");
}

TEST_F(BreakerTest, TheSoleCandidateIsNotProbedBeforeTheHintOfA429) {
  for (int i = 0; i < 4; ++i) RateLimit();
  RateLimit(absl::Seconds(8));
  EXPECT_EQ(OpenFor(), absl::Seconds(10));
  EXPECT_EQ(breaker().AvailableAt(now(), true), now() + absl::Seconds(8));
  Advance(absl::Seconds(8) - absl::Nanoseconds(1));
  EXPECT_TRUE(Refused(/*sole=*/true));
  Advance(absl::Nanoseconds(1));
  EXPECT_FALSE(Refused(/*sole=*/true));
}

TEST_F(BreakerTest, TheHintOfAnOverloadDoesNotHoldTheSoleCandidate) {
  for (int i = 0; i < 5; ++i) Fail(absl::Seconds(60));
  EXPECT_EQ(OpenFor(), absl::Seconds(60));
  EXPECT_EQ(breaker().AvailableAt(now(), true), now() + absl::Seconds(5));
}

TEST_F(BreakerTest, AskingWhenChangesNothing) {
  OpenAndWait();
  const uint64_t generation = View().generation;
  EXPECT_EQ(breaker().AvailableAt(now(), false), now());
  EXPECT_EQ(breaker().AvailableAt(now(), false), now());
  EXPECT_EQ(View().generation, generation);
  EXPECT_EQ(State(), "open");
}

TEST_F(BreakerTest, SlowStartRampsUpAfterARecovery) {
  EXPECT_EQ(breaker().Ramp(now()), 1);
  OpenAndWait();
  Succeed();
  Succeed();
  EXPECT_DOUBLE_EQ(breaker().Ramp(now()), 0.1);
  Advance(absl::Seconds(3));
  EXPECT_DOUBLE_EQ(breaker().Ramp(now()), 0.1);
  Advance(absl::Seconds(12));
  EXPECT_DOUBLE_EQ(breaker().Ramp(now()), 0.5);
  Advance(absl::Seconds(15));
  EXPECT_EQ(breaker().Ramp(now()), 1);
}

TEST_F(BreakerTest, SlowStartOfZeroIsOff) {
  BreakerPolicy policy = WithoutJitter();
  policy.slow_start_window = absl::ZeroDuration();
  BreakerDriver driver(policy);
  driver.OpenAndWait();
  driver.Succeed();
  driver.Succeed();
  EXPECT_EQ(driver.breaker().Ramp(driver.now()), 1);
}

TEST_F(BreakerTest, IsolationAdmitsNobodyUntilItEnds) {
  for (int i = 0; i < 4; ++i) Fail();
  std::deque<Permit> running;
  running.push_back(Admit());
  EXPECT_EQ(Text(breaker().Isolate(now(), now() + absl::Minutes(5))), "closed>isolated isolated");
  EXPECT_EQ(breaker().AvailableAt(now(), true), kNever);
  EXPECT_TRUE(Refused(/*sole=*/true));
  EXPECT_TRUE(running[0].Success(now()).stale);
  EXPECT_EQ(View().open_until, now() + absl::Minutes(5));
  Advance(absl::Minutes(5));
  EXPECT_EQ(State(), "closed");
  EXPECT_EQ(breaker().AvailableAt(now(), false), now());
  EXPECT_FALSE(Refused());
  EXPECT_EQ(admitted(), "isolated>closed isolation_over");
  EXPECT_EQ(breaker().Ramp(now()), 1);
  EXPECT_EQ(View().consecutive, 0);
}

TEST_F(BreakerTest, IsolationEndsByResetAndIsExtendedByAnother) {
  EXPECT_EQ(Text(breaker().Isolate(now(), now() + absl::Seconds(1))), "closed>isolated isolated");
  EXPECT_EQ(Text(breaker().Isolate(now(), kNever)), "none");
  Advance(absl::Hours(1000));
  EXPECT_TRUE(Refused());
  EXPECT_EQ(Text(breaker().Reset(now())), "isolated>closed reset");
  EXPECT_FALSE(Refused());
  // One that is over begins anew.
  breaker().Isolate(now(), now() + absl::Seconds(1));
  Advance(absl::Seconds(1));
  EXPECT_EQ(Text(breaker().Isolate(now(), kNever)), "closed>isolated isolated");
}

TEST_F(BreakerTest, ResetClosesWithAllCountersZero) {
  OpenAndWait();
  Fail();
  EXPECT_EQ(Text(breaker().Reset(now())), "open>closed reset");
  EXPECT_EQ(View().reopened, 0);
  EXPECT_EQ(breaker().Ramp(now()), 1);
  for (int i = 0; i < 4; ++i) Cut();
  Fail();
  RateLimit();
  EXPECT_EQ(Text(breaker().Reset(now())), "none");
  const BreakerView view = View();
  EXPECT_EQ(view.consecutive + view.consecutive_truncated + view.rate_run, 0);
  EXPECT_EQ(view.window_ok + view.window_failed, 0);
}

TEST_F(BreakerTest, OrphansVerdictsGoNowhere) {
  std::optional<Permit> permit = Admit();
  const std::weak_ptr<CircuitBreaker> orphan = shared();
  BreakerDriver& driver = *this;
  driver = BreakerDriver(WithoutJitter());
  EXPECT_FALSE(orphan.expired());
  EXPECT_FALSE(permit->Failure(now(), {}, NoRandom).stale);
  permit.reset();
  EXPECT_TRUE(orphan.expired());
}

TEST_F(BreakerTest, ASecondVerdictIsABug) {
  Permit permit = Admit();
  permit.Success(now());
  EXPECT_DEATH(permit.Success(now()), "a permit has one verdict");
}

}  // namespace
}  // namespace mg
