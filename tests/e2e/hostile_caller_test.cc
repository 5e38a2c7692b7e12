// Callers that take more than their share: memory stays within the bound of all buffers, and the
// calls of others go on.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/daemon.h"
#include "tests/e2e/process.h"

namespace mg::e2e {
namespace {

// What all buffers may hold together, and what does not count as one.
constexpr size_t kBuffers = 512 * kMiB;
constexpr size_t kBeside = 96 * kMiB;
constexpr absl::Duration kPromptly = absl::Seconds(10);

// A socket that says `greeting` and nothing more.
class SilentPeer {
 public:
  SilentPeer(const std::string& address, absl::string_view greeting)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const std::vector<std::string> parts = absl::StrSplit(address, ':');
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(static_cast<uint16_t>(std::stoi(parts.at(1))));
    inet_pton(AF_INET, parts[0].c_str(), &peer.sin_addr);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&peer), sizeof peer) == 0;
    (void)!send(fd_, greeting.data(), greeting.size(), MSG_NOSIGNAL);
  }
  SilentPeer(const SilentPeer&) = delete;
  SilentPeer& operator=(const SilentPeer&) = delete;
  ~SilentPeer() { close(fd_); }
  bool connected() const { return connected_; }

 private:
  const int fd_;
  bool connected_ = false;
};

class HostileCaller : public ::testing::Test {
 protected:
  void SetUp() override { Begin("512MiB"); }

  void Begin(const char* buffered_bytes) {
    upstream_.When(PathOf("good")).Reply(Good(false));
    daemon_ = std::make_unique<Daemon>(Daemon::Options{
        .config = absl::StrCat(Listening(), "limits: { buffered_bytes: ", buffered_bytes,
                               " }\nproviders:\n", Compatible("good", upstream_),
                               Compatible("stuck", upstream_), Compatible("long", upstream_))});
    bystander_ = std::make_unique<Caller>(daemon_->tcp());
    ASSERT_TRUE(GoodCall());
    descriptors_ = Descriptors(*daemon_);
    idle_ = ResidentBytes(*daemon_);
  }

  bool GoodCall() {
    const Reply reply = bystander_->Chat(Ask("good/m-1"), {.deadline = kPromptly});
    EXPECT_TRUE(reply.ok()) << reply.message;
    return reply.ok();
  }
  void ExpectBounded(size_t growth) {
    const size_t peak = PeakBytes(*daemon_);
    RecordProperty("growth_mib", static_cast<int>((peak - idle_) / kMiB));
    if (!kSanitized) EXPECT_LT(peak, idle_ + growth);
  }
  void ExpectNothingLeft() {
    EXPECT_TRUE(UntilIdle(*daemon_));
    upstream_.CloseIdle();
    EXPECT_TRUE(Until([this] { return GoodCall() && Descriptors(*daemon_) == descriptors_; }))
        << Descriptors(*daemon_) << " of " << descriptors_;
    EXPECT_EQ(daemon_->Stop(), 0);
  }

  FakeUpstream upstream_;
  std::unique_ptr<Daemon> daemon_;
  std::unique_ptr<Caller> bystander_;
  int descriptors_ = 0;
  size_t idle_ = 0;
};

