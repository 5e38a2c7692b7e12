#include "adapters/dialects/anthropic_models.h"

#include <array>

#include "absl/strings/match.h"
#include "adapters/effort.h"

namespace mg {
namespace {

using Rules = AnthropicModelRules;
using Thinking = Rules::Thinking;
using Off = Rules::Off;

struct Row {
  absl::string_view name;
  Rules rules;
};

// Claude 5 and its like: no sampling, and thinking by effort alone.
constexpr Rules Newest(Off off, bool forced_tools) {
  Rules rules;
  rules.off = off;
  rules.forced_tools = forced_tools;
  rules.max_output_known = true;
  return rules;
}

// Opus 4.7, which takes no sampling any more, and no role system yet.
constexpr Rules Opus47() {
  Rules rules = Newest(Off::kDisabled, true);
  rules.system_later = false;
  return rules;
}

constexpr Rules Version46() {
  Rules rules = Opus47();
  rules.sampling = true;
  rules.budget = true;
  return rules;
}

constexpr Rules Older(int max_output, bool effort, bool json_schema) {
  Rules rules = Version46();
  rules.thinking = Thinking::kBudget;
  rules.effort = effort;
  rules.json_schema = json_schema;
  rules.prefill = true;
  rules.max_output = max_output;
  return rules;
}

// The limits of these are not exact in our source.
constexpr Rules Version3(Thinking thinking, int max_output) {
  Rules rules = Older(max_output, false, false);
  rules.thinking = thinking;
  rules.budget = thinking == Thinking::kBudget;
  rules.max_output_known = false;
  return rules;
}

// The first that stands in the name holds; longer names before their beginnings.
constexpr Row kRows[] = {
    {"sonnet-5-5", Newest(Off::kBetweenTools, false)},
    {"opus-5-5", Newest(Off::kNever, false)},
    {"haiku-5-5", Newest(Off::kDisabled, true)},
    {"fable-5-1", Newest(Off::kNever, false)},
    {"fable-5-2", Newest(Off::kNever, false)},
    {"fable-5", Newest(Off::kNever, true)},
    {"opus-5", Newest(Off::kDisabled, true)},
    {"sonnet-5", Newest(Off::kDisabled, true)},
    {"opus-4-8", Newest(Off::kDisabled, true)},
    {"opus-4-7", Opus47()},
    {"opus-4-6", Version46()},
    {"sonnet-4-6", Version46()},
    {"opus-4-5", Older(64000, true, true)},
    {"sonnet-4-5", Older(64000, false, true)},
    {"haiku-4-5", Older(64000, false, true)},
    {"opus-4-1", Older(32000, false, true)},
    {"opus-4", Older(32000, false, false)},
    {"sonnet-4", Older(64000, false, false)},
    {"claude-3-7", Version3(Thinking::kBudget, 8192)},
    {"claude-3-5", Version3(Thinking::kNone, 8192)},
    {"claude-3", Version3(Thinking::kNone, 4096)},
};

constexpr std::array<absl::string_view, 4> kEfforts = {"low", "medium", "high", "max"};
constexpr std::array<absl::string_view, 5> kEffortsOfNewest = {"low", "medium", "high", "xhigh",
                                                               "max"};

}  // namespace

AnthropicModelRules AnthropicRulesFor(absl::string_view model) {
  for (const Row& row : kRows) {
    if (absl::StrContains(model, row.name)) return row.rules;
  }
  return AnthropicModelRules();
}

AnthropicModelRules AnthropicRulesFor(const DialectContext& context) {
  AnthropicModelRules rules = AnthropicRulesFor(KnownModel(context));
  rules.sampling = TakesSampling(context, rules.sampling);
  rules.json_schema = HasCapability(context, "json_schema", rules.json_schema);
  const bool thinks = rules.thinking != Thinking::kNone;
  if (!HasCapability(context, "reasoning", thinks)) {
    rules.thinking = Thinking::kNone;
  } else if (!thinks) {  // models of that age that do take a budget
    rules.thinking = Thinking::kBudget;
    rules.budget = true;
  }
  return rules;
}

absl::string_view AnthropicEffort(const AnthropicModelRules& rules, absl::string_view effort) {
  if (rules.sampling) return NearestEffort(kEfforts.data(), 4, effort);
  return NearestEffort(kEffortsOfNewest.data(), 5, effort);
}

}  // namespace mg
