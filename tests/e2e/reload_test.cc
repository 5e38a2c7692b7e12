// A configuration that changes while the daemon runs (spec/resilience.md §3.13).

#include <csignal>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/config_files.h"
#include "tests/e2e/daemon.h"
#include "tests/e2e/process.h"

namespace mg::e2e {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

// The alias `m` leads to a mock that answers `text`.
std::string Saying(const std::string& text, const std::string& more = "") {
  return absl::StrCat(Listening(),
                      "providers: { mock: { mock: { rules: [{ model: \"*\", reply: ", "{ text: \"",
                      text, "\" } }] } } }\naliases: { m: mock/x }\n", more);
}

std::string Said(const Daemon& daemon) { return Caller(daemon.tcp()).Chat(Ask("m")).Text(); }

// @DIR@ as the daemon's own first configuration has it.
std::string In(const Daemon& daemon, const std::string& config) {
  return absl::StrReplaceAll(config, {{"@DIR@", daemon.folder()}});
}
std::string ConfigOf(const Daemon& daemon) { return daemon.folder() + "/config.yaml"; }

TEST(Reload, AFileThatIsEditedInPlace) {
  Daemon daemon({.config = Saying("one")});
  EXPECT_EQ(Said(daemon), "one");
  Overwrite(ConfigOf(daemon), In(daemon, Saying("two")));
  ASSERT_TRUE(daemon.WaitForLine("\"config.reloaded\""));
  EXPECT_EQ(Said(daemon), "two");
  EXPECT_THAT(daemon.Lines("config.reloaded"),
              ElementsAre(AllOf(HasSubstr("\"by\":\"watch\""), HasSubstr("\"generation\":2"))));
  EXPECT_EQ(Metric(daemon, "modelgateway_config_generation"), 2);
  EXPECT_EQ(Metric(daemon, "modelgateway_config_reloads_total"), 1);
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST(Reload, AFileThatIsReplacedByARename) {
  Daemon daemon({.config = Saying("one")});
  for (int i = 1; i <= 3; ++i) {  // the file of the second rename is none that was ever watched
    Replace(ConfigOf(daemon), In(daemon, Saying(absl::StrCat("next ", i))));
    ASSERT_TRUE(daemon.WaitForLine("\"config.reloaded\"", i));
    EXPECT_EQ(Said(daemon), absl::StrCat("next ", i));
  }
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST(Reload, AMountWhoseDataLinkIsSwapped) {
  const Folder folder;
  const std::string listening = "listen: { grpc: [\"127.0.0.1:0\"], admin: [\"127.0.0.1:0\"] }\n";
  const auto saying = [&](const std::string& text) {
    return absl::StrReplaceAll(Saying(text), {{Listening(), listening}});
  };
  Mount mount(folder.path() + "/mount", "gateway.yaml", saying("one"));
  Daemon daemon({.arguments = {"--config", mount.path()}});
  EXPECT_EQ(Said(daemon), "one");
  for (int i = 1; i <= 2; ++i) {
    mount.Put(saying(absl::StrCat("next ", i)));
    ASSERT_TRUE(daemon.WaitForLine("\"config.reloaded\"", i));
    EXPECT_EQ(Said(daemon), absl::StrCat("next ", i));
  }
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST(Reload, SighupAsksAtOnceAndTells) {
  Daemon daemon({.config = Saying("one")});
  daemon.Signal(SIGHUP);
  ASSERT_TRUE(daemon.WaitForLine("\"config.unchanged\""));
  EXPECT_THAT(daemon.Lines("config.unchanged"), ElementsAre(HasSubstr("\"by\":\"SIGHUP\"")));
  EXPECT_EQ(Said(daemon), "one");
  EXPECT_EQ(Metric(daemon, "modelgateway_config_generation"), 1);
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST(Reload, ABrokenFileChangesNothingAndIsSeen) {
  Daemon daemon({.config = Saying("one")});
  Replace(ConfigOf(daemon), In(daemon, Saying("two", "retry: { jiter: full }\naliases2: {}\n")));
  ASSERT_TRUE(daemon.WaitForLine("\"config.rejected\""));
  EXPECT_EQ(Said(daemon), "one");
  EXPECT_EQ(Metric(daemon, "modelgateway_config_last_reload_failed"), 1);
  EXPECT_EQ(Metric(daemon, "modelgateway_config_generation"), 1);
  EXPECT_THAT(daemon.Lines("config.rejected"),
              ElementsAre(AllOf(HasSubstr("config.yaml:4: retry.jiter: is not a key"),
                                HasSubstr("did you mean \\\"jitter\\\"?"),
                                HasSubstr("config.yaml:5: aliases2: is not a key"))));

  // An empty one, as it is for a moment while it is written, is as little.
  Overwrite(ConfigOf(daemon), "");
  ASSERT_TRUE(daemon.WaitForLine("config.yaml: is empty"));
  EXPECT_EQ(Said(daemon), "one");

  // One that has gone, too.
  ASSERT_EQ(unlink(ConfigOf(daemon).c_str()), 0);
  ASSERT_TRUE(daemon.WaitForLine("cannot be read: No such file"));
  EXPECT_EQ(Said(daemon), "one");

  Replace(ConfigOf(daemon), In(daemon, Saying("three")));
  ASSERT_TRUE(daemon.WaitForLine("\"config.reloaded\""));
  EXPECT_EQ(Said(daemon), "three");
  EXPECT_EQ(Metric(daemon, "modelgateway_config_last_reload_failed"), 0);
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST(Reload, WhatIsAsItWasIsNoNewGeneration) {
  Daemon daemon({.config = Saying("one")});
  Replace(ConfigOf(daemon), "nonsense\n");
  ASSERT_TRUE(daemon.WaitForLine("\"config.rejected\""));
  Replace(ConfigOf(daemon), In(daemon, Saying("one")));
  ASSERT_TRUE(daemon.WaitForLine("\"config.unchanged\""));
  EXPECT_EQ(Metric(daemon, "modelgateway_config_last_reload_failed"), 0);
  EXPECT_EQ(Metric(daemon, "modelgateway_config_generation"), 1);
  EXPECT_EQ(daemon.Stop(), 0);
}

// The key that the provider was last sent.
std::string KeyAt(const FakeUpstream& upstream) {
  const std::vector<UpstreamRequest> requests = upstream.requests();
  if (requests.empty()) return "";
  return std::string(FindHeader(requests.back().headers, "authorization"));
}

TEST(Reload, ARotatedSecretServesTheNextAttempt) {
  FakeUpstream upstream;
  upstream.When(PathOf("a"))
      .Reply(Good(false))
      .Reply(Failing(400, "no such thing for sk-second-canary"));
  Daemon daemon(
      {.config = absl::StrCat(Listening(), "providers:\n",
                              Compatible("a", upstream, "api_key: { file: \"@DIR@/key\" }")),
       .files = {{"key", "sk-first-canary\n"}}});
  Caller caller(daemon.tcp());
  EXPECT_TRUE(caller.Chat(Ask("a/m-1")).ok());
  EXPECT_EQ(KeyAt(upstream), "Bearer sk-first-canary");

  Replace(daemon.folder() + "/key", "sk-second-canary\n");
  ASSERT_TRUE(daemon.WaitForLine("\"config.reloaded\""));
  const Reply reply = caller.Chat(Ask("a/m-1"));
  EXPECT_EQ(KeyAt(upstream), "Bearer sk-second-canary");
  // The new key is known where the old one was: nothing that is written has it.
  EXPECT_THAT(reply.detail.provider_message(), HasSubstr("no such thing for [redacted]"));
  EXPECT_TRUE(daemon.WaitForLine("\"call.end\"", 2));
  EXPECT_THAT(daemon.Out(), Not(HasSubstr("canary")));

  // A key that has gone for a moment is none that could be used.
  ASSERT_EQ(unlink((daemon.folder() + "/key").c_str()), 0);
  ASSERT_TRUE(daemon.WaitForLine("\"config.rejected\""));
  (void)caller.Chat(Ask("a/m-1"));
  EXPECT_EQ(KeyAt(upstream), "Bearer sk-second-canary");
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST(Reload, NewNamesBecomeLabels) {
  Daemon daemon({.config = Saying("one")});
  Replace(ConfigOf(daemon),
          In(daemon, absl::StrReplaceAll(Saying("two"), {{"m: mock/x", "brandnew: mock/y"}})));
  ASSERT_TRUE(daemon.WaitForLine("\"config.reloaded\""));
  EXPECT_EQ(Caller(daemon.tcp()).Chat(Ask("brandnew")).Text(), "two");
  ASSERT_TRUE(daemon.WaitForLine("\"call.end\""));
  EXPECT_THAT(Get(daemon.admin(), "/metrics").text, HasSubstr("alias=\"brandnew\""));
  EXPECT_EQ(Caller(daemon.tcp()).Chat(Ask("m")).code, absl::StatusCode::kNotFound);
  EXPECT_EQ(daemon.Stop(), 0);
}

std::string Weighted(int a, int b) {
  return absl::StrCat(Listening(),
                      "providers: { mock: { mock: {} } }\ngroups: { support: { candidates: ["
                      "{ provider: mock, model: a, weight: ",
                      a, " }, { provider: mock, model: b, weight: ", b, " }] } }\n");
}

TEST(Reload, TheShareOfUsersThatMoveIsTold) {
  Daemon daemon({.config = Weighted(95, 5)});
  Replace(ConfigOf(daemon), In(daemon, Weighted(90, 10)));
  ASSERT_TRUE(daemon.WaitForLine("\"config.moved\""));
  EXPECT_THAT(
      daemon.Lines("config.moved"),
      ElementsAre(AllOf(HasSubstr("\"group\":\"support\""), HasSubstr("\"moved_share\":\"5 %\""))));
  EXPECT_NEAR(Metric(daemon, "modelgateway_reload_moved_share"), 0.05, 1e-9);
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST(Reload, ListenersWaitForARestart) {
  Daemon daemon({.config = Saying("one")});
  Replace(ConfigOf(daemon),
          In(daemon,
             absl::StrReplaceAll(Saying("two"), {{"grpc: [", "unix_mode: \"0600\", grpc: ["}})));
  ASSERT_TRUE(daemon.WaitForLine("\"config.needs_restart\""));
  EXPECT_THAT(daemon.Lines("config.needs_restart"),
              ElementsAre(HasSubstr("\"keys\":\"listen.unix_mode\"")));
  EXPECT_EQ(Said(daemon), "two");
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST(Reload, ACallKeepsWhatItStartedWith) {
  FakeUpstream upstream;
  Gate gate;
  upstream.When(PathOf("a"))
      .Reply(Sse({Role(), Piece("first ")})
                 .Hold(gate)
                 .Event(Piece("second"))
                 .Event(Stop())
                 .Event("[DONE]"));
  Daemon daemon({.config = absl::StrCat(Listening(), "providers:\n", Compatible("a", upstream))});
  Caller caller(daemon.tcp());
  const auto call = caller.Start(Ask("a/m-1"), true);
  ASSERT_TRUE(gate.WaitReached());
  Replace(ConfigOf(daemon), In(daemon, Saying("no provider a any more")));
  ASSERT_TRUE(daemon.WaitForLine("\"config.reloaded\""));
  EXPECT_EQ(caller.Chat(Ask("a/m-1")).code, absl::StatusCode::kNotFound);
  gate.Open();
  const Reply reply = call->End();
  EXPECT_TRUE(reply.ok()) << reply.message;
  EXPECT_EQ(reply.Text(), "first second");
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST(Reload, WhatItDoesToBreakersIsToldAsEveryOtherChange) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Failing(503));
  const auto config = [&](const std::string& breaker) {
    return absl::StrCat(Listening(), "providers:\n", Compatible("a", upstream),
                        "circuit_breaker: { ", breaker, " }\nretry: { max_attempts: 1 }\n");
  };
  Daemon daemon({.config = config("failure_threshold: 1")});
  EXPECT_FALSE(Caller(daemon.tcp()).Chat(Ask("a/m-1")).ok());
  ASSERT_TRUE(daemon.WaitForLine("\"breaker.changed\""));
  Replace(ConfigOf(daemon), In(daemon, config("enabled: false")));
  ASSERT_TRUE(daemon.WaitForLine("\"config.reloaded\""));
  EXPECT_THAT(daemon.Lines("breaker.changed").back(),
              AllOf(HasSubstr("\"provider\":\"a\""), HasSubstr("\"from\":\"open\""),
                    HasSubstr("\"to\":\"closed\""), HasSubstr("\"reason\":\"disabled\"")));
  EXPECT_EQ(Metric(daemon, "modelgateway_breaker_transitions_total"), 2);
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST(Reload, FilesOfAFolderLieOverEachOther) {
  const Folder folder;
  const auto file = [&](const std::string& name) { return absl::StrCat(folder.path(), "/", name); };
  Overwrite(file("50-more.yml"), "aliases: { n: mock/y }\n");
  Daemon daemon({.config = Saying("base"), .arguments = {"--config-dir", folder.path()}});
  Caller caller(daemon.tcp());
  EXPECT_EQ(caller.Chat(Ask("m")).Text(), "base");
  EXPECT_EQ(caller.Chat(Ask("n")).Text(), "base");

  // A new file is heard of, and a problem of it is its own.
  Replace(file("60-last.yaml"), "\naliases: { n: nowhere/y }\n");
  ASSERT_TRUE(daemon.WaitForLine("60-last.yaml:2: aliases.n: "));
  Replace(file("60-last.yaml"), "aliases: { o: mock/z }\n");
  ASSERT_TRUE(daemon.WaitForLine("\"config.reloaded\""));
  EXPECT_EQ(caller.Chat(Ask("o")).Text(), "base");
  EXPECT_EQ(caller.Chat(Ask("n")).Text(), "base");
  EXPECT_EQ(daemon.Stop(), 0);
}

// Spec/resilience.md §4, row 39. Bounds of memory mean something in the plain build alone.
TEST(Reload, Row39StreamsOutliveReloadsWithoutEnd) {
  constexpr int kStreams = kSanitized ? 200 : 1000;
  constexpr int kReloads = 100;
  FakeUpstream upstream;
  Gate gate;
  upstream.When(PathOf("a"))
      .Reply(Sse({Role(), Piece("first ")})
                 .Hold(gate)
                 .Event(Piece("last"))
                 .Event(Stop())
                 .Event("[DONE]"));
  const auto config = [&](int weight, const std::string& more = "") {
    return absl::StrCat(Listening(), "providers:\n", Compatible("a", upstream),
                        "groups: { g: { candidates: [{ provider: a, model: m-1, weight: ", weight,
                        " }] } }\n", more);
  };
  Daemon daemon({.config = config(1)});
  Caller caller(daemon.tcp());
  std::vector<std::unique_ptr<Caller::Call>> calls;
  for (int i = 0; i < kStreams; ++i) calls.push_back(caller.Start(Ask("g"), true));
  ASSERT_TRUE(gate.WaitReached(kStreams));

  size_t resident = 0;
  int generation = 1;
  for (int i = 1; i <= kReloads; ++i) {
    const bool bad = i % 5 == 0;
    Replace(ConfigOf(daemon), In(daemon, config(1 + i % 7, bad ? "nonsense: 1\n" : "")));
    daemon.Signal(SIGHUP);
    if (!bad) ++generation;
    ASSERT_TRUE(Until([&] {
      return Metric(daemon, "modelgateway_config_generation") == generation &&
             Metric(daemon, "modelgateway_config_last_reload_failed") == (bad ? 1 : 0);
    }));
    if (i == kReloads / 2) resident = ResidentBytes(daemon);
  }
  EXPECT_TRUE(kSanitized || ResidentBytes(daemon) <= resident + 2 * kMiB)
      << ResidentBytes(daemon) << " after " << resident;
  gate.Open();
  for (const auto& call : calls) {
    const Reply reply = call->End();
    EXPECT_TRUE(reply.ok()) << reply.message;
    EXPECT_EQ(reply.Text(), "first last");
  }
  EXPECT_THAT(daemon.Lines("config.reloaded"), SizeIs(kReloads - kReloads / 5));
  EXPECT_EQ(Metric(daemon, "modelgateway_config_last_reload_failed"), 1);
  EXPECT_TRUE(caller.StreamChat(Ask("g")).ok());
  EXPECT_EQ(daemon.Stop(), 0);
}

}  // namespace
}  // namespace mg::e2e
