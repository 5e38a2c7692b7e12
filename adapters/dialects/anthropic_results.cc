// Tool results in Anthropic's shape: blocks at the head of the user's turn.
#include "absl/strings/str_cat.h"
#include "adapters/dialects/anthropic_message_writer.h"
#include "adapters/json_text.h"

namespace mg {

using v1::Message;
using v1::Part;

absl::Status AnthropicMessageWriter::WriteResults(const Message& message, int index) {
  if (message.parts().empty()) {
    return Invalid(absl::StrCat("messages[", index, "]"), "no tool result in it");
  }
  if (auto status = DropName(message, index); !status.ok()) return status;
  if (auto status = BeginTurn(Turn::kUser); !status.ok()) return status;
  for (int i = 0; i < message.parts_size(); ++i) {
    const Part& part = message.parts(i);
    const PartPlace place = {index, i};
    if (!part.has_tool_result()) {
      return Invalid(place.Field(""), "a message of ROLE_TOOL holds tool results and nothing else");
    }
    if (auto status = WriteResult(part, place); !status.ok()) return status;
  }
  return WritePendingSystem();
}

absl::Status AnthropicMessageWriter::WriteResult(const Part& part, const PartPlace& place) {
  const v1::ToolResult& result = part.tool_result();
  const std::string id_field = place.Field("tool_result.tool_call_id");
  if (IsBlank(result.tool_call_id())) return Invalid(id_field, "empty: no call has this id");
  const auto call = calls_.find(result.tool_call_id());
  if (call == calls_.end()) {
    return Invalid(id_field, "no tool call of the assistant's message before it has this id");
  }
  if (call->second.answered) return Invalid(id_field, "two results for one call");
  call->second.answered = true;
  if (!result.name().empty() && result.name() != call->second.name) {
    return Invalid(place.Field("tool_result.name"),
                   absl::StrCat("the call of this id is one of ", call->second.name));
  }
  if (part.has_provider_state()) {
    auto status = notes_.Drop(place.Field("provider_state"), "a result can have none here");
    if (!status.ok()) return status;
  }
  if (auto status = DropExtras(part, place); !status.ok()) return status;
  const size_t start = out_.size();
  out_.append("{\"type\":\"tool_result\",\"tool_use_id\":");
  AppendJsonString(AnthropicCallId(result.tool_call_id()), &out_);
  if (auto status = WriteResultContent(result, place); !status.ok()) return status;
  if (result.is_error()) out_.append(",\"is_error\":true");
  if (!call->second.toolset_name.empty()) {
    absl::StrAppend(&out_, ",\"toolset_name\":", call->second.toolset_name);
  }
  out_.push_back('}');
  if (auto status = FinishAnthropicBlock(part, place, start, &encoding_); !status.ok()) {
    return status;
  }
  Move(start, &results_);
  return absl::OkStatus();
}

absl::Status AnthropicMessageWriter::WriteResultContent(const v1::ToolResult& result,
                                                        const PartPlace& place) {
  bool any = false;
  for (int i = 0; i < result.parts_size(); ++i) {
    const Part& inner = result.parts(i);
    const PartPlace inner_place = {place.message, place.part, i};
    if (inner.has_provider_state()) {
      auto status = notes_.Drop(inner_place.Field("provider_state"), "a result can have none here");
      if (!status.ok()) return status;
    }
    if (auto status = DropExtras(inner, inner_place); !status.ok()) return status;
    if (!inner.has_text() && !inner.has_image() && !inner.has_document() && !inner.has_audio() &&
        !inner.has_video()) {
      return Invalid(inner_place.Field(""), "a tool result holds text and media only");
    }
    if (inner.has_text() && IsBlank(inner.text())) {
      if (auto status = DropBreakpoint(inner, inner_place); !status.ok()) return status;
      continue;
    }
    out_.append(any ? "," : ",\"content\":[");
    any = true;
    if (auto status = AppendAnthropicBlock(inner, inner_place, &encoding_); !status.ok()) {
      return status;
    }
  }
  if (any) out_.push_back(']');
  return absl::OkStatus();
}

}  // namespace mg
