#include "adapters/dialects/openai_errors.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/provider_errors.h"

namespace mg {

absl::Status OpenAiHttpError(const DialectContext& context, const HttpHead& head,
                             absl::string_view body, absl::Time wall_now) {
  return ProviderHttpError(context, head, body, wall_now, OpenAiFieldOf);
}

absl::Status OpenAiInBandError(const DialectContext& context, const JsonValue& error) {
  return ProviderInBandError(context, error, OpenAiFieldOf);
}

std::string OpenAiFieldOf(absl::string_view param) {
  struct Name {
    absl::string_view theirs;
    absl::string_view ours;
  };
  static constexpr std::array<Name, 27> kNames = {{
      {"max_completion_tokens", "sampling.max_output_tokens"},
      {"max_tokens", "sampling.max_output_tokens"},
      {"temperature", "sampling.temperature"},
      {"top_p", "sampling.top_p"},
      {"top_k", "sampling.top_k"},
      {"stop", "sampling.stop"},
      {"seed", "sampling.seed"},
      {"random_seed", "sampling.seed"},
      {"presence_penalty", "sampling.presence_penalty"},
      {"frequency_penalty", "sampling.frequency_penalty"},
      {"n", "sampling.choices"},
      {"logprobs", "sampling.top_logprobs"},
      {"top_logprobs", "sampling.top_logprobs"},
      {"tool_choice", "tool_choice"},
      {"tool_choice.function.name", "tool_choice.allowed_tools"},
      {"parallel_tool_calls", "tool_choice.parallel"},
      {"response_format", "response_format"},
      {"response_format.json_schema", "response_format.json_schema"},
      {"response_format.json_schema.schema", "response_format.json_schema.schema_json"},
      {"response_format.json_schema.name", "response_format.json_schema.name"},
      {"reasoning_effort", "reasoning.effort"},
      {"modalities", "output_modalities"},
      {"service_tier", "service_tier"},
      {"safety_identifier", "context.end_user"},
      {"user", "context.end_user"},
      {"model", "model"},
      {"messages", "messages"},
  }};
  for (const Name& name : kNames) {
    if (name.theirs == param) return std::string(name.ours);
  }
  // "messages.[2].content", "messages[2].content[0].image_url", "tools.0.function.parameters"
  for (absl::string_view list : {"messages", "tools"}) {
    absl::string_view rest = param;
    if (!absl::ConsumePrefix(&rest, list)) continue;
    absl::ConsumePrefix(&rest, ".");
    absl::ConsumePrefix(&rest, "[");
    size_t digits = 0;
    while (digits < rest.size() && absl::ascii_isdigit(static_cast<unsigned char>(rest[digits]))) {
      ++digits;
    }
    if (digits == 0 || digits > 6) return "";
    std::string field = absl::StrCat(list, "[", rest.substr(0, digits), "]");
    rest.remove_prefix(digits);
    if (list == "tools" && absl::StrContains(rest, "parameters")) {
      absl::StrAppend(&field, ".parameters_schema_json");
    } else if (list == "tools" && absl::EndsWith(rest, "name")) {
      absl::StrAppend(&field, ".name");
    }
    return field;
  }
  return "";
}

}  // namespace mg
