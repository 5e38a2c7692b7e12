#include "adapters/sse.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mg {
namespace {

struct Seen {
  std::vector<std::string> data;
  absl::Status status;

  void Feed(SseParser* parser, absl::string_view bytes) {
    status = parser->Feed(bytes, [this](const SseEvent& event) {
      data.emplace_back(event.data);
      return absl::OkStatus();
    });
  }
};

TEST(Sse, CapCountsTheWholeEventAndNotThoseBefore) {
  SseParser parser(100);
  Seen seen;
  for (int i = 0; i < 10; ++i)
    seen.Feed(&parser, "data: 0123456789012345678901234567890123456789\n\n");
  EXPECT_TRUE(seen.status.ok());
  EXPECT_EQ(seen.data.size(), 10u);
  seen.Feed(&parser, "data: " + std::string(60, 'x') + "\nid: " + std::string(40, 'y') + "\n");
  EXPECT_EQ(seen.status.code(), absl::StatusCode::kResourceExhausted);
}

TEST(Sse, CapHoldsForALineWithoutEnd) {
  SseParser parser(1000);
  Seen seen;
  for (int i = 0; i < 200 && seen.status.ok(); ++i) seen.Feed(&parser, "data: 789");
  EXPECT_EQ(seen.status.code(), absl::StatusCode::kResourceExhausted);
}

TEST(Sse, ExactlyTheCapPasses) {
  SseParser parser(16);
  Seen seen;
  seen.Feed(&parser, "data: 0123456789\n\n");
  EXPECT_TRUE(seen.status.ok());
  EXPECT_EQ(seen.data, std::vector<std::string>{"0123456789"});
}

TEST(Sse, CommentsForHoursAreNoLargeEvent) {
  SseParser parser(100);
  Seen seen;
  for (int i = 0; i < 1000; ++i) seen.Feed(&parser, ": keep-alive\n");
  seen.Feed(&parser, "data: a\n\n");
  EXPECT_TRUE(seen.status.ok());
  EXPECT_EQ(seen.data, std::vector<std::string>{"a"});
}

TEST(Sse, ADocumentBetweenTheEventsIsOne) {
  SseParser parser;
  Seen seen;
  seen.Feed(&parser, "data: a\n\n{\n  \"error\": {\"code\": 5}\n}\ndata: b\n{c\n\n");
  EXPECT_TRUE(seen.status.ok());
  EXPECT_EQ(seen.data, (std::vector<std::string>{"a", "{  \"error\": {\"code\": 5}}", "b"}));
}

TEST(Sse, LinesOfEveryLengthEnd) {
  SseParser parser;
  Seen seen;
  std::vector<std::string> all;
  for (size_t size = 1; size < 50; ++size) {
    for (const char* end : {"\n", "\r", "\r\n"}) {
      all.emplace_back(size, 'x');
      seen.Feed(&parser, "data:" + all.back() + end + end);
      ASSERT_TRUE(seen.status.ok());
    }
  }
  EXPECT_EQ(seen.data, all);
}

TEST(Sse, TheVisitorsStatusEndsTheParsing) {
  SseParser parser;
  int calls = 0;
  const auto status = parser.Feed("data: a\n\ndata: b\n\n", [&](const SseEvent&) {
    ++calls;
    return absl::AbortedError("enough");
  });
  EXPECT_EQ(status.message(), "enough");
  EXPECT_EQ(calls, 1);
}

TEST(Sse, UnknownFieldsAndHalfAByteOrderMark) {
  SseParser parser;
  Seen seen;
  seen.Feed(&parser, "\xEF");
  seen.Feed(&parser, "\xBB: no mark\nretry: 5\nid: 1\nnonsense\ndata: a\r\n\r\n");
  EXPECT_EQ(seen.data, std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace mg
