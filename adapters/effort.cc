#include "adapters/effort.h"

#include <array>
#include <cmath>

namespace mg {
namespace {

constexpr std::array<absl::string_view, 7> kEfforts = {"none", "minimal", "low", "medium",
                                                       "high", "xhigh",   "max"};
// Of what a model can put out, word by word.
constexpr std::array<double, 7> kShares = {0, 0.02, 0.10, 0.30, 0.60, 0.90, 0.95};

}  // namespace

bool IsEffort(absl::string_view effort) {
  for (absl::string_view word : kEfforts) {
    if (word == effort) return true;
  }
  return false;
}

absl::string_view NearestEffort(const absl::string_view* words, int count,
                                absl::string_view effort) {
  if (words == nullptr) return effort;
  const auto rank = [](absl::string_view word) {
    size_t i = 0;
    while (i < kEfforts.size() && kEfforts[i] != word) ++i;
    return i;
  };
  absl::string_view lower;
  absl::string_view higher;
  for (int i = 0; i < count; ++i) {
    const absl::string_view word = words[i];
    if (word == effort) return word;
    if (word == "none") continue;
    if (rank(word) < rank(effort)) lower = word;
    if (rank(word) > rank(effort) && higher.empty()) higher = word;
  }
  return lower.empty() ? higher : lower;
}

absl::string_view EffortOfBudget(int budget_tokens, int max_output) {
  const double share = static_cast<double>(budget_tokens) / max_output;
  if (budget_tokens == 0) return "none";
  if (share < 0.06) return "minimal";
  if (share < 0.20) return "low";
  if (share < 0.45) return "medium";
  if (share < 0.75) return "high";
  if (share < 0.925) return "xhigh";
  return "max";
}

int BudgetOfEffort(absl::string_view effort, int max_output) {
  for (size_t i = 0; i < kEfforts.size(); ++i) {
    if (kEfforts[i] == effort) return static_cast<int>(std::lround(kShares[i] * max_output));
  }
  return 0;
}

}  // namespace mg
