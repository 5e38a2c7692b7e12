#include "adapters/sanitize.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace mg {
namespace {

TEST(Sanitize, KeysAndUrlsGo) {
  EXPECT_EQ(
      SanitizeProviderMessage("Incorrect API key provided: sk-abc1*******wxyz. You can find your "
                              "key at https://platform.openai.com/account/api-keys."),
      "Incorrect API key provided: [redacted] You can find your key at [url]");
  EXPECT_EQ(SanitizeProviderMessage("use Bearer abcdef now"), "use [redacted] now");
  EXPECT_EQ(SanitizeProviderMessage("key=AIzaSyA1234567890 bad"), "key=[redacted] bad");
  EXPECT_EQ(SanitizeProviderMessage("see platform.openai.com/usage"), "see [url]");
  EXPECT_EQ(SanitizeProviderMessage("see WWW.E.TEST/x?y and ftp://e"), "see [url] and [url]");
  EXPECT_EQ(SanitizeProviderMessage("hash 0123456789abcdef0123456789abcdef!"), "hash [redacted]!");
  EXPECT_EQ(SanitizeProviderMessage("eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln"), "[redacted]");
}

TEST(Sanitize, WordsStay) {
  for (const char* text :
       {"The model `gpt-5-mini-2025-08-07` does not exist or you do not have access to it.",
        "This model's maximum context length is 1048565 tokens. However, you requested 1250025.",
        "Invalid 'messages[2].content': a_very_long_identifier_of_many_words_without_digits",
        "max_tokens and/or top_p; 3.5/4", "task-oriented, risk-free, disk-full: ask-again"}) {
    EXPECT_EQ(SanitizeProviderMessage(text), text);
  }
}

TEST(Sanitize, ControlsAndLength) {
  EXPECT_EQ(SanitizeProviderMessage("a\nb\x1b[31m\x7f"), "a b [31m");
  EXPECT_EQ(SanitizeProviderMessage("a\xe2\x80\xae"
                                    "b\xc2\x85"),
            "ab");
  EXPECT_EQ(SanitizeProviderMessage("bad \xff utf8"), "bad \xef\xbf\xbd utf8");
  const std::string cut = SanitizeProviderMessage(std::string(1, 'a') + std::string(3000, '\xc3'));
  EXPECT_LE(cut.size(), kMaxProviderMessage);
  EXPECT_TRUE(IsValidUtf8(cut));
}

TEST(Sanitize, WhatIsInvisibleHidesNothing) {
  EXPECT_EQ(SanitizeProviderMessage("s\u200ek-abc1234567"), "[redacted]");
  EXPECT_EQ(SanitizeProviderMessage("Bearer\x01secret, htt\u202eps://e.test/x"),
            "[redacted] [url]");
  EXPECT_EQ(SanitizeProviderMessage("\x1d<?xml version"), "");
  EXPECT_EQ(SanitizeProviderMessage("\u2066<html>"), "");
}

TEST(Sanitize, PagesSayNothing) {
  EXPECT_EQ(SanitizeProviderMessage(" <!DOCTYPE html><p>x"), "");
  EXPECT_EQ(SanitizeProviderMessage("<HTML>x"), "");
  EXPECT_EQ(SanitizeProviderMessage(""), "");
}

TEST(Sanitize, Codes) {
  EXPECT_EQ(SanitizeProviderCode("rate_limit_exceeded"), "rate_limit_exceeded");
  EXPECT_EQ(SanitizeProviderCode("two words"), "");
  EXPECT_EQ(SanitizeProviderCode("sk-1234567890"), "");
  EXPECT_EQ(SanitizeProviderCode(std::string(200, 'a')), "");
}

}  // namespace
}  // namespace mg
