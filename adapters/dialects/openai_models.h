// What OpenAI's own models take and refuse on /chat/completions (spec/providers.md §2.1, §9.2). The
// table says no only where that sheet does: a model it does not know takes everything. Pure
// functions, any thread.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mg {

struct OpenAiModelRules {
  absl::string_view responses_only;  // why the model cannot be asked here; empty: it can
  bool developer_role = false;       // ROLE_SYSTEM is written as "developer"
  bool sampling = true;              // takes temperature, top_p, penalties, log probabilities
  bool sampling_at_effort_none =
      false;  // where `sampling` is false: it does with reasoning_effort none (no penalties)
  bool temperature = true;
  bool stop = true;
  bool tools_need_effort_none = false;  // function tools only without reasoning
  bool cache_breakpoints = false;       // prompt_cache_breakpoint on content blocks
  bool json_schema = true;
  // The efforts it takes, from low to high; null: not declared, any word is sent as it is.
  const absl::string_view* efforts = nullptr;
  int effort_count = 0;
};

OpenAiModelRules OpenAiRulesFor(absl::string_view model);

// Is it a word of the contract ("none" … "max")?
bool IsEffort(absl::string_view effort);
// The word that is sent for `effort`: itself if the model takes it, else the next lower one, else
// the next higher; "none" is never a fallback.
absl::string_view EffortFor(const OpenAiModelRules& rules, absl::string_view effort);
// The effort that comes nearest to a budget, for models that take words only.
absl::string_view EffortOfBudget(int budget_tokens);

}  // namespace mg
