// Task, Signal and Loop under virtual time.

#include "daemon/runtime/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "daemon/runtime/signal.h"
#include "tests/support/virtual_loop.h"

namespace mg {
namespace {

Task<int> Number(int number) { co_return number; }

Task<std::string> Text(int a, int b) {
  const int first = co_await Number(a);
  const int second = co_await Number(b);
  co_return std::to_string(first + second);
}

Task<void> Keep(std::string* into) { *into = co_await Text(40, 2); }

TEST(TaskTest, HandsItsResultToTheOneWhoAwaits) {
  std::string text;
  Spawn(Keep(&text));
  EXPECT_EQ(text, "42");
}

Task<std::unique_ptr<int>> Moves(std::unique_ptr<int> number) {
  ++*number;
  co_return number;
}

Task<void> KeepMoved(int* into) { *into = *co_await Moves(std::make_unique<int>(41)); }

TEST(TaskTest, CarriesWhatCanOnlyBeMoved) {
  int number = 0;
  Spawn(KeepMoved(&number));
  EXPECT_EQ(number, 42);
}

Task<void> Count(int* count) {
  ++*count;
  co_return;
}

TEST(TaskTest, DoesNotBeginUntilItIsAwaited) {
  int count = 0;
  {
    const Task<void> dropped = Count(&count);
  }
  EXPECT_EQ(count, 0);
}

Task<int> Deep(int depth) {
  if (depth == 0) co_return 0;
  const int below = co_await Deep(depth - 1);
  co_return below + 1;
}

Task<void> ManySteps(int steps, int* sum) {
  for (int i = 0; i < steps; ++i) *sum += co_await Number(1);
}

Task<void> GoDeep(int depth, int* reached) { *reached = co_await Deep(depth); }

TEST(TaskTest, ChainsDoNotGrowTheStack) {
  int sum = 0;
  Spawn(ManySteps(100'000, &sum));
  EXPECT_EQ(sum, 100'000);
  int reached = 0;
  Spawn(GoDeep(100'000, &reached));
  EXPECT_EQ(reached, 100'000);
}

Task<absl::Status> FailsAt(int* reached, absl::Status status) {
  *reached = 1;
  MG_CO_RETURN_IF_ERROR(status);
  *reached = 2;
  co_return absl::OkStatus();
}

Task<void> KeepStatus(absl::Status give, int* reached, absl::Status* got) {
  *got = co_await FailsAt(reached, std::move(give));
}

TEST(TaskTest, ReturnsEarlyOnAnError) {
  int reached = 0;
  absl::Status got;
  Spawn(KeepStatus(absl::AbortedError("no"), &reached, &got));
  EXPECT_EQ(reached, 1);
  EXPECT_EQ(got, absl::AbortedError("no"));
  Spawn(KeepStatus(absl::OkStatus(), &reached, &got));
  EXPECT_EQ(reached, 2);
  EXPECT_TRUE(got.ok());
}

struct Waiter {
  std::vector<Wake> wakes;
  std::vector<Instant> times;
};

Task<void> WaitTimes(Loop* loop, Signal* signal, int times, Instant until,
                     Cancellation* cancellation, Waiter* waiter) {
  for (int i = 0; i < times; ++i) {
    waiter->wakes.push_back(co_await signal->Wait(until, cancellation));
    waiter->times.push_back(loop->now());
  }
}

class SignalTest : public ::testing::Test {
 protected:
  void Wait(int times, Instant until, Cancellation* cancellation) {
    Spawn(WaitTimes(&loop_, &signal_, times, until, cancellation, &waiter_));
  }
  using Wakes = std::vector<Wake>;

  VirtualLoop loop_;
  Signal signal_{&loop_};
  Waiter waiter_;
};

TEST_F(SignalTest, ANotifyWakesTheWaiterAtTheEndOfTheTurn) {
  Wait(1, kNever, nullptr);
  signal_.Notify();
  EXPECT_EQ(waiter_.wakes, Wakes()) << "never from within Notify";
  loop_.RunUntilIdle();
  EXPECT_EQ(waiter_.wakes, Wakes({Wake::kNotified}));
}

TEST_F(SignalTest, ANotifyWithoutAWaiterIsRememberedOnce) {
  signal_.Notify();
  signal_.Notify();
  Wait(2, loop_.now() + absl::Seconds(1), nullptr);
  loop_.RunUntilIdle();
  EXPECT_EQ(waiter_.wakes, Wakes({Wake::kNotified, Wake::kTimeout}));
}

TEST_F(SignalTest, ANotifyBetweenWakeAndResumeIsRemembered) {
  Wait(2, loop_.now() + absl::Seconds(1), nullptr);
  signal_.Notify();
  signal_.Notify();
  loop_.RunUntilIdle();
  EXPECT_EQ(waiter_.wakes, Wakes({Wake::kNotified, Wake::kNotified}));
}

TEST_F(SignalTest, TheTimeEndsAWaitAndLeavesNoTimer) {
  const Instant start = loop_.now();
  Wait(1, start + absl::Seconds(5), nullptr);
  loop_.RunFor(absl::Seconds(4));
  EXPECT_EQ(waiter_.wakes, Wakes());
  loop_.RunFor(absl::Seconds(1));
  EXPECT_EQ(waiter_.wakes, Wakes({Wake::kTimeout}));
  EXPECT_EQ(waiter_.times[0], start + absl::Seconds(5));

  Wait(1, loop_.now() + absl::Seconds(5), nullptr);
  signal_.Notify();
  const Instant notified = loop_.now();
  loop_.RunUntilIdle();
  EXPECT_EQ(loop_.now(), notified) << "a timer of a wait that is over moves no time";
}

TEST_F(SignalTest, ATimeThatIsPastEndsTheWaitAtOnce) {
  Wait(1, loop_.now(), nullptr);
  EXPECT_EQ(waiter_.wakes, Wakes({Wake::kTimeout}));
}

TEST_F(SignalTest, ACancellationEndsTheWaitAndAllLaterOnes) {
  Cancellation cancellation;
  Wait(3, kNever, &cancellation);
  cancellation.Cancel(absl::CancelledError("first"));
  cancellation.Cancel(absl::AbortedError("second"));
  loop_.RunUntilIdle();
  EXPECT_EQ(waiter_.wakes, Wakes({Wake::kCancelled, Wake::kCancelled, Wake::kCancelled}));
  EXPECT_EQ(cancellation.status(), absl::CancelledError("first"));
}

TEST_F(SignalTest, ACancellationBeforeTheWaitEndsItAtOnce) {
  Cancellation cancellation;
  cancellation.Cancel(absl::CancelledError(""));
  Wait(1, kNever, &cancellation);
  EXPECT_EQ(waiter_.wakes, Wakes({Wake::kCancelled}));
}

TEST_F(SignalTest, WhoeverComesFirstWins) {
  Cancellation cancellation;
  Wait(1, loop_.now() + absl::Seconds(1), &cancellation);
  signal_.Notify();
  cancellation.Cancel(absl::CancelledError(""));
  loop_.RunUntilIdle();
  EXPECT_EQ(waiter_.wakes, Wakes({Wake::kNotified}));
}

TEST_F(SignalTest, OneCancellationWakesAllWhoWaitUnderIt) {
  Cancellation cancellation;
  Signal other(&loop_);
  Waiter second;
  Wait(1, kNever, &cancellation);
  Spawn(WaitTimes(&loop_, &other, 1, kNever, &cancellation, &second));
  cancellation.Cancel(absl::CancelledError(""));
  loop_.RunUntilIdle();
  EXPECT_EQ(waiter_.wakes, Wakes({Wake::kCancelled}));
  EXPECT_EQ(second.wakes, Wakes({Wake::kCancelled}));
}

TEST_F(SignalTest, ASignalMayGoAfterItsWaitAndTheCancellationLives) {
  Cancellation cancellation;
  {
    Signal local(&loop_);
    Spawn(WaitTimes(&loop_, &local, 1, kNever, &cancellation, &waiter_));
    local.Notify();
    loop_.RunUntilIdle();
  }
  cancellation.Cancel(absl::CancelledError(""));
  loop_.RunUntilIdle();
  EXPECT_EQ(waiter_.wakes, Wakes({Wake::kNotified}));
}

Task<void> Sleep(Loop* loop, Instant until, Cancellation* cancellation, absl::Status* status) {
  *status = co_await SleepUntil(loop, until, cancellation);
}

TEST_F(SignalTest, SleepEndsByTimeOrCancellation) {
  absl::Status slept = absl::UnknownError("");
  Spawn(Sleep(&loop_, loop_.now() + absl::Hours(1), nullptr, &slept));
  loop_.RunUntilIdle();
  EXPECT_TRUE(slept.ok());
  Cancellation cancellation;
  Spawn(Sleep(&loop_, loop_.now() + absl::Hours(1), &cancellation, &slept));
  cancellation.Cancel(absl::AbortedError("up"));
  loop_.RunUntilIdle();
  EXPECT_EQ(slept, absl::AbortedError("up"));
}

TEST_F(SignalTest, TwoLoopsHaveTimesOfTheirOwn) {
  VirtualLoop other;
  Signal signal(&other);
  Waiter waiter;
  Spawn(WaitTimes(&other, &signal, 1, other.now() + absl::Seconds(1), nullptr, &waiter));
  Wait(1, loop_.now() + absl::Seconds(9), nullptr);
  loop_.RunUntilIdle();
  EXPECT_EQ(waiter.wakes, Wakes());
  EXPECT_EQ(waiter_.wakes, Wakes({Wake::kTimeout}));
  other.RunUntilIdle();
  EXPECT_EQ(waiter.wakes, Wakes({Wake::kTimeout}));
}

TEST(LoopTest, TimersRunInTheOrderOfTheirTimesAndThenOfTheirSetting) {
  VirtualLoop loop;
  std::string order;
  const Instant start = loop.now();
  const auto at = [&](int seconds, char name) {
    return loop.CallAt(start + absl::Seconds(seconds), [&order, name] { order += name; });
  };
  at(2, 'c');
  at(1, 'a');
  at(2, 'd');
  at(1, 'b');
  const Loop::TimerId dropped = at(1, 'x');
  loop.CancelTimer(dropped);
  loop.CancelTimer(dropped);
  EXPECT_EQ(loop.CallAt(kNever, [] { FAIL(); }).second, 0U);
  loop.RunUntilIdle();
  EXPECT_EQ(order, "abcd");
  EXPECT_EQ(loop.now(), start + absl::Seconds(2));
}

TEST(LoopTest, ATimerMayCancelAnotherOfTheSameTime) {
  VirtualLoop loop;
  Loop::TimerId second;
  loop.CallAt(loop.now(), [&] { loop.CancelTimer(second); });
  second = loop.CallAt(loop.now(), [] { FAIL(); });
  loop.RunUntilIdle();
}

TEST(LoopTest, ATimerThatIsSetAgainAndAgainLetsCoroutinesThrough) {
  VirtualLoop loop;
  Signal signal(&loop);
  Waiter waiter;
  Spawn(WaitTimes(&loop, &signal, 1, kNever, nullptr, &waiter));
  int rounds = 0;
  std::function<void()> again = [&] {
    ++rounds;
    if (rounds == 1) signal.Notify();
    if (waiter.wakes.empty() && rounds < 1000) loop.CallAt(loop.now(), again);
  };
  loop.CallAt(loop.now(), again);
  loop.RunUntilIdle();
  EXPECT_LT(rounds, 5);
}

TEST(LoopTest, WhatIsPostedRunsOnTheLoop) {
  VirtualLoop loop;
  std::string order;
  loop.Post([&] {
    order += "a";
    loop.Post([&] { order += "b"; });
  });
  EXPECT_EQ(order, "");
  loop.RunUntilIdle();
  EXPECT_EQ(order, "ab");
}

}  // namespace
}  // namespace mg
