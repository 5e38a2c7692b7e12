// A thousand streams at once, again and again: each has its own answer, and neither memory nor
// descriptors are left behind.

#include <thread>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/daemon.h"
#include "tests/e2e/process.h"

namespace mg::e2e {
namespace {

constexpr int kBursts = 3;
constexpr int kChannels = 4;
constexpr int kChunks = 100;
constexpr int kAnswers = 10;  // so many different ones, that none may be taken for another
constexpr int kCallsOfChannel = kSanitized ? 25 : 250;
constexpr int kCalls = kChannels * kCallsOfChannel;

std::string Word(int answer, int chunk) { return absl::StrCat("w", answer, ".", chunk, " "); }

std::string TextOf(int answer) {
  std::string text;
  for (int chunk = 0; chunk < kChunks; ++chunk) text += Word(answer, chunk);
  return text;
}

std::string ProviderOf(int answer) { return absl::StrCat("p", answer); }

// What the providers answer to the calls of a burst, all together once the gate opens.
void ScriptBurst(const std::string& burst, const Gate& gate, FakeUpstream* upstream) {
  for (int answer = 0; answer < kAnswers; ++answer) {
    Script script = Sse({Role()});
    for (int chunk = 0; chunk < kChunks; ++chunk) script.Event(Piece(Word(answer, chunk)));
    script.Event(Stop()).Event("[DONE]").HoldHead(gate);
    upstream
        ->When([path = PathOf(ProviderOf(answer)), burst](const UpstreamRequest& request) {
          return request.path() == path && absl::StrContains(request.body, burst);
        })
        .Reply(std::move(script));
  }
}

// One channel's share of a burst: all its calls are under way before the first is read.
void RunShare(Caller* caller, const std::string& burst) {
  std::vector<std::unique_ptr<Caller::Call>> calls;
  for (int i = 0; i < kCallsOfChannel; ++i) {
    calls.push_back(
        caller->Start(Ask(absl::StrCat(ProviderOf(i % kAnswers), "/m-1"), burst), true));
  }
  for (int i = 0; i < kCallsOfChannel; ++i) {
    const Reply reply = calls[static_cast<size_t>(i)]->End();
    EXPECT_TRUE(reply.ok()) << reply.message;
    EXPECT_TRUE(reply.completed());
    EXPECT_EQ(reply.Text(), TextOf(i % kAnswers));
  }
}

TEST(Burst, AThousandStreamsLeaveNothingBehind) {
  FakeUpstream upstream;
  std::string config = Listening() + "providers:\n" + Compatible("plain", upstream);
  for (int answer = 0; answer < kAnswers; ++answer) {
    config += Compatible(ProviderOf(answer), upstream);
  }
  upstream.When(PathOf("plain")).Reply(Good(false));
  Daemon daemon({.config = config});
  Caller bystander(daemon.tcp());
  ASSERT_TRUE(bystander.Chat(Ask("plain/m-1")).ok());
  const int descriptors = Descriptors(daemon);
  const size_t idle = ResidentBytes(daemon);
  std::vector<size_t> resident;
  {
    std::vector<std::unique_ptr<Caller>> callers;
    for (int i = 0; i < kChannels; ++i) callers.push_back(std::make_unique<Caller>(daemon.tcp()));
    for (int i = 0; i < kBursts; ++i) {
      const std::string burst = absl::StrCat("burst ", i);
      Gate gate;
      ScriptBurst(burst, gate, &upstream);
      std::vector<std::thread> threads;
      for (auto& caller : callers) {
        threads.emplace_back([&caller, &burst] { RunShare(caller.get(), burst); });
      }
      EXPECT_TRUE(gate.WaitReached(kCalls)) << "all of a burst are under way at once";
      gate.Open();
      for (std::thread& thread : threads) thread.join();
      EXPECT_TRUE(UntilIdle(daemon));
      // The allocator gives back what it does not use, a moment later.
      size_t bound = idle + 24 * kMiB;
      if (i > 0) bound = std::min(bound, resident.front() + resident.front() / 10);
      EXPECT_TRUE(kSanitized || Until([&] { return ResidentBytes(daemon) <= bound; }))
          << ResidentBytes(daemon) << " of " << bound << " after burst " << i;
      resident.push_back(ResidentBytes(daemon));
    }
  }
  RecordProperty("idle_kib", static_cast<int>(idle >> 10));
  RecordProperty("first_kib", static_cast<int>(resident.front() >> 10));
  RecordProperty("last_kib", static_cast<int>(resident.back() >> 10));
  RecordProperty("peak_kib", static_cast<int>(PeakBytes(daemon) >> 10));

  // Connections that wait for another request are kept, but none that the provider has closed.
  upstream.CloseIdle();
  EXPECT_TRUE(Until([&] {
    return bystander.Chat(Ask("plain/m-1")).ok() && Descriptors(daemon) == descriptors;
  })) << Descriptors(daemon)
      << " of " << descriptors;
  EXPECT_EQ(daemon.Stop(), 0);
}

// Calls that wait for a slow provider, more than one endpoint may have by default.
TEST(Burst, TwoThousandSlowCallsAreAllAnswered) {
  constexpr int kSlowOfChannel = kSanitized ? 100 : 500;
  FakeUpstream upstream;
  Gate gate;
  upstream.When(PathOf("slow")).Reply(Good(false).HoldHead(gate));
  upstream.When(PathOf("good")).Reply(Good(false));
  Daemon daemon(
      {.config = absl::StrCat(Listening(), "limits: { max_in_flight: 4096 }\n", "providers:\n",
                              Compatible("slow", upstream), Compatible("good", upstream))});
  Caller bystander(daemon.tcp());
  ASSERT_TRUE(bystander.Chat(Ask("good/m-1")).ok());
  const size_t idle = ResidentBytes(daemon);
  std::vector<std::unique_ptr<Caller>> callers;
  std::vector<std::unique_ptr<Caller::Call>> calls;
  for (int channel = 0; channel < kChannels; ++channel) {
    callers.push_back(std::make_unique<Caller>(daemon.tcp()));
    for (int i = 0; i < kSlowOfChannel; ++i) {
      calls.push_back(callers.back()->Start(Ask("slow/m-1"), false));
    }
  }
  EXPECT_TRUE(gate.WaitReached(kChannels * kSlowOfChannel));
  EXPECT_TRUE(bystander.Chat(Ask("good/m-1")).ok());
  const size_t peak = ResidentBytes(daemon);
  RecordProperty("growth_kib", static_cast<int>((peak - idle) >> 10));
  if (!kSanitized) EXPECT_LT(peak, idle + 128 * kMiB);
  gate.Open();
  for (const auto& call : calls) {
    const Reply reply = call->End();
    ASSERT_TRUE(reply.ok()) << reply.message;
    ASSERT_EQ(reply.response.report().attempts_size(), 1);
  }
  EXPECT_TRUE(UntilIdle(daemon));
  EXPECT_EQ(daemon.Stop(), 0);
}

}  // namespace
}  // namespace mg::e2e
