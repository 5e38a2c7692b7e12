#include "daemon/runtime/response_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/strings/str_cat.h"

namespace mg {
namespace {

using ::testing::HasSubstr;

struct Parsed {
  bool ok = true;
  bool complete = false;
  bool keep_alive = false;
  HttpHead head;
  std::string body;
  std::string problem;
};

Parsed Parse(const std::vector<absl::string_view>& pieces, bool ends = false,
             bool answers_head = false) {
  ResponseParser parser(answers_head);
  Parsed parsed;
  for (const absl::string_view piece : pieces) {
    parsed.ok = parsed.ok && parser.Take(piece, &parsed.body);
  }
  if (ends && parsed.ok) parsed.ok = parser.TakeEnd();
  parsed.complete = parsed.ok && parser.complete();
  parsed.keep_alive = parsed.complete && parser.keep_alive();
  parsed.head = parser.head();
  parsed.problem = parser.problem();
  return parsed;
}

constexpr absl::string_view kLength = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: y\r\n\r\nhello";
constexpr absl::string_view kChunked =
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n"
    "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\nx: y\r\n\r\n"
    "3;extension=1\r\nhel\r\n2\r\nlo\r\n0\r\nx-late: z\r\n\r\n";

TEST(ResponseParserTest, AnAnswerIsTheSameWhereverItIsCut) {
  for (const absl::string_view answer : {kLength, kChunked}) {
    for (size_t first = 0; first <= answer.size(); ++first) {
      for (size_t second = first; second <= answer.size(); second += 3) {
        const Parsed parsed = Parse(
            {answer.substr(0, first), answer.substr(first, second - first), answer.substr(second)});
        ASSERT_TRUE(parsed.complete) << first << " " << second << " " << parsed.problem;
        ASSERT_TRUE(parsed.keep_alive);
        ASSERT_EQ(parsed.body, "hello");
        ASSERT_EQ(parsed.head.status, answer == kLength ? 200 : 201);
        ASSERT_EQ(parsed.head.headers.size(), 2U) << "neither hints nor trailers";
        ASSERT_EQ(FindHeader(parsed.head.headers, "X"), "y");
      }
    }
  }
}

TEST(ResponseParserTest, AnAnswerMayComeByteByByte) {
  constexpr absl::string_view kEmpty =
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
  for (const absl::string_view answer : {kLength, kChunked, kEmpty}) {
    std::vector<absl::string_view> bytes;
    for (size_t i = 0; i < answer.size(); ++i) bytes.push_back(answer.substr(i, 1));
    const Parsed parsed = Parse(bytes);
    EXPECT_TRUE(parsed.complete) << parsed.problem;
    EXPECT_EQ(parsed.body, answer == kEmpty ? "" : "hello");
  }
}

TEST(ResponseParserTest, ABodyWithoutLengthGoesToTheEnd) {
  constexpr absl::string_view kHead = "HTTP/1.0 200 OK\r\n\r\n";
  EXPECT_FALSE(Parse({kHead, "hel", "lo"}).complete);
  const Parsed parsed = Parse({kHead, "hel", "lo"}, /*ends=*/true);
  EXPECT_TRUE(parsed.complete);
  EXPECT_FALSE(parsed.keep_alive);
  EXPECT_EQ(parsed.body, "hello");
}

TEST(ResponseParserTest, AnEndBeforeTheEndIsNone) {
  for (const absl::string_view answer : {kLength, kChunked}) {
    for (size_t cut = 0; cut < answer.size(); ++cut) {
      EXPECT_FALSE(Parse({answer.substr(0, cut)}, /*ends=*/true).complete) << cut;
    }
  }
}

TEST(ResponseParserTest, SomeAnswersHaveNoBodyWhateverTheySay) {
  constexpr absl::string_view kLong = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
  EXPECT_TRUE(Parse({kLong}, false, /*answers_head=*/true).complete);
  EXPECT_FALSE(Parse({kLong}).complete);
  for (const char* status : {"204 No Content", "304 Not Modified"}) {
    EXPECT_TRUE(
        Parse({absl::StrCat("HTTP/1.1 ", status, "\r\ncontent-length: 5\r\n\r\n")}).complete);
  }
}

TEST(ResponseParserTest, AConnectionIsKeptOnlyWhereBothMayTrustIt) {
  const auto kept = [](absl::string_view version, absl::string_view headers,
                       absl::string_view behind) {
    return Parse({absl::StrCat("HTTP/", version, " 200 OK\r\ncontent-length: 1\r\n", headers,
                               "\r\nx", behind)})
        .keep_alive;
  };
  EXPECT_TRUE(kept("1.1", "", ""));
  EXPECT_FALSE(kept("1.1", "connection: close\r\n", ""));
  EXPECT_FALSE(kept("1.0", "", ""));
  EXPECT_TRUE(kept("1.0", "connection: keep-alive\r\n", ""));
  EXPECT_FALSE(kept("1.1", "", "y")) << "what nobody asked for";
}

TEST(ResponseParserTest, FramingThatCanBeReadInTwoWaysIsRefused) {
  for (const char* headers :
       {"content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "content-length: 5\r\ncontent-length: 6\r\n", "content-length: +5\r\n",
        "content-length: 5x\r\n", "transfer-encoding: xchunked\r\n",
        "transfer-encoding: chunked, identity\r\n", "transfer-encoding: gzip, chunked\r\n",
        "content-length : 5\r\n", "x: a\rb\r\n", "x: a\nb\r\n"}) {
    const Parsed parsed = Parse({absl::StrCat("HTTP/1.1 200 OK\r\n", headers, "\r\nhello")});
    EXPECT_FALSE(parsed.ok) << headers;
    EXPECT_FALSE(parsed.problem.empty());
  }
}

TEST(ResponseParserTest, EndlessHeadsOfChunksAreRefused) {
  ResponseParser parser(false);
  std::string body;
  ASSERT_TRUE(parser.Take("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;x=", &body));
  const std::string more(1000, 'a');
  int pieces = 0;
  while (parser.Take(more, &body)) ASSERT_LT(++pieces, 100);
  EXPECT_THAT(parser.problem(), HasSubstr("endless"));
}

}  // namespace
}  // namespace mg
