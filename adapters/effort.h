// The contract's words for how much a model thinks, and token budgets for them (spec/providers.md
// §9.2). Pure functions.
#pragma once

#include "absl/strings/string_view.h"

namespace mg {

// Is it a word of the contract ("none" … "max")?
bool IsEffort(absl::string_view effort);

// The word that is sent for `effort` to a model that takes `words` (from low to high; null: any):
// itself if it is among them, else the next lower one, else the next higher; "none" is never a
// fallback.
absl::string_view NearestEffort(const absl::string_view* words, int count,
                                absl::string_view effort);

inline constexpr int kUnknownMaxOutput = 32768;
// The effort that comes nearest to a budget, for models that take words only.
absl::string_view EffortOfBudget(int budget_tokens, int max_output = kUnknownMaxOutput);
// The budget for an effort, for models that take budgets only; 0 for "none".
int BudgetOfEffort(absl::string_view effort, int max_output);

}  // namespace mg
