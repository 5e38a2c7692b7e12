#include "adapters/dialects/gemini_state.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "adapters/dialects/gemini_models.h"
#include "adapters/json_text.h"

namespace mg {
namespace {

constexpr JsonLimits kLimits = {4 << 20, 64};

bool IsTrue(const JsonValue& object, absl::string_view name) {
  const JsonValue* value = Member(object, name);
  return value != nullptr && value->IsTrue();
}

}  // namespace

std::string GeminiOrigin(const DialectContext& context) {
  return absl::StrCat("gemini/", context.provider, "/", context.model);
}

bool IsGeminiOrigin(absl::string_view origin, const DialectContext& context) {
  if (!absl::ConsumePrefix(&origin, "gemini/")) return false;
  const std::pair<absl::string_view, absl::string_view> names =
      absl::StrSplit(origin, absl::MaxSplits('/', 1));
  if (names.second == context.model) return true;
  if (names.first != context.provider) return false;
  return !GeminiRulesFor(context).signatures || GeminiRulesFor(names.second).signatures;
}

void WriteGeminiState(const GeminiState& state, const DialectContext& context,
                      v1::ProviderState* out) {
  out->set_origin(GeminiOrigin(context));
  std::string* data = out->mutable_data();
  *data = "{";
  if (!state.signature.empty()) {
    AppendJsonKey("signature", data);
    AppendJsonString(state.signature, data);
  }
  for (const auto& [name, value] : {std::pair<absl::string_view, bool>("thought", state.thought),
                                    std::pair<absl::string_view, bool>("own_id", state.own_id)}) {
    if (!value) continue;
    AppendJsonKey(name, data);
    data->append("true");
  }
  data->push_back('}');
}

std::optional<GeminiState> ReadGeminiState(const v1::ProviderState& state,
                                           const DialectContext& context) {
  if (!IsGeminiOrigin(state.origin(), context)) return std::nullopt;
  JsonDocument document;
  if (!ParseJson(state.data(), &document, kLimits).ok() || !document.IsObject()) {
    return std::nullopt;
  }
  GeminiState read;
  read.signature = std::string(StringMember(document, "signature"));
  read.thought = IsTrue(document, "thought");
  read.own_id = IsTrue(document, "own_id");
  if (read.empty()) return std::nullopt;
  return read;
}

}  // namespace mg
