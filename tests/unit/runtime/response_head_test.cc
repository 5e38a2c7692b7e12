#include "daemon/runtime/response_head.h"

#include <gtest/gtest.h>

#include "daemon/runtime/upstream_url.h"

namespace mg {
namespace {

bool AddAll(ResponseHead* head, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    if (!head->AddLine(line)) return false;
  }
  return true;
}

TEST(ResponseHeadTest, KeepsStatusAndHeaders) {
  ResponseHead head;
  EXPECT_TRUE(AddAll(&head, {"HTTP/1.1 429 Too Many\r\n", "A:1\r\n", "b: x : y \r\n", "C:\n"}));
  EXPECT_FALSE(head.complete());
  EXPECT_TRUE(head.AddLine("\r\n"));
  EXPECT_TRUE(head.complete());
  EXPECT_EQ(head.head().status, 429);
  EXPECT_EQ(FindHeader(head.head().headers, "B"), "x : y");
  EXPECT_EQ(head.head().headers.size(), 3U);
}

TEST(ResponseHeadTest, InformationalHeadsLeaveNothingBehind) {
  ResponseHead head;
  EXPECT_TRUE(AddAll(&head, {"HTTP/1.1 103 Early\r\n", "link: x\r\n", "\r\n", "HTTP/1.1 200\r\n",
                             "a: b\r\n", "\r\n", "trailer: z\r\n"}));
  EXPECT_EQ(head.head().status, 200);
  EXPECT_EQ(head.head().headers.size(), 1U);
}

TEST(ResponseHeadTest, FoldedHeadersAreOne) {
  ResponseHead head;
  EXPECT_TRUE(AddAll(&head, {"HTTP/1.1 200 OK\r\n", "a: b\r\n", "\t c\r\n", "\r\n"}));
  EXPECT_EQ(FindHeader(head.head().headers, "a"), "b c");
  ResponseHead first;
  EXPECT_FALSE(AddAll(&first, {"HTTP/1.1 200 OK\r\n", " a: b\r\n"}));
}

TEST(ResponseHeadTest, RefusesWhatIsNone) {
  for (const char* line : {"", "\r\n", "HTTP/1.1\r\n", "HTTP/1.1 2x0\r\n", "HTTP/1.1 20\r\n",
                           "HTTP/1.1 000 x\r\n", "ICY 200 OK\r\n", "a: b\r\n"}) {
    ResponseHead head;
    EXPECT_FALSE(head.AddLine(line)) << line;
    EXPECT_STRNE(head.problem(), "");
  }
  ResponseHead no_colon;
  EXPECT_FALSE(AddAll(&no_colon, {"HTTP/1.1 200 OK\r\n", "no colon\r\n"}));
}

TEST(UpstreamUrlTest, Parts) {
  const auto url = ParseUpstreamUrl("HTTPS://Api.Example.COM/v1?x=@y:1");
  ASSERT_TRUE(url.ok());
  EXPECT_TRUE(url->https);
  EXPECT_EQ(url->Peer(), "api.example.com:443");
  EXPECT_EQ(ParseUpstreamUrl("http://[::1]:8080?q")->Peer(), "[::1]:8080");
  EXPECT_EQ(ParseUpstreamUrl("http://h:080/")->Peer(), "h:80");
  EXPECT_EQ(ParseUpstreamUrl("http://h#f@g")->Peer(), "h:80");
}

TEST(UpstreamUrlTest, Refused) {
  for (const char* url :
       {"", "h", "ftp://h", "http:/h", "http://", "http:///p", "http://:80", "http://u@h",
        "http://u:p@h:1", "http://h:", "http://h:x", "http://h:70000", "http://h:-1", "http://[::1",
        "http://[::1]x", "http://h\t", "http://h /", "http://h\r\nx", "http://h\xc3\xa9"}) {
    EXPECT_FALSE(ParseUpstreamUrl(url).ok()) << url;
  }
}

TEST(UpstreamUrlTest, Loopback) {
  for (const char* host : {"localhost", "127.0.0.1", "127.9.9.9", "::1", "0:0:0:0:0:0:0:1"}) {
    EXPECT_TRUE(IsLoopback(host)) << host;
  }
  for (const char* host :
       {"128.0.0.1", "localhost.evil.test", "127.0.0.1.evil.test", "::2", "", "127"}) {
    EXPECT_FALSE(IsLoopback(host)) << host;
  }
  EXPECT_TRUE(IsIpLiteral("1.2.3.4"));
  EXPECT_TRUE(IsIpLiteral("fe80::1"));
  EXPECT_FALSE(IsIpLiteral("1.2.3"));
  EXPECT_FALSE(IsIpLiteral("a.b"));
}

}  // namespace
}  // namespace mg
