// TLS to providers: verified, at least 1.2, with a CA of one's own where named.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/fake_upstream.h"
#include "tests/unit/runtime/loop_thread.h"

namespace mg {
namespace {

using ::testing::HasSubstr;

Answer AskWithCa(const FakeUpstream& upstream, const std::string& ca_file) {
  LoopThread loop;
  Ask ask;
  ask.request.url = upstream.Url("/");
  ask.endpoint.ca_file = ca_file;
  return loop.Finish(&ask);
}

TEST(UpstreamTlsTest, OnlyWithItsCaFileIsASelfSignedCertificateAccepted) {
  TlsIdentity identity;
  MakeTlsIdentity({"127.0.0.1"}, /*expired=*/false, &identity);
  FakeUpstream upstream({.tls = &identity});
  upstream.Otherwise().Reply(Script().Body("secure"));
  LoopThread loop;
  // On one client, in turn: neither the trusted connection nor the CA serves an endpoint that does
  // not name it.
  for (int round = 0; round < 2; ++round) {
    Ask with;
    with.request.url = upstream.Url("/");
    with.endpoint.ca_file = identity.ca_file;
    EXPECT_EQ(loop.Finish(&with).body, "secure") << with.answer.head_status;
    const Answer without = loop.Get(upstream.Url("/"));
    EXPECT_EQ(ClassOf(without.head_status), ErrorClass::kConnectFinal) << without.head_status;
    EXPECT_THAT(without.head_status.message(), HasSubstr("self-signed"));
    EXPECT_THAT(without.head_status.message(), HasSubstr("ca_file"));
    EXPECT_FALSE(without.sent);
  }
  EXPECT_EQ(upstream.hits(), 2);
}

TEST(UpstreamTlsTest, CertificatesOfOthersAndOldOnesAreRefused) {
  TlsIdentity other_host;
  MakeTlsIdentity({"localhost", "10.0.0.1"}, /*expired=*/false, &other_host);
  TlsIdentity expired;
  MakeTlsIdentity({"127.0.0.1"}, /*expired=*/true, &expired);
  TlsIdentity good;
  MakeTlsIdentity({"127.0.0.1"}, /*expired=*/false, &good);

  FakeUpstream wrong({.tls = &other_host});
  const Answer wrong_host = AskWithCa(wrong, other_host.ca_file);
  EXPECT_EQ(ClassOf(wrong_host.head_status), ErrorClass::kConnectFinal) << wrong_host.head_status;

  FakeUpstream old({.tls = &expired});
  const Answer too_old = AskWithCa(old, expired.ca_file);
  EXPECT_EQ(ClassOf(too_old.head_status), ErrorClass::kConnectFinal);
  EXPECT_EQ(ConnectStepOf(too_old.head_status), ConnectStep::kTls);
  EXPECT_THAT(too_old.head_status.message(), HasSubstr("expired"));

  FakeUpstream fine({.tls = &good});
  const Answer other_ca = AskWithCa(fine, expired.ca_file);
  EXPECT_EQ(ClassOf(other_ca.head_status), ErrorClass::kConnectFinal);
  for (const FakeUpstream* upstream : {&wrong, &old, &fine}) EXPECT_EQ(upstream->hits(), 0);
}

TEST(UpstreamTlsTest, TheNameOfTheUrlIsTheOneThatCounts) {
  TlsIdentity identity;
  MakeTlsIdentity({"localhost"}, /*expired=*/false, &identity);
  FakeUpstream upstream({.tls = &identity});
  upstream.Otherwise().Reply(Script().Body("secure"));
  LoopThread loop;
  Ask ask;
  ask.request.url = absl::StrCat("https://localhost:", upstream.port(), "/");
  ask.endpoint.ca_file = identity.ca_file;
  EXPECT_EQ(loop.Finish(&ask).body, "secure") << ask.answer.head_status;
}

TEST(UpstreamTlsTest, OldVersionsAreRefused) {
  TlsIdentity identity;
  MakeTlsIdentity({"127.0.0.1"}, /*expired=*/false, &identity);
  FakeUpstream upstream({.tls = &identity, .only_tls_1_1 = true});
  const Answer answer = AskWithCa(upstream, identity.ca_file);
  EXPECT_EQ(ClassOf(answer.head_status), ErrorClass::kConnect) << answer.head_status;
  EXPECT_EQ(upstream.hits(), 0);
}

TEST(UpstreamTlsTest, APlainServerIsNoTlsServer) {
  FakeUpstream plain;
  plain.Otherwise().Reply(Script());
  LoopThread loop;
  const Answer answer = loop.Get(absl::StrCat("https://127.0.0.1:", plain.port(), "/"));
  EXPECT_EQ(ClassOf(answer.head_status), ErrorClass::kConnect) << answer.head_status;
}

TEST(UpstreamTlsTest, AMissingCaFileIsNamed) {
  TlsIdentity identity;
  MakeTlsIdentity({"127.0.0.1"}, /*expired=*/false, &identity);
  FakeUpstream upstream({.tls = &identity});
  const Answer answer = AskWithCa(upstream, "/nonexistent/ca.pem");
  EXPECT_EQ(ClassOf(answer.head_status), ErrorClass::kConnectFinal) << answer.head_status;
  EXPECT_THAT(answer.head_status.message(), HasSubstr("ca_file"));
}

TEST(UpstreamTlsTest, ManyExchangesUseOneTlsConnection) {
  TlsIdentity identity;
  MakeTlsIdentity({"127.0.0.1"}, /*expired=*/false, &identity);
  FakeUpstream upstream({.tls = &identity});
  upstream.Otherwise().Reply(Script().Chunked().Body("x").Body("y"));
  LoopThread loop;
  for (int i = 0; i < 100; ++i) {
    Ask ask;
    ask.request.url = upstream.Url("/");
    ask.endpoint.ca_file = identity.ca_file;
    ASSERT_EQ(loop.Finish(&ask).body, "xy");
  }
  EXPECT_EQ(upstream.connections(), 1);
}

// Bytes behind an answer in a record of their own, which OpenSSL may have read ahead: a connection
// that has them is closed, and they are no answer to the next request.
TEST(UpstreamTlsTest, BytesAfterAnAnswerAreNoAnswerToTheNext) {
  TlsIdentity identity;
  MakeTlsIdentity({"127.0.0.1"}, /*expired=*/false, &identity);
  FakeUpstream upstream({.tls = &identity});
  upstream.Otherwise()
      .Reply(Script().ContentLength(2).Body("ok").Body(
          "HTTP/1.1 500 Smuggled\r\ncontent-length: 0\r\n\r\n"))
      .Reply(Script().Body("second"));
  LoopThread loop;
  for (const char* body : {"ok", "second"}) {
    Ask ask;
    ask.request.url = upstream.Url("/");
    ask.endpoint.ca_file = identity.ca_file;
    EXPECT_EQ(loop.Finish(&ask).body, body) << ask.answer.head_status;
    if (body == std::string("ok")) {
      ASSERT_TRUE(upstream.WaitForOpenConnections(0));
    }
  }
}

TEST(UpstreamTlsTest, TheConnectTimeoutCoversTheHandshake) {
  TlsIdentity identity;
  MakeTlsIdentity({"127.0.0.1"}, /*expired=*/false, &identity);
  const Gate never;
  FakeUpstream upstream({.tls = &identity, .tls_gates = {never}});
  LoopThread loop;
  Ask ask;
  ask.request.url = upstream.Url("/");
  ask.connect_timeout = absl::Milliseconds(50);
  EXPECT_EQ(ClassOf(loop.Finish(&ask).head_status), ErrorClass::kConnect);
  EXPECT_TRUE(upstream.WaitForOpenConnections(0));
}

TEST(UpstreamTlsTest, ACancellationInTheHandshakeClosesTheConnection) {
  TlsIdentity identity;
  MakeTlsIdentity({"127.0.0.1"}, /*expired=*/false, &identity);
  const Gate never;
  FakeUpstream upstream({.tls = &identity, .tls_gates = {never}});
  LoopThread loop;
  Ask ask;
  ask.request.url = upstream.Url("/");
  loop.Start(&ask);
  ASSERT_TRUE(never.WaitReached());
  loop.Cancel(&ask);
  ask.Wait();
  EXPECT_TRUE(upstream.WaitForOpenConnections(0));
}

// In small records, of which TLS holds some where a turn of the loop has read enough.
TEST(UpstreamTlsTest, ALargeBodyArrivesWhole) {
  TlsIdentity identity;
  MakeTlsIdentity({"127.0.0.1"}, /*expired=*/false, &identity);
  FakeUpstream upstream({.tls = &identity});
  Script script;
  script.Chunked();
  for (int i = 0; i < 4000; ++i) script.Body(std::string(1000, 'x'));
  upstream.Otherwise().Reply(std::move(script));
  const Answer answer = AskWithCa(upstream, identity.ca_file);
  EXPECT_TRUE(answer.body_status.ok()) << answer.body_status;
  EXPECT_EQ(answer.body.size(), 4'000'000U);
}

TEST(UpstreamTlsTest, ACutIsNoEndOfABodyWithoutLength) {
  TlsIdentity identity;
  MakeTlsIdentity({"127.0.0.1"}, /*expired=*/false, &identity);
  FakeUpstream upstream({.tls = &identity});
  upstream.Otherwise().Reply(Script().UntilClose().Body("half").Reset());
  const Answer answer = AskWithCa(upstream, identity.ca_file);
  EXPECT_EQ(ClassOf(answer.body_status), ErrorClass::kReset) << answer.body_status;
}

}  // namespace
}  // namespace mg
