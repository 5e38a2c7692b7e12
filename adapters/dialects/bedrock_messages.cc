// What Converse's turns are made of: reasoning with its signature, tool calls and their results.
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/block_state.h"
#include "adapters/call_arguments.h"
#include "adapters/call_id.h"
#include "adapters/dialects/bedrock_block.h"
#include "adapters/dialects/bedrock_encoding.h"
#include "adapters/json_text.h"
#include "adapters/turn_writer.h"

namespace mg {
namespace {

using v1::Part;

constexpr size_t kLongestCallId = 64;

class MessageWriter final : public TurnWriter {
 public:
  explicit MessageWriter(BedrockEncoding* encoding)
      : TurnWriter(encoding->request, RulesOf(*encoding), &encoding->notes, &encoding->body),
        encoding_(*encoding) {
    for (absl::string_view instruction : encoding->instructions) AddInstruction(instruction);
  }

 protected:
  void AppendText(absl::string_view text) override {
    out_.append("{\"text\":");
    AppendJsonString(text, &out_);
    out_.push_back('}');
  }
  absl::Status AppendBlock(const Part& part, const PartPlace& place) override;
  bool IsOwnOrigin(absl::string_view origin) const override {
    return IsBlockOrigin(origin, kBedrockDialect, encoding_.context);
  }
  bool HasOptions(const Part& part) const override {
    return HasBedrockOptions(part, encoding_.context);
  }
  absl::Status AppendReasoning(const Part& part, const PartPlace& place) override;
  absl::Status AppendToolCall(const Part& part, const PartPlace& place, Call* call) override;
  absl::Status AppendToolResult(const Part& part, const PartPlace& place,
                                const Call& call) override;
  absl::Status CloseTurn() override;

 private:
  static Rules RulesOf(const BedrockEncoding& encoding) {
    Rules rules;
    rules.api = "Converse";
    rules.system = encoding.rules.system;
    if (encoding.rules.is_claude()) {
      rules.system_later = encoding.rules.claude.system_later;
      rules.prefill = encoding.rules.claude.prefill && !encoding.thinks;
    }
    return rules;
  }
  std::string CallId(const std::string& id) const {
    return encoding_.rules.family == BedrockModelRules::Family::kMistral
               ? ShortCallId(id)
               : PlainCallId(id, kLongestCallId);
  }
  // Does the result say one JSON object and nothing else?
  bool IsJson(const v1::ToolResult& result) const;

  BedrockEncoding& encoding_;
  bool json_result_ = false;
  bool document_ = false;  // in the turn
  bool text_ = false;
};

absl::Status MessageWriter::AppendBlock(const Part& part, const PartPlace& place) {
  if (place.inner >= 0 && json_result_ && part.has_text() && !IsBlank(part.text())) {
    absl::StrAppend(&out_, "{\"json\":", absl::StripAsciiWhitespace(part.text()), "}");
    return absl::OkStatus();
  }
  if (place.inner < 0) {
    document_ = document_ || part.has_document();
    text_ = text_ || part.has_text();
  }
  return AppendBedrockBlock(part, place, &encoding_);
}

// A turn with a document is refused where it has no text.
absl::Status MessageWriter::CloseTurn() {
  const bool wanted = document_ && !text_;
  document_ = false;
  text_ = false;
  if (!wanted) return absl::OkStatus();
  AppendText("(see the document)");
  return notes_.Emulate("messages",
                        "Converse takes no document without a text beside it: (see the document) "
                        "is put there");
}

absl::Status MessageWriter::AppendReasoning(const Part& part, const PartPlace& place) {
  const auto state = ReadBlockState(part.provider_state(), kBedrockDialect, encoding_.context);
  if (!state.has_value() || (state->signature.empty() && state->redacted.empty() &&
                             (!state->unsigned_thoughts || part.reasoning().text().empty()))) {
    return notes_.Drop(place.Field("reasoning"), "it has no state of this provider or model");
  }
  if (!state->redacted.empty()) {
    out_.append("{\"reasoningContent\":{\"redactedContent\":");
    AppendJsonString(state->redacted, &out_);
    out_.append("}}");
    return absl::OkStatus();
  }
  out_.append("{\"reasoningContent\":{\"reasoningText\":{\"text\":");
  AppendJsonString(part.reasoning().text(), &out_);
  if (!state->signature.empty()) {
    out_.append(",\"signature\":");
    AppendJsonString(state->signature, &out_);
  }
  out_.append("}}}");
  return absl::OkStatus();
}

absl::Status MessageWriter::AppendToolCall(const Part& part, const PartPlace& place, Call*) {
  BlockState state;
  if (part.has_provider_state()) {
    auto read = ReadBlockState(part.provider_state(), kBedrockDialect, encoding_.context);
    if (read.has_value()) {
      state = *std::move(read);
    } else if (auto status = notes_.Drop(place.Field("provider_state"),
                                         "state of another provider, which this one cannot read");
               !status.ok()) {
      return status;
    }
  }
  const size_t start = out_.size();
  out_.append("{\"toolUse\":{\"toolUseId\":");
  AppendJsonString(CallId(part.tool_call().id()), &out_);
  out_.append(",\"name\":");
  AppendJsonString(part.tool_call().name(), &out_);
  out_.append(",\"input\":");
  if (!AppendArgumentsObject(part.tool_call().arguments_json(), &out_)) {
    notes_.Tell("changed", place.Field("tool_call.arguments_json"),
                "no JSON object, and nothing else is taken: it is sent as the member input of one");
  }
  ForEachMember(state.tool_use, [&](absl::string_view name, absl::string_view value) {
    if (!IsOwnToolUseMemberOfBedrock(name)) absl::StrAppend(&out_, ",\"", name, "\":", value);
  });
  out_.append("}}");
  return FinishBedrockBlock(part, place, start, &encoding_);
}

bool MessageWriter::IsJson(const v1::ToolResult& result) const {
  const Part* only = nullptr;
  for (const Part& part : result.parts()) {
    if (part.has_text() && IsBlank(part.text())) continue;
    if (only != nullptr) return false;
    only = &part;
  }
  absl::string_view object;
  bool empty = false;
  return only != nullptr && only->has_text() && !only->has_cache_breakpoint() &&
         !HasOptions(*only) && CheckJsonObject(only->text(), &object, &empty).ok();
}

absl::Status MessageWriter::AppendToolResult(const Part& part, const PartPlace& place,
                                             const Call&) {
  const v1::ToolResult& result = part.tool_result();
  const size_t start = out_.size();
  out_.append("{\"toolResult\":{\"toolUseId\":");
  AppendJsonString(CallId(result.tool_call_id()), &out_);
  out_.append(",\"content\":[");
  bool any = false;
  json_result_ = IsJson(result);
  if (auto status = AppendResultParts(result, place, &any); !status.ok()) return status;
  if (!any) AppendText("(empty)");  // an empty one is refused
  out_.push_back(']');
  if (result.is_error()) out_.append(",\"status\":\"error\"");
  out_.append("}}");
  return FinishBedrockBlock(part, place, start, &encoding_);
}

}  // namespace

absl::Status EncodeBedrockMessages(BedrockEncoding* encoding) {
  return MessageWriter(encoding).Write();
}

}  // namespace mg
