#include "adapters/dialects/openai_state.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "adapters/json_text.h"

namespace mg {
namespace {

constexpr JsonLimits kLimits = {4 << 20, 64};

void AppendText(absl::string_view name, const std::string& text, std::string* out) {
  if (text.empty()) return;
  AppendJsonKey(name, out);
  AppendJsonString(text, out);
}

void AppendJson(absl::string_view name, const std::string& json, std::string* out) {
  if (json.empty()) return;
  AppendJsonKey(name, out);
  out->append(json);
}

// "openai/PROVIDER/MODEL": readable for the same provider, and for the same model elsewhere.
bool IsOurs(absl::string_view origin, const DialectContext& context) {
  if (!absl::ConsumePrefix(&origin, "openai/")) return false;
  const std::pair<absl::string_view, absl::string_view> names =
      absl::StrSplit(origin, absl::MaxSplits('/', 1));
  return names.first == context.provider || names.second == context.model;
}

}  // namespace

void WriteOpenAiState(const OpenAiState& state, const DialectContext& context,
                      v1::ProviderState* out) {
  out->set_origin(absl::StrCat("openai/", context.provider, "/", context.model));
  std::string* data = out->mutable_data();
  *data = "{";
  AppendText("reasoning_key", state.reasoning_key, data);
  AppendJson("reasoning_details", state.reasoning_details, data);
  AppendJson("extra_content", state.extra_content, data);
  AppendJson("message_extra_content", state.message_extra_content, data);
  AppendText("audio_id", state.audio_id, data);
  if (state.custom_tool) AppendJson("custom_tool", "true", data);
  data->push_back('}');
}

std::optional<OpenAiState> ReadOpenAiState(const v1::ProviderState& state,
                                           const DialectContext& context) {
  if (!IsOurs(state.origin(), context)) return std::nullopt;
  JsonDocument document;
  if (!ParseJson(state.data(), &document, kLimits).ok() || !document.IsObject()) {
    return std::nullopt;
  }
  OpenAiState read;
  const absl::string_view key = StringMember(document, "reasoning_key");
  const bool known = key == kThinkingInContent ||
                     std::find(std::begin(kReasoningKeys), std::end(kReasoningKeys), key) !=
                         std::end(kReasoningKeys);
  if (known) read.reasoning_key = std::string(key);
  const auto slice = [&](absl::string_view name, char open, std::string* to) {
    const absl::string_view text = MemberText(state.data(), name);
    if (!text.empty() && text[0] == open) *to = std::string(text);
  };
  slice("reasoning_details", '[', &read.reasoning_details);
  slice("extra_content", '{', &read.extra_content);
  slice("message_extra_content", '{', &read.message_extra_content);
  read.audio_id = std::string(StringMember(document, "audio_id"));
  const JsonValue* custom = Member(document, "custom_tool");
  read.custom_tool = custom != nullptr && custom->IsBool() && custom->GetBool();
  if (read.empty()) return std::nullopt;
  return read;
}

}  // namespace mg
