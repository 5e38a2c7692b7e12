#include "daemon/runtime/upstream_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/fake_upstream.h"
#include "tests/unit/runtime/loop_thread.h"

namespace mg {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(UpstreamClientTest, CarriesARequestAndItsAnswer) {
  FakeUpstream upstream;
  upstream.When("/v1/x").Reply(
      Script().Status(201).Header("X-One", "1").Header("x-two", " two ").Body("hel").Body("lo"));
  LoopThread loop;
  Ask ask;
  ask.request.url = upstream.Url("/v1/x?y=z");
  ask.request.headers = {
      {"authorization", "Bearer k"}, {"x-empty", ""}, {"content-type", "application/json"}};
  ask.request.body = std::string("{\"a\":\0}", 7);
  const Answer answer = loop.Finish(&ask);

  EXPECT_EQ(answer.head.status, 201);
  EXPECT_EQ(FindHeader(answer.head.headers, "x-one"), "1");
  EXPECT_EQ(FindHeader(answer.head.headers, "X-Two"), "two");
  EXPECT_EQ(answer.body, "hello");
  EXPECT_TRUE(answer.body_status.ok());
  EXPECT_TRUE(answer.sent);

  const UpstreamRequest request = upstream.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/v1/x?y=z");
  EXPECT_EQ(request.body, ask.request.body);
  EXPECT_EQ(FindHeader(request.headers, "authorization"), "Bearer k");
  EXPECT_EQ(FindHeader(request.headers, "content-type"), "application/json");
  EXPECT_EQ(FindHeader(request.headers, "accept-encoding"), "gzip, deflate");
  for (const HttpHeader& header : request.headers) {
    EXPECT_THAT(header.name, testing::AnyOf("Host", "authorization", "x-empty", "content-type",
                                            "Accept", "Accept-Encoding", "Content-Length"));
  }
}

TEST(UpstreamClientTest, MethodsDoNotLeakFromOneExchangeToTheNext) {
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body("body"));
  LoopThread loop;
  for (const char* method : {"POST", "GET", "HEAD", "DELETE", "PUT", "GET", "POST"}) {
    Ask ask;
    ask.request.url = upstream.Url("/");
    ask.request.method = method;
    if (method == std::string("PUT")) ask.request.body = "put";
    const Answer answer = loop.Finish(&ask);
    EXPECT_TRUE(answer.body_status.ok()) << method << answer.body_status;
    const UpstreamRequest request = upstream.requests().back();
    EXPECT_EQ(request.method, method);
    EXPECT_EQ(request.body, method == std::string("PUT") ? "put" : "");
    EXPECT_EQ(answer.body, method == std::string("HEAD") ? "" : "body");
  }
  EXPECT_EQ(upstream.connections(), 1);
}

TEST(UpstreamClientTest, ALargePostGoesOutWithoutExpect) {
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body("ok"));
  LoopThread loop;
  const std::string large(20 << 20, 'x');
  EXPECT_EQ(loop.Post(upstream.Url("/"), large).body, "ok");
  EXPECT_EQ(upstream.requests().at(0).body, large);
  EXPECT_EQ(FindHeader(upstream.requests().at(0).headers, "expect"), "");
}

TEST(UpstreamClientTest, PathsStayAsTheyAre) {
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script());
  LoopThread loop;
  loop.Get(upstream.Url("/a/../b/./c%2Fd"));
  EXPECT_EQ(upstream.requests().at(0).target, "/a/../b/./c%2Fd");
}

TEST(UpstreamClientTest, RedirectsAreNotFollowedAndCookiesNotKept) {
  FakeUpstream upstream;
  upstream.When("/a").Reply(
      Script().Status(302).Header("location", upstream.Url("/b")).Header("set-cookie", "c=1"));
  LoopThread loop;
  EXPECT_EQ(loop.Get(upstream.Url("/a")).head.status, 302);
  loop.Get(upstream.Url("/a"));
  EXPECT_EQ(upstream.hits("/b"), 0);
  EXPECT_EQ(FindHeader(upstream.requests().at(1).headers, "cookie"), "");
}

TEST(UpstreamClientTest, AThousandExchangesOneAfterAnotherUseOneConnection) {
  FakeUpstream upstream;
  upstream.When("/length").Reply(Script().Body("x"));
  upstream.When("/chunked").Reply(Script().Chunked().Body("x").Body("y"));
  LoopThread loop;
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(loop.Post(upstream.Url("/length"), "{}").body, "x");
    ASSERT_EQ(loop.Post(upstream.Url("/chunked"), "{}").body, "xy");
  }
  EXPECT_EQ(upstream.connections(), 1);
  EXPECT_EQ(loop.counters().connections_opened, 1);
  EXPECT_EQ(loop.counters().exchanges_in_flight, 0);
}

