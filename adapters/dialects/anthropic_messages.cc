// What Anthropic's turns are made of: thinking with its signature, tool calls and their results.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/block_state.h"
#include "adapters/call_arguments.h"
#include "adapters/call_id.h"
#include "adapters/dialects/anthropic_citations.h"
#include "adapters/dialects/anthropic_encoding.h"
#include "adapters/json_text.h"
#include "adapters/turn_writer.h"

namespace mg {
namespace {

using v1::Part;

constexpr size_t kLongestCallId = 1024;  // none is said

class MessageWriter final : public TurnWriter {
 public:
  explicit MessageWriter(AnthropicEncoding* encoding)
      : TurnWriter(encoding->request,
                   {"Anthropic's API", true, encoding->rules.system_later,
                    encoding->rules.prefill && !encoding->thinks},
                   &encoding->notes, &encoding->body),
        encoding_(*encoding) {}

 protected:
  void AppendText(absl::string_view text) override {
    out_.append("{\"type\":\"text\",\"text\":");
    AppendJsonString(text, &out_);
    out_.push_back('}');
  }
  absl::Status AppendBlock(const Part& part, const PartPlace& place) override {
    auto status = AppendAnthropicBlock(part, place, &encoding_);
    const bool said = request_.messages(place.message).role() == v1::ROLE_ASSISTANT;
    if (status.ok() && said && WritesCitations(part)) AppendCitations(part);
    return status;
  }
  bool WritesCitations(const Part& part) const override {
    return part.has_text() && !part.citations().empty() && !HasOptions(part) &&
           std::all_of(part.citations().begin(), part.citations().end(), IsAnthropicCitation);
  }
  bool IsOwnOrigin(absl::string_view origin) const override {
    return IsBlockOrigin(origin, kAnthropicDialect, encoding_.context);
  }
  bool HasOptions(const Part& part) const override {
    return HasAnthropicOptions(part, encoding_.context);
  }
  absl::Status AppendReasoning(const Part& part, const PartPlace& place) override;
  absl::Status AppendToolCall(const Part& part, const PartPlace& place, Call* call) override;
  absl::Status AppendToolResult(const Part& part, const PartPlace& place,
                                const Call& call) override;

 private:
  std::optional<BlockState> StateOf(const Part& part) const {
    return ReadBlockState(part.provider_state(), kAnthropicDialect, encoding_.context);
  }

  // To the block at the end.
  void AppendCitations(const Part& part) {
    out_.pop_back();
    AppendJsonKey("citations", &out_);
    out_.push_back('[');
    for (const v1::Citation& citation : part.citations()) {
      if (out_.back() != '[') out_.push_back(',');
      AppendAnthropicCitation(citation, &out_);
    }
    out_.append("]}");
  }

  AnthropicEncoding& encoding_;
};

absl::Status MessageWriter::AppendReasoning(const Part& part, const PartPlace& place) {
  const auto state = StateOf(part);
  if (!state.has_value() || (state->signature.empty() && state->redacted.empty())) {
    return notes_.Drop(place.Field("reasoning"), "it has no state of this provider or model");
  }
  if (!state->redacted.empty()) {
    out_.append("{\"type\":\"redacted_thinking\",\"data\":");
    AppendJsonString(state->redacted, &out_);
  } else {
    out_.append("{\"type\":\"thinking\",\"thinking\":");
    AppendJsonString(part.reasoning().text(), &out_);
    out_.append(",\"signature\":");
    AppendJsonString(state->signature, &out_);
  }
  out_.push_back('}');
  return absl::OkStatus();
}

absl::Status MessageWriter::AppendToolCall(const Part& part, const PartPlace& place, Call* call) {
  BlockState state;
  if (part.has_provider_state()) {
    auto read = StateOf(part);
    if (read.has_value()) {
      state = *std::move(read);
    } else if (auto status = notes_.Drop(place.Field("provider_state"),
                                         "state of another provider, which this one cannot read");
               !status.ok()) {
      return status;
    }
  }
  const size_t start = out_.size();
  out_.append("{\"type\":\"tool_use\",\"id\":");
  AppendJsonString(PlainCallId(part.tool_call().id(), kLongestCallId), &out_);
  out_.append(",\"name\":");
  AppendJsonString(part.tool_call().name(), &out_);
  out_.append(",\"input\":");
  if (!AppendArgumentsObject(part.tool_call().arguments_json(), &out_)) {
    notes_.Tell("changed", place.Field("tool_call.arguments_json"),
                "no JSON object, and nothing else is taken: it is sent as the member input of one");
  }
  ForEachMember(state.tool_use, [&](absl::string_view name, absl::string_view value) {
    if (IsOwnToolUseMember(name)) return;
    absl::StrAppend(&out_, ",\"", name, "\":", value);
    if (name == "toolset_name") call->repeated = std::string(value);
  });
  out_.push_back('}');
  return FinishAnthropicBlock(part, place, start, &encoding_);
}

absl::Status MessageWriter::AppendToolResult(const Part& part, const PartPlace& place,
                                             const Call& call) {
  const v1::ToolResult& result = part.tool_result();
  const size_t start = out_.size();
  out_.append("{\"type\":\"tool_result\",\"tool_use_id\":");
  AppendJsonString(PlainCallId(result.tool_call_id(), kLongestCallId), &out_);
  const size_t content = out_.size();
  out_.append(",\"content\":[");
  bool any = false;
  if (auto status = AppendResultParts(result, place, &any); !status.ok()) return status;
  if (any) {
    out_.push_back(']');
  } else {
    out_.resize(content);
  }
  if (result.is_error()) out_.append(",\"is_error\":true");
  if (!call.repeated.empty()) absl::StrAppend(&out_, ",\"toolset_name\":", call.repeated);
  out_.push_back('}');
  return FinishAnthropicBlock(part, place, start, &encoding_);
}

}  // namespace

bool IsOwnToolUseMember(absl::string_view name) {
  for (absl::string_view own : {"type", "id", "name", "input", "cache_control"}) {
    if (name == own) return true;
  }
  return !IsPlainMember(name);
}

absl::Status EncodeAnthropicMessages(AnthropicEncoding* encoding) {
  return MessageWriter(encoding).Write();
}

}  // namespace mg
