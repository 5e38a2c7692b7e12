// Names: looked up once for all, never on the loop, never more than 64 at a time; and proxies,
// which have names too.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "tests/support/fake_upstream.h"
#include "tests/unit/runtime/fake_resolver.h"
#include "tests/unit/runtime/loop_thread.h"

namespace mg {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string UrlOf(const FakeUpstream& upstream, absl::string_view host, absl::string_view path) {
  return absl::StrCat("http://", host, ":", upstream.port(), path);
}

TEST(UpstreamNamesTest, ANameIsLookedUpOnceForAll) {
  const FakeResolver resolver;
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body("x"));
  LoopThread loop;
  std::vector<std::unique_ptr<Ask>> asks;
  for (int i = 0; i < 200; ++i) {
    asks.push_back(std::make_unique<Ask>());
    asks.back()->request.url = UrlOf(upstream, "a-slow.fake", "/");
    loop.Start(asks.back().get());
  }
  ASSERT_TRUE(FakeResolver::gate().WaitReached());
  EXPECT_EQ(loop.counters().exchanges_in_flight, 200);
  FakeResolver::gate().Open();
  for (const auto& ask : asks) {
    ask->Wait();
    EXPECT_EQ(ask->answer.body, "x") << ask->answer.head_status;
  }
  EXPECT_EQ(loop.Get(UrlOf(upstream, "a-slow.fake", "/")).body, "x");
  EXPECT_EQ(FakeResolver::calls(), 1);
}

TEST(UpstreamNamesTest, Row54AHangingResolverHoldsUpNobodyElse) {
  const FakeResolver resolver;
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body("x"));
  LoopThread loop;
  Ask slow;
  slow.request.url = UrlOf(upstream, "slow.fake", "/");
  slow.connect_timeout = absl::Milliseconds(50);
  loop.Start(&slow);
  ASSERT_TRUE(FakeResolver::gate().WaitReached());
  EXPECT_EQ(loop.Get(UrlOf(upstream, "ok.fake", "/")).body, "x");
  slow.Wait();  // while the resolver still hangs
  EXPECT_EQ(ClassOf(slow.answer.head_status), ErrorClass::kConnect) << slow.answer.head_status;
  EXPECT_THAT(slow.answer.head_status.message(), HasSubstr("slow.fake"));
  EXPECT_FALSE(FakeResolver::gate().open());
}

TEST(UpstreamNamesTest, Row28ThoseWhoGiveUpNeitherWaitNorPileUpInTheResolver) {
  const FakeResolver resolver;
  FakeUpstream upstream;
  LoopThread loop;
  for (int i = 0; i < 64; ++i) {
    Ask ask;
    ask.request.url = UrlOf(upstream, "slow.fake", "/");
    loop.Start(&ask);
    loop.Cancel(&ask);
    ask.Wait();
    EXPECT_EQ(ask.answer.head_status.code(), absl::StatusCode::kCancelled);
    Ask late;
    late.request.url = ask.request.url;
    late.connect_timeout = absl::Milliseconds(1);
    EXPECT_EQ(ClassOf(loop.Finish(&late).head_status), ErrorClass::kConnect);
  }
  EXPECT_LE(FakeResolver::calls(), 1);
}

TEST(UpstreamNamesTest, AtMost64AtATime) {
  const FakeResolver resolver;
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body("x"));
  LoopThread loop;
  std::vector<std::unique_ptr<Ask>> asks;
  for (int i = 0; i < 100; ++i) {
    asks.push_back(std::make_unique<Ask>());
    asks.back()->request.url = UrlOf(upstream, absl::StrCat("h", i, "-slow.fake"), "/");
    loop.Start(asks.back().get());
  }
  ASSERT_TRUE(FakeResolver::gate().WaitReached(64));
  loop.Cancel(asks[0].get());
  loop.Cancel(asks[99].get());  // one that looks its name up, one that waits for room
  asks[0]->Wait();
  asks[99]->Wait();
  EXPECT_EQ(FakeResolver::most_at_once(), 64);
  FakeResolver::gate().Open();
  for (int i = 1; i < 99; ++i) {
    asks[static_cast<size_t>(i)]->Wait();
    EXPECT_EQ(asks[static_cast<size_t>(i)]->answer.body, "x");
  }
  EXPECT_EQ(FakeResolver::most_at_once(), 64);
  EXPECT_EQ(FakeResolver::calls(), 99) << "nobody asks for a name that nobody waits for";
}

TEST(UpstreamNamesTest, AKeptConnectionNeedsNoName) {
  const FakeResolver resolver;
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body("x"));
  LoopThread loop;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(loop.Get(UrlOf(upstream, "ok.fake", "/")).body, "x");
  EXPECT_EQ(FakeResolver::calls(), 1);
  EXPECT_EQ(upstream.connections(), 1);
}

TEST(UpstreamNamesTest, AnUnknownNameIsFinalForAllWhoWait) {
  const FakeResolver resolver;
  LoopThread loop;
  std::vector<std::unique_ptr<Ask>> asks;
  for (int i = 0; i < 10; ++i) {
    asks.push_back(std::make_unique<Ask>());
    asks.back()->request.url = "http://missing.fake/secret?k=secret";
    loop.Start(asks.back().get());
  }
  for (const auto& ask : asks) {
    ask->Wait();
    EXPECT_EQ(ClassOf(ask->answer.head_status), ErrorClass::kConnectFinal);
    EXPECT_EQ(ConnectStepOf(ask->answer.head_status), ConnectStep::kName);
    EXPECT_THAT(ask->answer.head_status.message(), HasSubstr("missing.fake:80"));
    EXPECT_THAT(ask->answer.head_status.message(), Not(HasSubstr("secret")));
    EXPECT_FALSE(ask->answer.sent);
  }
}

