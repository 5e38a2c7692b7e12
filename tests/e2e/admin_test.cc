// Who may ask what on which listener: every method and route × every listener, with and without
// the admin token. And the mocks under control, from outside.

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpc/channelz/channelz.pb.h"
#include "proto/embedded.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/command.h"
#include "tests/e2e/daemon.h"

namespace mg::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kMocks[] =
    "providers: { fake: { mock: {} }, other: { mock: { models: [a] } } }\nmock_control: true\n";

std::string AllListeners() {
  return Listening(
      "admin_grpc: [\"unix:@DIR@/admin.sock\", \"127.0.0.1:0\"], health: [\"127.0.0.1:0\"], "
      "metrics: [\"127.0.0.1:0\"]");
}

std::string Bearer(const Daemon& daemon) { return absl::StrCat("Bearer ", daemon.admin_token()); }

// The message HealthCheckResponse { status: SERVING } of grpc.health.v1.
constexpr char kServing[] = "\x08\x01";

// What a method is to whom.
enum class Served { kNot, kFreely, kWithToken };

struct Method {
  std::string service;
  std::string name;
  bool streams = false;
  std::string path() const { return absl::StrCat("/", service, "/", name); }
};

// Every method that this binary knows of.
std::vector<Method> AllMethods() {
  google::protobuf::FileDescriptorSet files;
  EXPECT_TRUE(files.ParseFromArray(EmbeddedDescriptors().data(),
                                   static_cast<int>(EmbeddedDescriptors().size())));
  std::vector<Method> methods;
  for (const auto& file : files.file()) {
    for (const auto& service : file.service()) {
      for (const auto& method : service.method()) {
        methods.push_back({absl::StrCat(file.package(), ".", service.name()), method.name(),
                           method.server_streaming()});
      }
    }
  }
  return methods;
}

// On listen.admin_grpc. A method that is not here may be served nowhere but to applications.
Served OfAdmin(const Method& method) {
  if (absl::StartsWith(method.service, "grpc.reflection.")) return Served::kFreely;
  if (method.service == "grpc.channelz.v1.Channelz") return Served::kFreely;
  if (method.service == "modelgateway.v1.MockControl") return Served::kWithToken;
  if (method.service == "modelgateway.v1.Admin") {
    const bool changes = method.name == "ResetBreaker" || method.name == "Isolate" ||
                         method.name == "Reload" || method.name == "Drain";
    return changes ? Served::kWithToken : Served::kFreely;
  }
  return Served::kNot;
}

Served OfApplications(const Method& method) {
  const bool served = absl::StartsWith(method.service, "grpc.reflection.") ||
                      method.service == "grpc.health.v1.Health" ||
                      method.service == "modelgateway.v1.ModelGateway";
  return served ? Served::kFreely : Served::kNot;
}

Served OfHealth(const Method& method) {
  const bool served = absl::StartsWith(method.service, "grpc.reflection.") ||
                      method.service == "grpc.health.v1.Health";
  return served ? Served::kFreely : Served::kNot;
}

Served SeenBy(absl::StatusCode without, absl::StatusCode with) {
  if (with == absl::StatusCode::kUnimplemented) return Served::kNot;
  return without == absl::StatusCode::kUnauthenticated ? Served::kWithToken : Served::kFreely;
}

Reply AskEmpty(Caller& caller, const Method& method, const std::string& authorization) {
  const std::string nothing;
  CallOptions options;
  if (!authorization.empty()) options.metadata.push_back({"authorization", authorization});
  const std::unique_ptr<Caller::Call> call = caller.StartRaw(&nothing, options, method.path());
  // A watcher hears how it is at once, and would wait for ever for what changes.
  if (method.name == "Watch" && call->Next().has_value()) call->Cancel();
  return call->End();
}

void ExpectServed(const std::vector<std::string>& addresses, const std::string& authorization,
                  Served (*of)(const Method&)) {
  ASSERT_FALSE(addresses.empty());
  for (const std::string& address : addresses) {
    Caller caller(address);
    for (const Method& method : AllMethods()) {
      const Reply without = AskEmpty(caller, method, "");
      const Reply wrong = AskEmpty(caller, method, authorization + "x");
      if (method.name == "Drain" && of(method) != Served::kNot) {  // has a test of its own
        EXPECT_EQ(without.code, absl::StatusCode::kUnauthenticated) << address;
        EXPECT_EQ(wrong.code, absl::StatusCode::kUnauthenticated) << address;
        continue;
      }
      const Reply with = AskEmpty(caller, method, authorization);
      EXPECT_EQ(SeenBy(without.code, with.code), of(method))
          << address << method.path() << ": " << without.message << " | " << with.message;
      EXPECT_EQ(wrong.code, without.code) << address << method.path();
      EXPECT_NE(with.code, absl::StatusCode::kUnauthenticated) << address << method.path();
      if (method.name == "Watch" && of(method) != Served::kNot) {
        EXPECT_EQ(with.code, absl::StatusCode::kCancelled) << address << ": " << with.message;
        EXPECT_EQ(with.bytes, kServing) << address;
      }
    }
  }
}

