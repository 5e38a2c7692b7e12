#include "daemon/runtime/epoll_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace mg {
namespace {

struct SocketPair {
  SocketPair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0); }
  ~SocketPair() {
    for (const int fd : fds) {
      if (fd >= 0) close(fd);
    }
  }
  int fds[2] = {-1, -1};
};

TEST(EpollLoopTest, TellsWhenADescriptorIsReady) {
  EpollLoop loop;
  SocketPair pair;
  std::string got;
  loop.Watch(pair.fds[0], EpollLoop::kReadable, [&](uint32_t) {
    char bytes[16];
    const ssize_t count = read(pair.fds[0], bytes, sizeof bytes);
    got.append(bytes, static_cast<size_t>(count));
    loop.Stop();
  });
  EXPECT_EQ(write(pair.fds[1], "hello", 5), 5);
  loop.Run();
  EXPECT_EQ(got, "hello");
}

TEST(EpollLoopTest, ModifySilencesAndAsksAgain) {
  EpollLoop loop;
  SocketPair pair;
  int calls = 0;
  loop.Watch(pair.fds[0], EpollLoop::kReadable | EpollLoop::kWritable, [&](uint32_t events) {
    ++calls;
    if (calls == 1) {
      EXPECT_EQ(events, EpollLoop::kWritable);
      loop.Modify(pair.fds[0], 0);
      loop.CallAt(loop.now() + absl::Milliseconds(5), [&] {
        EXPECT_EQ(calls, 1);
        loop.Modify(pair.fds[0], EpollLoop::kWritable);
      });
    } else {
      loop.Stop();
    }
  });
  loop.Run();
  EXPECT_EQ(calls, 2);
}

TEST(EpollLoopTest, ACallbackMayUnwatchItsOwnAndOtherDescriptors) {
  EpollLoop loop;
  SocketPair first;
  SocketPair second;
  int calls = 0;
  const auto end_both = [&](uint32_t) {
    ++calls;
    loop.Unwatch(first.fds[0]);
    loop.Unwatch(second.fds[0]);
    loop.Unwatch(second.fds[0]);
    loop.CallAt(loop.now() + absl::Milliseconds(5), [&] { loop.Stop(); });
  };
  loop.Watch(first.fds[0], EpollLoop::kWritable, end_both);
  loop.Watch(second.fds[0], EpollLoop::kWritable, end_both);
  loop.Run();
  EXPECT_EQ(calls, 1) << "what was ready in the same turn is not told to one who has gone";
}

TEST(EpollLoopTest, ANumberThatIsGivenAgainIsAnotherDescriptor) {
  EpollLoop loop;
  SocketPair first;
  SocketPair second;
  int told_new = 0;
  const int number = second.fds[0];
  loop.Watch(first.fds[0], EpollLoop::kWritable, [&](uint32_t) {
    loop.Unwatch(first.fds[0]);
    loop.Unwatch(number);
    EXPECT_EQ(dup2(first.fds[1], number), number);
    loop.Watch(number, EpollLoop::kReadable, [&](uint32_t) { ++told_new; });
    loop.CallAt(loop.now() + absl::Milliseconds(5), [&] { loop.Stop(); });
  });
  loop.Watch(number, EpollLoop::kWritable, [](uint32_t) {});
  loop.Run();
  EXPECT_EQ(told_new, 0) << "an event of the one before it";
}

TEST(EpollLoopTest, TimersRunInTimeAndTimeStandsStillWithinATurn) {
  EpollLoop loop;
  const Instant start = loop.now();
  Instant ran;
  loop.CallAt(start + absl::Milliseconds(20), [&] {
    ran = loop.now();
    while (clock() == 0) {
    }
    EXPECT_EQ(ran, loop.now());
    loop.Stop();
  });
  loop.Run();
  EXPECT_GE(ran, start + absl::Milliseconds(20));
}

TEST(EpollLoopTest, PostsOfManyThreadsAllRun) {
  EpollLoop loop;
  constexpr int kThreads = 4;
  constexpr int kPosts = 5000;
  int ran = 0;  // the loop's thread alone
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kPosts; ++j) {
        loop.Post([&] {
          if (++ran == kThreads * kPosts) loop.Stop();
        });
      }
    });
  }
  loop.Run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ran, kThreads * kPosts);
}

TEST(EpollLoopTest, ATimerThatIsAlwaysDueStarvesNoDescriptor) {
  EpollLoop loop;
  SocketPair pair;
  bool told = false;
  std::function<void()> again = [&] {
    if (!told) loop.CallAt(loop.now(), again);
  };
  again();
  loop.Watch(pair.fds[0], EpollLoop::kWritable, [&](uint32_t) {
    told = true;
    loop.Stop();
  });
  loop.Run();
  EXPECT_TRUE(told);
}