TEST(UpstreamNamesTest, TheClientGoesWhileTheResolverHangs) {
  const FakeResolver resolver;
  {
    LoopThread loop;
    Ask ask;
    ask.request.url = "http://slow.fake/";
    loop.Start(&ask);
    ASSERT_TRUE(FakeResolver::gate().WaitReached());
    loop.Cancel(&ask);
    ask.Wait();
  }
  EXPECT_FALSE(FakeResolver::gate().open());
}

TEST(UpstreamProxyTest, TheEnvironmentsProxyIsUsed) {
  FakeUpstream proxy;
  proxy.Otherwise().Reply(Script().Body("by proxy"));
  LoopThread loop({.https_proxy = "", .http_proxy = proxy.Url(), .no_proxy = "direct.fake"});
  Ask ask;
  ask.request.url = "http://far.fake/x";
  ask.request.headers = {{"authorization", "k"}};
  EXPECT_EQ(loop.Finish(&ask).body, "by proxy");
  EXPECT_EQ(proxy.requests().at(0).target, "http://far.fake/x");
  // NO_PROXY is kept: asked directly, this name does not exist.
  EXPECT_EQ(ClassOf(loop.Get("http://direct.fake/").head_status), ErrorClass::kConnectFinal);
  EXPECT_EQ(proxy.hits(), 1);
}

TEST(UpstreamProxyTest, LoopbackIsAskedDirectly) {
  FakeUpstream proxy;
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body("direct"));
  LoopThread loop({.https_proxy = proxy.Url(), .http_proxy = proxy.Url(), .no_proxy = ""});
  EXPECT_EQ(loop.Get(upstream.Url("/")).body, "direct");
  EXPECT_EQ(loop.Get(UrlOf(upstream, "localhost", "/")).body, "direct");
  Ask ask;
  ask.request.url = upstream.Url("/");
  ask.endpoint.proxy = proxy.Url();
  EXPECT_EQ(loop.Finish(&ask).body, "direct");
  EXPECT_EQ(proxy.connections(), 0);
}

// Which proxies there are the client is told; libcurl must not look for itself.
TEST(UpstreamProxyTest, NothingIsTakenFromTheEnvironmentUnasked) {
  const FakeResolver resolver;
  FakeUpstream proxy;
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body("direct"));
  for (const char* name : {"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"}) {
    setenv(name, proxy.Url().c_str(), 1);
  }
  {
    LoopThread loop;
    EXPECT_EQ(loop.Get(upstream.Url("/")).body, "direct");
    EXPECT_EQ(loop.Get(UrlOf(upstream, "ok.fake", "/")).body, "direct");
  }
  for (const char* name : {"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"}) unsetenv(name);
  EXPECT_EQ(proxy.connections(), 0);
}

TEST(UpstreamProxyTest, TheEndpointsProxyComesBeforeTheEnvironments) {
  const FakeResolver resolver;
  FakeUpstream proxy;
  FakeUpstream other;
  FakeUpstream upstream;
  proxy.Otherwise().Reply(Script().Body("by proxy"));
  upstream.Otherwise().Reply(Script().Body("direct"));
  LoopThread loop({.https_proxy = "", .http_proxy = other.Url(), .no_proxy = "ok.fake"});
  Ask ask;
  ask.request.url = UrlOf(upstream, "ok.fake", "/");
  ask.endpoint.proxy = proxy.Url();
  EXPECT_EQ(loop.Finish(&ask).body, "by proxy");
  Ask none;
  none.request.url = UrlOf(upstream, "b-ok.fake", "/");
  none.endpoint.proxy = "";
  EXPECT_EQ(loop.Finish(&none).body, "direct") << "an empty proxy is none";
  EXPECT_EQ(other.connections(), 0);
}

TEST(UpstreamProxyTest, HttpsGoesThroughATunnelThatSeesNoKey) {
  FakeUpstream proxy;
  proxy.Otherwise().Reply(Script().Status(403).Body("no"));
  LoopThread loop;
  Ask ask;
  ask.request.url = "https://far.fake/secret-path";
  ask.request.headers = {{"authorization", "Bearer secret-key"}};
  ask.endpoint.proxy = proxy.Url();
  const Answer answer = loop.Finish(&ask);
  EXPECT_EQ(ClassOf(answer.head_status), ErrorClass::kConnect) << answer.head_status;
  EXPECT_FALSE(answer.sent);
  EXPECT_THAT(answer.head_status.message(), HasSubstr("403")) << "the proxy's own answer";
  EXPECT_THAT(answer.head_status.message(), Not(HasSubstr("secret")));
  const UpstreamRequest request = proxy.requests().at(0);
  EXPECT_EQ(request.method, "CONNECT");
  EXPECT_EQ(request.target, "far.fake:443");
  EXPECT_EQ(FindHeader(request.headers, "authorization"), "");
}

TEST(UpstreamProxyTest, AnUnknownProxyIsFinal) {
  const FakeResolver resolver;
  LoopThread loop;
  Ask ask;
  ask.request.url = "http://far.fake/";
  ask.endpoint.proxy = "http://user:secret@missing.fake:3128";
  const Answer answer = loop.Finish(&ask);
  EXPECT_EQ(ClassOf(answer.head_status), ErrorClass::kConnectFinal) << answer.head_status;
  EXPECT_THAT(answer.head_status.message(), Not(HasSubstr("secret")));
  EXPECT_THAT(answer.head_status.message(), HasSubstr("proxy"));
}

}  // namespace
}  // namespace mg
