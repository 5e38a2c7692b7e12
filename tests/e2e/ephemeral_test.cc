// `serve --ephemeral`: a daemon beside others, out of their way.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/daemon.h"

namespace mg::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::string FolderOf(const std::string& socket) {
  const std::string path = socket.substr(sizeof("unix:") - 1);
  return path.substr(0, path.rfind('/'));
}

TEST(Ephemeral, WithoutAConfigurationTheMockAloneServes) {
  Daemon daemon({.arguments = {"--ephemeral"},
                 .environment = {{"OPENAI_API_KEY", "sk-canary-of-openai-000"},
                                 {"TMPDIR", testing::TempDir()}}});
  EXPECT_THAT(daemon.tcp(), StartsWith("127.0.0.1:"));
  EXPECT_THAT(daemon.admin(), StartsWith("127.0.0.1:"));
  EXPECT_NE(daemon.tcp(), "127.0.0.1:7411");
  const std::string folder = FolderOf(daemon.socket_address());
  EXPECT_THAT(daemon.Listens("admin_grpc"),
              std::vector<std::string>{absl::StrCat("unix:", folder, "/admin.sock")});
  struct stat info{};
  ASSERT_EQ(lstat(folder.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
  Caller caller(daemon.socket_address());
  EXPECT_EQ(caller.Chat(Ask("default", "here I am")).Text(), "here I am");
  EXPECT_EQ(caller.Chat(Ask("openai/gpt-5")).detail.kind(), v1::ERROR_KIND_UNKNOWN_MODEL);
  EXPECT_EQ(Fetch(daemon.admin(),
                  {.method = "POST",
                   .path = "/api/v1/MockControl/Reset",
                   .headers = absl::StrCat("Authorization: Bearer ", daemon.admin_token(), "\r\n")})
                .status,
            200);

  Daemon beside({.arguments = {"--ephemeral"}});
  EXPECT_NE(beside.socket_address(), daemon.socket_address());
  EXPECT_EQ(beside.Stop(), 0);
  EXPECT_EQ(daemon.Stop(), 0);
  EXPECT_FALSE(daemon.ready_file_there());
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(Ephemeral, OfAConfigurationTheListenersAreReplaced) {
  Daemon daemon({.config = "listen: { grpc: [\"127.0.0.1:1\"], admin: [], metrics: "
                           "[\"0.0.0.0:2\"] }\nproviders: { fake: { mock: {} } }\n"
                           "mock_control: false\n",
                 .arguments = {"--ephemeral"}});
  EXPECT_THAT(daemon.Listens("metrics"), SizeIs(1));
  EXPECT_THAT(daemon.Listens("health"), IsEmpty());
  EXPECT_EQ(Get(daemon.Listens("metrics").at(0), "/readyz").status, 200);
  EXPECT_EQ(Fetch(daemon.admin(), {.method = "POST", .path = "/api/v1/MockControl/Reset"}).status,
            401);
  EXPECT_EQ(Caller(daemon.tcp()).Chat(Ask("fake/m", "hi")).Text(), "hi");
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST(Ephemeral, WithoutAMockNothingIsControlled) {
  Daemon daemon({.config = "providers: { o: { openai_compatible: { base_url: "
                           "\"http://127.0.0.1:1/v1\" } } }\n",
                 .arguments = {"--ephemeral"}});
  EXPECT_EQ(Fetch(daemon.admin(), {.method = "POST", .path = "/api/v1/MockControl/Reset"}).status,
            404);
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST(Ephemeral, AFolderThatCannotBeMadeIsNamed) {
  Daemon daemon({.arguments = {"--ephemeral"},
                 .environment = {{"TMPDIR", "/proc/nowhere"}},
                 .expect_ready = false});
  EXPECT_EQ(daemon.Wait(), 1);
  EXPECT_THAT(daemon.Err(), HasSubstr("/proc/nowhere"));
}

}  // namespace
}  // namespace mg::e2e
