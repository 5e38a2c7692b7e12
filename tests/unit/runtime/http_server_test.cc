#include "daemon/runtime/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "tests/support/script.h"

namespace mg {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// "/slow" answers when released, "/large" with 32 MiB, everything else with what was asked.
class TestHandler final : public HttpHandler {
 public:
  explicit TestHandler(EpollLoop* loop) : released(loop) {}

  Task<HttpReply> Handle(const HttpServerRequest& request) override {
    ++handled;
    HttpReply reply;
    if (request.path() == "/slow") {
      started.Open();
      (void)co_await released.Wait(kNever, nullptr);
    }
    if (request.path() == "/large") reply.body.assign(32 << 20, 'x');
    if (request.path() == "/headers") reply.headers.push_back({"Cache-Control", "max-age=5"});
    if (reply.body.empty()) {
      reply.body = absl::StrCat(request.method, " ", request.target, " ",
                                FindHeader(request.headers, "x-say"), request.body);
    }
    co_return reply;
  }

  std::atomic<int> handled = 0;
  Gate started;
  Signal released;  // of the loop's thread
};

class Client {
 public:
  explicit Client(const std::string& address) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int port = 0;
    (void)absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port);
    to.sin_port = htons(static_cast<uint16_t>(port));
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const int on = 1;  // a request that is cut would wait for an acknowledgement
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { close(fd_); }

