// What the configuration says of models, as the dialects follow it.
#include "adapters/model_traits.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "adapters/chat_codec.h"
#include "adapters/dialect.h"

namespace mg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

ModelTraits Base(std::string model) {
  ModelTraits traits;
  traits.base_model = std::move(model);
  return traits;
}
ModelTraits Sampling(bool sampling) {
  ModelTraits traits;
  traits.sampling = sampling;
  return traits;
}
ModelTraits Can(std::vector<std::string> words) {
  ModelTraits traits;
  traits.capabilities = std::move(words);
  return traits;
}

struct Sent {
  absl::Status status;
  std::string url;
  std::string body;
  std::vector<std::string> warnings;  // "dropped sampling.top_p"

  std::string field() const { return DetailOf(status).field(); }
};

v1::ChatRequest RequestOf(const std::string& more) {
  v1::ChatRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "messages { role: ROLE_USER parts { text: \"Hi\" } } " + more, &request))
      << more;
  return request;
}

Sent Send(const char* kind, DialectContext context, const ModelTraits& traits,
          const std::string& more, bool stream = false) {
  context.traits = &traits;
  const v1::ChatRequest request = RequestOf(more);
  ChatCodec codec(*FindAdapter(kind)->dialect, request, context, stream);
  const auto encoded = codec.Encode();
  Sent sent;
  sent.status = encoded.status();
  if (!encoded.ok()) return sent;
  sent.url = encoded->http.url;
  sent.body = encoded->http.body;
  for (const v1::Warning& warning : encoded->warnings) {
    sent.warnings.push_back(warning.code() + " " + warning.field());
  }
  return sent;
}

constexpr char kSchema[] =
    "response_format { json_schema { schema_json: \"{\\\"type\\\":\\\"object\\\"}\" } }";

constexpr char kClosedSchema[] =
    "response_format { json_schema { schema_json: "
    "\"{\\\"type\\\":\\\"object\\\",\\\"properties\\\":{},\\\"additionalProperties\\\":false}\" } "
    "}";

TEST(ModelTable, TheFirstPatternThatFitsHolds) {
  ModelTable table;
  EXPECT_EQ(table.Find("p", "m"), nullptr);
  table.Add("p/exact", Base("a"));
  table.Add("p/org/*-?b", Base("b"));
  table.Add("*/m", Base("c"));
  table.Add("p/*", Base("d"));
  const auto base = [&table](absl::string_view provider, absl::string_view model) {
    const ModelTraits* traits = table.Find(provider, model);
    return traits == nullptr ? "" : traits->base_model;
  };
  EXPECT_EQ(base("p", "exact"), "a");
  EXPECT_EQ(base("p", "org/x/qwen-8b"), "b");
  EXPECT_EQ(base("p", "org/x/qwen-18b"), "d");
  EXPECT_EQ(base("q", "m"), "c");
  EXPECT_EQ(base("q", "exact"), "");
  EXPECT_EQ(base("q", "P/exact"), "");
}

// The body's model is the model's own, its rules are the other's.
TEST(ModelTraits, ABaseModelBringsItsRules) {
  const std::string more = "sampling { temperature: 0.5 max_output_tokens: 9 }";
  const ModelTraits gpt5 = Base("gpt-5-mini");
  const Sent azure = Send("azure_openai", {.provider = "p", .model = "front-desk"}, gpt5, more);
  EXPECT_THAT(azure.body, HasSubstr("\"model\":\"front-desk\""));
  EXPECT_THAT(azure.warnings, ElementsAre("dropped sampling.temperature"));
  const Sent proxy = Send("openai_compatible",
                          {.provider = "p", .model = "front-desk", .compatible = true}, gpt5, more);
  EXPECT_THAT(proxy.warnings, ElementsAre("dropped sampling.temperature"));

  constexpr char kArn[] = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc";
  const Sent bedrock =
      Send("bedrock", {.provider = "p", .model = kArn}, Base("anthropic.claude-opus-5"), more);
  EXPECT_THAT(bedrock.url, HasSubstr("application-inference-profile%2Fabc/converse"));
  EXPECT_THAT(bedrock.warnings, ElementsAre("dropped sampling.temperature"));

  const Sent tuned =
      Send("anthropic", {.provider = "p", .model = "ours"}, Base("claude-3-5-haiku"), more);
  EXPECT_THAT(tuned.warnings, ElementsAre());
  const Sent gemma =
      Send("gemini", {.provider = "p", .model = "tunedModels/x"}, Base("gemma-3-27b-it"), kSchema);
  EXPECT_THAT(gemma.warnings, testing::Contains("emulated response_format"));
  const Sent claude =
      Send("vertex", {.provider = "p", .model = "endpoint"}, Base("claude-haiku-4-5"), "");
  EXPECT_EQ(claude.url, "/publishers/anthropic/models/endpoint:rawPredict");
  const Sent deepseek =
      Send("openai_compatible",
           {.provider = "p", .model = "v4", .compatible = true, .preset = "deepseek"},
           Base("deepseek-v4"), "sampling { temperature: 0.5 }");
  EXPECT_THAT(deepseek.warnings, ElementsAre("dropped sampling.temperature"));
}