TEST(UpstreamClientTest, ManyExchangesAtOnceAreIndependent) {
  constexpr int kCount = 64;
  FakeUpstream upstream;
  Gate gate;
  upstream.Otherwise().Reply(Script().Chunked().Body("a").Hold(gate).Body("b"));
  LoopThread loop;
  for (int round = 0; round < 2; ++round) {
    std::vector<std::unique_ptr<Ask>> asks;
    for (int i = 0; i < kCount; ++i) {
      asks.push_back(std::make_unique<Ask>());
      asks.back()->request.url = upstream.Url("/");
      loop.Start(asks.back().get());
    }
    if (round == 0) {
      for (const auto& ask : asks) ASSERT_TRUE(ask->first_read.WaitOpen());
      EXPECT_EQ(loop.counters().exchanges_in_flight, kCount);
      gate.Open();
    }
    for (const auto& ask : asks) {
      ask->Wait();
      EXPECT_EQ(ask->answer.body, "ab");
    }
  }
  EXPECT_EQ(upstream.max_concurrent(), kCount);
  EXPECT_EQ(upstream.connections(), kCount) << "the second round reuses those of the first";
}

TEST(UpstreamClientTest, AKeptConnectionClosedMeanwhileIsReplaced) {
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body("1")).Reply(Script().Body("2"));
  LoopThread loop;
  EXPECT_EQ(loop.Post(upstream.Url("/"), "{}").body, "1");
  upstream.CloseIdle();
  ASSERT_TRUE(upstream.WaitForOpenConnections(0));
  EXPECT_EQ(loop.Post(upstream.Url("/"), "{}").body, "2");
  EXPECT_EQ(upstream.hits(), 2);
}

TEST(UpstreamClientTest, Row41APostOnAConnectionClosedAsItArrivesIsSentOnceMore) {
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body("1").ThenCloseOnNextRequest()).Reply(Script().Body("2"));
  LoopThread loop;
  EXPECT_EQ(loop.Post(upstream.Url("/"), "{\"n\":1}").body, "1");
  const Answer second = loop.Post(upstream.Url("/"), "{\"n\":2}");
  EXPECT_TRUE(second.head_status.ok()) << second.head_status;
  EXPECT_EQ(second.body, "2");
  EXPECT_EQ(upstream.connections(), 2);
  ASSERT_EQ(upstream.hits(), 2);
  EXPECT_EQ(upstream.requests().at(1).body, "{\"n\":2}");
}

TEST(UpstreamClientTest, AFreshConnectionClosedWithoutAnAnswerIsNotRetried) {
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().CloseAtByte(0));
  LoopThread loop;
  const Answer answer = loop.Post(upstream.Url("/"), "{}");
  EXPECT_EQ(ClassOf(answer.head_status), ErrorClass::kReset) << answer.head_status;
  EXPECT_TRUE(answer.sent);
  EXPECT_EQ(upstream.hits(), 1);
}

TEST(UpstreamClientTest, WhatArrivedIsThereBeforeTheRest) {
  FakeUpstream upstream;
  Gate gate;
  upstream.Otherwise().Reply(Script().Chunked().Event("one").Hold(gate).Event("two"));
  LoopThread loop;
  Ask ask;
  ask.request.url = upstream.Url("/");
  loop.Start(&ask);
  ASSERT_TRUE(ask.first_read.WaitOpen());
  loop.Do([&] { EXPECT_EQ(ask.answer.body, "data: one\n\n"); });
  gate.Open();
  ask.Wait();
  EXPECT_EQ(ask.answer.body, "data: one\n\ndata: two\n\n");
}

TEST(UpstreamClientTest, TheHeadIsThereBeforeTheBody) {
  FakeUpstream upstream;
  Gate gate;
  upstream.Otherwise().Reply(Script().Hold(gate).Body("x"));
  LoopThread loop;
  Ask ask;
  ask.request.url = upstream.Url("/");
  loop.Start(&ask);
  ASSERT_TRUE(ask.head_taken.WaitOpen());
  gate.Open();
  ask.Wait();
  EXPECT_EQ(ask.answer.body, "x");
}

TEST(UpstreamClientTest, AGzipStreamIsNotHeldBack) {
  FakeUpstream upstream;
  Gate gate;
  upstream.Otherwise().Reply(Script().Gzip().Chunked().Event("one").Hold(gate).Event("two"));
  LoopThread loop;
  Ask ask;
  ask.request.url = upstream.Url("/");
  loop.Start(&ask);
  ASSERT_TRUE(ask.first_read.WaitOpen());
  loop.Do([&] { EXPECT_EQ(ask.answer.body, "data: one\n\n"); });
  gate.Open();
  ask.Wait();
  EXPECT_EQ(ask.answer.body, "data: one\n\ndata: two\n\n");
  EXPECT_TRUE(ask.answer.body_status.ok());
}

TEST(UpstreamClientTest, AGzipStreamThatIsCutIsAReset) {
  const std::string whole = Gzipped("all that there is");
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script()
                                 .Header("content-encoding", "gzip")
                                 .UntilClose()
                                 .Body(whole.substr(0, whole.size() - 8)));
  LoopThread loop;
  const Answer answer = loop.Get(upstream.Url("/"));
  EXPECT_EQ(answer.body, "all that there is");
  EXPECT_EQ(ClassOf(answer.body_status), ErrorClass::kReset) << answer.body_status;
}

