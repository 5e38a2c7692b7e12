// Where the gRPC server listens: sockets that are stale, live, foreign or none, ports in use, and
// what is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/component/grpc_fixture.h"

namespace mg::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class GrpcListen : public ::testing::Test {
 public:
  ~GrpcListen() override { fs::remove_all(folder_); }

 protected:
  GrpcListen() {
    char folder[] = "/tmp/mg-listen-XXXXXX";
    folder_ = mkdtemp(folder);
  }

  std::string Path(const std::string& name) const { return folder_ / name; }
  std::string Address(const std::string& name) const { return "unix:" + Path(name); }

  static FixtureOptions On(std::vector<std::string> addresses) {
    FixtureOptions options;
    options.server.addresses = std::move(addresses);
    return options;
  }
  static std::string Refused(std::vector<std::string> addresses) {
    const Fixture fixture(On(std::move(addresses)));
    EXPECT_FALSE(fixture.started().ok());
    return std::string(fixture.started().message());
  }
  static bool Serves(const Fixture& fixture, size_t address = 0) {
    auto stub = v1::ModelGateway::NewStub(fixture.NewChannel(address));
    grpc::ClientContext context;
    v1::ChatResponse response;
    return stub->Chat(&context, Ask("echo"), &response).ok();
  }
  // A bound socket's file; the descriptor, or -1 where nobody listens any more.
  static int BindSocket(const std::string& path, bool live) {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    if (live) {
      EXPECT_EQ(listen(fd, 1), 0);
      return fd;
    }
    close(fd);
    return -1;
  }

  fs::path folder_;
};

TEST_F(GrpcListen, ServesAllItsAddressesAndTellsTheRealPort) {
  Fixture fixture(On({"127.0.0.1:0", Address("gateway.sock"), "localhost:0"}));
  ASSERT_TRUE(fixture.started().ok()) << fixture.started();
  EXPECT_THAT(fixture.addresses()[0], ::testing::AllOf(::testing::StartsWith("127.0.0.1:"),
                                                       ::testing::Not(::testing::EndsWith(":0"))));
  EXPECT_EQ(fixture.addresses()[1], Address("gateway.sock"));
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(Serves(fixture, i)) << fixture.addresses()[i];
}

TEST_F(GrpcListen, TheSocketHasItsModeAndGoesAtTheEnd) {
  const std::string path = Path("made/gateway.sock");
  const mode_t before = umask(0);
  {
    Fixture fixture(On({"unix:" + path}));
    ASSERT_TRUE(fixture.started().ok()) << fixture.started();
    struct stat found{};
    ASSERT_EQ(stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0660u);
    ASSERT_EQ(stat(Path("made").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0750u);
    EXPECT_TRUE(Serves(fixture));
  }
  umask(before);
  EXPECT_TRUE(fs::is_empty(Path("made"))) << "the socket, and whatever it was bound as, is gone";
}

TEST_F(GrpcListen, AnotherModeIsKeptUnderAnyUmask) {
  const mode_t before = umask(077);
  FixtureOptions options = On({Address("gateway.sock")});
  options.server.unix_mode = 0666;
  const Fixture fixture(std::move(options));
  umask(before);
  struct stat found{};
  ASSERT_EQ(stat(Path("gateway.sock").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0666u);
}

TEST_F(GrpcListen, AStaleSocketIsReplaced) {
  BindSocket(Path("gateway.sock"), false);
  const Fixture fixture(On({Address("gateway.sock")}));
  ASSERT_TRUE(fixture.started().ok()) << fixture.started();
  EXPECT_TRUE(Serves(fixture));
}

TEST_F(GrpcListen, ALiveSocketIsRefusedAndLeftAlone) {
  const int other = BindSocket(Path("gateway.sock"), true);
  EXPECT_THAT(Refused({"127.0.0.1:0", Address("gateway.sock")}),
              ::testing::StartsWith(absl::StrCat("listen.grpc[1] \"", Address("gateway.sock"),
                                                 "\": address in use")));
  EXPECT_TRUE(fs::exists(Path("gateway.sock")));
  close(other);
}

TEST_F(GrpcListen, AnotherGatewaysSocketIsLiveToo) {
  const Fixture first(On({Address("gateway.sock")}));
  EXPECT_THAT(Refused({Address("gateway.sock")}), HasSubstr("address in use"));
  EXPECT_TRUE(Serves(first));
}

TEST_F(GrpcListen, WhatIsNoSocketIsRefused) {
  std::ofstream(Path("file")) << "kept";
  EXPECT_THAT(Refused({Address("file")}), HasSubstr("no socket"));
  EXPECT_EQ(fs::file_size(Path("file")), 4u);
  BindSocket(Path("stale"), false);
  fs::create_symlink(Path("stale"), Path("link"));
  EXPECT_THAT(Refused({Address("link")}), HasSubstr("symbolic link"));
  fs::create_symlink(Path("nowhere"), Path("dangling"));
  EXPECT_THAT(Refused({Address("dangling")}), HasSubstr("symbolic link"));
  EXPECT_THAT(Refused({Address("no/such/folder.sock")}), HasSubstr("cannot make the folder"));
}

TEST_F(GrpcListen, ASocketOfAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a socket away";
  BindSocket(Path("gateway.sock"), false);
  ASSERT_EQ(lchown(Path("gateway.sock").c_str(), 65534, 65534), 0);
  EXPECT_THAT(Refused({Address("gateway.sock")}), HasSubstr("another user (uid 65534)"));
}

TEST_F(GrpcListen, AForeignSocketThatTookItsPlaceStaysAtTheEnd) {
  int other = -1;
  {
    const Fixture fixture(On({Address("gateway.sock")}));
    ASSERT_TRUE(fixture.started().ok());
    fs::remove(Path("gateway.sock"));
    other = BindSocket(Path("gateway.sock"), true);
  }
  EXPECT_TRUE(fs::exists(Path("gateway.sock")));
  close(other);
}

TEST_F(GrpcListen, APortInUseIsRefused) {
  const Fixture first;
  const std::string port =
      std::vector<std::string>(absl::StrSplit(first.addresses()[0], ':')).back();
  for (const std::string host : {"127.0.0.1", "0.0.0.0", "localhost"}) {
    const std::string address = absl::StrCat(host, ":", port);
    EXPECT_EQ(Refused({address}), absl::StrCat("listen.grpc[0] \"", address, "\": address in use"));
  }
  EXPECT_TRUE(Serves(first));
}

TEST_F(GrpcListen, TwoAddressesThatAreOneAreRefused) {
  EXPECT_THAT(Refused({Address("a.sock"), Address("a.sock")}), HasSubstr("listen.grpc[1]"));
}

TEST_F(GrpcListen, WhatIsNoAddressIsRefused) {
  for (const char* address :
       {"", "7411", ":7411", "localhost:", "localhost:http", "localhost:65536", "localhost:-1",
        "::1:7411", "[::1]", "[]:7411", "unix:", "unix:relative", "unix:/folder/"}) {
    const Fixture fixture(On({address}));
    EXPECT_EQ(fixture.started().code(), absl::StatusCode::kInvalidArgument) << address;
    EXPECT_THAT(std::string(fixture.started().message()), HasSubstr("listen.grpc[0]"));
  }
  EXPECT_THAT(Refused({"no.such.host.invalid:1"}), HasSubstr("has no address"));
  EXPECT_THAT(Refused({Address(std::string(120, 'x'))}), HasSubstr("longer than a Unix socket's"));
}

}  // namespace
}  // namespace mg::testing
