#include "adapters/block_state.h"

#include <algorithm>

#include "absl/strings/ascii.h"
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

}  // namespace

std::string BlockOrigin(absl::string_view dialect, const DialectContext& context) {
  return absl::StrCat(dialect, "/", context.provider, "/", context.model);
}

bool IsBlockOrigin(absl::string_view origin, absl::string_view dialect,
                   const DialectContext& context) {
  if (!absl::ConsumePrefix(&origin, dialect) || !absl::ConsumePrefix(&origin, "/")) return false;
  const std::pair<absl::string_view, absl::string_view> names =
      absl::StrSplit(origin, absl::MaxSplits('/', 1));
  return names.first == context.provider || names.second == context.model;
}

void WriteBlockState(const BlockState& state, absl::string_view dialect,
                     const DialectContext& context, v1::ProviderState* out) {
  out->set_origin(BlockOrigin(dialect, context));
  std::string* data = out->mutable_data();
  *data = "{";
  AppendText("signature", state.signature, data);
  AppendText("redacted", state.redacted, data);
  if (!state.tool_use.empty()) {
    AppendJsonKey("tool_use", data);
    data->append(state.tool_use);
  }
  if (state.unsigned_thoughts) {
    AppendJsonKey("unsigned", data);
    data->append("true");
  }
  data->push_back('}');
}

std::optional<BlockState> ReadBlockState(const v1::ProviderState& state, absl::string_view dialect,
                                         const DialectContext& context) {
  if (!IsBlockOrigin(state.origin(), dialect, context)) return std::nullopt;
  JsonDocument document;
  if (!ParseJson(state.data(), &document, kLimits).ok() || !document.IsObject()) {
    return std::nullopt;
  }
  BlockState read;
  read.signature = std::string(StringMember(document, "signature"));
  read.redacted = std::string(StringMember(document, "redacted"));
  const absl::string_view tool_use = MemberText(state.data(), "tool_use");
  if (!tool_use.empty() && tool_use[0] == '{') read.tool_use = std::string(tool_use);
  const JsonValue* no_signature = Member(document, "unsigned");
  read.unsigned_thoughts =
      no_signature != nullptr && no_signature->IsBool() && no_signature->GetBool();
  if (read.empty()) return std::nullopt;
  return read;
}

bool IsPlainMember(absl::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
  });
}

}  // namespace mg