  void Send(absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
  }
  // Everything up to the end of the connection.
  std::string ReadToEnd() {
    std::string all = std::move(buffer_);
    char bytes[65536];
    for (ssize_t count = 0; (count = recv(fd_, bytes, sizeof bytes, 0)) > 0;) {
      all.append(bytes, static_cast<size_t>(count));
    }
    return all;
  }
  // One reply, by its content-length.
  std::string ReadReply() {
    char bytes[4096];
    while (true) {
      const size_t head = buffer_.find("\r\n\r\n");
      const size_t length = buffer_.find("Content-Length: ");
      if (head != std::string::npos && length < head) {
        const size_t whole = head + 4 + std::stoul(buffer_.substr(length + 16));
        if (buffer_.size() >= whole) {
          std::string reply = buffer_.substr(0, whole);
          buffer_.erase(0, whole);
          return reply;
        }
      }
      const ssize_t count = recv(fd_, bytes, sizeof bytes, 0);
      if (count <= 0) return absl::StrCat("cut: ", buffer_);
      buffer_.append(bytes, static_cast<size_t>(count));
    }
  }
  // So many bytes, or what there is until the end.
  std::string Read(size_t size) {
    std::string bytes(size, '\0');
    const ssize_t count = recv(fd_, bytes.data(), size, MSG_WAITALL);
    bytes.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
    return bytes;
  }
  bool AtEnd() {
    char byte = 0;
    return recv(fd_, &byte, 1, 0) <= 0;
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
  std::string buffer_;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void TearDown() override {
    if (server_ != nullptr) Stop(kNever);
    Do([this] { server_.reset(); });
    loop_.Stop();
    if (thread_.joinable()) thread_.join();
  }

  void Start(HttpServerOptions options = {}) {
    if (options.address.empty()) options.address = "127.0.0.1:0";
    absl::StatusOr<std::unique_ptr<HttpServer>> server =
        HttpServer::Listen(&loop_, std::move(options), &handler_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    thread_ = std::thread([this] { loop_.Run(); });
  }

  void Do(absl::AnyInvocable<void()> what) {
    if (!thread_.joinable()) return what();
    std::promise<void> done;
    loop_.Post([&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }

  static Task<void> StopServer(HttpServer* server, Instant until, std::promise<void>* done) {
    co_await server->Stop(until);
    done->set_value();
  }
  void Stop(Instant until) {
    std::promise<void> done;
    Do([&] { Spawn(StopServer(server_.get(), until, &done)); });
    done.get_future().wait();
  }

  // What a client that sends `bytes` gets until the connection ends.
  std::string Ask(absl::string_view bytes) {
    Client client(server_->bound_address());
    client.Send(bytes);
    return client.ReadToEnd();
  }

  EpollLoop loop_;
  TestHandler handler_{&loop_};
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

constexpr absl::string_view kGet = "GET /x?y HTTP/1.1\r\nHost: localhost\r\nX-Say: hello\r\n\r\n";
constexpr absl::string_view kGetClose =
    "GET /x?y HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

TEST_F(HttpServerTest, Answers) {
  Start();
  const std::string reply = Ask(kGetClose);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply, HasSubstr("x-content-type-options: nosniff\r\n"));
  EXPECT_THAT(reply, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(reply, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(reply, HasSubstr("Content-Length: 9\r\n"));
  EXPECT_THAT(reply, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(reply, HasSubstr("\r\n\r\nGET /x?y "));
}

TEST_F(HttpServerTest, TheHandlersHeadersReplaceItsOwn) {
  Start();
  const std::string reply =
      Ask("GET /headers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(reply, HasSubstr("Cache-Control: max-age=5\r\n"));
  EXPECT_THAT(reply, Not(HasSubstr("no-store")));
}

TEST_F(HttpServerTest, HeadHasTheHeadOfGetAndNoBody) {
  Start();
  const std::string reply = Ask("HEAD /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(reply, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(reply, testing::EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, HeadsMayBeCutAtEveryByte) {
  Start();
  Client client(server_->bound_address());
  for (size_t cut = 1; cut < kGet.size(); ++cut) {
    client.Send(kGet.substr(0, cut));
    client.Send(kGet.substr(cut));
    ASSERT_THAT(client.ReadReply(), HasSubstr("GET /x?y hello")) << cut;
  }
  for (const char byte : kGet) client.Send(absl::string_view(&byte, 1));
  EXPECT_THAT(client.ReadReply(), HasSubstr("GET /x?y hello"));
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  Start();
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    absl::StrAppend(&requests, "GET /", i, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  Client client(server_->bound_address());
  client.Send(requests);
  for (int i = 0; i < 50; ++i) {
    ASSERT_THAT(client.ReadReply(), HasSubstr(absl::StrCat("GET /", i, " ")));
  }
}

TEST_F(HttpServerTest, WhatFollowsARefusedRequestIsNotServed) {
  Start();
  const std::string smuggled = absl::StrCat(
      "GET /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: "
      "4\r\n\r\n",
      kGet);
  const std::string reply = Ask(smuggled);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 400"));
  EXPECT_EQ(reply.find("HTTP/1.1", 8), std::string::npos);
  EXPECT_EQ(handler_.handled, 0);
}

TEST_F(HttpServerTest, EveryRefusalHasItsStatusAndEndsTheConnection) {
  Start();
  const auto with = [](absl::string_view headers, absl::string_view line = "GET / HTTP/1.1") {
    return absl::StrCat(line, "\r\nHost: localhost\r\n", headers, "\r\n");
  };
  const std::vector<std::pair<std::string, int>> vectors = {
      {with("Content-Length: 3\r\n") + "abc", 413},
      {with("Content-Length: 0\r\nContent-Length: 0\r\n"), 400},
      {with("Content-Length: 0, 0\r\n"), 400},
      {with("Content-Length: +1\r\n"), 400},
      {with("Content-Length: 1\r\nContent-Length: 2\r\n"), 400},
      {with("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n", 413},
      {with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {with("Transfer-Encoding: xchunked\r\n"), 501},
      {with("Transfer-Encoding: chunked, identity\r\n"), 501},
      {with("Transfer-Encoding: chunked\r\n", "GET / HTTP/1.0"), 400},
      {with("Host: localhost\r\n"), 400},
      {with("X : y\r\n"), 400},
      {with(" folded\r\n"), 400},
      {with("no colon\r\n"), 400},
      {with("X: a\nY: b\r\n"), 400},
      {with("X: a\rY: b\r\n"), 400},
      {with(absl::StrCat("X: ", std::string(1, '\0'), "\r\n")), 400},
      {with("Origin: http://evil.test\r\n"), 403},
      {with("Sec-Fetch-Site: cross-site\r\n"), 403},
      {"GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n", 403},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {with("", "POST / HTTP/1.1"), 405},
      {with("Content-Length: 3\r\n", "PUT / HTTP/1.1") + "abc", 405},
      {with("", "OPTIONS * HTTP/1.1"), 405},
      {with("", "GET http://localhost/ HTTP/1.1"), 400},
      {with("", "GET / HTTP/2.0"), 400},
      {with("", "GET /"), 400},
      {with("", "GET  / HTTP/1.1"), 400},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"\r\n\r\n", 400},
      {std::string("\x16\x03\x01\x02\x00\x01", 6), 400},
      {with(absl::StrCat("X: ", std::string(70000, 'x'), "\r\n")), 431},
      {std::string(70000, 'x'), 431},
  };
  for (const auto& [request, status] : vectors) {
    const std::string reply = Ask(request);
    EXPECT_THAT(reply, StartsWith(absl::StrCat("HTTP/1.1 ", status, " ")))
        << request.substr(0, 200);
    EXPECT_THAT(reply, HasSubstr("Connection: close\r\n"));
    EXPECT_EQ(absl::StrContains(reply, "Allow: GET, HEAD") ||
                  absl::StrContains(reply, "allow: GET, HEAD"),
              status == 405);
    EXPECT_THAT(reply, Not(HasSubstr("ccess-control")));
  }
  EXPECT_EQ(handler_.handled, 0);
}

constexpr absl::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr absl::string_view kPost =
    "POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json; charset=utf-8\r\n";
std::string Post(absl::string_view rest) { return absl::StrCat(kPost, rest); }

TEST_F(HttpServerTest, ABodyComesByItsLengthOrInChunksCutAtEveryByte) {
  Start({.address = "", .max_body = 16});
  const std::string bodies[] = {Post("Content-Length: 8\r\n\r\n{\"a\": 1}"),
                                Post("Transfer-Encoding: chunked\r\n\r\n"
                                     "3\r\n{\"a\r\n5;x=y\r\n\": 1}\r\n0\r\n\r\n")};
  Client client(server_->bound_address());
  for (const std::string& request : bodies) {
    for (size_t cut = 1; cut < request.size(); ++cut) {
      client.Send(absl::string_view(request).substr(0, cut));
      client.Send(absl::string_view(request).substr(cut));
      ASSERT_THAT(client.ReadReply(), HasSubstr("POST /p {\"a\": 1}")) << cut;
    }
  }
  for (const char byte : Post("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")) {
    client.Send(absl::string_view(&byte, 1));
  }
  EXPECT_THAT(client.ReadReply(), testing::EndsWith("POST /p "));
  client.Send(absl::StrCat(bodies[1], bodies[0], kGet));
  for (int i = 0; i < 2; ++i) EXPECT_THAT(client.ReadReply(), HasSubstr("{\"a\": 1}"));
  EXPECT_THAT(client.ReadReply(), HasSubstr("GET /x?y hello"));
  client.Send(Post("\r\n"));
  EXPECT_THAT(client.ReadReply(), testing::EndsWith("POST /p "));
}

TEST_F(HttpServerTest, WhoAsksBeforeItSendsIsTold) {
  Start({.address = "", .max_body = 16});
  Client client(server_->bound_address());
  client.Send(Post("Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
  EXPECT_EQ(client.Read(kContinue.size()), kContinue);
  client.Send("{}");
  EXPECT_THAT(client.ReadReply(), HasSubstr("POST /p {}"));
}

TEST_F(HttpServerTest, EveryBodyThatIsNoneIsRefused) {
  Start({.address = "", .max_body = 4});
  const std::pair<std::string, const char*> cases[] = {
      {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", "415"},
      {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n\r\n", "415"},
      {Post("Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"), "415"},
      {Post("Content-Length: 5\r\n\r\n12345"), "413"},
      {Post("Content-Length: 99999999999999999999\r\n\r\n"), "400"},
      {Post("Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n"), "413"},
      {Post("Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "400"},
      {Post(absl::StrCat("Transfer-Encoding: chunked\r\n\r\n1;", std::string(80 << 10, 'x'))),
       "400"},
      {Post("Transfer-Encoding: gzip\r\n\r\n"), "501"},
      {Post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"), "400"},
      {"PUT / HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"}};
  for (const auto& [request, status] : cases) {
    EXPECT_THAT(Ask(request), StartsWith(absl::StrCat("HTTP/1.1 ", status))) << request;
  }
  EXPECT_EQ(handler_.handled, 0);
}

TEST_F(HttpServerTest, ASlowBodyIs408) {
  Start({.address = "", .body_timeout = absl::Milliseconds(20), .max_body = 4});
  EXPECT_THAT(Ask(Post("Content-Length: 2\r\n\r\n{")), StartsWith("HTTP/1.1 408"));
}

TEST_F(HttpServerTest, TheSumOfBodiesIsBounded) {
  Start({.address = "", .max_body = 8, .max_bodies = 12});
  Client first(server_->bound_address());
  first.Send(Post("Expect: 100-continue\r\nContent-Length: 8\r\n\r\n"));
  ASSERT_EQ(first.Read(kContinue.size()), kContinue);  // now it is being read
  EXPECT_THAT(Ask(Post("Content-Length: 8\r\n\r\n12345678")), StartsWith("HTTP/1.1 503"));
  first.Send("12345678");
  EXPECT_THAT(first.ReadReply(), HasSubstr("12345678"));
  Client third(server_->bound_address());
  third.Send(Post("Content-Length: 8\r\n\r\n12345678"));
  EXPECT_THAT(third.ReadReply(), HasSubstr("12345678"));
}

TEST_F(HttpServerTest, AForeignHostIsServedWhereTheCheckIsOff) {
  Start({.address = "127.0.0.1:0", .hosts = {.check = false, .allowed = {}}});
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nHost: 10.1.2.3:9464\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, AnOldClientIsAnsweredAndClosed) {
  Start();
  EXPECT_THAT(Ask("GET / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, ASlowHeadIs408AndASilentConnectionIsClosed) {
  Start({.address = "127.0.0.1:0", .head_timeout = absl::Milliseconds(30)});
  EXPECT_THAT(Ask("GET / HT"), StartsWith("HTTP/1.1 408"));
  EXPECT_EQ(Ask(""), "");
}

TEST_F(HttpServerTest, AKeptConnectionMayIdleLongerThanAHeadMayTake) {
  Start({.address = "127.0.0.1:0",
         .head_timeout = absl::Milliseconds(1000),
         .idle_timeout = absl::Milliseconds(30)});
  Client client(server_->bound_address());
  client.Send(kGet);
  EXPECT_THAT(client.ReadReply(), StartsWith("HTTP/1.1 200"));
  EXPECT_TRUE(client.AtEnd()) << "closed in silence once idle";
}

TEST_F(HttpServerTest, AReaderThatReadsNothingIsDropped) {
  Start({.address = "127.0.0.1:0", .write_timeout = absl::Milliseconds(50)});
  Client client(server_->bound_address());
  client.Send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  for (size_t left = 1; left != 0; Do([&] { left = server_->connections(); })) {
  }
  EXPECT_LT(client.ReadToEnd().size(), 32U << 20);
}

TEST_F(HttpServerTest, ALargeReplyArrivesWhole) {
  Start();
  EXPECT_GT(Ask("GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").size(),
            32U << 20);
}

TEST_F(HttpServerTest, WhoWaitsLongestMakesRoom) {
  Start({.address = "127.0.0.1:0", .max_connections = 4});
  Client busy(server_->bound_address());
  busy.Send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(handler_.started.WaitOpen());
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<Client>(server_->bound_address()));
    clients.back()->Send(i % 2 == 0 ? kGet : "GET / HT");
    if (i % 2 == 0) {
      EXPECT_THAT(clients.back()->ReadReply(), StartsWith("HTTP/1.1 200")) << i;
    }
  }
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(clients[static_cast<size_t>(i)]->AtEnd()) << i;
  EXPECT_EQ(Ask(kGetClose).substr(0, 12), "HTTP/1.1 200");
  Do([&] { handler_.released.Notify(); });
  EXPECT_THAT(busy.ReadReply(), StartsWith("HTTP/1.1 200")) << "a reply under way is not cut";
}

TEST_F(HttpServerTest, WhereAllAreBusyANewConnectionIsClosed) {
  Start({.address = "127.0.0.1:0", .max_connections = 1});
  Client busy(server_->bound_address());
  busy.Send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(handler_.started.WaitOpen());
  Client second(server_->bound_address());
  EXPECT_TRUE(second.AtEnd());
  Do([&] { handler_.released.Notify(); });
  EXPECT_THAT(busy.ReadReply(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, AClientThatGoesWhileItIsServed) {
  Start();
  {
    Client client(server_->bound_address());
    client.Send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(handler_.started.WaitOpen());
    const linger at_once{1, 0};
    setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  Do([&] { handler_.released.Notify(); });
  EXPECT_EQ(Ask(kGetClose).substr(0, 12), "HTTP/1.1 200");
}

TEST_F(HttpServerTest, StopLetsAReplyGoOut) {
  Start();
  Client idle(server_->bound_address());
  idle.Send(kGet);
  EXPECT_THAT(idle.ReadReply(), StartsWith("HTTP/1.1 200"));
  Client busy(server_->bound_address());
  busy.Send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(handler_.started.WaitOpen());
  std::promise<void> done;
  Do([&] { Spawn(StopServer(server_.get(), kNever, &done)); });
  EXPECT_TRUE(idle.AtEnd());
  Do([&] { handler_.released.Notify(); });
  EXPECT_THAT(busy.ReadReply(), HasSubstr("Connection: close\r\n"));
  shutdown(busy.fd(), SHUT_WR);
  done.get_future().wait();
}

TEST_F(HttpServerTest, StopCutsAReaderThatReadsNothing) {
  Start();
  Client client(server_->bound_address());
  client.Send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  char byte = 0;
  ASSERT_EQ(recv(client.fd(), &byte, 1, 0), 1);
  Stop(loop_.now());
  EXPECT_LT(client.ReadToEnd().size(), 32U << 20);
}

TEST_F(HttpServerTest, AnAddressInUseIsNamed) {
  Start();
  const auto second = HttpServer::Listen(&loop_, {.address = server_->bound_address()}, &handler_);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.status().message(), HasSubstr(server_->bound_address()));
  EXPECT_THAT(second.status().message(), HasSubstr("address in use"));
}

TEST_F(HttpServerTest, AddressesThatAreNone) {
  for (const char* address : {"", "127.0.0.1", ":80", "127.0.0.1:", "example.com:80", "[::1:80",
                              "127.0.0.1:http", "127.0.0.1:70000"}) {
    const auto server = HttpServer::Listen(&loop_, {.address = address}, &handler_);
    ASSERT_FALSE(server.ok()) << address;
    EXPECT_THAT(server.status().message(), HasSubstr(address));
  }
}

TEST_F(HttpServerTest, ListensOnIpv6) {
  const auto server = HttpServer::Listen(&loop_, {.address = "[::1]:0"}, &handler_);
  if (!server.ok()) GTEST_SKIP() << "SKIPPED: no IPv6 here: " << server.status();
  EXPECT_THAT((*server)->bound_address(), StartsWith("[::1]:"));
}

}  // namespace
}  // namespace mg
