// The daemon as a process: listeners, signals, drain, and what it starts with.

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/daemon.h"

namespace mg::e2e {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kMock[] = "providers: { mock: { mock: {} } }\n";

std::string One(const FakeUpstream& upstream, const std::string& more = "") {
  return absl::StrCat(Listening(), "providers:\n", Compatible("a", upstream), more);
}

// A stream that has begun and goes on when the gate opens.
class LiveStream : public ::testing::Test {
 protected:
  void Begin(const std::string& more = "") {
    upstream_.When(PathOf("a"))
        .Reply(Sse({Role(), Piece("one")})
                   .Hold(gate_)
                   .Event(Piece(" two"))
                   .Event(Stop())
                   .Event("[DONE]"));
    daemon_ = std::make_unique<Daemon>(Daemon::Options{.config = One(upstream_, more)});
    caller_ = std::make_unique<Caller>(daemon_->tcp());
    call_ = caller_->Start(Ask("a/m-1"), true);
    ASSERT_TRUE(call_->Next().has_value());
    ASSERT_EQ(call_->Next()->delta().part().text(), "one");
  }

  FakeUpstream upstream_;
  Gate gate_;
  std::unique_ptr<Daemon> daemon_;
  std::unique_ptr<Caller> caller_;
  std::unique_ptr<Caller::Call> call_;
};

TEST_F(LiveStream, FinishesWhileTheDaemonDrains) {
  Begin();
  EXPECT_EQ(Get(daemon_->admin(), "/readyz").status, 200);
  EXPECT_EQ(caller_->Health("modelgateway.v1.ModelGateway"), "SERVING");
  daemon_->Signal(SIGTERM);
  ASSERT_TRUE(daemon_->WaitForLine("\"drain.start\""));
  EXPECT_EQ(Get(daemon_->admin(), "/readyz").status, 503);
  EXPECT_EQ(Get(daemon_->admin(), "/healthz").status, 200);
  EXPECT_EQ(caller_->Health(""), "NOT_SERVING");
  for (const bool stream : {false, true}) {
    const Reply refused = caller_->Run(Ask("a/m-1"), stream);
    EXPECT_EQ(refused.code, absl::StatusCode::kUnavailable);
    EXPECT_EQ(refused.detail.kind(), v1::ERROR_KIND_SHUTTING_DOWN) << refused.message;
    EXPECT_TRUE(refused.detail.has_retry_after());
    EXPECT_TRUE(refused.retry_info.has_value());
  }
  EXPECT_EQ(upstream_.hits(), 1);
  gate_.Open();
  const Reply reply = call_->End();
  EXPECT_TRUE(reply.ok()) << reply.message;
  EXPECT_TRUE(reply.completed());
  EXPECT_EQ(reply.Text(), "one two");
  EXPECT_EQ(daemon_->Wait(), 0);
  EXPECT_FALSE(daemon_->ready_file_there());
  EXPECT_THAT(daemon_->Lines("drain.end"), ElementsAre(HasSubstr("\"cut\":0")));
  EXPECT_EQ(daemon_->Lines("call.end").size(), 3u);
  EXPECT_THAT(daemon_->Err(), IsEmpty());
}

TEST_F(LiveStream, Row46IsCutAtTheEndOfTheDrain) {
  Begin("drain: { timeout: 300ms }\n");
  daemon_->Signal(SIGTERM);
  const Reply reply = call_->End();
  EXPECT_EQ(reply.code, absl::StatusCode::kUnavailable);
  EXPECT_EQ(reply.detail.kind(), v1::ERROR_KIND_SHUTTING_DOWN) << reply.message;
  EXPECT_FALSE(reply.completed());
  EXPECT_EQ(daemon_->Wait(), 0);
  EXPECT_TRUE(upstream_.WaitForAborts(1));
  EXPECT_THAT(daemon_->Lines("drain.end"), ElementsAre(HasSubstr("\"cut\":1")));
  EXPECT_THAT(daemon_->Lines("call.end"),
              ElementsAre(HasSubstr("\"error.type\":\"shutting_down\"")));
}

TEST_F(LiveStream, DoesNotOutliveASecondSignal) {
  Begin();
  daemon_->Signal(SIGTERM);
  ASSERT_TRUE(daemon_->WaitForLine("\"drain.start\""));
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 1);
  EXPECT_FALSE(call_->End().ok());
  EXPECT_THAT(daemon_->Lines("stop.forced"), Not(IsEmpty()));
}