TEST(ModelTraits, TheCountOfAProfileIsThatOfItsBaseModel) {
  const ModelTraits traits = Base("us.anthropic.claude-haiku-4-5-20251001-v1:0");
  const DialectContext context{.provider = "p", .model = "arn:aws:x/y", .traits = &traits};
  v1::CountTokensRequest request;
  request.set_text("Hi");
  const auto encoded = EncodeCount(*FindAdapter("bedrock")->dialect, request, context);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_EQ(encoded->http.url, "/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/count-tokens");
}

TEST(ModelTraits, SamplingIsTakenOrLeftAsTheConfigurationSays) {
  const std::string more =
      "sampling { temperature: 0.5 top_p: 0.9 top_k: 3 presence_penalty: 0.1 frequency_penalty: "
      "0.1 top_logprobs: 2 seed: 1 }";
  for (const char* kind : {"openai_compatible", "gemini", "cohere", "bedrock"}) {
    const DialectContext context{.provider = "p", .model = "x", .compatible = kind[0] == 'o'};
    const Sent sent = Send(kind, context, Sampling(false), more);
    ASSERT_TRUE(sent.status.ok()) << sent.status;
    for (const char* name : {"temperature", "top_p", "top_k", "presence_penalty",
                             "frequency_penalty", "top_logprobs"}) {
      EXPECT_THAT(sent.warnings, testing::Contains(absl::StrCat("dropped sampling.", name)))
          << kind;
    }
    EXPECT_THAT(sent.body, Not(HasSubstr("0.5"))) << kind;
  }
  DialectContext strict{.provider = "p", .model = "x", .refuse_unsupported = true};
  EXPECT_EQ(Send("cohere", strict, Sampling(false), more).field(), "sampling.temperature");
  // Where the tables say no, it says yes.
  for (const auto& [kind, model] : {std::pair("openai", "gpt-5"),
                                    {"anthropic", "claude-opus-5-5"},
                                    {"anthropic", "claude-x"},
                                    {"bedrock", "anthropic.claude-opus-5-5"}}) {
    const Sent sent = Send(kind, {.provider = "p", .model = model}, Sampling(true),
                           "sampling { temperature: 0.5 }");
    EXPECT_THAT(sent.body, HasSubstr("\"temperature\":0.5")) << model;
    EXPECT_THAT(sent.warnings, ElementsAre()) << model;
  }
}

TEST(ModelTraits, WhatIsNoCapabilityIsRefusedByName) {
  const DialectContext context{.provider = "p", .model = "x", .compatible = true};
  const struct {
    const char* without;  // the word that is missing
    const char* more;
    const char* field;
  } rows[] = {
      {"tools", "tools { name: \"f\" }", "tools"},
      {"json_object", "response_format { json_object {} }", "response_format.json_object"},
      {"reasoning", "reasoning { effort: \"low\" }", "reasoning.effort"},
      {"reasoning", "reasoning { budget_tokens: 1024 }", "reasoning.budget_tokens"},
      {"choices", "sampling { choices: 2 }", "sampling.choices"},
      {"image", "messages { role: ROLE_USER parts { image { uri: \"https://a/b\" } } }",
       "messages[1].parts[0].image"},
      {"audio", "messages { role: ROLE_USER parts { audio { data: \"RIFF0000WAVE\" } } }",
       "messages[1].parts[0].audio"},
      {"document",
       "messages { role: ROLE_TOOL parts { tool_result { tool_call_id: \"1\" parts { text: \"a\" } "
       "parts { document { data: \"%PDF\" } } } } }",
       "messages[1].parts[0].tool_result.parts[1].document"},
      {"chat", "", ""},
  };
  const std::vector<std::string> all = {"chat",  "stream", "tools",    "json_object", "reasoning",
                                        "image", "audio",  "document", "choices"};
  for (const auto& [without, more, field] : rows) {
    std::vector<std::string> words = all;
    words.erase(std::find(words.begin(), words.end(), without));
    const Sent sent = Send("openai_compatible", context, Can(words), more);
    EXPECT_EQ(DetailOf(sent.status).kind(), v1::ERROR_KIND_UNSUPPORTED) << without;
    EXPECT_EQ(sent.field(), field) << without;
    EXPECT_THAT(std::string(sent.status.message()), HasSubstr(without));
    const Sent able = Send("openai_compatible", context, Can(all), more);
    EXPECT_THAT(std::string(able.status.message()), Not(HasSubstr("by the configuration")));
  }
  const Sent off =
      Send("openai_compatible", context, Can({"chat"}), "reasoning { effort: \"none\" }");
  EXPECT_TRUE(off.status.ok()) << off.status;
  EXPECT_EQ(ClassOf(Send("openai_compatible", context, Can({"chat"}), "", true).status),
            ErrorClass::kUnsupportedMethod);
}

