#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/strings/numbers.h"
#include "base/utf8.h"

namespace mg {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Fault(const std::string& text, JsonLimits limits = {}) {
  JsonDocument document;
  const absl::Status status = ParseJson(text, &document, limits);
  EXPECT_TRUE(status.ok() || document.IsNull());
  EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kInvalidArgument);
  return status.ok() ? "ok" : std::string(status.message());
}

std::string Again(const std::string& text) {
  JsonDocument document;
  EXPECT_TRUE(ParseJson(text, &document).ok()) << text;
  return ToJsonText(document);
}

TEST(ParseJsonTest, Values) {
  for (const char* text :
       {"{}", "[]", "null", "true", "0", "-0.5", "\"\"", "[1,2,[3]]", "{\"a\":{\"b\":[null]}}",
        "18446744073709551615", "-9223372036854775808", "{\"a\":1,\"a\":2}"}) {
    EXPECT_EQ(Again(text), text);
  }
  EXPECT_EQ(Again(" \t\r\n {\"a\" : 1}  \n"), "{\"a\":1}");
  EXPECT_EQ(Again("\"\\u00e9\\ud83d\\ude00\\n\""), "\"é😀\\n\"");
}

TEST(ParseJsonTest, WhatIsNoJsonSaysWhere) {
  EXPECT_THAT(Fault("{\"a\":1,}"), StartsWith("not JSON at byte 7: "));
  for (const char* text :
       {"",      " ",        "{",     "[1",      "\"a",      "{\"a\"}",       "{a:1}", "[1,]",
        "01",    "1.",       "+1",    "NaN",     "Infinity", "tru",           "'a'",   "[1]x",
        "{} {}", "\"\x01\"", "1e999", "// c\n1", "\"\\x\"",  "\xEF\xBB\xBF{}"}) {
    EXPECT_THAT(Fault(text), StartsWith("not JSON at byte ")) << text;
  }
  EXPECT_THAT(Fault("[1]x"), StartsWith("not JSON at byte 3: "));
  EXPECT_THAT(Fault("[\"\xFF\"]"), StartsWith("not JSON at byte 2: invalid UTF-8"));
  EXPECT_THAT(Fault(std::string("[1]\0", 4)), StartsWith("not JSON at byte 3: "));
}

TEST(ParseJsonTest, DepthIsBounded) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(Fault(nested(128)), "ok");
  EXPECT_THAT(Fault(nested(129)), HasSubstr("nested deeper than 128 levels"));
  EXPECT_EQ(Fault(nested(3), {.max_depth = 3}), "ok");
  EXPECT_THAT(Fault(nested(4), {.max_depth = 3}), HasSubstr("nested deeper than 3 levels"));
  std::string open;
  open.resize(10'000'000, '[');
  EXPECT_THAT(Fault(open), HasSubstr("nested deeper"));
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"a\":";
  EXPECT_THAT(Fault(objects), HasSubstr("nested deeper"));
  // Side by side is not deep.
  std::string wide = "[";
  for (int i = 0; i < 100'000; ++i) wide += "[[{}]],";
  EXPECT_EQ(Fault(wide + "0]"), "ok");
}

TEST(ParseJsonTest, ValuesAreBounded) {
  EXPECT_EQ(Fault(R"([1,{"k":true}])", {.max_values = 4}), "ok");
  EXPECT_EQ(Fault(R"([1,{"k":true},"x"])", {.max_values = 4}),
            "not JSON at byte 17: more than 4 values");
  std::string zeros = "[0";
  for (int i = 0; i < 8 << 20; ++i) zeros += ",0";
  EXPECT_THAT(Fault(zeros + "]"), HasSubstr("more than 8388608 values"));
}

TEST(ParseJsonTest, SizeIsBounded) {
  EXPECT_EQ(Fault("[1]", {.max_bytes = 3}), "ok");
  EXPECT_EQ(Fault("[1] ", {.max_bytes = 3}), "JSON of 4 bytes; at most 3 are taken");
}