mode_t ModeOf(const std::string& path) {
  struct stat info{};
  EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
  EXPECT_TRUE(S_ISSOCK(info.st_mode));
  return info.st_mode & 07777;
}

TEST(Program, TheSocketsModeIsItsOwn) {
  {
    Daemon daemon({.config = absl::StrCat(Listening(), kMock), .umask = 0});
    EXPECT_EQ(ModeOf(daemon.folder() + "/gateway.sock"), 0660u);
  }
  {
    Daemon daemon({.config = absl::StrCat(Listening("unix_mode: \"0666\""), kMock), .umask = 077});
    EXPECT_EQ(ModeOf(daemon.folder() + "/gateway.sock"), 0666u);
  }
}

// A daemon at the socket of `other`, which it may or may not get.
Daemon::Options AtSocketOf(const Daemon& other, bool expect_ready) {
  return {
      .config = absl::StrReplaceAll(absl::StrCat(Listening(), kMock), {{"@DIR@", other.folder()}}),
      .expect_ready = expect_ready};
}

TEST(Program, AStaleSocketIsReplacedAndALiveOneIsNot) {
  Daemon first({.config = absl::StrCat(Listening(), kMock)});
  Daemon second(AtSocketOf(first, false));
  EXPECT_EQ(second.Wait(), 1);
  EXPECT_THAT(second.Err(), AllOf(HasSubstr("listen.grpc[1]"), HasSubstr("gateway.sock")));
  EXPECT_TRUE(Caller(first.socket_address()).Chat(Ask("mock/echo")).ok());

  first.Signal(SIGKILL);
  first.Wait();
  ASSERT_EQ(access((first.folder() + "/gateway.sock").c_str(), F_OK), 0) << "no stale socket";
  Daemon third(AtSocketOf(first, true));
  EXPECT_TRUE(Caller(third.socket_address()).Chat(Ask("mock/echo")).ok());
  EXPECT_EQ(third.Stop(), 0);
}

TEST(Program, APlantedFileIsNoSocket) {
  Daemon daemon({.config = absl::StrCat(Listening(), kMock),
                 .files = {{"gateway.sock", "precious"}},
                 .expect_ready = false});
  EXPECT_EQ(daemon.Wait(), 1);
  EXPECT_THAT(daemon.Err(), HasSubstr("listen.grpc[1]"));
  EXPECT_EQ(access((daemon.folder() + "/gateway.sock").c_str(), F_OK), 0) << "it is gone";
}

TEST(Program, APortInUseIsRefusedByTheNameOfItsKey) {
  const FakeUpstream holder;
  const std::string taken = absl::StrCat("127.0.0.1:", holder.port());
  const struct {
    const char* key;
    std::string listen;
  } cases[] = {
      {"listen.grpc[0]", absl::StrCat("grpc: [\"", taken, "\"], admin: []")},
      {"listen.admin[0]", absl::StrCat("grpc: [\"127.0.0.1:0\"], admin: [\"", taken, "\"]")},
      {"listen.metrics[0]",
       absl::StrCat("grpc: [\"127.0.0.1:0\"], admin: [], metrics: [\"", taken, "\"]")},
      {"listen.health[0]",
       absl::StrCat("grpc: [\"127.0.0.1:0\"], admin: [], health: [\"", taken, "\"]")},
  };
  for (const auto& [key, listen] : cases) {
    Daemon daemon(
        {.config = absl::StrCat("listen: { ", listen, " }\n", kMock), .expect_ready = false});
    EXPECT_EQ(daemon.Wait(), 1) << key;
    EXPECT_THAT(daemon.Err(), AllOf(HasSubstr(key), HasSubstr(taken)));
    EXPECT_FALSE(daemon.ready_file_there());
  }
}

