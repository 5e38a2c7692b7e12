#include "adapters/dialects/bedrock_models.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace mg {
namespace {

using Family = BedrockModelRules::Family;

struct FamilyRow {
  absl::string_view piece;
  Family family;
};
// The first that stands in the id holds.
constexpr FamilyRow kFamilies[] = {
    {"claude", Family::kClaude},  {"amazon.nova", Family::kNova},  {"gpt-oss", Family::kGptOss},
    {"openai.", Family::kOpenAi}, {"deepseek", Family::kDeepSeek}, {"qwen", Family::kQwen},
    {"cohere.", Family::kCohere}, {"mistral", Family::kMistral},
};

struct SchemaRow {
  absl::string_view piece;
  bool native;
};
// Structured output of Converse: what was seen or is documented to have it, before the makers whose
// other models have not.
constexpr SchemaRow kSchemas[] = {
    {"sonnet-4-5", true},      {"sonnet-4-6", true}, {"haiku-4-5", true}, {"opus-4-5", true},
    {"opus-4-6", true},        {"claude", false},    {"amazon.", false},  {"meta.", false},
    {"mistral-large-3", true}, {"mistral.", false},  {"cohere.", false},  {"ai21.", false},
    {"writer.", false},
};

constexpr absl::string_view kNoSystem[] = {"titan-t", "mistral-7b", "mixtral-8x7b"};
constexpr absl::string_view kNoTools[] = {"titan-t", "mistral-7b", "mixtral-8x7b",
                                          "llama2",  "llama3-8b",  "llama3-70b"};

template <size_t N>
bool HoldsOne(absl::string_view model, const absl::string_view (&pieces)[N]) {
  return std::any_of(std::begin(pieces), std::end(pieces),
                     [&](absl::string_view piece) { return absl::StrContains(model, piece); });
}

}  // namespace

bool BedrockModelRules::reasons() const {
  if (is_claude()) return claude.thinking != AnthropicModelRules::Thinking::kNone;
  return nova_reasons || family == Family::kGptOss || family == Family::kOpenAi ||
         family == Family::kDeepSeek || family == Family::kQwen;
}

BedrockModelRules BedrockRulesFor(absl::string_view model) {
  BedrockModelRules rules;
  for (const FamilyRow& row : kFamilies) {
    if (!absl::StrContains(model, row.piece)) continue;
    rules.family = row.family;
    break;
  }
  if (rules.is_claude()) rules.claude = AnthropicRulesFor(model);
  rules.nova_reasons = rules.family == Family::kNova && absl::StrContains(model, "nova-2");
  for (const SchemaRow& row : kSchemas) {
    if (!absl::StrContains(model, row.piece)) continue;
    rules.json_schema = row.native;
    break;
  }
  rules.system = !HoldsOne(model, kNoSystem);
  rules.tools = !HoldsOne(model, kNoTools);
  return rules;
}

BedrockModelRules BedrockRulesFor(const DialectContext& context) {
  BedrockModelRules rules = BedrockRulesFor(KnownModel(context));
  if (rules.is_claude()) rules.claude = AnthropicRulesFor(context);
  rules.tools = HasCapability(context, "tools", rules.tools);
  rules.json_schema = HasCapability(context, "json_schema", rules.json_schema);
  rules.nova_reasons =
      rules.family == Family::kNova && HasCapability(context, "reasoning", rules.nova_reasons);
  return rules;
}

absl::string_view WithoutGeoPrefix(absl::string_view model) {
  for (absl::string_view prefix :
       {"us.", "us-gov.", "eu.", "apac.", "jp.", "au.", "ca.", "global."}) {
    if (absl::ConsumePrefix(&model, prefix)) break;
  }
  return model;
}

}  // namespace mg
