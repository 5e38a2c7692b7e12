// Presets: words for effort, and what of their answers and counts the golden files do not show.
#include "adapters/dialects/openai_profile.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "adapters/call_id.h"
#include "adapters/fold.h"

namespace mg {
namespace {

DialectContext Context(const char* preset, const char* model = "m") {
  return {.provider = "p", .model = model, .compatible = true, .preset = preset};
}

TEST(OpenAiProfile, WordsForEffort) {
  const struct {
    const char* preset;
    const char* model;
    const char* asked;
    const char* sent;
  } rows[] = {
      {"", "m", "xhigh", "xhigh"},
      {"mistral", "mistral-medium", "low", "high"},
      {"mistral", "magistral-small", "max", "high"},
      {"mistral", "ministral-8b", "low", ""},
      {"mistral", "zai-glm-5", "medium", "low"},
      {"groq", "openai/gpt-oss-20b", "none", "low"},
      {"groq", "qwen/qwen3-32b", "high", "default"},
      {"groq", "qwen/qwen3-32b", "none", "none"},
      {"deepseek", "deepseek-chat", "medium", "high"},
      {"deepseek", "deepseek-chat", "minimal", "low"},
      {"deepseek", "deepseek-chat", "xhigh", "max"},
      {"xai", "grok-4", "max", "high"},
      {"xai", "grok-4.6", "max", "xhigh"},
      {"xai", "grok-4", "minimal", "low"},
      {"xai", "grok-4.20-0309-reasoning", "low", ""},
      {"openrouter", "m", "max", "max"},
      {"together", "m", "minimal", "low"},
      {"together", "m", "xhigh", "high"},
      {"ollama", "m", "minimal", "low"},
      {"ollama", "m", "xhigh", "max"},
      {"vllm", "m", "minimal", "minimal"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(PresetEffort(Context(row.preset, row.model), row.asked), row.sent)
        << row.preset << "/" << row.model << " " << row.asked;
  }
}

TEST(OpenAiProfile, EveryPresetIsItsOwn) {
  for (const char* preset : {"mistral", "groq", "deepseek", "xai", "openrouter", "together",
                             "google", "ollama", "llamacpp", "vllm", "sglang"}) {
    EXPECT_EQ(OpenAiProfileOf(Context(preset)).preset, preset);
    EXPECT_FALSE(OpenAiProfileOf(Context(preset)).base_url.empty());
  }
  EXPECT_EQ(OpenAiProfileOf(Context("")).preset, "");
}

TEST(OpenAiProfile, ShortCallIds) {
  EXPECT_EQ(ShortCallId("abcDEF123"), "abcDEF123");
  EXPECT_EQ(ShortCallId("call_1").size(), 9u);
  EXPECT_EQ(ShortCallId("call_1"), ShortCallId("call_1"));
  EXPECT_NE(ShortCallId("call_1"), ShortCallId("call_2"));
  EXPECT_EQ(ShortCallId("").size(), 9u);
}

// What an answer to a conversation that ends with "The answer is" says, its text cut after each
// character.
std::string Answered(const std::string& text, const char* preset) {
  v1::ChatRequest request;
  v1::Message* last = request.add_messages();
  last->set_role(v1::ROLE_ASSISTANT);
  last->add_parts()->set_text("The answer is");
  const DialectContext context = Context(preset);
  const HttpHead head = {200, {{"content-type", "text/event-stream"}}};
  auto decoder = FindAdapter("openai_compatible")->dialect->NewChatDecoder(request, context, head);
  EXPECT_TRUE(decoder.ok());
  std::vector<v1::ChatEvent> events;
  for (const char c : text) {
    const auto status = (*decoder)->Feed(
        absl::StrCat(R"(data: {"choices":[{"delta":{"content":")", std::string(1, c), "\"}}]}\n\n"),
        &events);
    EXPECT_TRUE(status.ok());
  }
  const auto status = (*decoder)->Feed(
      "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
      &events);
  EXPECT_TRUE(status.ok());
  ChatFold fold;
  for (auto& event : events) fold.Add(std::move(event));
  const v1::ChatResponse answer = fold.Take();
  std::string said;
  for (const v1::Part& part : answer.choices(0).message().parts()) said.append(part.text());
  return said;
}

TEST(OpenAiProfile, MistralsEchoOfAPrefillIsCutOff) {
  EXPECT_EQ(Answered("The answer is 42", "mistral"), " 42");
  EXPECT_EQ(Answered(" 42", "mistral"), " 42");
  EXPECT_EQ(Answered("The answer was 42", "mistral"), "The answer was 42");
  EXPECT_EQ(Answered("The answer", "mistral"), "The answer");
  EXPECT_EQ(Answered("The answer is", "mistral"), "");
  EXPECT_EQ(Answered("The answer is 42", "groq"), "The answer is 42");
}

}  // namespace
}  // namespace mg