TEST(Admin, EveryMethodOnEveryGrpcListener) {
  Daemon daemon({.config = absl::StrCat(AllListeners(), kMocks)});
  const std::string authorization = Bearer(daemon);
  ExpectServed(daemon.Listens("grpc"), authorization, OfApplications);
  ExpectServed(daemon.Listens("health"), authorization, OfHealth);
  ExpectServed(daemon.Listens("admin_grpc"), authorization, OfAdmin);
}

TEST(Admin, ChannelzKnowsItsServers) {
  Daemon daemon({.config = absl::StrCat(AllListeners(), kMocks)});
  Caller caller(daemon.Listens("admin_grpc").at(0));
  const Reply reply = AskEmpty(caller, {"grpc.channelz.v1.Channelz", "GetServers"}, "");
  grpc::channelz::v1::GetServersResponse servers;
  ASSERT_TRUE(servers.ParseFromString(reply.bytes));
  EXPECT_EQ(servers.server_size(), 3) << "of applications, of administration, of health";
  EXPECT_TRUE(servers.end());
  EXPECT_GT(servers.server(0).ref().server_id(), 0);
}

TEST(Admin, MockControlIsServedOnlyWhereItIsTrue) {
  for (const char* config : {"providers: { fake: { mock: {} } }\n",
                             "providers: { fake: { mock: {} } }\nmock_control: false\n"}) {
    Daemon daemon({.config = absl::StrCat(AllListeners(), config)});
    Caller caller(daemon.Listens("admin_grpc").at(0));
    const Method method{"modelgateway.v1.MockControl", "Reset"};
    EXPECT_EQ(AskEmpty(caller, method, Bearer(daemon)).code, absl::StatusCode::kUnimplemented);
    EXPECT_EQ(Fetch(daemon.admin(), {.method = "POST", .path = "/api/v1/MockControl/Reset"}).status,
              404);
  }
}

// A route over HTTP: its status without the token, and with it.
struct Route {
  const char* method;
  const char* path;
  int without;
  int with;
};

TEST(Admin, EveryRouteOnEveryHttpListener) {
  Daemon daemon({.config = absl::StrCat(AllListeners(), kMocks)});
  const std::string authorization = absl::StrCat("Authorization: ", Bearer(daemon), "\r\n");
  const Route admin[] = {{"GET", "/healthz", 200, 200},
                         {"GET", "/readyz", 200, 200},
                         {"GET", "/metrics", 200, 200},
                         {"GET", "/nothing", 404, 404},
                         {"POST", "/metrics", 405, 405},
                         {"GET", "/api/v1/", 404, 404},
                         {"POST", "/api/v1/MockControl/Nothing", 404, 404},
                         {"POST", "/api/v1/ModelGateway/Chat", 404, 404},
                         {"GET", "/api/v1/Admin/GetState", 200, 200},
                         {"POST", "/api/v1/Admin/GetState", 200, 200},
                         {"GET", "/api/v1/Admin/GetConfig", 200, 200},
                         {"POST", "/api/v1/Admin/GetConfig", 200, 200},
                         {"GET", "/api/v1/Admin/Explain?model=fake/m", 200, 200},
                         {"POST", "/api/v1/Admin/Explain", 200, 200},
                         {"GET", "/api/v1/Admin/ResetBreaker", 405, 405},
                         {"POST", "/api/v1/Admin/ResetBreaker", 401, 400},
                         {"GET", "/api/v1/Admin/Isolate", 405, 405},
                         {"POST", "/api/v1/Admin/Isolate", 401, 400},
                         {"GET", "/api/v1/Admin/Reload", 405, 405},
                         {"POST", "/api/v1/Admin/Reload", 401, 200},
                         {"GET", "/api/v1/Admin/Drain", 405, 405},
                         {"GET", "/api/v1/MockControl/PutMock", 405, 405},
                         {"POST", "/api/v1/MockControl/PutMock", 401, 400},
                         {"GET", "/api/v1/MockControl/RemoveMock", 405, 405},
                         {"POST", "/api/v1/MockControl/RemoveMock", 401, 400},
                         {"GET", "/api/v1/MockControl/Script", 405, 405},
                         {"POST", "/api/v1/MockControl/Script", 401, 400},
                         {"GET", "/api/v1/MockControl/ListCalls", 401, 200},
                         {"POST", "/api/v1/MockControl/ListCalls", 401, 200},
                         {"GET", "/api/v1/MockControl/Reset", 405, 405},
                         {"POST", "/api/v1/MockControl/Reset", 401, 200}};
  const std::string metrics = daemon.Listens("metrics").at(0);
  for (const Route& route : admin) {
    PageRequest request{.method = route.method, .path = route.path};
    EXPECT_EQ(Fetch(daemon.admin(), request).status, route.without) << request.path;
    request.headers = absl::StrCat("Authorization: ", Bearer(daemon), "x\r\n");
    EXPECT_EQ(Fetch(daemon.admin(), request).status, route.without) << request.path;
    request.headers = authorization;
    EXPECT_EQ(Fetch(daemon.admin(), request).status, route.with) << request.path;
    // The listener of scrapers has nothing of it.
    const bool page = route.method == std::string("GET") && route.without == 200 &&
                      !absl::StartsWith(request.path, "/api/");
    const int of_metrics = route.method == std::string("POST") ? 405 : page ? 200 : 404;
    EXPECT_EQ(Fetch(metrics, request).status, of_metrics) << request.path;

    request.headers = authorization + "Origin: http://evil.test\r\n";
    EXPECT_EQ(Fetch(daemon.admin(), request).status, 403) << request.path;
    request.headers = authorization + "Sec-Fetch-Site: cross-site\r\n";
    EXPECT_EQ(Fetch(daemon.admin(), request).status, 403) << request.path;
  }
}

