#include "telemetry/scrub.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace mg {
namespace {

constexpr char kKey[] = "sk-canary/9f8e+7d6c=\"5b4a\\3210";

std::string Scrubbed(const Scrubber& scrubber, std::string text) {
  scrubber.Scrub(&text);
  return text;
}

TEST(ScrubberTest, WholeSecretsAnywhere) {
  const Scrubber scrubber({"canary-secret-1", "canary-secret-2-longer"});
  EXPECT_EQ(Scrubbed(scrubber, "canary-secret-1"), "[redacted]");
  EXPECT_EQ(Scrubbed(scrubber, "key=canary-secret-1;"), "key=[redacted];");
  EXPECT_EQ(Scrubbed(scrubber, "canary-secret-1canary-secret-2-longer."), "[redacted][redacted].");
  EXPECT_EQ(Scrubbed(scrubber, "nothing here"), "nothing here");
  std::string text = "nothing here";
  EXPECT_FALSE(scrubber.Scrub(&text));
  EXPECT_FALSE(Scrubber().Scrub(&text));
}

TEST(ScrubberTest, FindsWhatItWouldReplace) {
  const Scrubber scrubber({"abcdefghijklmnop", "wxyz"});
  for (const char* said : {"abcdefghijklmnop", "abcdefgh", "wxyz"}) {
    for (size_t before = 0; before < 7; ++before) {
      for (size_t behind = 0; behind < 4; ++behind) {
        const std::string text =
            absl::StrCat(std::string(before, '.'), said, std::string(behind, '.'));
        EXPECT_TRUE(scrubber.Finds(text)) << text;
      }
    }
  }
  // Pairs of a secret, and no secret.
  for (const char* text : {"", "a", "ab", "abc", "abcdefg", "bcdefghi", "cd cd cd", "wxy", "xyz"}) {
    EXPECT_FALSE(scrubber.Finds(text)) << text;
  }
  EXPECT_FALSE(Scrubber().Finds("abcdefghijklmnop"));
}

TEST(ScrubberTest, PrefixesOfEightAndMore) {
  const Scrubber scrubber({"abcdefghijklmnop"});
  EXPECT_EQ(Scrubbed(scrubber, "abcdefgh***"), "[redacted]***");
  EXPECT_EQ(Scrubbed(scrubber, "abcdefghijkl..."), "[redacted]...");
  EXPECT_EQ(Scrubbed(scrubber, "x abcdefghi"), "x [redacted]");
  EXPECT_EQ(Scrubbed(scrubber, "abcdefg***"), "abcdefg***");
  EXPECT_EQ(Scrubbed(scrubber, "abcdabcdefgh"), "abcd[redacted]");
}

TEST(ScrubberTest, ShortSecretsWholeAndTinyOnesNot) {
  const Scrubber scrubber({"hunter2", "pass", "abc", ""});
  EXPECT_EQ(Scrubbed(scrubber, "hunter2 hunter pass"), "[redacted] hunter [redacted]");
  EXPECT_EQ(Scrubbed(scrubber, "abc"), "abc");
}

TEST(ScrubberTest, EncodedForms) {
  const Scrubber scrubber({kKey});
  for (const std::string& form :
       {std::string(kKey), std::string("sk-canary%2F9f8e%2B7d6c%3D%225b4a%5C3210"),
        std::string("sk-canary%2f9f8e%2b7d6c%3d%225b4a%5c3210"),
        std::string("sk-canary/9f8e+7d6c=\\\"5b4a\\\\3210"), absl::Base64Escape(kKey),
        absl::WebSafeBase64Escape(kKey)}) {
    const std::string out = Scrubbed(scrubber, absl::StrCat("<", form, ">"));
    EXPECT_NE(out.find("<[redacted]"), std::string::npos) << out;
    EXPECT_EQ(out.find(form.substr(form.size() - 6)), std::string::npos) << out;
  }
}

TEST(ScrubberTest, LearnsWithoutForgetting) {
  const Scrubber first({"canary-secret-1"});
  const Scrubber second = first.With({"canary-secret-1", "other-secret-2"});
  EXPECT_EQ(Scrubbed(second, "canary-secret-1 other-secret-2"), "[redacted] [redacted]");
  EXPECT_EQ(Scrubbed(first, "other-secret-2"), "other-secret-2");
  EXPECT_TRUE(second.Knows({"canary-secret-1", "other-secret-2", "abc"}));
  EXPECT_FALSE(first.Knows({"canary-secret-1", "other-secret-2"}));
  // Those that are current are never lost, however many there were.
  Scrubber many;
  for (int i = 0; i < 500; ++i) {
    const std::string current = absl::StrCat(i, "-secret-of-now");
    many = many.With({current});
    ASSERT_EQ(Scrubbed(many, current), "[redacted]");
  }
}

// "Basic" joins user and key before it encodes: the key may stand at any of three places.
TEST(ScrubberTest, InsideOfOtherBase64) {
  const Scrubber scrubber({"a-long-canary-secret-of-the-gateway"});
  for (const std::string& user : {"u:", "us:", "use:", "user:"}) {
    for (const std::string& tail : {"", "x", "xy"}) {
      const std::string encoded =
          absl::Base64Escape(absl::StrCat(user, "a-long-canary-secret-of-the-gateway", tail));
      const std::string out = Scrubbed(scrubber, encoded);
      EXPECT_NE(out.find("[redacted]"), std::string::npos) << user;
      EXPECT_LT(out.size(), 10U + 10U + 12U) << out;
    }
  }
}

TEST(ScrubberTest, LeavesNoTailOfALongerForm) {
  const Scrubber scrubber({"sharedprefix-one", "sharedprefix-two-and-more"});
  EXPECT_EQ(Scrubbed(scrubber, "sharedprefix-two-and-more"), "[redacted]");
  EXPECT_EQ(Scrubbed(scrubber, "sharedprefix-one"), "[redacted]");
}

// I15, by random secrets in random places, in every form in which they might go out.
TEST(ScrubberTest, NoSecretIsLeftWhateverStandsAroundIt) {
  std::mt19937 bits(4711);
  const auto draw = [&bits](size_t from, size_t to) { return from + bits() % (to - from + 1); };
  const auto text = [&](absl::string_view alphabet, size_t length) {
    std::string drawn;
    while (drawn.size() < length) drawn += alphabet[bits() % alphabet.size()];
    return drawn;
  };
  for (int i = 0; i < 3000; ++i) {
    const std::string secret = text("abXY019-_+/=.", draw(8, 60));
    const std::string other = text("abXY019-_+/=.", draw(8, 60));
    const Scrubber scrubber({secret, other});
    const std::string forms[] = {
        secret, absl::Base64Escape(secret),
        absl::StrReplaceAll(secret, {{"/", "%2F"}, {"+", "%2B"}, {"=", "%3D"}}),
        secret.substr(0, draw(8, secret.size()))};
    std::string said;
    for (size_t part = draw(1, 5); part > 0; --part) {
      absl::StrAppend(&said, text("abXY019 \"%:", draw(0, 20)), forms[draw(0, 3)]);
    }
    const std::string scrubbed = Scrubbed(scrubber, said);
    EXPECT_FALSE(absl::StrContains(scrubbed, secret)) << said;
    EXPECT_FALSE(absl::StrContains(scrubbed, secret.substr(0, 8))) << said;
    EXPECT_FALSE(absl::StrContains(scrubbed, forms[1])) << said;
    EXPECT_FALSE(absl::StrContains(scrubbed, forms[2])) << said;
  }
}

TEST(ScrubberTest, AnyBytes) {
  std::string secret;
  for (int i = 0; i < 64; ++i) secret.push_back(static_cast<char>(i * 5 + 1));
  const Scrubber scrubber({secret});
  EXPECT_EQ(Scrubbed(scrubber, "\xFF" + secret + std::string(1, '\0')),
            "\xFF[redacted]" + std::string(1, '\0'));
  for (size_t size = 0; size < 8; ++size) {
    EXPECT_EQ(Scrubbed(scrubber, secret.substr(0, size)), secret.substr(0, size));
  }
}

}  // namespace
}  // namespace mg
