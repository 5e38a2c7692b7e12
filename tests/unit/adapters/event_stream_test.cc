// Frames of AWS's event stream: the vectors of AWS's own libraries, at every split, and those of
// the provider sheet.
#include "adapters/event_stream.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/json.h"

namespace mg {
namespace {

constexpr char kEvent[] =
    "00000083000000518f0874490b3a6576656e742d7479706507000b6d65737361676553746f700d3a636f6e74656e"
    "742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d74797065070005657665"
    "6e747b2270223a226162222c2273746f70526561736f6e223a22656e645f7475726e227d9056e9a4";
constexpr char kException[] =
    "00000090000000618e91a9b70f3a657863657074696f6e2d747970650700137468726f74746c696e674578636570"
    "74696f6e0d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d657373616765"
    "2d74797065070009657863657074696f6e7b226d657373616765223a22546f6f206d616e79207265717565737473"
    "227de67f8005";
constexpr char kEmpty[] = "000000100000000005c248eb7d98c8ff";

std::string FromHex(absl::string_view hex) { return absl::HexStringToBytes(hex); }

struct Parsed {
  absl::Status status;
  std::string text;  // of all frames: headers and payload
};

// In pieces that end at `cuts`.
Parsed Parse(absl::string_view bytes, const std::vector<size_t>& cuts = {}) {
  EventStreamParser parser;
  Parsed parsed;
  const auto visit = [&](const EventStreamFrame& frame) {
    for (const EventStreamHeader& header : frame.headers) {
      absl::StrAppend(&parsed.text, header.name, " ", header.type, " ",
                      absl::Base64Escape(header.value), "\n");
    }
    absl::StrAppend(&parsed.text, "= ", frame.payload, "\n");
    return absl::OkStatus();
  };
  size_t at = 0;
  for (size_t i = 0; i <= cuts.size() && parsed.status.ok(); ++i) {
    const size_t end = i < cuts.size() ? cuts[i] : bytes.size();
    // A copy of its own, so that the sanitizer sees any byte read beyond it.
    parsed.status = parser.Feed(std::string(bytes.substr(at, end - at)), visit);
    at = end;
  }
  if (parsed.status.ok()) absl::StrAppend(&parsed.text, "kept ", parser.kept_bytes());
  return parsed;
}

void ExpectSameAtEverySplit(absl::string_view bytes) {
  const Parsed whole = Parse(bytes);
  for (size_t at = 0; at <= bytes.size(); ++at) {
    const Parsed split = Parse(bytes, {at});
    EXPECT_EQ(split.text, whole.text) << at;
    EXPECT_EQ(split.status, whole.status) << at;
  }
  std::vector<size_t> all;
  for (size_t at = 1; at < bytes.size(); ++at) all.push_back(at);
  EXPECT_EQ(Parse(bytes, all).text, whole.text);
}

TEST(EventStream, KnownFrames) {
  const std::string bytes = absl::StrCat(FromHex(kEvent), FromHex(kEmpty), FromHex(kException));
  const Parsed parsed = Parse(bytes);
  EXPECT_TRUE(parsed.status.ok()) << parsed.status;
  EXPECT_EQ(parsed.text,
            absl::StrCat(":event-type 7 ", absl::Base64Escape("messageStop"), "\n:content-type 7 ",
                         absl::Base64Escape("application/json"), "\n:message-type 7 ",
                         absl::Base64Escape("event"),
                         "\n= {\"p\":\"ab\",\"stopReason\":\"end_turn\"}\n= \n:exception-type 7 ",
                         absl::Base64Escape("throttlingException"), "\n:content-type 7 ",
                         absl::Base64Escape("application/json"), "\n:message-type 7 ",
                         absl::Base64Escape("exception"),
                         "\n= {\"message\":\"Too many requests\"}\nkept 0"));
  ExpectSameAtEverySplit(bytes);
}

TEST(EventStream, TextsByName) {
  EventStreamParser parser;
  std::string seen;
  ASSERT_TRUE(parser
                  .Feed(FromHex(kEvent),
                        [&](const EventStreamFrame& frame) {
                          seen = absl::StrCat(frame.Text(":event-type"), "|",
                                              frame.Text(":Event-Type"), "|");
                          return absl::OkStatus();
                        })
                  .ok());
  EXPECT_EQ(seen, "messageStop||");
}

TEST(EventStream, EveryFlippedBitIsSeen) {
  const std::string good = FromHex(kEvent);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(static_cast<unsigned char>(bad[bit / 8]) ^ (1U << (bit % 8)));
    EXPECT_FALSE(Parse(bad).status.ok()) << bit;
  }
}

TEST(EventStream, WhatTheVisitorSaysEndsTheParsing) {
  EventStreamParser parser;
  int frames = 0;
  const absl::Status status =
      parser.Feed(absl::StrCat(FromHex(kEmpty), FromHex(kEmpty)), [&](const EventStreamFrame&) {
        ++frames;
        return absl::AbortedError("enough");
      });
  EXPECT_EQ(status, absl::AbortedError("enough"));
  EXPECT_EQ(frames, 1);
}

TEST(EventStream, ABeginningIsKept) {
  EXPECT_EQ(Parse(FromHex(kEvent).substr(0, 100)).text, "kept 100");
  EXPECT_EQ(Parse(FromHex(kEvent).substr(0, 5)).text, "kept 5");
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class Vectors : public testing::Test {
 protected:
  void SetUp() override {
    if (std::filesystem::exists(dir_)) return;
    const char* ci = std::getenv("CI");
    ASSERT_FALSE(ci != nullptr && absl::string_view(ci) == "true") << "the vectors are absent";
    GTEST_SKIP() << "SKIPPED: the vectors are absent";
  }

  const std::filesystem::path dir_ = MG_SOURCE_DIR "/../shared/fixtures/aws-eventstream";
};

// A number of the vector's JSON as the big-endian bytes of its type; a text is base64 of them.
std::string BytesOf(const JsonValue& value, int type) {
  constexpr size_t kSizes[] = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};
  std::string bytes;
  if (value.IsString()) {
    EXPECT_TRUE(absl::Base64Unescape(StringOf(value), &bytes));
  } else if (value.IsInt64()) {
    for (size_t i = kSizes[type]; i > 0; --i) {
      bytes.push_back(static_cast<char>(value.GetInt64() >> ((i - 1) * 8) & 0xFF));
    }
  }
  return bytes;
}

TEST_F(Vectors, Positive) {
  size_t run = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(dir_ / "aws-sdk-go/encoded/positive")) {
    SCOPED_TRACE(entry.path().string());
    const std::string bytes = ReadFile(entry.path());
    JsonDocument expected;
    ASSERT_TRUE(ParseJson(ReadFile(dir_ / "aws-sdk-go/decoded/positive" / entry.path().filename()),
                          &expected)
                    .ok());
    std::string text;
    for (const JsonValue& header : Member(expected, "headers")->GetArray()) {
      const int type = Member(header, "type")->GetInt();
      absl::StrAppend(&text, StringMember(header, "name"), " ", type, " ",
                      absl::Base64Escape(BytesOf(*Member(header, "value"), type)), "\n");
    }
    std::string payload;
    ASSERT_TRUE(absl::Base64Unescape(StringMember(expected, "payload"), &payload));
    EXPECT_EQ(Parse(bytes).text, absl::StrCat(text, "= ", payload, "\nkept 0"));
    ExpectSameAtEverySplit(bytes);
    ++run;
  }
  for (const char* name : {"valid_no_headers", "valid_with_all_headers_and_payload"}) {
    SCOPED_TRACE(name);
    const std::string bytes = ReadFile(dir_ / "smithy-rs" / name);
    const Parsed parsed = Parse(bytes);
    EXPECT_TRUE(parsed.status.ok()) << parsed.status;
    EXPECT_EQ(parsed.text.substr(parsed.text.rfind('\n')), "\nkept 0");
    ExpectSameAtEverySplit(bytes);
    ++run;
  }
  EXPECT_EQ(run, 4u);
  std::printf("event stream, good: cases found %zu, run %zu, skipped 0\n", run, run);
}

TEST_F(Vectors, Negative) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(dir_ / "aws-sdk-go/encoded/negative")) {
    paths.push_back(entry.path());
  }
  for (const auto& entry : std::filesystem::directory_iterator(dir_ / "smithy-rs")) {
    if (entry.path().filename().string().rfind("invalid", 0) == 0) paths.push_back(entry.path());
  }
  for (const auto& path : paths) {
    SCOPED_TRACE(path.string());
    const std::string bytes = ReadFile(path);
    EXPECT_FALSE(Parse(bytes).status.ok());
    ExpectSameAtEverySplit(bytes);
  }
  EXPECT_EQ(paths.size(), 6u);
  std::printf("event stream, broken: cases found %zu, run %zu, skipped 0\n", paths.size(),
              paths.size());
}

}  // namespace
}  // namespace mg
