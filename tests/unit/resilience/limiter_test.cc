#include "resilience/limiter.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace mg {
namespace {

using Slot = Limiter::Slot;
using Ticket = Limiter::Ticket;

class LimiterTest : public testing::Test {
 protected:
  std::optional<Ticket> Enqueue(int number) {
    return limiter_->Enqueue([this, number] { woken_.push_back(number); });
  }
  int InFlight() const { return limiter_->Now().in_flight; }
  int Queued() const { return limiter_->Now().queued; }

  std::shared_ptr<Limiter> limiter_ = Limiter::New({.max_in_flight = 2, .queue = 3});
  std::vector<int> woken_;
};

TEST_F(LimiterTest, AdmitsUpToItsMaximum) {
  std::optional<Slot> a = limiter_->TryAcquire();
  std::optional<Slot> b = limiter_->TryAcquire();
  EXPECT_TRUE(a.has_value() && b.has_value());
  EXPECT_FALSE(limiter_->HasRoom());
  EXPECT_FALSE(limiter_->TryAcquire().has_value());
  Slot moved = *std::move(a);
  EXPECT_EQ(InFlight(), 2);
  moved = *std::move(b);  // gives back the one before
  EXPECT_EQ(InFlight(), 1);
  EXPECT_TRUE(limiter_->HasRoom());
}

TEST_F(LimiterTest, FirstComeFirstServed) {
  std::vector<Slot> slots;
  for (int i = 0; i < 2; ++i) slots.push_back(*limiter_->TryAcquire());
  std::optional<Ticket> first = Enqueue(1);
  std::optional<Ticket> second = Enqueue(2);
  EXPECT_EQ(Queued(), 2);
  EXPECT_FALSE(first->Take().has_value());
  slots.pop_back();
  EXPECT_EQ(woken_, std::vector<int>{1});
  EXPECT_TRUE(first->called());
  EXPECT_FALSE(second->called());
  EXPECT_FALSE(limiter_->TryAcquire().has_value());  // the slot is kept for it
  const std::optional<Slot> taken = first->Take();
  EXPECT_TRUE(taken.has_value());
  EXPECT_EQ(InFlight(), 2);
  slots.pop_back();
  EXPECT_EQ(woken_, (std::vector<int>{1, 2}));
}

TEST_F(LimiterTest, NobodyOvertakesTheQueue) {
  std::optional<Slot> a = limiter_->TryAcquire();
  std::optional<Slot> b = limiter_->TryAcquire();
  std::optional<Ticket> waiting = Enqueue(1);
  limiter_->SetPolicy({.max_in_flight = 1, .queue = 3});
  a.reset();
  EXPECT_FALSE(limiter_->HasRoom());
  EXPECT_FALSE(limiter_->TryAcquire().has_value());
  b.reset();
  EXPECT_TRUE(waiting->called());
}

TEST_F(LimiterTest, AFullQueueRefuses) {
  std::vector<Slot> slots;
  for (int i = 0; i < 2; ++i) slots.push_back(*limiter_->TryAcquire());
  std::vector<Ticket> tickets;
  for (int i = 0; i < 3; ++i) tickets.push_back(*Enqueue(i));
  EXPECT_FALSE(Enqueue(3).has_value());
  tickets.erase(tickets.begin() + 1);  // who leaves makes room
  EXPECT_TRUE(Enqueue(4).has_value());
}

TEST_F(LimiterTest, WhoLeavesBeforeItsTurnIsNeverWoken) {
  std::optional<Slot> a = limiter_->TryAcquire();
  std::optional<Slot> b = limiter_->TryAcquire();
  std::optional<Ticket> first = Enqueue(1);
  std::optional<Ticket> second = Enqueue(2);
  first.reset();
  a.reset();
  EXPECT_EQ(woken_, std::vector<int>{2});
}

TEST_F(LimiterTest, WhoLeavesAtItsTurnPassesTheSlotOn) {
  std::optional<Slot> a = limiter_->TryAcquire();
  std::optional<Slot> b = limiter_->TryAcquire();
  std::optional<Ticket> first = Enqueue(1);
  std::optional<Ticket> second = Enqueue(2);
  a.reset();
  first.reset();
  EXPECT_EQ(woken_, (std::vector<int>{1, 2}));
  second.reset();
  EXPECT_EQ(InFlight(), 1);
}

TEST_F(LimiterTest, ASlotThatCameFreeMeanwhileIsFoundAtOnce) {
  const std::optional<Ticket> ticket = Enqueue(1);
  EXPECT_TRUE(ticket->called());
  EXPECT_EQ(woken_, std::vector<int>{1});
}

TEST_F(LimiterTest, ASmallerMaximumDrainsAndALargerWakes) {
  std::vector<Slot> slots;
  for (int i = 0; i < 2; ++i) slots.push_back(*limiter_->TryAcquire());
  limiter_->SetPolicy({.max_in_flight = 1, .queue = 3});
  EXPECT_EQ(InFlight(), 2);  // nobody is killed
  std::optional<Ticket> first = Enqueue(1);
  std::optional<Ticket> second = Enqueue(2);
  slots.pop_back();
  EXPECT_TRUE(woken_.empty());
  limiter_->SetPolicy({.max_in_flight = 3, .queue = 1});
  EXPECT_EQ(woken_, (std::vector<int>{1, 2}));
  EXPECT_EQ(InFlight(), 3);
}

TEST_F(LimiterTest, SlotsKeepItAlive) {
  std::optional<Slot> slot = limiter_->TryAcquire();
  const std::weak_ptr<Limiter> weak = limiter_;
  limiter_.reset();
  EXPECT_FALSE(weak.expired());
  slot.reset();
  EXPECT_TRUE(weak.expired());
}

}  // namespace
}  // namespace mg