TEST(ModelTraits, LogProbabilitiesAreDropped) {
  const DialectContext context{.provider = "p", .model = "x", .compatible = true};
  const Sent sent = Send("openai_compatible", context, Can({"chat"}),
                         "sampling { top_logprobs: 1 temperature: 0.5 }");
  EXPECT_THAT(sent.warnings, ElementsAre("dropped sampling.top_logprobs"));
  EXPECT_THAT(sent.body, HasSubstr("0.5"));
}

TEST(ModelTraits, ASchemaIsEmulatedWhereTheModelHasNone) {
  const DialectContext context{.provider = "p", .model = "x", .compatible = true};
  const Sent tool = Send("openai_compatible", context, Can({"chat", "tools"}), kSchema);
  EXPECT_THAT(tool.body, HasSubstr("\"tools\":["));
  EXPECT_THAT(tool.warnings, testing::Contains("emulated response_format"));
  const Sent words = Send("openai_compatible", context, Can({"chat"}), kSchema);
  EXPECT_THAT(words.body, Not(HasSubstr("\"tools\"")));
  EXPECT_THAT(words.warnings, testing::Contains("emulated response_format"));
  const Sent native = Send("openai_compatible", context, Can({"chat", "json_schema"}), kSchema);
  EXPECT_THAT(native.body, HasSubstr("\"json_schema\""));
  EXPECT_THAT(native.warnings, ElementsAre());
  // Against the tables of each maker.
  const Sent old = Send("anthropic", {.provider = "p", .model = "claude-3-5-haiku-latest"},
                        Can({"chat", "json_schema"}), kClosedSchema);
  EXPECT_THAT(old.body, HasSubstr("output_config"));
  const Sent nova = Send("bedrock", {.provider = "p", .model = "amazon.nova-lite"},
                         Can({"chat", "json_schema"}), kSchema);
  EXPECT_THAT(nova.body, HasSubstr("outputConfig"));
  const Sent gemma = Send("gemini", {.provider = "p", .model = "gemma-3-27b-it"},
                          Can({"chat", "json_schema"}), kSchema);
  EXPECT_THAT(gemma.body, HasSubstr("responseJsonSchema"));
  const Sent command = Send("cohere", {.provider = "p", .model = "command-light"},
                            Can({"chat", "json_schema"}), kSchema);
  EXPECT_THAT(command.body, HasSubstr("json_object"));
}

TEST(ModelTraits, ReasoningComesOrGoes) {
  const std::string low = "reasoning { effort: \"low\" }";
  const Sent old = Send("anthropic", {.provider = "p", .model = "claude-3-5-haiku-latest"},
                        Can({"chat", "reasoning"}), low + " sampling { max_output_tokens: 9000 }");
  EXPECT_THAT(old.body, HasSubstr("\"thinking\":{\"type\":\"enabled\"")) << old.status;
  const Sent gemma =
      Send("gemini", {.provider = "p", .model = "gemma-3-27b-it"}, Can({"chat", "reasoning"}), low);
  EXPECT_THAT(gemma.body, HasSubstr("thinkingConfig")) << gemma.status;
  const Sent nova = Send("bedrock", {.provider = "p", .model = "amazon.nova-lite"},
                         Can({"chat", "reasoning"}), low);
  EXPECT_THAT(nova.body, HasSubstr("reasoningConfig")) << nova.status;
  const Sent titan = Send("bedrock", {.provider = "p", .model = "amazon.titan-text-lite-v1"},
                          Can({"chat", "tools"}), "tools { name: \"f\" }");
  EXPECT_THAT(titan.body, HasSubstr("toolConfig")) << titan.status;
}

}  // namespace
}  // namespace mg
