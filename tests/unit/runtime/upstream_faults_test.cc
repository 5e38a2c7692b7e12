// What a hostile or broken provider does to an exchange, and what becomes of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <random>

#include "base/check.h"
#include "base/error.h"
#include "tests/support/fake_upstream.h"
#include "tests/unit/runtime/loop_thread.h"

namespace mg {
namespace {

using ::testing::HasSubstr;

constexpr absl::string_view kHead = "HTTP/1.1 200 OK\r\n";

// A request for `upstream`, over a connection of our own or as if it were a proxy, which libcurl
// carries.
void Direct(const FakeUpstream& upstream, bool proxied, Ask* ask) {
  ask->request.url = proxied ? "http://far.fake/" : upstream.Url("/");
  ask->request.body = "{}";
  if (proxied) ask->endpoint.proxy = upstream.Url();
}

class UpstreamFaultsTest : public ::testing::TestWithParam<bool> {
 protected:
  static bool proxied() { return GetParam(); }

  static Answer Post(const FakeUpstream& upstream, LoopThread* loop) {
    Ask ask;
    Direct(upstream, proxied(), &ask);
    return loop->Finish(&ask);
  }
  static Answer AnswerTo(Script script) {
    FakeUpstream upstream;
    upstream.Otherwise().Reply(std::move(script));
    LoopThread loop;
    return Post(upstream, &loop);
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, UpstreamFaultsTest, ::testing::Bool(),
                         [](const auto& way) { return way.param ? "ByProxy" : "Direct"; });

// The status that ended it, wherever that was.
absl::Status EndOf(const Answer& answer) {
  return answer.head_status.ok() ? answer.body_status : answer.head_status;
}

TEST_P(UpstreamFaultsTest, ACutAtAnyByteIsToldAsSuch) {
  const std::string body(64, 'x');
  const size_t whole = Script().Body(body).WireSize();
  for (const bool reset : {false, true}) {
    for (size_t k = 0; k < whole; k += k < 8 ? 1 : 7) {
      Script script;
      script.Body(body);
      const Answer answer = AnswerTo(reset ? script.ResetAtByte(k) : script.CloseAtByte(k));
      EXPECT_EQ(ClassOf(EndOf(answer)), ErrorClass::kReset) << k << " " << EndOf(answer);
      EXPECT_EQ(answer.head_status.ok(), k >= whole - body.size()) << k;
      EXPECT_TRUE(answer.sent);
    }
  }
  EXPECT_TRUE(EndOf(AnswerTo(Script().Body(body).CloseAtByte(whole))).ok());
}

TEST_P(UpstreamFaultsTest, ACutInAChunkedStreamIsAReset) {
  const Answer closed = AnswerTo(Script().Chunked().Event("one").Close());
  EXPECT_EQ(ClassOf(closed.body_status), ErrorClass::kReset) << closed.body_status;
  EXPECT_EQ(closed.body, "data: one\n\n") << "what came before the cut is not lost";
  const Answer reset = AnswerTo(Script().Chunked().Event("one").Reset());
  EXPECT_EQ(ClassOf(reset.body_status), ErrorClass::kReset);
}

TEST_P(UpstreamFaultsTest, TrickledAnswersArriveWhole) {
  using std::chrono::milliseconds;
  EXPECT_EQ(AnswerTo(Script().Body("abcdef").Trickle(1, milliseconds(0))).body, "abcdef");
  EXPECT_EQ(AnswerTo(Script().Chunked().Body("abc").Body("def").Trickle(1, milliseconds(0))).body,
            "abcdef");
  EXPECT_EQ(AnswerTo(Script().Gzip().Body("abc").Body("def").Trickle(1, milliseconds(0))).body,
            "abcdef");
}

TEST_P(UpstreamFaultsTest, AHalfClosedUpstreamMayStillEndItsAnswer) {
  EXPECT_EQ(AnswerTo(Script().UntilClose().Body("all").HalfClose()).body, "all");
  EXPECT_EQ(AnswerTo(Script().Body("all").HalfClose()).body, "all");
}

TEST_P(UpstreamFaultsTest, WrongLengths) {
  const Answer shorter = AnswerTo(Script().ContentLength(10).Body("12345").ThenClose());
  EXPECT_EQ(ClassOf(shorter.body_status), ErrorClass::kReset);
  EXPECT_EQ(shorter.body, "12345");
  const Answer longer = AnswerTo(Script().ContentLength(3).Body("12345"));
  EXPECT_TRUE(longer.body_status.ok());
  EXPECT_EQ(longer.body, "123");
}

constexpr absl::string_view kSmuggled = "HTTP/1.1 500 Smuggled\r\ncontent-length: 0\r\n\r\n";

// Bytes behind an answer that come with its head, with its body, and after it: none is an answer to
// the next request.
TEST_P(UpstreamFaultsTest, BytesAfterAnAnswerAreNoAnswerToTheNext) {
  for (const bool body_by_itself : {false, true}) {
    FakeUpstream upstream;
    Gate gate;
    Script first;
    first.ContentLength(2);
    if (body_by_itself) first.Hold(gate);
    first.Body(absl::StrCat("ok", kSmuggled));
    upstream.Otherwise().Reply(first).Reply(Script().Body("second"));
    LoopThread loop;
    Ask ask;
    Direct(upstream, proxied(), &ask);
    loop.Start(&ask);
    ASSERT_TRUE(ask.head_taken.WaitOpen());
    gate.Open();
    ask.Wait();
    EXPECT_EQ(ask.answer.body, "ok");
    const Answer second = Post(upstream, &loop);
    EXPECT_EQ(second.head.status, 200) << second.head_status;
    EXPECT_EQ(second.body, "second");
  }
}

TEST_P(UpstreamFaultsTest, BytesOnAConnectionInThePoolMakeItUnusable) {
  FakeUpstream upstream;
  Gate gate;
  upstream.Otherwise()
      .Reply(Script().ContentLength(2).Body("ok").Hold(gate).Body(kSmuggled))
      .Reply(Script().Body("second"));
  LoopThread loop;
  EXPECT_EQ(Post(upstream, &loop).body, "ok");
  gate.Open();
  ASSERT_TRUE(upstream.WaitForOpenConnections(0));
  EXPECT_EQ(Post(upstream, &loop).body, "second");
}

TEST_P(UpstreamFaultsTest, AnswersThatAreNone) {
  const std::string long_line(200 << 10, 'a');
  const std::vector<std::pair<const char*, std::string>> answers = {
      {"no HTTP", "hello, I am no HTTP server\r\n\r\n"},
      {"HTTP/0.9", "<html>oops</html>"},
      {"SSH", "SSH-2.0-OpenSSH_9.2\r\n"},
      {"status", "HTTP/1.1 abc OK\r\n\r\n"},
      {"switch", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"},
      {"chunk size",
       absl::StrCat(kHead, "transfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n")},
      {"chunk end", absl::StrCat(kHead, "transfer-encoding: chunked\r\n\r\n3\r\nabcXYZW")},
      {"length", absl::StrCat(kHead, "content-length: -5\r\n\r\nabc")},
      {"encoding", absl::StrCat(kHead, "content-encoding: br\r\ncontent-length: 3\r\n\r\nabc")},
      {"zstd", absl::StrCat(kHead, "content-encoding: gzip, zstd\r\ncontent-length: 1\r\n\r\na")},
      {"transfer", absl::StrCat(kHead, "transfer-encoding: zstd\r\n\r\na")},
      {"no gzip",
       absl::StrCat(kHead, "content-encoding: gzip\r\ncontent-length: 8\r\n\r\nnot gzip")},
      {"long line", absl::StrCat(kHead, "x: ", long_line, "\r\n\r\n")},
      {"long status", absl::StrCat("HTTP/1.1 200 ", long_line, "\r\n\r\n")},
  };
  for (const auto& [what, bytes] : answers) {
    const Answer answer = AnswerTo(Script().Raw(bytes));
    EXPECT_EQ(ClassOf(EndOf(answer)), ErrorClass::kMalformed) << what << ": " << EndOf(answer);
  }
}

TEST_P(UpstreamFaultsTest, ACorruptGzipStreamIsMalformed) {
  std::string corrupt = Gzipped(std::string(1000, 'x') + "hello");
  corrupt[corrupt.size() - 6] ^= 1;  // of its check sum
  const Answer answer = AnswerTo(Script().Header("content-encoding", "gzip").Body(corrupt));
  EXPECT_EQ(ClassOf(answer.body_status), ErrorClass::kMalformed) << answer.body_status;
}

TEST_P(UpstreamFaultsTest, TheHeadMayHave64KiBInAll) {
  const auto of_size = [](size_t bytes) {
    std::string head = absl::StrCat(kHead, "content-length: 2\r\n");
    while (bytes - head.size() > 1100) absl::StrAppend(&head, "x: ", std::string(995, 'a'), "\r\n");
    const size_t left = bytes - head.size() - 7;
    absl::StrAppend(&head, "x: ", std::string(left, 'b'), "\r\n\r\n");
    return head;
  };
  ASSERT_EQ(of_size(64 << 10).size(), 64U << 10);
  const Answer largest = AnswerTo(Script().Raw(of_size(64 << 10)).Body("ok"));
  EXPECT_EQ(largest.body, "ok") << EndOf(largest);
  const Answer larger = AnswerTo(Script().Raw(of_size((64 << 10) + 1)).Body("ok"));
  EXPECT_EQ(ClassOf(larger.head_status), ErrorClass::kMalformed);
}

TEST_P(UpstreamFaultsTest, InformationalHeadsAreSkippedUpToAHundred) {
  const Answer hundred = AnswerTo(Script().Informational(100).Body("ok"));
  EXPECT_EQ(hundred.head.status, 200);
  EXPECT_EQ(hundred.body, "ok");
  const Answer more = AnswerTo(Script().Informational(101).Body("ok"));
  EXPECT_EQ(ClassOf(more.head_status), ErrorClass::kMalformed);
}

TEST_P(UpstreamFaultsTest, TrailersAreNoHeaders) {
  const Answer answer = AnswerTo(Script().Raw(absl::StrCat(
      kHead, "transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-late: 1\r\n", "\r\n")));
  EXPECT_TRUE(answer.body_status.ok()) << answer.body_status;
  EXPECT_EQ(answer.body, "ok");
  EXPECT_EQ(FindHeader(answer.head.headers, "x-late"), "");
}

TEST_P(UpstreamFaultsTest, ABombIsMalformedLongBeforeItIsWhole) {
  const Answer answer = AnswerTo(Script().GzipBomb(1 << 30));
  EXPECT_EQ(ClassOf(answer.body_status), ErrorClass::kMalformed) << answer.body_status;
  EXPECT_THAT(answer.body_status.message(), HasSubstr("bomb"));
  EXPECT_LT(answer.body.size(), 32U << 20);
}

TEST_P(UpstreamFaultsTest, WellCompressedAnswersOfAUsefulSizePass) {
  const std::string body(8 << 20, ' ');
  EXPECT_EQ(AnswerTo(Script().Gzip().Body(body)).body.size(), body.size());
}

struct TakenLate {
  size_t bytes = 0;
  size_t largest = 0;  // piece
  absl::Status end;
};

// Takes the head, then nothing until it is woken, then what there is.
Task<void> TakeLate(LoopThread* loop, const Ask* ask, Cancellation* wake, TakenLate* taken,
                    std::promise<void>* done) {
  {
    const auto exchange = loop->client()->Start(ask->request, ask->endpoint, absl::Seconds(20));
    (void)co_await exchange->Head(kNever, nullptr);
    (void)co_await SleepUntil(loop->loop(), kNever, wake);
    absl::StatusOr<std::string> piece = std::string("some");
    while (piece.ok() && !piece->empty()) {
      piece = co_await exchange->Read(kNever, nullptr);
      if (!piece.ok()) break;
      taken->bytes += piece->size();
      taken->largest = std::max(taken->largest, piece->size());
    }
    taken->end = piece.status();
  }
  done->set_value();
}

TEST_P(UpstreamFaultsTest, ABodyThatNobodyTakesWaitsAtItsProvider) {
  constexpr size_t kBody = size_t{80} << 20;  // more than sockets hold
  for (const bool compressed : {false, true}) {
    FakeUpstream upstream;
    Script script;
    if (compressed) script.Gzip();
    std::string noise(1 << 20, '\0');
    std::minstd_rand random(1);
    for (char& c : noise) c = static_cast<char>(random());
    for (int i = 0; i < 80; ++i) script.Body(noise);
    upstream.Otherwise().Reply(std::move(script));
    LoopThread loop;
    Cancellation wake;
    TakenLate taken;
    std::promise<void> done;
    Ask ask;
    Direct(upstream, proxied(), &ask);
    loop.Do([&] { Spawn(TakeLate(&loop, &ask, &wake, &taken, &done)); });
    ASSERT_TRUE(upstream.WaitForHits(1));
    loop.Do([&] { wake.Cancel(absl::CancelledError("awake")); });
    done.get_future().wait();
    EXPECT_TRUE(taken.end.ok()) << taken.end;
    EXPECT_EQ(taken.bytes, kBody);
    EXPECT_LE(taken.largest, compressed ? size_t{5} << 20 : size_t{512} << 10);
  }
}

TEST_P(UpstreamFaultsTest, ABodyThatIsTakenMayBeOfAnyLength) {
  FakeUpstream upstream;
  Script script;
  script.Chunked();
  for (int i = 0; i < 100; ++i) script.Body(std::string(1 << 20, 'x'));
  upstream.Otherwise().Reply(std::move(script));
  LoopThread loop;
  EXPECT_EQ(Post(upstream, &loop).body.size(), 100U << 20);
}

TEST_P(UpstreamFaultsTest, AnAnswerBeforeTheRequestIsReadIsSeen) {
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Status(413).Body("too large").BeforeRequestBody().Stall());
  LoopThread loop;
  Ask ask;
  Direct(upstream, proxied(), &ask);
  ask.request.body = std::string(64 << 20, 'x');
  loop.Start(&ask);
  ASSERT_TRUE(ask.head_taken.WaitOpen());
  ask.Wait();
  EXPECT_EQ(ask.answer.head.status, 413);
  EXPECT_EQ(ask.answer.body, "too large");
}

// A cancellation closes the connection, wherever the exchange is.
class UpstreamCancelTest : public ::testing::TestWithParam<bool> {
 protected:
  void StartAsk(size_t body_bytes = 2) {
    Direct(upstream_, GetParam(), &ask_);
    absl::StrAppend(&ask_.request.url, "x");
    ask_.request.body = std::string(body_bytes, 'x');
    loop_.Start(&ask_);
  }
  void CancelAndExpectAbort() {
    loop_.Cancel(&ask_);
    ask_.Wait();
    EXPECT_EQ(EndOf(ask_.answer).code(), absl::StatusCode::kCancelled);
    ASSERT_TRUE(upstream_.WaitForAborts(1));
    EXPECT_EQ(upstream_.aborts().at(0).path, GetParam() ? "http://far.fake/x" : "/x");
    EXPECT_TRUE(upstream_.WaitForOpenConnections(0));
  }

