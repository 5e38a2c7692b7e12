#include "adapters/dialects/cohere_state.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/json.h"

namespace mg {
namespace {

constexpr JsonLimits kLimits = {1024, 4};

}  // namespace

void WriteCohereState(CohereReasoning kind, const DialectContext& context, v1::ProviderState* out) {
  out->set_origin(absl::StrCat("cohere/", context.provider, "/", context.model));
  out->set_data(absl::StrCat("{\"reasoning\":\"",
                             kind == CohereReasoning::kPlan ? "tool_plan" : "thinking", "\"}"));
}

std::optional<CohereReasoning> ReadCohereState(const v1::ProviderState& state,
                                               const DialectContext& context) {
  absl::string_view origin = state.origin();
  if (!absl::ConsumePrefix(&origin, "cohere/")) return std::nullopt;
  const std::pair<absl::string_view, absl::string_view> names =
      absl::StrSplit(origin, absl::MaxSplits('/', 1));
  if (names.first != context.provider && names.second != context.model) return std::nullopt;
  JsonDocument document;
  if (!ParseJson(state.data(), &document, kLimits).ok()) return std::nullopt;
  const absl::string_view reasoning = StringMember(document, "reasoning");
  if (reasoning == "tool_plan") return CohereReasoning::kPlan;
  if (reasoning == "thinking") return CohereReasoning::kThinking;
  return std::nullopt;
}

}  // namespace mg