TEST_F(HostileCaller, OpensConnectionsAndSaysNothing) {
  {
    std::vector<std::unique_ptr<SilentPeer>> peers;
    for (const absl::string_view greeting :
         {absl::string_view(), absl::string_view("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
          absl::string_view("PRI * HT"), absl::string_view("GET / HTTP/1.1\r\nHost: ")}) {
      for (int i = 0; i < 100; ++i) {
        peers.push_back(std::make_unique<SilentPeer>(daemon_->tcp(), greeting));
        ASSERT_TRUE(peers.back()->connected());
      }
      EXPECT_TRUE(GoodCall());
    }
    ExpectBounded(64 * kMiB);
  }
  ExpectNothingLeft();
}

TEST_F(HostileCaller, BeginsCallsAndSendsNoRequest) {
  auto caller = std::make_unique<Caller>(daemon_->tcp());
  std::vector<std::unique_ptr<Caller::Call>> calls;
  // More than there is room to read at once, so that the others must wait for the slow ones' end.
  for (int i = 0; i < 16; ++i) calls.push_back(caller->StartRaw(nullptr));
  EXPECT_TRUE(GoodCall());
  EXPECT_TRUE(GoodCall());
  ExpectBounded(64 * kMiB);
  EXPECT_TRUE(daemon_->WaitForLine("\"error.type\":\"gateway_overloaded\""));
  for (auto& call : calls) {
    call->Cancel();
    EXPECT_FALSE(call->End().ok());
  }
  calls.clear();
  caller.reset();
  ExpectNothingLeft();
}

TEST_F(HostileCaller, SendsMessagesAsLargeAsGrpcTakes) {
  const std::string huge = Ask("good/m-1", std::string(47 * kMiB, 'x')).SerializeAsString();
  std::vector<std::unique_ptr<Caller>> callers;
  std::vector<std::unique_ptr<Caller::Call>> calls;
  for (int i = 0; i < 16; ++i) {
    callers.push_back(std::make_unique<Caller>(daemon_->tcp()));
    calls.push_back(callers.back()->StartRaw(&huge));
  }
  EXPECT_TRUE(GoodCall());
  for (auto& call : calls) {
    // Where it takes long, it is ended for the sake of those who wait.
    const Reply reply = call->End();
    EXPECT_TRUE(absl::StrContains(reply.message, "32 MiB") ||
                reply.detail.reason() == "slow_request")
        << reply.message;
  }
  EXPECT_TRUE(GoodCall());
  ExpectBounded(kBuffers + kBeside);
  calls.clear();
  callers.clear();
  ExpectNothingLeft();
}

// Requests that are read and wait for a provider that keeps quiet: what the provider is sent counts
// as well.
TEST_F(HostileCaller, SendsLargeRequestsToAStuckProvider) {
  constexpr int kCalls = 12;
  Gate gate;
  upstream_.When(PathOf("stuck")).Reply(Good(false).HoldHead(gate));
  const v1::ChatRequest large = Ask("stuck/m-1", std::string(31 * kMiB, 'x'));
  std::vector<Reply> replies(kCalls);
  std::atomic<int> ended = 0;
  {
    std::vector<std::jthread> callers;
    for (Reply& reply : replies) {
      callers.emplace_back([&] {
        reply = Caller(daemon_->tcp()).Chat(large);
        ++ended;
      });
    }
    // Each has been refused, or waits for the provider.
    EXPECT_TRUE(Until([&] { return upstream_.hits(PathOf("stuck")) + ended == kCalls; }));
    EXPECT_TRUE(GoodCall());
    gate.Open();
  }
  int good = 0;
  for (const Reply& reply : replies) {
    good += reply.ok() ? 1 : 0;
    EXPECT_TRUE(reply.ok() || reply.detail.kind() == v1::ERROR_KIND_GATEWAY_OVERLOADED)
        << reply.message;
  }
  EXPECT_GE(good, 1);
  ExpectBounded(kBuffers + kBeside);
  ExpectNothingLeft();
}

// What a pod of 256 MiB has: two fifths of it for buffers, and nothing that ends the process.
class SmallPod : public HostileCaller {
 protected:
  void SetUp() override { Begin("102MiB"); }
};

TEST_F(SmallPod, Row55LargeRequestsLeaveRoomForSmallOnes) {
  constexpr int kCalls = 64;
  EXPECT_TRUE(Caller(daemon_->tcp()).Chat(Ask("good/m-1", std::string(31 * kMiB, 'x'))).ok());
  Gate gate;
  upstream_.When(PathOf("stuck")).Reply(Good(false).HoldHead(gate));
  const v1::ChatRequest large = Ask("stuck/m-1", std::string(31 * kMiB, 'x'));
  std::vector<Reply> replies(kCalls);
  std::atomic<int> ended = 0;
  {
    std::vector<std::jthread> callers;
    for (Reply& reply : replies) {
      callers.emplace_back([&] {
        reply = Caller(daemon_->tcp()).Chat(large);
        ++ended;
      });
    }
    EXPECT_TRUE(Until([&] { return upstream_.hits(PathOf("stuck")) + ended == kCalls; }));
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(GoodCall());
    gate.Open();
  }
  for (const Reply& reply : replies) {
    if (reply.ok()) continue;
    EXPECT_EQ(reply.detail.kind(), v1::ERROR_KIND_GATEWAY_OVERLOADED) << reply.message;
    EXPECT_TRUE(reply.detail.has_retry_after());
  }
  if (!kSanitized) EXPECT_LT(PeakBytes(*daemon_), 256 * kMiB);
  ExpectNothingLeft();
}

// Streams that nobody reads hold what their provider has said.
TEST_F(HostileCaller, ReadsNoStream) {
  constexpr int kStreams = 150;
  Script long_one = Sse({Role()});
  for (int i = 0; i < 7; ++i) long_one.Event(Piece(std::string(kMiB, 'x')));
  long_one.Event(Stop()).Event("[DONE]");
  upstream_.When(PathOf("long")).Reply(std::move(long_one));
  std::vector<std::unique_ptr<Caller>> callers;
  std::vector<std::unique_ptr<Caller::Call>> calls;
  for (int i = 0; i < kStreams; ++i) {
    if (i % 10 == 0) callers.push_back(std::make_unique<Caller>(daemon_->tcp()));
    calls.push_back(callers.back()->Start(Ask("long/m-1"), true));
  }
  EXPECT_TRUE(upstream_.WaitForHits(kStreams));
  EXPECT_TRUE(GoodCall());
  for (auto& call : calls) {
    call->Cancel();
    call->End();
  }
  ExpectBounded(kBuffers + kBeside);
  calls.clear();
  callers.clear();
  ExpectNothingLeft();
}

}  // namespace
}  // namespace mg::e2e
