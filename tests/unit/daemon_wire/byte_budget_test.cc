#include "daemon/byte_budget.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/virtual_loop.h"

namespace mg {
namespace {

struct Waiting {
  Cancellation cancellation;
  absl::Status status = absl::UnknownError("still waits");
  ByteReservation held;
};

Task<void> Wait(ByteBudget* budget, Loop* loop, size_t bytes, absl::Duration timeout,
                Waiting* waiting) {
  auto reservation =
      co_await budget->Reserve(loop, bytes, loop->now() + timeout, &waiting->cancellation);
  waiting->status = reservation.status();
  if (reservation.ok()) waiting->held = *std::move(reservation);
}

class ByteBudgetTest : public ::testing::Test {
 protected:
  void Start(size_t bytes, Waiting* waiting, absl::Duration timeout = absl::Seconds(10)) {
    Spawn(Wait(&budget_, &loop_, bytes, timeout, waiting));
    loop_.RunFor(absl::ZeroDuration());
  }
  void Release(size_t bytes) {
    budget_.Release(bytes);
    loop_.RunFor(absl::ZeroDuration());
  }

  VirtualLoop loop_;
  ByteBudget budget_{100, 2};
};

TEST_F(ByteBudgetTest, TakesUpToItsTotal) {
  EXPECT_TRUE(budget_.TryReserve(60));
  EXPECT_FALSE(budget_.TryReserve(41));
  EXPECT_TRUE(budget_.TryReserve(40));
  EXPECT_FALSE(budget_.TryReserve(1));
  budget_.Release(100);
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(ByteBudgetTest, LeavesRoomToReadAnotherCall) {
  ByteBudget budget(3 * ByteBudget::kLargestMessage);
  ASSERT_EQ(budget.largest_message(), ByteBudget::kLargestMessage);
  ASSERT_TRUE(budget.TryReserve(2 * ByteBudget::kLargestMessage - 100));
  EXPECT_TRUE(budget.LeavesRoom(100));
  EXPECT_FALSE(budget.LeavesRoom(101));
  budget.Take(60);
  EXPECT_TRUE(budget.LeavesRoom(40));
  EXPECT_FALSE(budget.LeavesRoom(41));
}

TEST_F(ByteBudgetTest, AReservationGivesBackWhatItHas) {
  {
    ASSERT_TRUE(budget_.TryReserve(48));
    ByteReservation reservation(&budget_, 48);
    reservation.ShrinkTo(10);
    EXPECT_EQ(budget_.used(), 10u);
    reservation.ShrinkTo(20);
    EXPECT_EQ(reservation.bytes(), 10u) << "it never grows";
    ByteReservation moved = std::move(reservation);
    EXPECT_EQ(budget_.used(), 10u);
    ASSERT_TRUE(budget_.TryReserve(5));
    moved = ByteReservation(&budget_, 5);
    EXPECT_EQ(budget_.used(), 5u);
  }
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(ByteBudgetTest, WaitersAreServedInOrderAndNobodyOvertakes) {
  budget_.Take(90);
  Waiting large, small;
  Start(50, &large);
  Start(5, &small);
  EXPECT_FALSE(budget_.TryReserve(5)) << "others wait";
  EXPECT_EQ(small.held.bytes(), 0u);
  Release(40);
  EXPECT_EQ(large.held.bytes(), 50u);
  EXPECT_EQ(small.held.bytes(), 0u);
  Release(5);
  EXPECT_EQ(small.held.bytes(), 5u);
  EXPECT_EQ(budget_.used(), 100u);
}

TEST_F(ByteBudgetTest, TooManyDoNotWait) {
  budget_.Take(100);
  Waiting first, second, third;
  Start(1, &first);
  Start(1, &second);
  Start(1, &third);
  EXPECT_EQ(third.status.code(), absl::StatusCode::kResourceExhausted);
  Release(100);
  EXPECT_TRUE(first.status.ok() && second.status.ok());
}

TEST_F(ByteBudgetTest, TimeAndCancellationEndAWait) {
  budget_.Take(100);
  Waiting late, gone;
  Start(80, &late, absl::Seconds(1));
  Start(1, &gone);
  loop_.RunFor(absl::Seconds(2));
  EXPECT_EQ(late.status.code(), absl::StatusCode::kDeadlineExceeded);
  gone.cancellation.Cancel(absl::CancelledError("gone"));
  loop_.RunFor(absl::ZeroDuration());
  EXPECT_EQ(gone.status.code(), absl::StatusCode::kCancelled);
  Release(100);
  EXPECT_EQ(budget_.used(), 0u) << "nothing was granted to those who left";
}

TEST_F(ByteBudgetTest, WhoLeavesMakesWayForASmallerOne) {
  budget_.Take(90);
  Waiting large, small;
  Start(50, &large, absl::Seconds(1));
  Start(5, &small);
  loop_.RunFor(absl::Seconds(1));
  EXPECT_EQ(small.held.bytes(), 5u);
}

TEST_F(ByteBudgetTest, AGrantThatComesWithTheCancellationIsGivenBack) {
  budget_.Take(100);
  Waiting waiting;
  Start(10, &waiting);
  waiting.cancellation.Cancel(absl::CancelledError("gone"));
  Release(100);  // the waiter has not run yet
  EXPECT_EQ(waiting.status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(ByteBudgetTest, IsCrowdedWhereAllIsUsedOrAnswersHaveTheirHalf) {
  EXPECT_FALSE(budget_.crowded());
  budget_.Take(50);
  EXPECT_FALSE(budget_.crowded());
  budget_.Take(1);
  EXPECT_TRUE(budget_.crowded());
  budget_.GiveBack(11);
  EXPECT_FALSE(budget_.crowded());
  EXPECT_TRUE(budget_.TryReserve(60));
  EXPECT_FALSE(budget_.crowded()) << "full, and no more than that";
  budget_.Take(1);
  EXPECT_TRUE(budget_.crowded());
  budget_.GiveBack(41);
  budget_.Release(60);
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(ByteBudgetTest, WhatRunningCallsTakeKeepsNewOnesOut) {
  budget_.Take(150);
  EXPECT_FALSE(budget_.TryReserve(0));
  budget_.GiveBack(150);
}

TEST_F(ByteBudgetTest, ManyThreadsKeepItsSumRight) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int n = 0; n < 10000; ++n) {
        if (budget_.TryReserve(40)) budget_.Release(40);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget_.used(), 0u);
}

}  // namespace
}  // namespace mg