TEST(Program, AWrongConfigurationNeverStarts) {
  for (const char* config : {"\n", "providers: [\n", "providers: { a: { mock: {}, x: 1 } }\n",
                             "providers: { mock: { mock: {} } }\nmock_control: yes\n"}) {
    Daemon daemon({.config = config, .expect_ready = false});
    EXPECT_EQ(daemon.Wait(), 2) << config;
    EXPECT_THAT(daemon.Err(), HasSubstr("config.yaml")) << config;
  }
}

// ---- embedded defaults ------------------------------------------------------------------------

// Gives this thread, and what it starts, a network and a /run of its own, since the defaults name
// ports and a folder of the machine.
bool EnterOwnWorld() {
  if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return false;
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  if (mount("none", "/run", "tmpfs", 0, "mode=0755") != 0) return false;
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq loopback{};
  loopback.ifr_name[0] = 'l';
  loopback.ifr_name[1] = 'o';
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool up = ioctl(fd, SIOCSIFFLAGS, &loopback) == 0;
  close(fd);
  return up;
}

void ServeTheDefaults() {
  FakeUpstream proxy;
  Daemon daemon({.environment = {{"OPENAI_API_KEY", "sk-canary-of-openai-000"},
                                 {"ANTHROPIC_API_KEY", "sk-canary-of-anthropic-0"},
                                 {"GEMINI_API_KEY", "sk-canary-of-gemini-0000"},
                                 {"MISTRAL_API_KEY", "sk-canary-of-mistral-000"},
                                 {"HTTPS_PROXY", proxy.Url()}}});
  ASSERT_TRUE(daemon.WaitForLine("\"event\":\"start\""));
  EXPECT_EQ(daemon.tcp(), "127.0.0.1:7411");
  EXPECT_EQ(daemon.admin(), "127.0.0.1:7413");
  EXPECT_EQ(daemon.socket_address(), "unix:/run/model-gateway/gateway.sock");
  EXPECT_THAT(daemon.Out(), AllOf(HasSubstr("embedded defaults"), Not(HasSubstr("canary"))));

  // gRPC's threads live in the other world: they come by the socket.
  Caller caller(
      absl::StrCat("unix:/proc/", daemon.pid(), "/root", "/run/model-gateway/gateway.sock"));
  EXPECT_EQ(caller.Chat(Ask("default", "echo of the mock")).Text(), "echo of the mock");
  EXPECT_EQ(proxy.connections(), 0) << "asked unasked";
  const Reply openai = caller.Chat(Ask("openai/gpt-x"));
  EXPECT_EQ(openai.detail.kind(), v1::ERROR_KIND_CONNECTION) << openai.message;
  EXPECT_EQ(openai.detail.provider(), "openai");
  EXPECT_GE(proxy.connections(), 1) << "api.openai.com was to be asked, by the proxy";
  const Reply anthropic = caller.Chat(Ask("anthropic/claude"));
  EXPECT_EQ(anthropic.detail.kind(), v1::ERROR_KIND_CONNECTION) << anthropic.message;
  EXPECT_EQ(anthropic.detail.provider(), "anthropic");
  const Reply gemini = caller.Chat(Ask("gemini/flash"));
  EXPECT_EQ(gemini.detail.kind(), v1::ERROR_KIND_CONNECTION) << gemini.message;
  const Reply mistral = caller.Chat(Ask("mistral/large"));
  EXPECT_EQ(mistral.detail.kind(), v1::ERROR_KIND_CONNECTION) << mistral.message;
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST(Program, EmbeddedDefaultsServeWhatTheEnvironmentHasKeysFor) {
  bool entered = false;
  std::thread([&entered] {
    entered = EnterOwnWorld();
    if (entered) ServeTheDefaults();
  }).join();
  if (!entered) GTEST_SKIP() << "no namespaces for this user: the default ports are not tried";
}

}  // namespace
}  // namespace mg::e2e
