// How much the model is to think: effort and budget as its generation takes them (spec/providers.md
// §4.2, §9.2). Decided before messages and settings, which depend on it.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/dialects/anthropic_encoding.h"
#include "adapters/effort.h"

namespace mg {
namespace {

using Rules = AnthropicModelRules;

constexpr int kLeastBudget = 1024;

class ThinkingWriter {
 public:
  explicit ThinkingWriter(AnthropicEncoding* encoding)
      : encoding_(*encoding),
        reasoning_(encoding->request.reasoning()),
        rules_(encoding->rules),
        notes_(encoding->notes) {}

  absl::Status Write();

 private:
  absl::Status Decide();
  absl::Status TurnOff(absl::string_view field);
  absl::Status ByBudget(int budget, absl::string_view field);
  absl::Status ByEffort(absl::string_view effort, absl::string_view field);
  absl::Status CheckForcedTool();
  absl::Status AppendDisplay();

  // The field that the caller has set.
  absl::string_view Field() const {
    return reasoning_.has_budget_tokens() ? "reasoning.budget_tokens" : "reasoning.effort";
  }

  AnthropicEncoding& encoding_;
  const v1::Reasoning& reasoning_;
  const Rules& rules_;
  EncodeNotes& notes_;
  std::string type_;  // of the thinking object; empty: none is sent
};

absl::Status ThinkingWriter::Write() {
  if (!reasoning_.effort().empty() && !IsEffort(reasoning_.effort())) {
    return Invalid("reasoning.effort",
                   "must be none, minimal, low, medium, high, xhigh or max; other words of a "
                   "provider go into provider_options");
  }
  if (auto status = Decide(); !status.ok()) return status;
  if (auto status = CheckForcedTool(); !status.ok()) return status;
  if (!type_.empty()) {
    absl::StrAppend(&encoding_.body, ",\"thinking\":{\"type\":\"", type_, "\"");
    if (encoding_.thinking_budget > 0) {
      absl::StrAppend(&encoding_.body, ",\"budget_tokens\":", encoding_.thinking_budget);
    }
    if (auto status = AppendDisplay(); !status.ok()) return status;
    encoding_.body.push_back('}');
    return absl::OkStatus();
  }
  return AppendDisplay();
}

absl::Status ThinkingWriter::Decide() {
  const bool budget = reasoning_.has_budget_tokens();
  const bool off = budget ? reasoning_.budget_tokens() == 0 : reasoning_.effort() == "none";
  if (!budget && reasoning_.effort().empty()) return absl::OkStatus();
  if (off) return TurnOff(Field());
  if (rules_.thinking == Rules::Thinking::kNone) {
    return Unsupported(Field(), "this model does not reason");
  }
  if (!budget) return ByEffort(reasoning_.effort(), "reasoning.effort");
  if (rules_.budget) {
    if (!reasoning_.effort().empty()) {
      notes_.Tell("changed", "reasoning.effort", "the budget wins: no effort is sent beside it");
    }
    return ByBudget(reasoning_.budget_tokens(), "reasoning.budget_tokens");
  }
  const std::string effort(reasoning_.effort().empty() || reasoning_.effort() == "none"
                               ? EffortOfBudget(reasoning_.budget_tokens(), rules_.max_output)
                               : absl::string_view(reasoning_.effort()));
  auto status = notes_.Change("reasoning.budget_tokens",
                              absl::StrCat("the model takes no budget: effort ", effort));
  return status.ok() ? ByEffort(effort, "reasoning.budget_tokens") : status;
}

absl::Status ThinkingWriter::TurnOff(absl::string_view field) {
  if (rules_.thinking == Rules::Thinking::kNone) return absl::OkStatus();
  if (rules_.off == Rules::Off::kDisabled) {
    type_ = "disabled";
    return absl::OkStatus();
  }
  if (rules_.off == Rules::Off::kBetweenTools) {
    type_ = "between_tools";
    return notes_.Change(field, "this model cannot be kept from thinking: between_tools is sent");
  }
  encoding_.effort = "low";
  return notes_.Change(field, "this model cannot be kept from thinking: effort low is sent");
}

absl::Status ThinkingWriter::ByBudget(int budget, absl::string_view field) {
  int sent = std::max(budget, kLeastBudget);
  // Some room must be left for the answer.
  if (rules_.max_output_known) sent = std::min(sent, rules_.max_output - 1);
  type_ = "enabled";
  encoding_.thinks = true;
  encoding_.thinking_budget = sent;
  if (sent == budget) return absl::OkStatus();
  return notes_.Change(field, absl::StrCat("out of the model's range: ", sent, " is sent"));
}

absl::Status ThinkingWriter::ByEffort(absl::string_view effort, absl::string_view field) {
  if (rules_.effort) {
    const absl::string_view word = AnthropicEffort(rules_, effort);
    encoding_.effort = std::string(word);
    if (word != effort) {
      auto status =
          notes_.Change(field, absl::StrCat("the model has no such effort: ", word, " is sent"));
      if (!status.ok()) return status;
    }
  }
  if (rules_.thinking == Rules::Thinking::kAdaptive) {
    type_ = "adaptive";
    encoding_.thinks = true;
    return absl::OkStatus();
  }
  // The budget is the effort in this model's terms: nothing is changed by it.
  const int budget = std::max(kLeastBudget, BudgetOfEffort(effort, rules_.max_output));
  return ByBudget(budget, field);
}

// A tool can be forced on a model only while it does not think.
absl::Status ThinkingWriter::CheckForcedTool() {
  if (encoding_.request.tool_choice().mode() != v1::ToolChoice::MODE_REQUIRED) {
    return absl::OkStatus();
  }
  if (!rules_.forced_tools) {
    return Unsupported("tool_choice.mode", "this model, which always thinks, takes no forced tool");
  }
  if (encoding_.thinks) {
    return Unsupported(Field(), "a model cannot think where it is forced to call a tool");
  }
  // The newest think unasked.
  if (type_.empty() && !rules_.sampling && rules_.off == Rules::Off::kDisabled) type_ = "disabled";
  return absl::OkStatus();
}

absl::Status ThinkingWriter::AppendDisplay() {
  if (!reasoning_.has_include_text()) return absl::OkStatus();
  if (!encoding_.thinks) {
    return notes_.Drop("reasoning.include_text",
                       "it goes beside thinking, which neither effort nor budget asks for");
  }
  absl::StrAppend(&encoding_.body, ",\"display\":\"",
                  reasoning_.include_text() ? "summarized" : "omitted", "\"");
  return absl::OkStatus();
}

}  // namespace

absl::Status EncodeAnthropicThinking(AnthropicEncoding* encoding) {
  return ThinkingWriter(encoding).Write();
}

}  // namespace mg