// A queue as gRPC's is, without anything to complete but its interrupts.
class Source final : public CompletionSource {
 public:
  explicit Source(EpollLoop* loop) : loop_(loop) {}

  bool Poll() override {
    ++polls_;
    return polls_ <= busy_polls;
  }
  void Wait(Instant until) override {
    ++waits_;
    absl::MutexLock lock(&mutex_);
    waited_until_ = until;
    if (until == kNever) {
      mutex_.Await(absl::Condition(&interrupted_));
    } else {
      mutex_.AwaitWithTimeout(absl::Condition(&interrupted_), until - loop_->Measure());
    }
    interrupted_ = false;
  }
  void Interrupt() override {
    absl::MutexLock lock(&mutex_);
    interrupted_ = true;
    ++interrupts_;
  }
  void Park() override { ++parks_; }

  int polls() const { return polls_; }
  int waits() const { return waits_; }
  int parks() const { return parks_; }
  Instant waited_until() const { return waited_until_; }
  int interrupts() {
    absl::MutexLock lock(&mutex_);
    return interrupts_;
  }

  int busy_polls = 0;

 private:
  EpollLoop* const loop_;
  int polls_ = 0;
  int waits_ = 0;
  int parks_ = 0;
  Instant waited_until_;
  absl::Mutex mutex_;
  bool interrupted_ = false;
  int interrupts_ = 0;
};

TEST(EpollLoopTest, PollsItsSourceWhileThereIsWorkAndSleepsInItUntilTheNextTimer) {
  EpollLoop loop;
  Source source(&loop);
  source.busy_polls = 2;
  loop.AddCompletionSource(&source);
  const Instant at = loop.now() + absl::Milliseconds(20);
  loop.CallAt(at, [&] { loop.Stop(); });
  loop.Run();
  EXPECT_GE(source.polls(), 3);
  EXPECT_GE(source.waits(), 1);
  EXPECT_EQ(source.waited_until(), at);
  EXPECT_EQ(source.parks(), 0);
  EXPECT_EQ(source.interrupts(), 0);
  loop.RemoveCompletionSource(&source);
}

TEST(EpollLoopTest, ADescriptorThatIsReadyInterruptsTheSourceItSleepsIn) {
  EpollLoop loop;
  Source source(&loop);
  loop.AddCompletionSource(&source);
  SocketPair pair;
  int reads = 0;
  loop.Watch(pair.fds[0], EpollLoop::kReadable, [&](uint32_t) {
    char byte = 0;
    ASSERT_EQ(read(pair.fds[0], &byte, 1), 1);
    if (++reads == 3) loop.Stop();
  });
  std::thread writer([&] {
    for (int i = 1; i <= 3; ++i) {
      EXPECT_EQ(write(pair.fds[1], "x", 1), 1);
    }
  });
  loop.Run();
  writer.join();
  EXPECT_EQ(reads, 3);
  loop.RemoveCompletionSource(&source);
}

TEST(EpollLoopTest, WhatAnotherThreadPostsInterruptsTheSourceItSleepsIn) {
  EpollLoop loop;
  Source source(&loop);
  loop.AddCompletionSource(&source);
  std::thread poster([&] { loop.Post([&] { loop.Stop(); }); });
  loop.Run();
  poster.join();
  loop.RemoveCompletionSource(&source);
}

TEST(EpollLoopTest, ParksTheSourcesItDoesNotSleepIn) {
  EpollLoop loop;
  Source first(&loop);
  Source second(&loop);
  loop.AddCompletionSource(&first);
  loop.AddCompletionSource(&second);
  loop.CallAt(loop.now() + absl::Milliseconds(20), [&] { loop.Stop(); });
  loop.Run();
  EXPECT_GE(second.parks(), 1);
  EXPECT_EQ(second.waits(), 0);

  // Without the first it sleeps in its own descriptors: the second may still be parked.
  loop.RemoveCompletionSource(&first);
  std::thread poster([&] { loop.Post([&] { loop.Stop(); }); });
  loop.Run();
  poster.join();
  EXPECT_EQ(second.waits(), 0);
  loop.RemoveCompletionSource(&second);
}

TEST(EpollLoopTest, StopBeforeRunEndsItAtOnce) {
  EpollLoop loop;
  loop.Stop();
  loop.Run();
}

}  // namespace
}  // namespace mg