  FakeUpstream upstream_;
  LoopThread loop_;
  Gate gate_;
  Ask ask_;
};

INSTANTIATE_TEST_SUITE_P(Ways, UpstreamCancelTest, ::testing::Bool(),
                         [](const auto& way) { return way.param ? "ByProxy" : "Direct"; });

TEST_P(UpstreamCancelTest, BeforeTheHead) {
  upstream_.Otherwise().Reply(Script().HoldHead(gate_));
  StartAsk();
  ASSERT_TRUE(gate_.WaitReached());
  CancelAndExpectAbort();
  EXPECT_EQ(upstream_.aborts().at(0).bytes_sent, 0U);
}

TEST_P(UpstreamCancelTest, WhileTheRequestGoesOut) {
  // As the body is not read, the peer's FIN does not come through; what is sent shows that nobody
  // is there.
  upstream_.Otherwise().Reply(Script().BeforeRequestBody().HoldHead(gate_).Stall());
  StartAsk(64 << 20);
  ASSERT_TRUE(gate_.WaitReached());
  loop_.Cancel(&ask_);
  ask_.Wait();
  EXPECT_EQ(EndOf(ask_.answer).code(), absl::StatusCode::kCancelled);
  gate_.Open();
  EXPECT_TRUE(upstream_.WaitForAborts(1));
  EXPECT_TRUE(upstream_.WaitForOpenConnections(0));
}

TEST_P(UpstreamCancelTest, BetweenHeadAndBody) {
  upstream_.Otherwise().Reply(Script().Stall().Body("never"));
  StartAsk();
  ASSERT_TRUE(ask_.head_taken.WaitOpen());
  CancelAndExpectAbort();
}

TEST_P(UpstreamCancelTest, InTheMiddleOfAStream) {
  upstream_.Otherwise().Reply(Script().Chunked().Event("one").Stall().Event("two"));
  StartAsk();
  ASSERT_TRUE(ask_.first_read.WaitOpen());
  CancelAndExpectAbort();
}

TEST_P(UpstreamCancelTest, BeforeItsStart) {
  upstream_.Otherwise().Reply(Script());
  loop_.Cancel(&ask_);
  StartAsk();
  ask_.Wait();
  EXPECT_EQ(ask_.answer.head_status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(loop_.counters().exchanges_in_flight, 0);
}

TEST_P(UpstreamCancelTest, OneOfManyLeavesTheOthersAlone) {
  const std::string before = GetParam() ? "http://far.fake" : "";
  upstream_.When(before + "/x").Reply(Script().Chunked().Event("one").Stall());
  upstream_.When(before + "/y").Reply(Script().Chunked().Event("one").Hold(gate_).Event("two"));
  Ask other;
  Direct(upstream_, GetParam(), &other);
  absl::StrAppend(&other.request.url, "y");
  loop_.Start(&other);
  StartAsk();
  ASSERT_TRUE(other.first_read.WaitOpen());
  ASSERT_TRUE(ask_.first_read.WaitOpen());
  loop_.Cancel(&ask_);
  ask_.Wait();
  ASSERT_TRUE(upstream_.WaitForAborts(1));
  gate_.Open();
  other.Wait();
  EXPECT_EQ(other.answer.body, "data: one\n\ndata: two\n\n");
}

TEST(UpstreamConnectTest, ARefusedPortIsConnect) {
  std::string url;
  {
    const FakeUpstream gone;
    url = gone.Url("/secret?key=secret");
  }
  LoopThread loop;
  const Answer answer = loop.Get(url);
  EXPECT_EQ(ClassOf(answer.head_status), ErrorClass::kConnect);
  EXPECT_EQ(ConnectStepOf(answer.head_status), ConnectStep::kConnection);
  EXPECT_FALSE(answer.sent);
  EXPECT_THAT(answer.head_status.message(), HasSubstr("127.0.0.1:"));
  EXPECT_THAT(answer.head_status.message(), HasSubstr("refused"));
  EXPECT_THAT(answer.head_status.message(), ::testing::Not(HasSubstr("secret")));
}

// A listening socket whose queue is full: the kernel drops what else knocks.
class FullPort {
 public:
  FullPort() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    const int bound = bind(listener_, reinterpret_cast<sockaddr*>(&address_), size);
    MG_CHECK(bound == 0, "a free port");
    listen(listener_, 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &size);
    for (int& fd : knocks_) {
      fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      const int begun = connect(fd, reinterpret_cast<sockaddr*>(&address_), size);
      MG_CHECK(begun == 0 || errno == EINPROGRESS, "a connection begins");
    }
  }
  ~FullPort() {
    for (const int fd : knocks_) close(fd);
    close(listener_);
  }
  std::string Url() const { return absl::StrCat("http://127.0.0.1:", ntohs(address_.sin_port)); }

 private:
  const int listener_;
  int knocks_[8] = {};
  sockaddr_in address_{};
};

TEST(UpstreamConnectTest, TheConnectTimeoutEndsASilentConnect) {
  const FullPort port;
  LoopThread loop;
  Ask ask;
  ask.request.url = port.Url();
  ask.connect_timeout = absl::Milliseconds(50);
  const Answer answer = loop.Finish(&ask);
  EXPECT_EQ(ClassOf(answer.head_status), ErrorClass::kConnect) << answer.head_status;
  EXPECT_THAT(answer.head_status.message(), HasSubstr("in time"));
  EXPECT_FALSE(answer.sent);
}

TEST(UpstreamConnectTest, ACancellationEndsASilentConnect) {
  const FullPort port;
  LoopThread loop;
  Ask ask;
  ask.request.url = port.Url();
  loop.Start(&ask);
  loop.Cancel(&ask);
  ask.Wait();
  EXPECT_EQ(ask.answer.head_status.code(), absl::StatusCode::kCancelled);
}

TEST(UpstreamConnectTest, TheConnectTimeoutDoesNotCoverTheAnswer) {
  FakeUpstream upstream;
  upstream.Otherwise().Reply(
      Script().DelayHead(std::chrono::milliseconds(300)).Body("slow, but there"));
  LoopThread loop;
  Ask ask;
  ask.request.url = upstream.Url("/");
  ask.connect_timeout = absl::Milliseconds(100);
  EXPECT_EQ(loop.Finish(&ask).body, "slow, but there");
}

}  // namespace
}  // namespace mg
