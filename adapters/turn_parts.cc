// The parts of the assistant's messages, each at its place, and the results of its calls.
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/json_text.h"
#include "adapters/turn_writer.h"

namespace mg {

using v1::Message;
using v1::Part;

namespace {

bool IsSaid(const Part& part) {
  return (part.has_text() && !IsBlank(part.text())) ||
         (part.has_refusal() && !IsBlank(part.refusal()));
}

bool HasContent(const Part& part) {
  return IsSaid(part) || (!part.has_text() && !part.has_refusal());
}

// The part without the white space at its end, which a text that is to be continued cannot have.
Part Trimmed(const Part& part) {
  Part trimmed = part;
  if (part.has_text()) {
    trimmed.set_text(std::string(absl::StripTrailingAsciiWhitespace(part.text())));
  } else {
    trimmed.set_refusal(std::string(absl::StripTrailingAsciiWhitespace(part.refusal())));
  }
  return trimmed;
}

}  // namespace

absl::Status TurnWriter::WriteAssistant(const Message& message, int index) {
  const bool last_message = index + 1 == request_.messages_size();
  int last = -1;
  for (int i = 0; i < message.parts_size(); ++i) {
    if (HasContent(message.parts(i))) last = i;
  }
  if (last < 0) {
    return Invalid(absl::StrCat("messages[", index, "]"), "no part that is not blank");
  }
  if (auto status = DropName(message, index); !status.ok()) return status;
  if (auto status = BeginTurn(Turn::kAssistant); !status.ok()) return status;
  for (int i = 0; i < message.parts_size(); ++i) {
    const Part& part = message.parts(i);
    const PartPlace place = {index, i};
    if (auto status = WritesCitations(part) ? absl::OkStatus() : DropExtras(part, place);
        !status.ok()) {
      return status;
    }
    const bool continued = last_message && i == last && IsSaid(part) && rules_.prefill;
    absl::Status status;
    if (continued && absl::ascii_isspace(static_cast<unsigned char>(
                         (part.has_text() ? part.text() : part.refusal()).back()))) {
      notes_.Tell("changed", place.Field(part.has_text() ? "text" : "refusal"),
                  "a text that is to be continued cannot end with white space: it is cut off");
      status = WriteAssistantPart(Trimmed(part), place);
    } else {
      status = WriteAssistantPart(part, place);
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TurnWriter::WriteAssistantPart(const Part& part, const PartPlace& place) {
  const bool of_state = part.has_reasoning() || part.has_tool_call();
  if (part.has_provider_state() && !of_state) {
    auto status = notes_.Drop(place.Field("provider_state"),
                              "state of another provider, or none that this part can have here");
    if (!status.ok()) return status;
  }
  switch (part.kind_case()) {
    case Part::kText:
    case Part::kRefusal: {
      if (!IsSaid(part)) return DropBreakpoint(part, place);
      const size_t start = out_.size();
      if (auto status = AppendBlock(part, place); !status.ok()) return status;
      Move(start, &content_);
      goes_on_ = false;
      return absl::OkStatus();
    }
    case Part::kReasoning:
      return WriteReasoning(part, place);
    case Part::kToolCall:
      return WriteToolCall(part, place);
    case Part::kProviderPart:
      return WriteProviderPart(part, place);
    case Part::kToolResult:
      return Invalid(place.Field("tool_result"), "tool results belong into a message of ROLE_TOOL");
    case Part::kImage:
      return Unsupported(place.Field("image"), "the assistant's messages take text only");
    case Part::kAudio:
      return Unsupported(place.Field("audio"), "the assistant's messages take text only");
    case Part::kDocument:
      return Unsupported(place.Field("document"), "the assistant's messages take text only");
    case Part::kVideo:
      return Unsupported(place.Field("video"), "the assistant's messages take text only");
    case Part::KIND_NOT_SET:
      return Invalid(place.Field(""), "a part of no kind");
  }
  return absl::OkStatus();
}

absl::Status TurnWriter::WriteReasoning(const Part& part, const PartPlace& place) {
  if (HasOptions(part)) {
    return Unsupported(place.Field("provider_options"), "thinking blocks take no options");
  }
  if (auto status = DropBreakpoint(part, place); !status.ok()) return status;
  const size_t start = out_.size();
  if (auto status = AppendReasoning(part, place); !status.ok()) return status;
  if (out_.size() == start) return absl::OkStatus();
  Move(start, &content_);
  goes_on_ = false;
  return absl::OkStatus();
}

absl::Status TurnWriter::WriteToolCall(const Part& part, const PartPlace& place) {
  const v1::ToolCall& call = part.tool_call();
  if (IsBlank(call.id())) {
    return Invalid(place.Field("tool_call.id"), "empty: the result could not be matched to it");
  }
  if (IsBlank(call.name())) return Invalid(place.Field("tool_call.name"), "empty");
  const auto [made, fresh] = calls_.insert({call.id(), Call{call.name(), "", place}});
  if (!fresh) return Invalid(place.Field("tool_call.id"), "two calls of this turn have this id");
  const size_t start = out_.size();
  if (auto status = AppendToolCall(part, place, &made->second); !status.ok()) return status;
  Move(start, &content_);
  goes_on_ = false;
  return absl::OkStatus();
}

absl::Status TurnWriter::WriteProviderPart(const Part& part, const PartPlace& place) {
  if (!IsOwnOrigin(part.provider_part().origin())) {
    return notes_.Drop(place.Field("provider_part"),
                       "a block of another provider, which this one cannot read");
  }
  if (HasOptions(part)) {
    return Unsupported(place.Field("provider_options"), "a provider's own block takes no options");
  }
  if (auto status = DropBreakpoint(part, place); !status.ok()) return status;
  absl::string_view block;
  bool empty = false;
  if (auto status = CheckJsonObject(part.provider_part().block_json(), &block, &empty);
      !status.ok()) {
    return Invalid(place.Field("provider_part.block_json"), status.message());
  }
  const size_t start = out_.size();
  absl::StrAppend(&out_, block);
  Move(start, &content_);
  goes_on_ = true;
  return absl::OkStatus();
}

absl::Status TurnWriter::WriteResults(const Message& message, int index) {
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

absl::Status TurnWriter::WriteResult(const Part& part, const PartPlace& place) {
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
  if (auto status = AppendToolResult(part, place, call->second); !status.ok()) return status;
  Move(start, &results_);
  return absl::OkStatus();
}

absl::Status TurnWriter::AppendResultParts(const v1::ToolResult& result, const PartPlace& place,
                                           bool* any) {
  *any = false;
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
    if (*any) out_.push_back(',');
    *any = true;
    if (auto status = AppendBlock(inner, inner_place); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace mg
