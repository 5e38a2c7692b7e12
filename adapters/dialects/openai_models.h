// What OpenAI's own models take and refuse on /chat/completions (spec/providers.md §2.1, §9.2). The
// table says no only where that sheet does: a model it does not know takes everything. Pure
// functions, any thread.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "adapters/dialect.h"
#include "adapters/effort.h"

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
// Of the model as its server serves it, with what the configuration says of it laid over. The names
// of a compatible server's models say nothing, unless the configuration gives them a base_model.
OpenAiModelRules OpenAiRulesFor(const DialectContext& context);

// The word that is sent for `effort`.
absl::string_view EffortFor(const OpenAiModelRules& rules, absl::string_view effort);

}  // namespace mg