TEST(ParseJsonTest, LoneSurrogatesBecomeTheReplacement) {
  EXPECT_EQ(Again(R"("\ud800")"), "\"\uFFFD\"");
  EXPECT_EQ(Again(R"("\udc00x")"), "\"\uFFFDx\"");
  EXPECT_EQ(Again(R"("\ud800\ud83d\ude00")"), "\"\uFFFD😀\"");
  EXPECT_EQ(Again(R"("\ud83d\ude00\ud83d")"), "\"😀\uFFFD\"");
  EXPECT_EQ(Again(R"("\ud800\n")"), "\"\uFFFD\\n\"");
  EXPECT_EQ(Again(R"("\\ud800 \ud800")"), "\"\\\\ud800 \uFFFD\"");
  EXPECT_EQ(Again(R"({"\udfff":1})"), "{\"\uFFFD\":1}");
  EXPECT_THAT(Fault(R"("\ud800)"), StartsWith("not JSON"));
  EXPECT_THAT(Fault(R"("\ud800\u12")"), StartsWith("not JSON"));
}

TEST(ParseJsonTest, NumbersKeepTheirDigits) {
  EXPECT_EQ(Again("[1.0,0.1,1e3,1.5e300,9007199254740993]"),
            "[1.0,0.1,1000.0,1.5e300,9007199254740993]");
}

void ExpectNearest(const std::string& text) {
  JsonDocument document;
  ASSERT_TRUE(ParseJson(text, &document).ok()) << text;
  double nearest = 0;
  ASSERT_TRUE(absl::SimpleAtod(text, &nearest)) << text;
  EXPECT_EQ(document.GetDouble(), nearest) << text;
}

TEST(ParseJsonTest, NumbersAreTheNearestDouble) {
  for (const char* text :
       {"0e50", "-0e50", "0.000e+300", "0e-400", "0.0e023", "18446744073709551615.5",
        "18446744073709551616", "1.7976931348623157e308", "1.7976931348623158e308", "1e-324",
        "2.4e-324", "2.5e-324", "4.9e-324", "2.2250738585072011e-308", "1e-400", "1e23",
        "123456789012345678901234567890e-30"}) {
    ExpectNearest(text);
  }
  const std::string zeros(400, '0');
  ExpectNearest("0." + zeros + "1e-300");
  ExpectNearest("0." + zeros + "1e+300");
  ExpectNearest("0." + zeros + "25e77");
  ExpectNearest("1" + zeros.substr(100) + "e-300");
}

TEST(ParseJsonTest, NumbersBeyondADoubleAreRefused) {
  const std::string zeros(400, '0');
  for (const std::string& text :
       {std::string("1e309"), std::string("123e308"), std::string("-123e308"),
        std::string("18446744073709551615.5e300"), std::string("1.7976931348623159e308"),
        "1" + zeros + ".5", "1" + zeros.substr(300) + ".5e300"}) {
    EXPECT_THAT(Fault(text), HasSubstr("Number too big")) << text;
  }
}

TEST(ParseJsonTest, AFailureLeavesNoRemains) {
  JsonDocument document;
  ASSERT_TRUE(ParseJson("{\"a\":[1,2,3]}", &document).ok());
  EXPECT_FALSE(ParseJson("{\"b\":[1,", &document).ok());
  EXPECT_TRUE(document.IsNull());
  ASSERT_TRUE(ParseJson("[7]", &document).ok());
  EXPECT_EQ(ToJsonText(document), "[7]");
}

TEST(ParseJsonTest, EveryCutOfADocument) {
  const std::string text = R"({"a":[1,-2.5e-3,"\u00e9\ud83d\ude00"],"ß":{"c":null,"d":true}})";
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_THAT(Fault(text.substr(0, size)), StartsWith("not JSON")) << size;
  }
  EXPECT_EQ(Fault(text), "ok");
}

TEST(ParseJsonTest, AnyBytes) {
  std::mt19937 generator(11);
  const std::string alphabet = "{}[]\",:\\u0dD8cC1.eE-+tfn \n\xC3\xA9\xFF";
  for (int i = 0; i < 50000; ++i) {
    std::string text;
    for (size_t k = generator() % 24; k > 0; --k) text += alphabet[generator() % alphabet.size()];
    JsonDocument document;
    if (!ParseJson(text, &document).ok()) continue;
    const std::string written = ToJsonText(document);
    ASSERT_TRUE(IsValidUtf8(written)) << text;
    ASSERT_EQ(Again(written), written) << text;
  }
}

TEST(MemberTest, OfWhatever) {
  JsonDocument document;
  ASSERT_TRUE(
      ParseJson(R"({"s":"text","e":"","n":null,"i":1,"o":{"k\u0000":"z"}})", &document).ok());
  EXPECT_EQ(StringMember(document, "s"), "text");
  EXPECT_EQ(StringMember(document, "e"), "");
  EXPECT_EQ(StringMember(document, "i"), "");
  EXPECT_EQ(StringMember(document, "absent"), "");
  EXPECT_EQ(Member(document, "n"), nullptr);
  EXPECT_EQ(Member(document, ""), nullptr);
  EXPECT_EQ(Member(document, absl::string_view()), nullptr);
  ASSERT_NE(Member(document, "o"), nullptr);
  EXPECT_EQ(StringMember(*Member(document, "o"), absl::string_view("k\0", 2)), "z");
  EXPECT_EQ(Member(*Member(document, "o"), "k"), nullptr);
  EXPECT_EQ(Member(*Member(document, "i"), "x"), nullptr);
}

TEST(AppendJsonStringTest, AnyCharacterComesBack) {
  std::string all;
  for (int c = 0; c < 0x80; ++c) all.push_back(static_cast<char>(c));
  all += "é€😀";
  std::string written;
  AppendJsonString(all, &written);
  JsonDocument document;
  ASSERT_TRUE(ParseJson(written, &document).ok());
  EXPECT_EQ(StringOf(document), all);
  written = "x";
  AppendJsonString("", &written);
  EXPECT_EQ(written, "x\"\"");
}

TEST(AppendJsonStringTest, EscapesWhereverTheyStand) {
  const std::string plain(40, 'x');
  for (size_t at = 0; at < plain.size(); ++at) {
    for (const auto& [c, escape] : {std::pair{'"', "\\\""}, {'\\', "\\\\"}, {'\x1f', "\\u001f"}}) {
      std::string text = plain;
      text[at] = text[39] = c;
      const std::string first = at == 39 ? "" : escape + plain.substr(at + 1, 38 - at);
      std::string written;
      AppendJsonString(text, &written);
      EXPECT_EQ(written, "\"" + plain.substr(0, at) + first + escape + "\"");
    }
  }
}

}  // namespace
}  // namespace mg
