#include "adapters/dialects/openai_models.h"

#include <gtest/gtest.h>

namespace mg {
namespace {

TEST(OpenAiModels, ReasoningModels) {
  for (const char* model : {"o1", "o1-mini", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5-nano",
                            "gpt-5.1", "gpt-6-sol", "gpt-10"}) {
    EXPECT_TRUE(OpenAiRulesFor(model).developer_role) << model;
    EXPECT_FALSE(OpenAiRulesFor(model).sampling) << model;
  }
  for (const char* model : {"gpt-4o", "gpt-4.1-mini", "gpt-5-chat-latest", "gpt-3.5-turbo",
                            "gpt-oss-120b", "chatgpt-4o-latest", "my-model", ""}) {
    EXPECT_FALSE(OpenAiRulesFor(model).developer_role) << model;
    EXPECT_TRUE(OpenAiRulesFor(model).sampling) << model;
    EXPECT_TRUE(OpenAiRulesFor(model).stop) << model;
  }
}

TEST(OpenAiModels, ResponsesOnly) {
  for (const char* model : {"gpt-5-pro", "gpt-5-pro-2025-10-06", "gpt-5-codex", "gpt-5.1-codex-max",
                            "codex-mini-latest"}) {
    const bool expected = std::string(model).find("-codex") != std::string::npos ||
                          std::string(model).rfind("gpt-5-pro", 0) == 0;
    EXPECT_EQ(!OpenAiRulesFor(model).responses_only.empty(), expected) << model;
  }
  EXPECT_TRUE(OpenAiRulesFor("gpt-5.2-pro").responses_only.empty());
  EXPECT_TRUE(OpenAiRulesFor("gpt-5.4-pro").responses_only.empty());
}

TEST(OpenAiModels, FinerRules) {
  EXPECT_TRUE(OpenAiRulesFor("o1").stop);
  EXPECT_FALSE(OpenAiRulesFor("o3").stop);
  EXPECT_FALSE(OpenAiRulesFor("gpt-5").sampling_at_effort_none);
  EXPECT_TRUE(OpenAiRulesFor("gpt-5.1").sampling_at_effort_none);
  EXPECT_FALSE(OpenAiRulesFor("gpt-6").sampling_at_effort_none);
  EXPECT_TRUE(OpenAiRulesFor("gpt-5.6-terra").tools_need_effort_none);
  EXPECT_FALSE(OpenAiRulesFor("gpt-5.5").tools_need_effort_none);
  EXPECT_FALSE(OpenAiRulesFor("gpt-6").tools_need_effort_none);
  EXPECT_FALSE(OpenAiRulesFor("gpt-5.5").cache_breakpoints);
  EXPECT_TRUE(OpenAiRulesFor("gpt-5.6").cache_breakpoints);
  EXPECT_TRUE(OpenAiRulesFor("gpt-6-sol").cache_breakpoints);
  EXPECT_FALSE(OpenAiRulesFor("gpt-4-turbo").json_schema);
  EXPECT_FALSE(OpenAiRulesFor("gpt-4o-2024-05-13").json_schema);
  EXPECT_TRUE(OpenAiRulesFor("gpt-4o").json_schema);
  EXPECT_TRUE(OpenAiRulesFor("gpt-4.1").json_schema);
}

TEST(OpenAiModels, Efforts) {
  const auto effort = [](const char* model, const char* word) {
    return std::string(EffortFor(OpenAiRulesFor(model), word));
  };
  EXPECT_EQ(effort("gpt-5", "xhigh"), "high");
  EXPECT_EQ(effort("gpt-5", "none"), "minimal");
  EXPECT_EQ(effort("gpt-5.1", "minimal"), "low");  // none is never a fallback
  EXPECT_EQ(effort("gpt-5.1", "none"), "none");
  EXPECT_EQ(effort("gpt-5.4", "max"), "xhigh");
  EXPECT_EQ(effort("gpt-5.6", "max"), "max");
  EXPECT_EQ(effort("gpt-6", "none"), "low");
  EXPECT_EQ(effort("gpt-6-sol", "none"), "none");
  EXPECT_EQ(effort("gpt-6-luna-2026-01-01", "none"), "none");
  EXPECT_EQ(effort("gpt-6.1-terra", "none"), "none");
  EXPECT_EQ(effort("gpt-6-terra", "none"), "low");
  EXPECT_EQ(effort("o3", "max"), "max");
  EXPECT_EQ(effort("gpt-5.2-pro", "minimal"), "minimal");
}

TEST(OpenAiModels, Budgets) {
  EXPECT_EQ(EffortOfBudget(0), "none");
  EXPECT_EQ(EffortOfBudget(1000), "minimal");
  EXPECT_EQ(EffortOfBudget(2000), "low");
  EXPECT_EQ(EffortOfBudget(10000), "medium");
  EXPECT_EQ(EffortOfBudget(20000), "high");
  EXPECT_EQ(EffortOfBudget(30000), "xhigh");
  EXPECT_EQ(EffortOfBudget(2147483647), "max");
}

}  // namespace
}  // namespace mg
