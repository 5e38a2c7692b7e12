// `config effective`, `config example` and `config schema`.
#include "daemon/config/effective_text.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "daemon/config/example.h"
#include "daemon/config/json_schema.h"
#include "daemon/config/schema.h"
#include "daemon/config/source.h"
#include "daemon/config/written.h"
#include "tests/unit/config/fake_outside.h"

namespace mg {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

FakeOutside Keys() {
  FakeOutside outside;
  outside.variables["OPENAI_API_KEY"] = "sk-canary";
  outside.variables["ANTHROPIC_API_KEY"] = "sk-ant-canary";
  outside.variables["AWS_REGION"] = "eu-central-1";
  outside.variables["AWS_BEARER_TOKEN_BEDROCK"] = "bedrock-canary";
  return outside;
}

constexpr char kRich[] = R"(listen:
  grpc: ["127.0.0.1:0", "unix:/a b.sock"]
providers:
  openai: { openai: { api_key: { env: OPENAI_API_KEY }, headers: { X-Team: "no" } } }
  aws: { bedrock: {} }
  "123": { mock: { models: [m, "5"], latency: { first: 1500ms } } }
groups:
  support:
    strategy: round_robin
    candidates:
      - { provider: openai, model: gpt-5-mini, weight: 95, retry: { max_delay: 9s } }
      - { provider: "123", model: m }
aliases: { fast: support }
retry: { max_attempts: 5 }
limits: { call_buffer: 1MiB }
timeouts: { ttft: 0s }
)";

TEST(EffectiveText, SaysWhereEachValueComesFrom) {
  const FakeOutside outside = Keys();
  const LoadedConfig loaded = Load(kRich, outside);
  ASSERT_EQ(ToText(loaded.problems), "");
  const std::string text = EffectiveText(loaded);
  for (const std::string& line :
       {"  grpc: [\"127.0.0.1:0\", \"unix:/a b.sock\"]  # test.yaml:2\n",
        "  admin: [\"127.0.0.1:7413\"]  # default\n",
        "      api_key: { env: OPENAI_API_KEY }  # test.yaml:4\n",
        "      region: eu-central-1  # env\n", "    strategy: round_robin  # test.yaml:9\n",
        "      - provider: openai  # test.yaml:11\n", "        weight: 95  # test.yaml:11\n",
        "        weight: 1  # default\n", "          max_delay: 9s  # test.yaml:11\n",
        "retry:\n  max_attempts: 5  # test.yaml:14\n", "  base_delay: 250ms  # default\n",
        "  call_buffer: 1MiB  # test.yaml:15\n", "  ttft: 0s  # test.yaml:16\n",
        "        first: 1.5s  # test.yaml:6\n", "unsupported_parameters: warn  # default\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("canary")));
  // What a candidate inherits stands once, at the top.
  const std::string item = text.substr(text.find("- provider: openai"), 400);
  EXPECT_THAT(item.substr(0, item.find("- provider: \"123\"")), Not(HasSubstr("base_delay")));
}

// Where it is loaded again, the same holds.
TEST(EffectiveText, LoadsAsTheSame) {
  const FakeOutside outside = Keys();
  std::vector<std::string> notes;
  for (const std::string& source :
       {std::string(kRich), ConfigExample(), EmbeddedConfig(outside.Get(), &notes)}) {
    const LoadedConfig loaded = Load(source, outside);
    ASSERT_EQ(ToText(loaded.problems), "") << source;
    const std::string text = EffectiveText(loaded);
    const LoadedConfig again = Load(text, outside);
    ASSERT_EQ(ToText(again.problems), "") << text;
    // Nothing that was there is lost or changed, and the next time is the same.
    google::protobuf::util::MessageDifferencer differencer;
    differencer.set_scope(google::protobuf::util::MessageDifferencer::PARTIAL);
    EXPECT_TRUE(differencer.Compare(loaded.config, again.config)) << text;
    const LoadedConfig third = Load(EffectiveText(again), outside);
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(third.config, again.config));
  }
}

TEST(EffectiveText, ValuesAsTheyAreWritten) {
  EXPECT_EQ(WrittenDuration(absl::ZeroDuration()), "0s");
  EXPECT_EQ(WrittenDuration(absl::Milliseconds(250)), "250ms");
  EXPECT_EQ(WrittenDuration(absl::Seconds(90)), "1m30s");
  EXPECT_EQ(WrittenSize(0), "0");
  EXPECT_EQ(WrittenSize(8 << 20), "8MiB");
  EXPECT_EQ(WrittenSize(1500), "1500");
  EXPECT_EQ(WrittenText("gpt-5.1/x_y"), "gpt-5.1/x_y");
  for (const char* quoted : {"", "null", "No", "5", "a: b", "a#b", "*", "- a"}) {
    EXPECT_EQ(WrittenText(quoted), absl::StrCat("\"", quoted, "\""));
  }
  EXPECT_EQ(WrittenText("a\"b\\c"), "\"a\\\"b\\\\c\"");
}

TEST(ConfigExample, Loads) {
  const FakeOutside outside = Keys();
  const LoadedConfig loaded = Load(ConfigExample(), outside);
  EXPECT_EQ(ToText(loaded.problems), "");
  EXPECT_THAT(loaded.warnings, ::testing::IsEmpty());
  EXPECT_THAT(loaded.no_effect, ::testing::IsEmpty());
}

// Every reference leads somewhere, and every key says what it means.
void CheckSection(const JsonValue& section, const JsonValue& definitions, int* keys) {
  const JsonValue* properties = Member(section, "properties");
  ASSERT_NE(properties, nullptr);
  for (const auto& key : properties->GetObject()) {
    ++*keys;
    const std::string name(StringOf(key.name));
    EXPECT_FALSE(StringMember(key.value, "description").empty()) << name;
    const JsonValue* value = &key.value;
    for (const char* inner : {"items", "additionalProperties"}) {
      const JsonValue* of = Member(*value, inner);
      if (of != nullptr && of->IsObject()) value = of;
    }
    absl::string_view ref = StringMember(*value, "$ref");
    if (ref.empty()) continue;
    ASSERT_TRUE(absl::StartsWith(ref, "#/$defs/")) << name;
    EXPECT_NE(Member(definitions, ref.substr(8)), nullptr) << ref;
  }
}

TEST(ConfigJsonSchema, HoldsEveryKeyWithItsMeaning) {
  JsonDocument schema;
  const absl::Status parsed = ParseJson(ConfigJsonSchema(), &schema);
  ASSERT_TRUE(parsed.ok()) << parsed;
  const JsonValue* definitions = Member(schema, "$defs");
  ASSERT_NE(definitions, nullptr);
  int keys = 0;
  CheckSection(schema, *definitions, &keys);
  EXPECT_EQ(keys, static_cast<int>(KeysOf(*v1::Config::descriptor()).size()));
  for (const auto& definition : definitions->GetObject()) {
    CheckSection(definition.value, *definitions, &keys);
  }
  EXPECT_GT(keys, 150);
  const JsonValue* base_delay =
      Member(*Member(*Member(*definitions, "RetryConfig"), "properties"), "base_delay");
  ASSERT_NE(base_delay, nullptr);
  EXPECT_EQ(StringMember(*base_delay, "default"), "250ms");
  EXPECT_THAT(std::string(StringMember(*base_delay, "description")), HasSubstr("(1ms to 60s)"));
}

}  // namespace
}  // namespace mg
