// What Google's models take and refuse (spec/providers.md §6.2, §9.2), by what their names say. A
// model that is not known takes everything. Pure functions, any thread.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "adapters/dialect.h"

namespace mg {

struct GeminiModelRules {
  enum class Thinking {
    kNone,    // it does not reason
    kBudget,  // a budget of tokens (2.5)
    kLevel,   // a word (3 and newer)
    kAny,     // not known: what the caller has set is sent
  };

  Thinking thinking = Thinking::kAny;
  int least_budget = 0;  // 0: thinking can be switched off
  int most_budget = 0;   // 0: not known
  std::vector<absl::string_view> levels;
  bool signatures = false;       // a call without its thought signature is refused
  bool system = true;            // takes systemInstruction
  bool json_mode = true;         // takes responseMimeType
  bool json_with_tools = true;   // beside functions, too
  bool studio_penalties = true;  // AI Studio takes penalties for it
};

GeminiModelRules GeminiRulesFor(absl::string_view model);
// With what the configuration says of the model laid over.
GeminiModelRules GeminiRulesFor(const DialectContext& context);

}  // namespace mg
