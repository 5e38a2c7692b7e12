#include "adapters/dialects/gemini_errors.h"

#include <string>

#include "absl/strings/str_split.h"
#include "adapters/provider_errors.h"

namespace mg {
namespace {

// "generation_config.top_p" or "generationConfig.topP": how both are written, without the case.
std::string Plain(absl::string_view param) {
  std::string plain;
  for (const char c : param) {
    if (c != '_') plain.push_back(static_cast<char>(c | 0x20));
  }
  return plain;
}

// Contents and parts are not those of the request: their indexes lead nowhere.
std::string FieldOf(absl::string_view param) {
  static constexpr std::pair<const char*, const char*> kFields[] = {
      {"temperature", "sampling.temperature"},
      {"topp", "sampling.top_p"},
      {"topk", "sampling.top_k"},
      {"candidatecount", "sampling.choices"},
      {"maxoutputtokens", "sampling.max_output_tokens"},
      {"stopsequences", "sampling.stop"},
      {"seed", "sampling.seed"},
      {"presencepenalty", "sampling.presence_penalty"},
      {"frequencypenalty", "sampling.frequency_penalty"},
      {"logprobs", "sampling.top_logprobs"},
      {"responselogprobs", "sampling.top_logprobs"},
      {"responsemimetype", "response_format"},
      {"responseschema", "response_format.json_schema"},
      {"responsejsonschema", "response_format.json_schema"},
      {"thinkingconfig", "reasoning"},
      {"responsemodalities", "output_modalities"},
  };
  const std::string plain = Plain(param);
  const std::vector<absl::string_view> steps = absl::StrSplit(plain, absl::ByAnyChar(".["));
  if (steps[0] == "contents") return "messages";
  if (steps[0] == "tools") return "tools";
  if (steps[0] == "toolconfig") return "tool_choice";
  const absl::string_view name = steps.size() > 1 ? steps[1] : steps[0];
  for (const auto& [theirs, ours] : kFields) {
    if (name == theirs) return ours;
  }
  return "";
}

}  // namespace

absl::Status GeminiHttpError(const DialectContext& context, const HttpHead& head,
                             absl::string_view body, absl::Time wall_now) {
  return ProviderHttpError(context, head, body, wall_now, FieldOf);
}

absl::Status GeminiInBandError(const DialectContext& context, const JsonValue& error) {
  return ProviderInBandError(context, error, FieldOf);
}

}  // namespace mg
