// How much the model is to think: a budget or a word as its generation takes them
// (spec/providers.md §6.2, §9.2).
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/dialects/gemini_encoding.h"
#include "adapters/effort.h"
#include "adapters/json_text.h"

namespace mg {
namespace {

using Rules = GeminiModelRules;

// Of a model that takes budgets: what the shares of the efforts are taken from.
constexpr int kBudgetBase = 65536;

class ThinkingWriter {
 public:
  explicit ThinkingWriter(GeminiEncoding* encoding)
      : reasoning_(encoding->request.reasoning()),
        rules_(encoding->rules),
        notes_(encoding->notes) {}

  absl::Status Append(std::string* out);

 private:
  absl::Status Decide();
  absl::Status ByBudget(int budget, absl::string_view field, bool asked_for);
  absl::Status ByLevel(absl::string_view effort, absl::string_view field);

  const v1::Reasoning& reasoning_;
  const Rules& rules_;
  EncodeNotes& notes_;
  std::string config_ = "{";
};

absl::Status ThinkingWriter::Append(std::string* out) {
  if (!reasoning_.effort().empty() && !IsEffort(reasoning_.effort())) {
    return Invalid("reasoning.effort",
                   "must be none, minimal, low, medium, high, xhigh or max; other words of a "
                   "provider go into provider_options");
  }
  if (auto status = Decide(); !status.ok()) return status;
  if (reasoning_.has_include_text()) {
    if (rules_.thinking == Rules::Thinking::kNone) {
      auto status = notes_.Drop("reasoning.include_text", "this model does not reason");
      if (!status.ok()) return status;
    } else {
      AppendJsonKey("includeThoughts", &config_);
      config_.append(reasoning_.include_text() ? "true" : "false");
    }
  }
  if (config_ == "{") return absl::OkStatus();
  AppendJsonKey("thinkingConfig", out);
  absl::StrAppend(out, config_, "}");
  return absl::OkStatus();
}

absl::Status ThinkingWriter::Decide() {
  const std::string& effort = reasoning_.effort();
  const bool budget = reasoning_.has_budget_tokens();
  if (!budget && effort.empty()) return absl::OkStatus();
  if (rules_.thinking == Rules::Thinking::kNone) {
    const bool off = budget ? reasoning_.budget_tokens() == 0 : effort == "none";
    if (off) return absl::OkStatus();
    return Unsupported(budget ? "reasoning.budget_tokens" : "reasoning.effort",
                       "this model does not reason");
  }
  if (budget && rules_.thinking != Rules::Thinking::kLevel) {
    if (!effort.empty()) {
      notes_.Tell("changed", "reasoning.effort", "the budget wins: no effort is sent beside it");
    }
    return ByBudget(reasoning_.budget_tokens(), "reasoning.budget_tokens", true);
  }
  if (budget) {
    const absl::string_view word =
        effort.empty() ? EffortOfBudget(reasoning_.budget_tokens()) : absl::string_view(effort);
    auto status = notes_.Change("reasoning.budget_tokens",
                                absl::StrCat("the model takes no budget: effort ", word));
    return status.ok() ? ByLevel(word, "reasoning.budget_tokens") : status;
  }
  if (rules_.thinking != Rules::Thinking::kBudget) return ByLevel(effort, "reasoning.effort");
  return ByBudget(BudgetOfEffort(effort, kBudgetBase), "reasoning.effort", effort == "none");
}

// `asked_for`: the caller has said this very number. The budget of an effort is the effort in this
// model's terms: nothing is changed by its range.
absl::Status ThinkingWriter::ByBudget(int budget, absl::string_view field, bool asked_for) {
  int sent = std::max(budget, rules_.least_budget);
  if (rules_.most_budget > 0) sent = std::min(sent, rules_.most_budget);
  AppendJsonKey("thinkingBudget", &config_);
  absl::StrAppend(&config_, sent);
  if (sent == budget || !asked_for) return absl::OkStatus();
  return notes_.Change(field, absl::StrCat("out of the model's range: ", sent, " is sent"));
}

absl::Status ThinkingWriter::ByLevel(absl::string_view effort, absl::string_view field) {
  const absl::string_view word =
      NearestEffort(rules_.levels.data(), static_cast<int>(rules_.levels.size()), effort);
  AppendJsonKey("thinkingLevel", &config_);
  AppendJsonString(word, &config_);
  if (word == effort) return absl::OkStatus();
  return notes_.Change(field, absl::StrCat("the model has no such effort: ", word, " is sent"));
}

}  // namespace

absl::Status AppendGeminiThinking(GeminiEncoding* encoding, std::string* out) {
  return ThinkingWriter(encoding).Append(out);
}

}  // namespace mg
