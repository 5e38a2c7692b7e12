// What Bedrock's models take and refuse (spec/providers.md §5.2, §5.3, §9.2), by a piece of their
// id, so that profiles and ARNs find their row too. A model that is not known takes everything.
// Pure functions, any thread.
#pragma once

#include "absl/strings/string_view.h"
#include "adapters/dialects/anthropic_models.h"

namespace mg {

struct BedrockModelRules {
  // Who made it: what Converse has no member for is said in its maker's own.
  enum class Family {
    kClaude,
    kNova,
    kGptOss,
    kOpenAi,
    kDeepSeek,
    kQwen,
    kCohere,
    kMistral,
    kOther
  };

  Family family = Family::kOther;
  AnthropicModelRules claude;  // of kClaude
  bool nova_reasons = false;   // of kNova: the second generation does
  bool system = true;
  bool tools = true;
  bool json_schema = true;

  bool is_claude() const { return family == Family::kClaude; }
  // It thinks, and there is a word by which it is told how much.
  bool reasons() const;
};

BedrockModelRules BedrockRulesFor(absl::string_view model);
// With what the configuration says of the model laid over.
BedrockModelRules BedrockRulesFor(const DialectContext& context);

// The model behind a profile's id, "us.anthropic.claude-…": without the geographic prefix.
absl::string_view WithoutGeoPrefix(absl::string_view model);

}  // namespace mg
