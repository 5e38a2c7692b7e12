// Two hundred callers who leave at once, each at one of the stages of a call: every transfer that
// was under way is ended, and nothing is left behind.

#include "gtest/gtest.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/daemon.h"
#include "tests/e2e/process.h"

namespace mg::e2e {
namespace {

constexpr int kChannels = 4;
constexpr int kRounds = 2;
// 4 × 48 and 8 whose request is not there yet; each of these holds room for 48 MiB.
constexpr int kOfStage = 48;
constexpr int kHalfOpen = 8;

// Where the provider's answer stands still, by the provider's name.
enum class Stage { kConnecting, kBeforeHead, kMidStream, kAtTheEnd };
constexpr Stage kStages[] = {Stage::kConnecting, Stage::kBeforeHead, Stage::kMidStream,
                             Stage::kAtTheEnd};
constexpr const char* kNames[] = {"connecting", "head", "middle", "end"};

Script Answer(Stage stage, const Gate& gate) {
  if (stage == Stage::kBeforeHead) return Sse({Role()}).HoldHead(gate);
  if (stage == Stage::kMidStream) return Sse({Role(), Piece("one")}).Hold(gate);
  return Sse({Role(), Piece("one"), Stop()}).Hold(gate).Event("[DONE]");
}

class Cancel : public ::testing::Test {
 protected:
  Cancel() {
    MakeTlsIdentity({"127.0.0.1"}, false, &identity_);
    FakeUpstream::Options options;
    options.tls = &identity_;
    options.tls_gates = {gates_[0]};
    silent_ = std::make_unique<FakeUpstream>(options);
    std::string config =
        absl::StrCat(Listening(), "timeouts: { connect: 60s, stream_end: 60s }\nproviders:\n",
                     Compatible("plain", upstream_), Compatible("connecting", *silent_));
    upstream_.When(PathOf("plain")).Reply(Good(false));
    for (size_t i = 1; i < 4; ++i) {
      config += Compatible(kNames[i], upstream_);
      upstream_.When(PathOf(kNames[i])).Reply(Answer(kStages[i], gates_[i]));
    }
    daemon_ = std::make_unique<Daemon>(Daemon::Options{.config = config});
  }

  Caller& channel(int i) { return *channels_[static_cast<size_t>(i % kChannels)]; }

  // All of them under way, each where it is to be left.
  void StartAll(int round) {
    for (int i = 0; i < kChannels; ++i) {
      channels_.push_back(std::make_unique<Caller>(daemon_->tcp()));
    }
    for (const char* stage : kNames) {
      for (int i = 0; i < kOfStage; ++i) {
        // Of a stream that stands in its middle nothing of a whole answer tells.
        const bool stream = i % 2 == 0;
        calls_.push_back(channel(i).Start(Ask(absl::StrCat(stage, "/m-1")), stream));
      }
    }
    for (const Gate& gate : gates_) {
      ASSERT_TRUE(gate.WaitReached(kOfStage * (round + 1))) << "a stage is not reached";
    }
    for (int i = 0; i < kHalfOpen; ++i) calls_.push_back(channel(i).StartRaw(nullptr));
    // The daemon has these too, as it has what came after them on their connections.
    for (int i = 0; i < kChannels; ++i) ASSERT_TRUE(channel(i).Chat(Ask("plain/m-1")).ok());
  }

  void CancelAll() {
    for (auto& call : calls_) call->Cancel();
    for (size_t i = 0; i < calls_.size(); ++i) {
      const Reply reply = calls_[i]->End();
      const bool half_open = i >= 4 * kOfStage;
      // One that is slow to send its request may have been refused a moment before.
      const bool refused = half_open && reply.code == absl::StatusCode::kResourceExhausted;
      EXPECT_TRUE(reply.code == absl::StatusCode::kCancelled || refused)
          << i << ": " << reply.code << " " << reply.message;
    }
    calls_.clear();
    channels_.clear();
  }

  TlsIdentity identity_;
  Gate gates_[4];
  std::unique_ptr<FakeUpstream> silent_;
  FakeUpstream upstream_;
  std::unique_ptr<Daemon> daemon_;
  std::vector<std::unique_ptr<Caller>> channels_;
  std::vector<std::unique_ptr<Caller::Call>> calls_;
};

TEST_F(Cancel, TwoHundredCallersLeaveAtEveryStage) {
  Caller bystander(daemon_->tcp());
  ASSERT_TRUE(bystander.Chat(Ask("plain/m-1")).ok());
  const int descriptors = Descriptors(*daemon_);
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_NO_FATAL_FAILURE(StartAll(round));
    EXPECT_EQ(upstream_.aborts().size(), static_cast<size_t>(3 * kOfStage * round));
    EXPECT_EQ(Metric(*daemon_, "modelgateway_inflight_requests"), 4 * kOfStage);
    CancelAll();
    EXPECT_TRUE(upstream_.WaitForAborts(3 * kOfStage * (round + 1)));
    EXPECT_TRUE(silent_->WaitForOpenConnections(0));
    EXPECT_TRUE(UntilIdle(*daemon_));
    upstream_.CloseIdle();
    EXPECT_TRUE(Until([&] {
      return bystander.Chat(Ask("plain/m-1")).ok() && Descriptors(*daemon_) == descriptors;
    })) << Descriptors(*daemon_)
        << " of " << descriptors;
  }
  EXPECT_EQ(upstream_.hits(PathOf("head")), kOfStage * kRounds) << "nothing is tried again";
  EXPECT_EQ(silent_->connections(), kOfStage * kRounds);
  EXPECT_EQ(daemon_->Stop(), 0);
}

}  // namespace
}  // namespace mg::e2e
