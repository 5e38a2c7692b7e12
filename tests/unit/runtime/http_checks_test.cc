#include "daemon/runtime/http_checks.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace mg {
namespace {

constexpr absl::string_view kGood = "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\tb\r\n\r\n";

int StatusOf(const std::optional<HttpRefusal>& refusal) {
  return refusal.has_value() ? refusal->status : 0;
}

// The verdict on `bytes` that come in two pieces, cut at `cut`; the end of the head in `end`.
int Scan(absl::string_view bytes, size_t cut, size_t* end) {
  HeadScan scan;
  int status = StatusOf(scan.Continue(bytes.substr(0, cut)));
  if (status == 0) status = StatusOf(scan.Continue(bytes));
  *end = scan.end();
  return status;
}

TEST(HeadScanTest, FindsTheEndWhereverItIsCut) {
  const std::string more = absl::StrCat(kGood, "GET\n");
  for (size_t cut = 0; cut <= more.size(); ++cut) {
    size_t end = 0;
    EXPECT_EQ(Scan(more, cut, &end), 0) << cut;
    EXPECT_EQ(end, kGood.size()) << cut;
  }
}

TEST(HeadScanTest, IsNotWholeOneByteBefore) {
  HeadScan scan;
  for (size_t size = 0; size < kGood.size(); ++size) {
    EXPECT_EQ(StatusOf(scan.Continue(kGood.substr(0, size))), 0);
    EXPECT_EQ(scan.end(), 0U) << size;
  }
}

TEST(HeadScanTest, RefusesWhatHidesALine) {
  const std::string vectors[] = {
      "GET / HTTP/1.1\nHost: localhost\n\n",
      "GET / HTTP/1.1\r\nHost: localhost\n\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\n folded: yes\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\n\tfolded: yes\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\r\n\r\n",
      absl::StrCat("GET / HTTP/1.1\r\nHost: local", std::string(1, '\0'), "host\r\n\r\n"),
      "GET / HTTP/1.1\r\nHost: localhost\r\nX: \x1b[31m\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\nX: \x7f\r\n\r\n",
      "\n",
  };
  for (const std::string& vector : vectors) {
    for (size_t cut = 0; cut <= vector.size(); ++cut) {
      size_t end = 0;
      EXPECT_EQ(Scan(vector, cut, &end), 400) << vector << " at " << cut;
    }
  }
}

TEST(HeadScanTest, KeepsItsLimit) {
  const std::string begin = "GET / HTTP/1.1\r\nX: ";
  const std::string fits =
      absl::StrCat(begin, std::string(kMaxRequestHead - begin.size() - 4, 'x'), "\r\n\r\n");
  ASSERT_EQ(fits.size(), kMaxRequestHead);
  HeadScan scan;
  EXPECT_EQ(StatusOf(scan.Continue(fits)), 0);
  EXPECT_EQ(scan.end(), kMaxRequestHead);
  HeadScan whole;
  EXPECT_EQ(StatusOf(whole.Continue(absl::StrCat("G", fits))), 431);
  HeadScan endless;
  EXPECT_EQ(StatusOf(endless.Continue(std::string(kMaxRequestHead + 1, 'x'))), 431);
}

HttpRequestHead Head(HttpHeaders headers) {
  HttpRequestHead head;
  head.method = "GET";
  head.target = "/x";
  head.headers = std::move(headers);
  return head;
}

int Check(HttpHeaders more, absl::string_view method = "GET", int version = 11) {
  HttpRequestHead head = Head({{"Host", "localhost"}});
  head.method = std::string(method);
  head.version = version;
  for (HttpHeader& header : more) head.headers.push_back(std::move(header));
  return StatusOf(CheckRequest(head, {}));
}

TEST(CheckRequestTest, ExactlyOneHost) {
  EXPECT_EQ(StatusOf(CheckRequest(Head({}), {})), 400);
  EXPECT_EQ(Check({}), 0);
  EXPECT_EQ(Check({{"host", "localhost"}}), 400);
  EXPECT_EQ(StatusOf(CheckRequest(Head({}), {.check = false})), 400);
}

TEST(CheckRequestTest, Lengths) {
  EXPECT_EQ(Check({{"content-length", "0"}}), 0);
  EXPECT_EQ(Check({{"Content-Length", "5"}}), 413);
  for (const char* length : {"", "+0", "-1", "0x0", "5, 5", "0 0", "0,", "1e1"}) {
    EXPECT_EQ(Check({{"content-length", length}}), 400) << length;
  }
  EXPECT_EQ(Check({{"content-length", "0"}, {"content-length", "0"}}), 400);
  EXPECT_EQ(Check({{"content-length", "99999999999999999999999999"}}), 413);
}

TEST(CheckRequestTest, TransferEncodings) {
  EXPECT_EQ(Check({{"transfer-encoding", "chunked"}}), 413);
  EXPECT_EQ(Check({{"transfer-encoding", "chunked"}, {"content-length", "0"}}), 400);
  EXPECT_EQ(Check({{"transfer-encoding", "chunked"}}, "GET", 10), 400);
  for (const char* encoding : {"xchunked", "chunked, identity", "identity", "gzip", "",
                               "chunked, chunked", "gzip, chunked"}) {
    EXPECT_EQ(Check({{"transfer-encoding", encoding}}), 501) << encoding;
  }
  EXPECT_EQ(Check({{"transfer-encoding", "chunked"}, {"transfer-encoding", "chunked"}}), 501);
}

TEST(CheckRequestTest, Methods) {
  EXPECT_EQ(Check({}, "HEAD"), 0);
  for (const char* method : {"POST", "PUT", "OPTIONS", "get", "CONNECT", "TRACE", "PRI"}) {
    EXPECT_EQ(Check({}, method), 405) << method;
  }
}

TEST(CheckRequestTest, Bodies) {
  const auto check = [](HttpHeaders headers, size_t max_body) {
    headers.push_back({"host", "localhost"});
    HttpRequestHead head = Head(std::move(headers));
    head.method = "POST";
    return StatusOf(CheckRequest(head, {}, max_body));
  };
  EXPECT_EQ(check({{"content-type", "Application/JSON ; charset=utf-8"}}, 4), 0);
  EXPECT_EQ(check({{"content-type", "application/json"}, {"content-length", "4"}}, 4), 0);
  EXPECT_EQ(check({{"content-type", "application/json"}, {"content-length", "5"}}, 4), 413);
  EXPECT_EQ(check({{"content-type", "application/json"}, {"content-encoding", "br"}}, 4), 415);
  EXPECT_EQ(check({{"content-type", "application/json"}, {"content-encoding", "identity"}}, 4), 0);
  for (const char* type : {"", "text/plain", "application/jsonx", "multipart/form-data"}) {
    EXPECT_EQ(check({{"content-type", type}}, 4), 415) << type;
  }
  EXPECT_EQ(check({{"content-type", "application/json"}}, 0), 405);
}

TEST(CheckRequestTest, Targets) {
  for (const char* target : {"http://localhost/", "*", "", "x"}) {
    HttpRequestHead head = Head({{"host", "localhost"}});
    head.target = target;
    EXPECT_EQ(StatusOf(CheckRequest(head, {})), 400) << target;
  }
}

TEST(CheckRequestTest, Hosts) {
  const HttpHostPolicy policy{.check = true, .allowed = {"gateway.example"}};
  for (const char* host : {"localhost", "LocalHost:80", "127.0.0.1", "127.0.0.1:9464", "[::1]",
                           "[::1]:1", "gateway.example", "Gateway.Example:443"}) {
    EXPECT_EQ(StatusOf(CheckRequest(Head({{"host", host}}), policy)), 0) << host;
  }
  for (const char* host : {"evil.test", "localhost.evil.test", "evil.test:80", "localhost:", "",
                           "localhost:80:80", "[::1", "127.0.0.2", "::1", "localhost@evil.test",
                           "localhost:80@evil.test", "evil.test#localhost", "gateway.example."}) {
    EXPECT_EQ(StatusOf(CheckRequest(Head({{"host", host}}), policy)), 403) << host;
    EXPECT_EQ(StatusOf(CheckRequest(Head({{"host", host}}), {.check = false})), 0) << host;
  }
}

TEST(CheckRequestTest, Origins) {
  EXPECT_EQ(Check({{"origin", "http://localhost:7413"}}), 0);
  EXPECT_EQ(Check({{"origin", "https://[::1]:7413"}}), 0);
  for (const char* origin : {"null", "http://evil.test", "https://localhost.evil.test", "localhost",
                             "file://localhost", "http://localhost:80/x", ""}) {
    EXPECT_EQ(Check({{"origin", origin}}), 403) << origin;
  }
  EXPECT_EQ(Check({{"sec-fetch-site", "same-origin"}}), 0);
  EXPECT_EQ(Check({{"sec-fetch-site", "none"}}), 0);
  EXPECT_EQ(Check({{"sec-fetch-site", "cross-site"}}), 403);
  EXPECT_EQ(Check({{"sec-fetch-site", "same-site"}}), 403);
}

}  // namespace
}  // namespace mg
