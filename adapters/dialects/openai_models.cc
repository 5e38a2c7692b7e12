#include "adapters/dialects/openai_models.h"

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace mg {
namespace {

constexpr std::array<absl::string_view, 4> kEfforts5 = {"minimal", "low", "medium", "high"};
constexpr std::array<absl::string_view, 4> kEfforts51 = {"none", "low", "medium", "high"};
constexpr std::array<absl::string_view, 5> kEfforts52 = {"none", "low", "medium", "high", "xhigh"};
constexpr std::array<absl::string_view, 6> kEfforts56 = {"none", "low",   "medium",
                                                         "high", "xhigh", "max"};
constexpr std::array<absl::string_view, 5> kEfforts6 = {"low", "medium", "high", "xhigh", "max"};

template <size_t N>
void SetEfforts(const std::array<absl::string_view, N>& words, OpenAiModelRules* rules) {
  rules->efforts = words.data();
  rules->effort_count = static_cast<int>(N);
}

// The version of "gpt-5.6-mini-2026-01-01": {5, 6}; {0, 0} for a name of another form. `rest` is
// what stands behind.
struct Version {
  int major = 0;
  int minor = 0;
};
Version VersionOf(absl::string_view model, absl::string_view* rest) {
  if (!absl::ConsumePrefix(&model, "gpt-")) return {};
  const auto digits = [&model] {
    size_t n = 0;
    while (n < model.size() && n < 3 && model[n] >= '0' && model[n] <= '9') ++n;
    int value = 0;
    if (n > 0 && !absl::SimpleAtoi(model.substr(0, n), &value)) value = 0;
    model.remove_prefix(n);
    return value;
  };
  Version version;
  version.major = digits();
  if (absl::ConsumePrefix(&model, ".")) version.minor = digits();
  if (!model.empty() && model[0] != '-') return {};  // gpt-4o
  *rest = model;
  return version;
}

bool IsOlderThanSchemas(absl::string_view model, Version version) {
  return absl::StartsWith(model, "gpt-3.5") || (version.major == 4 && version.minor == 0) ||
         model == "gpt-4o-2024-05-13" || absl::StartsWith(model, "o1-mini") ||
         absl::StartsWith(model, "o1-preview") || absl::StartsWith(model, "gpt-5-chat");
}

void SetGptEfforts(Version version, absl::string_view rest, OpenAiModelRules* rules) {
  if (absl::StartsWith(rest, "-pro") || absl::StrContains(rest, "-chat")) return;  // not declared
  if (version.major == 5) {
    if (version.minor == 0) SetEfforts(kEfforts5, rules);
    if (version.minor == 1) SetEfforts(kEfforts51, rules);
    if (version.minor >= 2 && version.minor <= 5) SetEfforts(kEfforts52, rules);
    if (version.minor >= 6) SetEfforts(kEfforts56, rules);
  } else if (version.major == 6) {
    const bool none = (version.minor == 0 &&
                       (absl::StartsWith(rest, "-sol") || absl::StartsWith(rest, "-luna"))) ||
                      (version.minor == 1 && absl::StartsWith(rest, "-terra"));
    if (none) {
      SetEfforts(kEfforts56, rules);
    } else {
      SetEfforts(kEfforts6, rules);
    }
  }
}

}  // namespace

OpenAiModelRules OpenAiRulesFor(absl::string_view model) {
  OpenAiModelRules rules;
  absl::string_view rest;
  const Version version = VersionOf(model, &rest);
  if (absl::StrContains(model, "-codex") ||
      (version.major == 5 && version.minor == 0 && absl::StartsWith(rest, "-pro"))) {
    rules.responses_only =
        "OpenAI serves this model over its Responses API only, which this version does not speak";
    return rules;
  }
  rules.json_schema = !IsOlderThanSchemas(model, version);
  if (absl::StartsWith(model, "gpt-4o-search-preview")) rules.temperature = false;
  const bool new_gpt = version.major >= 5 && !absl::StartsWith(model, "gpt-5-chat");
  const bool o_series = absl::StartsWith(model, "o1") || absl::StartsWith(model, "o3") ||
                        absl::StartsWith(model, "o4-mini");
  if (!new_gpt && !o_series) return rules;
  rules.developer_role = true;
  rules.sampling = false;
  rules.stop = absl::StartsWith(model, "o1");
  if (!new_gpt) return rules;
  rules.sampling_at_effort_none = version.major == 5 && version.minor >= 1;
  rules.tools_need_effort_none = version.major == 5 && version.minor == 6;
  rules.cache_breakpoints = version.major > 5 || version.minor >= 6;
  SetGptEfforts(version, rest, &rules);
  return rules;
}

OpenAiModelRules OpenAiRulesFor(const DialectContext& context) {
  OpenAiModelRules rules;
  const absl::string_view known = KnownModel(context);
  if (!context.compatible || known != context.model) rules = OpenAiRulesFor(known);
  if (context.compatible) rules.responses_only = "";
  // Azure's older versions know no schema, whatever the model.
  const absl::string_view version = absl::string_view(context.api_version).substr(0, 10);
  if (!version.empty() && version < "2024-08-01") rules.json_schema = false;
  if (TakesSampling(context, false)) rules.sampling = rules.temperature = true;
  rules.json_schema = HasCapability(context, "json_schema", rules.json_schema);
  return rules;
}

absl::string_view EffortFor(const OpenAiModelRules& rules, absl::string_view effort) {
  return NearestEffort(rules.efforts, rules.effort_count, effort);
}

}  // namespace mg
