// Comments as Markdown.
#include "daemon/config/markdown.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace mg {
namespace {

TEST(MarkdownOf, LinesBecomeParagraphs) {
  EXPECT_EQ(MarkdownOf(""), "");
  EXPECT_EQ(MarkdownOf(" One line\n and its rest.\n"), "One line and its rest.");
  EXPECT_EQ(MarkdownOf(" First.\n\n Second.\n"), "First.\n\nSecond.");
  const std::string word(60, 'w');
  EXPECT_EQ(MarkdownOf(absl::StrCat(" ", word, " ", word, "\n")), absl::StrCat(word, "\n", word));
}

TEST(MarkdownOf, WhatIsIndentedStaysAsItIs) {
  EXPECT_EQ(MarkdownOf(" So:\n   a:\n     b: 1\n And more.\n"),
            "So:\n\n    a:\n      b: 1\n\nAnd more.");
  EXPECT_EQ(MarkdownOf(" A table:\n   x  1\n"), "A table:\n\n    x  1");
}

TEST(MarkdownOf, ExamplesAreCode) {
  EXPECT_EQ(MarkdownOf(" Text. Example: a: { b: 1 }\n"), "Text.\n\nExample:\n\n    a: { b: 1 }");
  EXPECT_EQ(MarkdownOf(" Example: a: 1\n"), "Example:\n\n    a: 1");
  EXPECT_EQ(MarkdownOf(" Text. Example:\n   a: 1\n"), "Text. Example:\n\n    a: 1");
}

TEST(MarkdownOf, CodeIsNotBroken) {
  const std::string word(95, 'w');
  EXPECT_EQ(MarkdownOf(absl::StrCat(" ", word, " `a b`, c\n")), absl::StrCat(word, "\n`a b`, c"));
  EXPECT_EQ(MarkdownOf(" An `unclosed one\n"), "An `unclosed one");
}

TEST(Markdown, BlocksAreApart) {
  std::string page;
  AddBlock("", &page);
  AddBlock("# A", &page);
  AddBlock("", &page);
  AddBlock("b", &page);
  EXPECT_EQ(page, "# A\n\nb");
  EXPECT_EQ(Codes(std::vector<std::string>{"a", "b c"}), "`a`, `b c`");
}

TEST(Markdown, LinesAreFilledAndNeverLonger) {
  const std::string half(49, 'w');
  EXPECT_EQ(Wrapped(absl::StrCat(half, " ", half, " x")), absl::StrCat(half, " ", half, "\nx"));
  EXPECT_EQ(Wrapped(absl::StrCat(half, " ", half, "w x")), absl::StrCat(half, " ", half, "w\nx"));
  EXPECT_EQ(Wrapped(absl::StrCat(half, "w ", half, "w")), absl::StrCat(half, "w\n", half, "w"));
  EXPECT_EQ(Wrapped("  a   b "), "a b");
  EXPECT_EQ(Wrapped(""), "");
  const std::string long_word(120, 'w');
  EXPECT_EQ(Wrapped(absl::StrCat("a ", long_word, " b")), absl::StrCat("a\n", long_word, "\nb"));
}

}  // namespace
}  // namespace mg