TEST(UpstreamClientTest, PaddingBehindGzipEndsWithItsFraming) {
  FakeUpstream upstream;
  Script script;
  script.Header("content-encoding", "gzip").Chunked().Body(Gzipped("hello"));
  for (int i = 0; i < 64; ++i) script.Body(std::string(64 << 10, '\0'));
  upstream.Otherwise().Reply(std::move(script));
  LoopThread loop;
  const Answer answer = loop.Get(upstream.Url("/"));
  EXPECT_EQ(answer.body, "hello");
  EXPECT_TRUE(answer.body_status.ok()) << answer.body_status;
}

TEST(UpstreamClientTest, ReadAllKeepsItsLimit) {
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body(std::string(1000, 'x')));
  LoopThread loop;
  for (const size_t limit : {999U, 1000U}) {
    absl::StatusOr<std::string> body;
    std::promise<void> done;
    const auto read = [](UpstreamClient* client, std::string url, size_t max,
                         absl::StatusOr<std::string>* into, std::promise<void>* end) -> Task<void> {
      const HttpEndpoint endpoint;
      HttpRequest request;
      request.url = std::move(url);
      {
        const auto exchange = client->Start(std::move(request), endpoint, absl::Seconds(20));
        *into = co_await ReadAll(exchange.get(), max, kNever, nullptr);
      }
      end->set_value();
    };
    loop.Do([&] { Spawn(read(loop.client(), upstream.Url("/"), limit, &body, &done)); });
    done.get_future().wait();
    EXPECT_EQ(body.ok(), limit == 1000);
    if (!body.ok()) {
      EXPECT_EQ(ClassOf(body.status()), ErrorClass::kMalformed);
    }
  }
}

Task<void> WaitInVain(UpstreamClient* client, const Loop* loop, std::string url, Gate go,
                      std::promise<void>* done) {
  const HttpEndpoint endpoint;
  HttpRequest request;
  request.url = std::move(url);
  {
    const auto exchange = client->Start(std::move(request), endpoint, absl::Seconds(20));
    const auto early = co_await exchange->Head(loop->now() + absl::Milliseconds(1), nullptr);
    EXPECT_EQ(early.status().code(), absl::StatusCode::kDeadlineExceeded);
    go.Open();
    const auto head = co_await exchange->Head(kNever, nullptr);
    EXPECT_TRUE(head.ok()) << "the exchange goes on after a deadline";
    const auto body = co_await ReadAll(exchange.get(), 100, kNever, nullptr);
    EXPECT_EQ(body.value_or("nothing"), "late");
  }
  done->set_value();
}

TEST(UpstreamClientTest, AfterADeadlineTheExchangeIsStillUsable) {
  FakeUpstream upstream;
  Gate gate;
  upstream.Otherwise().Reply(Script().HoldHead(gate).Body("late"));
  LoopThread loop;
  std::promise<void> done;
  loop.Do([&] { Spawn(WaitInVain(loop.client(), loop.loop(), upstream.Url("/"), gate, &done)); });
  done.get_future().wait();
}

TEST(UpstreamClientTest, HeadersThatCouldSmuggleAreNotSent) {
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script());
  LoopThread loop;
  const std::vector<HttpHeader> bad = {{"x", "a\r\nb: c"},
                                       {"x", "a\nb"},
                                       {"x\r\ny", "a"},
                                       {"", "a"},
                                       {"x y", "a"},
                                       {"x:", "a"},
                                       {"x", std::string("a\0b", 3)},
                                       {"x", "\x7f"}};
  for (const HttpHeader& header : bad) {
    Ask ask;
    ask.request.url = upstream.Url("/secret-path");
    ask.request.headers = {header};
    const Answer answer = loop.Finish(&ask);
    EXPECT_EQ(ClassOf(answer.head_status), ErrorClass::kConnectFinal);
    EXPECT_THAT(answer.head_status.message(), Not(HasSubstr("secret")));
  }
  EXPECT_EQ(upstream.hits(), 0);
  EXPECT_EQ(upstream.connections(), 0);
}

TEST(UpstreamClientTest, UrlsOfOtherSchemesAreRefused) {
  LoopThread loop;
  for (const char* url :
       {"file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1", "", "http://u:secret@127.0.0.1/",
        "http://127.0.0.1:0/", "http://[::1/", "http:///x", "http://127.0.0.1/a b"}) {
    const Answer answer = loop.Get(url);
    EXPECT_EQ(ClassOf(answer.head_status), ErrorClass::kConnectFinal) << url;
    EXPECT_THAT(answer.head_status.message(), Not(HasSubstr("secret")));
    EXPECT_FALSE(answer.sent);
  }
}

}  // namespace
}  // namespace mg
