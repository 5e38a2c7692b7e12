// What Anthropic's models take and refuse (spec/providers.md §4.3, §9.2), by a piece of their name,
// so that the names of other clouds find their row too. A model that is not known has the row of
// the newest ones. Pure functions, any thread.
#pragma once

#include "absl/strings/string_view.h"
#include "adapters/dialect.h"

namespace mg {

struct AnthropicModelRules {
  enum class Thinking {
    kNone,      // it does not reason
    kBudget,    // thinking of a budget of tokens
    kAdaptive,  // the model decides how much, by an effort
  };
  enum class Off {
    kDisabled,      // thinking can be switched off
    kBetweenTools,  // it can be kept to what is between tool calls
    kNever,
  };

  bool sampling = false;  // takes temperature, top_p and top_k
  Thinking thinking = Thinking::kAdaptive;
  Off off = Off::kDisabled;
  bool budget = false;  // takes budget_tokens
  bool effort = true;   // takes output_config.effort
  bool forced_tools = true;
  bool json_schema = true;
  bool system_later = true;  // takes role system within the conversation
  bool prefill = false;      // continues a last message of the assistant
  int max_output = 128000;
  bool max_output_known = false;  // it takes no more than that
};

AnthropicModelRules AnthropicRulesFor(absl::string_view model);
// With what the configuration says of the model laid over.
AnthropicModelRules AnthropicRulesFor(const DialectContext& context);

// The word of output_config.effort for one of the contract, "none" aside.
absl::string_view AnthropicEffort(const AnthropicModelRules& rules, absl::string_view effort);

}  // namespace mg
