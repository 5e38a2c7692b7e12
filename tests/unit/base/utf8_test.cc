#include "base/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace mg {
namespace {

// UTF-8 of any number, a character or not.
std::string Encoded(uint32_t c) {
  std::string out;
  if (c < 0x80) {
    out = {static_cast<char>(c)};
  } else if (c < 0x800) {
    out = {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
  } else if (c < 0x10000) {
    out = {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)),
           static_cast<char>(0x80 | (c & 0x3F))};
  } else {
    out = {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 0x3F)),
           static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
  }
  return out;
}

TEST(Utf8Test, EveryCharacterAndNoOther) {
  for (uint32_t c = 0; c < 0x120000; ++c) {
    const bool character = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
    ASSERT_EQ(IsValidUtf8(Encoded(c)), character) << c;
  }
}

TEST(Utf8Test, OverlongAndStray) {
  for (const char* text : {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF",
                           "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF8\x88\x80\x80\x80", "\x80",
                           "\xBF", "\xFE", "\xFF", "\xF5\x80\x80\x80"}) {
    EXPECT_EQ(ValidUtf8Prefix(text), 0U) << text;
  }
}

TEST(Utf8Test, EveryCutOfACharacter) {
  for (const std::string& character : {std::string("ß"), std::string("€"), std::string("😀")}) {
    for (size_t size = 1; size < character.size(); ++size) {
      const std::string cut = "ab" + character.substr(0, size);
      EXPECT_EQ(ValidUtf8Prefix(cut), 2U);
      EXPECT_EQ(ValidUtf8Prefix(cut + "c"), 2U);
      EXPECT_TRUE(IsValidUtf8(WithValidUtf8(cut + "c")));
    }
  }
}

TEST(Utf8Test, WithValidUtf8ReplacesEachInvalidByte) {
  EXPECT_EQ(WithValidUtf8(""), "");
  EXPECT_EQ(WithValidUtf8("a€b"), "a€b");
  EXPECT_EQ(WithValidUtf8("a\xFF\xFE"
                          "b"),
            "a\uFFFD\uFFFD"
            "b");
  EXPECT_EQ(WithValidUtf8("\xE2\x82"), "\uFFFD\uFFFD");
}

TEST(Utf8Test, CutsBetweenCharacters) {
  const std::string text = "aß€😀z";  // 1 + 2 + 3 + 4 + 1 bytes
  const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (size_t max = 0; max < std::size(expected); ++max) {
    EXPECT_EQ(CutUtf8(text, max).size(), expected[max]) << max;
    EXPECT_TRUE(IsValidUtf8(CutUtf8(text, max)));
  }
}

}  // namespace
}  // namespace mg