TEST(Admin, TheSocketAndTheTokenAreThisUsersAlone) {
  std::string token_file;
  {
    Daemon daemon({.config = absl::StrCat(Listening(), kMocks), .umask = 0});
    EXPECT_EQ(daemon.Listens("admin_grpc"),
              std::vector<std::string>{absl::StrCat("unix:", daemon.folder(), "/admin.sock")});
    token_file = daemon.folder() + "/admin.token";
    struct stat info{};
    ASSERT_EQ(lstat((daemon.folder() + "/admin.sock").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600u);
    ASSERT_EQ(lstat(token_file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600u);
    ASSERT_TRUE(daemon.WaitForLine("\"event\":\"start\""));
    EXPECT_THAT(daemon.Out(), HasSubstr(token_file));
    EXPECT_GE(daemon.admin_token().size(), 40u);
    EXPECT_THAT(daemon.Out(), Not(HasSubstr(daemon.admin_token())));
    EXPECT_EQ(daemon.Stop(), 0);
    EXPECT_NE(lstat(token_file.c_str(), &info), 0) << "it outlives the daemon";
  }
}

TEST(Admin, AStaleTokenIsReplacedAndAPlantedLinkIsNot) {
  Daemon first({.config = absl::StrCat(Listening(), kMocks)});
  const std::string old = first.admin_token();
  first.Signal(SIGKILL);
  first.Wait();
  const std::string config = absl::StrCat(
      "listen: { grpc: [\"127.0.0.1:0\"], admin: [\"127.0.0.1:0\"], admin_grpc: "
      "[\"unix:",
      first.folder(), "/admin.sock\"] }\n", kMocks);
  {
    Daemon second({.config = config});
    EXPECT_NE(second.admin_token(), old);
    EXPECT_EQ(second.Stop(), 0);
  }
  ASSERT_EQ(symlink("/dev/null", (first.folder() + "/admin.token").c_str()), 0);
  Daemon third({.config = config});
  EXPECT_EQ(third.admin_token(), "");
  EXPECT_TRUE(third.WaitForLine("\"admin.no_token\""));
  const Page refused =
      Fetch(third.admin(), {.method = "POST", .path = "/api/v1/MockControl/Reset"});
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.text, HasSubstr("found no place"));
}

TEST(Admin, TheMocksAreScriptedOverHttpAndAskedOverGrpc) {
  Daemon daemon({.config = absl::StrCat(Listening(), kMocks)});
  const std::string authorization = absl::StrCat("Authorization: ", Bearer(daemon), "\r\n");
  const auto post = [&](const std::string& method, const std::string& body) {
    return Fetch(daemon.admin(), {.method = "POST",
                                  .path = "/api/v1/MockControl/" + method,
                                  .headers = authorization,
                                  .body = body});
  };
  const Page scripted = post("Script", R"({"target":{"provider":"fake","session":"test-1"},
      "answers":[{"text":"One."},{"fault":{"status":429},"headers":{"retry-after":"9"}}]})");
  EXPECT_EQ(scripted.status, 200) << scripted.text;
  Caller caller(daemon.socket_address());
  const CallOptions session = {.metadata = {{"x-modelgateway-mock-session", "test-1"}}};
  v1::ChatRequest ask = Ask("fake/m", "hi");
  ask.mutable_context()->set_max_attempts(1);
  EXPECT_EQ(caller.Chat(ask, session).Text(), "One.");
  EXPECT_EQ(caller.Chat(ask).Text(), "hi");
  const Reply limited = caller.Chat(ask, session);
  EXPECT_EQ(limited.detail.kind(), v1::ERROR_KIND_RATE_LIMITED);
  EXPECT_EQ(limited.detail.retry_after().seconds(), 9);

  const Page calls = Fetch(daemon.admin(), {.path = "/api/v1/MockControl/ListCalls?target.provider="
                                                    "fake&target.session=test%2D1&limit=1",
                                            .headers = authorization});
  EXPECT_EQ(calls.status, 200);
  EXPECT_THAT(calls.text, HasSubstr("\"total\":\"2\""));
  EXPECT_THAT(calls.text, HasSubstr("\"text\":\"hi\""));
  EXPECT_THAT(calls.text, HasSubstr("\"more\":true"));

  for (const char* wrong : {"{", "[]", R"({"nothing":1})", R"({"target":{"provider":7}})"}) {
    const Page page = post("Script", wrong);
    EXPECT_EQ(page.status, 400) << wrong;
    EXPECT_THAT(page.text, HasSubstr(R"("kind":"invalid_request")")) << wrong;
  }
  const Page unknown = post("PutMock", R"({"target":{"provider":"nobody"}})");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_THAT(unknown.text, HasSubstr(R"("field":"target.provider")"));
  EXPECT_THAT(unknown.text, HasSubstr("fake, other"));
}

