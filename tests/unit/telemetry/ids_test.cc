#include "telemetry/ids.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mg {
namespace {

TEST(RequestIdTest, IsAUuidOfVersionSeven) {
  const std::string id = NewRequestId(absl::FromUnixMillis(0x0123456789AB));
  ASSERT_EQ(id.size(), 36U);
  EXPECT_EQ(id.substr(0, 15), "01234567-89ab-7");
  for (const size_t dash : {8U, 13U, 18U, 23U}) EXPECT_EQ(id[dash], '-');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef-"), std::string::npos);
  EXPECT_TRUE(IsCorrelationId(id));
}

TEST(RequestIdTest, DiffersAndFollowsTime) {
  std::set<std::string> ids;
  for (int i = 0; i < 20000; ++i) ids.insert(NewRequestId(absl::FromUnixMillis(1700000000000)));
  EXPECT_EQ(ids.size(), 20000U);
  EXPECT_LT(*ids.rbegin(), NewRequestId(absl::FromUnixMillis(1700000000001)));
  EXPECT_EQ(NewRequestId(absl::InfinitePast()).substr(0, 13), "00000000-0000");
}

TEST(CorrelationIdTest, WhatMayBeWritten) {
  EXPECT_TRUE(IsCorrelationId("a"));
  EXPECT_TRUE(IsCorrelationId("AZaz09._:-"));
  EXPECT_TRUE(IsCorrelationId(std::string(128, 'x')));
  EXPECT_FALSE(IsCorrelationId(""));
  EXPECT_FALSE(IsCorrelationId(std::string(129, 'x')));
  for (int c = 0; c < 256; ++c) {
    const std::string text(1, static_cast<char>(c));
    const bool fine = (c < 128 && isalnum(c) != 0) || c == '.' || c == '_' || c == ':' || c == '-';
    EXPECT_EQ(IsCorrelationId(text), fine) << c;
    EXPECT_EQ(IsCorrelationId("id" + text), fine) << c;
  }
}

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kValid[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceparentTest, Valid) {
  const auto parsed = ParseTraceparent(kValid);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->trace_id, kTrace);
  EXPECT_EQ(parsed->parent_id, "00f067aa0ba902b7");
  EXPECT_TRUE(parsed->sampled);
  EXPECT_EQ(FormatTraceparent(*parsed), kValid);
  EXPECT_EQ(TraceIdOf(kValid), kTrace);
  for (const auto& [flags, sampled] : std::initializer_list<std::pair<const char*, bool>>{
           {"00", false}, {"01", true}, {"02", false}, {"03", true}, {"0f", true}, {"fe", false}}) {
    const std::string header = std::string(kValid).substr(0, 53) + flags;
    EXPECT_EQ(ParseTraceparent(header)->sampled, sampled) << flags;
  }
}

TEST(TraceparentTest, LaterVersionsMayGoOn) {
  const std::string later = "cc" + std::string(kValid).substr(2);
  EXPECT_TRUE(ParseTraceparent(later).has_value());
  EXPECT_TRUE(ParseTraceparent(later + "-what-the-future-will-be-like").has_value());
  EXPECT_FALSE(ParseTraceparent(later + ".what").has_value());
  EXPECT_FALSE(ParseTraceparent(std::string(kValid) + "-more").has_value());
}

TEST(TraceparentTest, Invalid) {
  const std::string valid = kValid;
  for (size_t size = 0; size < valid.size(); ++size) {
    EXPECT_FALSE(ParseTraceparent(valid.substr(0, size)).has_value()) << size;
  }
  for (const std::string& header : std::initializer_list<std::string>{
           std::string("ff") + valid.substr(2), std::string("0G") + valid.substr(2),
           "00-" + std::string(32, '0') + valid.substr(35),
           valid.substr(0, 36) + "0000000000000000-01",
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
           "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01", valid.substr(0, 53) + "0g",
           valid + "0", " " + valid}) {
    EXPECT_FALSE(ParseTraceparent(header).has_value()) << header;
    const std::string made = TraceIdOf(header);
    EXPECT_EQ(made.size(), 32U);
    EXPECT_EQ(made.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_NE(made, std::string(32, '0'));
  }
}

TEST(TraceparentTest, NewOnesAreNew) {
  EXPECT_NE(NewTraceId(), NewTraceId());
  EXPECT_NE(NewSpanId(), NewSpanId());
  EXPECT_EQ(NewSpanId().size(), 16U);
  EXPECT_TRUE(ParseTraceparent(FormatTraceparent({NewTraceId(), NewSpanId(), false})).has_value());
}

}  // namespace
}  // namespace mg
