#include "adapters/dialects/gemini_models.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace mg {
namespace {

using Rules = GeminiModelRules;
using Thinking = Rules::Thinking;

// major * 100 + minor of "gemini-3.1-pro"; 0 for a name without a version.
int VersionOf(absl::string_view model) {
  const size_t at = model.rfind("gemini-");
  if (at == absl::string_view::npos) return 0;
  model.remove_prefix(at + 7);
  int number[2] = {0, 0};
  for (int i = 0; i < 2; ++i) {
    int digits = 0;
    while (!model.empty() && absl::ascii_isdigit(static_cast<unsigned char>(model[0]))) {
      if (++digits > 2) return 0;
      number[i] = number[i] * 10 + (model[0] - '0');
      model.remove_prefix(1);
    }
    if (digits == 0) return i == 0 ? 0 : number[0] * 100;
    if (i == 0 && !absl::ConsumePrefix(&model, ".")) break;
  }
  return number[0] * 100 + number[1];
}

std::vector<absl::string_view> LevelsOf(absl::string_view model, int version) {
  if (absl::StrContains(model, "gemini-4-hydrogen")) return {"low", "medium", "high", "xhigh"};
  const bool pro = version >= 300 && absl::StrContains(model, "-pro");
  const bool flash = (version >= 307 && absl::StrContains(model, "-flash")) ||
                     absl::StrContains(model, "flash-latest");
  if (pro || flash) return {"low", "medium", "high"};
  return {"minimal", "low", "medium", "high"};
}

Rules OfVersion2(int version, absl::string_view model) {
  Rules rules;
  rules.json_with_tools = false;
  if (version < 205) {
    rules.thinking = Thinking::kNone;
    return rules;
  }
  const bool pro = absl::StrContains(model, "-pro");
  rules.thinking = Thinking::kBudget;
  rules.least_budget = pro ? 128 : 0;
  rules.most_budget = pro ? 32768 : 24576;
  rules.studio_penalties = false;
  return rules;
}

}  // namespace

GeminiModelRules GeminiRulesFor(absl::string_view model) {
  Rules rules;
  if (absl::StrContains(model, "gemma")) {
    rules.thinking = Thinking::kNone;
    rules.system = false;
    rules.json_mode = false;
    rules.json_with_tools = false;
    return rules;
  }
  const int version = VersionOf(model);
  if (version > 0 && version < 300) return OfVersion2(version, model);
  rules.levels = LevelsOf(model, version);
  if (version == 0) {
    if (absl::StrContains(model, "flash-latest")) rules.thinking = Thinking::kLevel;
    return rules;
  }
  rules.signatures = true;
  rules.thinking = Thinking::kLevel;
  if (absl::StrContains(model, "gemini-3-pro-image")) {
    rules.thinking = Thinking::kBudget;
    rules.most_budget = 32768;
  }
  return rules;
}

GeminiModelRules GeminiRulesFor(const DialectContext& context) {
  Rules rules = GeminiRulesFor(KnownModel(context));
  rules.json_mode = HasCapability(context, "json_schema", rules.json_mode);
  const bool thinks = rules.thinking != Thinking::kNone;
  if (!HasCapability(context, "reasoning", thinks)) {
    rules.thinking = Thinking::kNone;
  } else if (!thinks) {
    rules.thinking = Thinking::kAny;
  }
  return rules;
}

}  // namespace mg
