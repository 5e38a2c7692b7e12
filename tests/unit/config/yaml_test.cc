#include "daemon/config/yaml.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace mg {
namespace {

struct Bad {
  std::string text;
  int line;
  std::string message;  // a part of it
};

TEST(Yaml, RefusesWhatIsNoConfiguration) {
  const std::string deep(100, '[');
  const std::vector<Bad> table = {
      {"", 0, "is empty"},
      {"\n\n", 0, "is empty"},
      {"# a comment\n# another\n", 0, "is empty"},
      {"---\n", 0, "is empty"},
      {"~\n", 0, "is empty"},
      {"{}\n", 0, "is empty"},
      {"just text\n", 1, "is no map"},
      {"- a\n- b\n", 1, "is no map"},
      {"a: [\n", 0, "is not YAML"},
      {"a: 1\nb: {\n", 0, "is not YAML"},
      {"a: 1\n  b: 2\n", 2, "is not YAML"},
      {"a: 1\n\tb: 2\n", 2, "is not YAML"},
      {"a: 'x\n", 1, "is not YAML"},
      {"a: \"x\nb: c\n", 2, "is not YAML"},
      {"a: [x\n", 1, "is not YAML"},
      {"a: 1\n---\nb: 2\n", 2, "second document"},
      {"a: &x 1\n", 1, "anchor"},
      {"a: 1\nb: *sk-canary\n", 2, "anchor"},
      {"a: &sk-canary [1]\nb: *sk-canary\n", 1, "anchor"},
      {"a: !!int 1\n", 1, "tag"},
      {"a: !secret 1\n", 1, "tag"},
      {"? [a]\n: 1\n", 1, "must be a text"},
      {"a: 1\nb: \"\\0\"\n", 2, "NUL"},
      {"a: 1\nb: \"\\ud800\"\n", 2, ""},
      {std::string("a: 1\nb: \0", 9), 2, "UTF-8"},
      {"a: 1\nb: \xff\n", 2, "UTF-8"},
      {"a: " + deep, 1, "deeper"},
      {"a: " + std::string(kMaxConfigBytes, 'x'), 0, "larger"},
  };
  for (const Bad& bad : table) {
    YamlValue root;
    YamlError error;
    EXPECT_FALSE(ParseYaml(bad.text, &root, &error)) << bad.text.substr(0, 40);
    if (bad.line > 0) EXPECT_EQ(error.line, bad.line) << bad.text.substr(0, 40);
    EXPECT_TRUE(absl::StrContains(error.message, bad.message))
        << error.message << ": " << bad.text.substr(0, 40);
    EXPECT_FALSE(absl::StrContains(error.message, "canary")) << error.message;
  }
}

// Each of these once cost a parser somewhere its stack, its memory or minutes.
TEST(Yaml, SurvivesBombs) {
  std::string many = "a: [";
  for (int i = 0; i < 300'000; ++i) many += "1,";
  const std::vector<std::string> table = {std::string(1 << 20, '['),
                                          std::string(1 << 20, '{'),
                                          std::string(1 << 20, '-'),
                                          "a: " + std::string(1 << 20, '"'),
                                          std::string(1 << 20, '?'),
                                          std::string(1 << 20, ':'),
                                          many + "1]",
                                          std::string(200'000, '\n') + "- - - - -",
                                          std::string(1 << 20, '&')};
  for (const std::string& text : table) {
    YamlValue root;
    YamlError error;
    EXPECT_FALSE(ParseYaml(text, &root, &error)) << text.substr(0, 10);
  }
}

TEST(Yaml, KeepsLinesOrderAndDoubles) {
  YamlValue root;
  YamlError error;
  ASSERT_TRUE(
      ParseYaml("# head\na: \"5\"\nb:\n  - 5\n  - {c: ~}\na: |\n  x\n  y\n", &root, &error));
  ASSERT_EQ(root.entries.size(), 3u);
  EXPECT_EQ(root.entries[0].key, "a");
  EXPECT_EQ(root.entries[0].line, 2);
  EXPECT_TRUE(root.entries[0].value.quoted);
  EXPECT_EQ(root.entries[1].value.items[0].line, 4);
  EXPECT_FALSE(root.entries[1].value.items[0].quoted);
  EXPECT_EQ(root.entries[1].value.items[1].entries[0].value.kind, YamlValue::Kind::kNull);
  EXPECT_EQ(root.entries[2].value.text, "x\ny\n");
}

TEST(Yaml, TakesEveryEndOfAText) {
  for (const std::string text :
       {"a: 1", "a: 1\n", "a: 1\n\n", "a: 1\n...\n", "a: 1\n...", "---\na: 1\n", "a: 1\r\n",
        "{a: 1}", "a: |\n  x", "a: >-\n  x\n", "a: 1 # x"}) {
    YamlValue root;
    YamlError error;
    EXPECT_TRUE(ParseYaml(text, &root, &error)) << text << error.message;
    EXPECT_EQ(root.entries.size(), 1u) << text;
  }
}

TEST(Yaml, TakesJson) {
  YamlValue root;
  YamlError error;
  ASSERT_TRUE(ParseYaml(
      "{\n \"a\": {\"b\": [1, true, null, \"x\\u00e4\\n\"]},\n \"c\": \"/\\/\"\n}", &root, &error))
      << error.message;
  const auto& items = root.entries[0].value.entries[0].value.items;
  ASSERT_EQ(items.size(), 4u);
  EXPECT_EQ(items[2].kind, YamlValue::Kind::kNull);
  EXPECT_EQ(items[3].text, "xä\n");
  EXPECT_EQ(root.entries[1].value.text, "//");
}

}  // namespace
}  // namespace mg