TEST(Admin, DrainEndsTheDaemonAndIsAnsweredFirst) {
  for (const bool http : {false, true}) {
    Daemon daemon({.config = absl::StrCat(AllListeners(), kMocks)});
    if (http) {
      PageRequest drain{.method = "POST", .path = "/api/v1/Admin/Drain"};
      EXPECT_EQ(Fetch(daemon.admin(), drain).status, 401);
      drain.headers = absl::StrCat("Authorization: ", Bearer(daemon), "\r\n");
      drain.body = R"({"timeout":"-1s"})";
      EXPECT_EQ(Fetch(daemon.admin(), drain).status, 400);
      drain.body = R"({"timeout":"5s"})";
      EXPECT_EQ(Fetch(daemon.admin(), drain).status, 200);
    } else {
      const std::string socket = daemon.Listens("admin_grpc").at(0);
      const CommandResult drain =
          RunCommand({"admin", "drain", "--address", socket, "--timeout", "5s"});
      EXPECT_EQ(drain.exit_code, 0);
      EXPECT_EQ(drain.output, "draining\n");
    }
    EXPECT_EQ(daemon.Wait(), 0);
    EXPECT_THAT(daemon.Lines("drain.start"), ElementsAre(HasSubstr("\"timeout\":\"5s\"")));
  }
}

TEST(Admin, TheConfigurationThatHoldsIsShownWithoutSecrets) {
  Daemon daemon({.config = absl::StrCat(AllListeners(),
                                        "providers: { o: { openai: { api_key: { env: KEY } } } }\n"
                                        "retry: { max_attempts: 2 }\n"),
                 .environment = {{"KEY", "sk-canary-0123456789"}}});
  const Page yaml = Get(daemon.admin(), "/api/v1/Admin/GetConfig");
  EXPECT_THAT(yaml.text, HasSubstr("max_attempts: 2  # "));
  EXPECT_THAT(yaml.text, HasSubstr("env: KEY"));
  EXPECT_THAT(yaml.text, Not(HasSubstr("canary")));
  const Page json = Get(daemon.admin(), "/api/v1/Admin/GetConfig?json=true");
  EXPECT_THAT(json.text, HasSubstr(R"(\"max_attempts\":2)"));
  EXPECT_THAT(json.text, HasSubstr(R"("generation":"1")"));
}

}  // namespace
}  // namespace mg::e2e
