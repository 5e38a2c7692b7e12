// The assistant's messages in Cohere's shape: text, thinking, the plan before tool calls, and the
// calls.
#include "absl/strings/str_cat.h"
#include "adapters/dialects/cohere_message_writer.h"
#include "adapters/dialects/cohere_state.h"
#include "adapters/json_text.h"

namespace mg {

using v1::Message;
using v1::Part;

absl::Status CohereMessageWriter::WriteAssistant(const Message& message, int index) {
  Turn turn;
  for (int i = 0; i < message.parts_size(); ++i) {
    if (auto status = ReadPart(message.parts(i), {index, i}, &turn); !status.ok()) return status;
  }
  if (turn.blocks.empty() && turn.plan.empty() && turn.tool_calls.empty()) {
    if (turn.left_out) return absl::OkStatus();
    return Invalid(absl::StrCat("messages[", index, "]"), "no part that is not blank");
  }
  if (auto status = DropName(message, index); !status.ok()) return status;
  Begin("assistant");
  if (turn.text != nullptr && turn.plain) {
    out_.append(",\"content\":");
    AppendJsonString(*turn.text, &out_);
  } else if (!turn.blocks.empty()) {
    absl::StrAppend(&out_, ",\"content\":[", turn.blocks, "]");
  }
  if (!turn.plan.empty()) {
    out_.append(",\"tool_plan\":");
    AppendJsonString(turn.plan, &out_);
  }
  if (!turn.tool_calls.empty()) absl::StrAppend(&out_, ",\"tool_calls\":[", turn.tool_calls, "]");
  out_.push_back('}');
  prefill_ = turn.tool_calls.empty();
  return absl::OkStatus();
}

absl::Status CohereMessageWriter::ReadPart(const Part& part, const PartPlace& place, Turn* turn) {
  if (auto status = DropCohereExtras(part, place, &encoding_); !status.ok()) return status;
  if (!part.has_reasoning()) {
    if (auto status = DropState(part, place); !status.ok()) return status;
  }
  switch (part.kind_case()) {
    case Part::kText:
    case Part::kRefusal:
      return ReadText(part, place, turn);
    case Part::kReasoning:
      return ReadReasoning(part, place, turn);
    case Part::kToolCall:
      return ReadToolCall(part, place, turn);
    case Part::kProviderPart:
      turn->left_out = true;
      return absl::OkStatus();
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

absl::Status CohereMessageWriter::ReadText(const Part& part, const PartPlace& place, Turn* turn) {
  const std::string& text = part.has_text() ? part.text() : part.refusal();
  if (IsBlank(text)) return absl::OkStatus();
  turn->plain = turn->plain && turn->blocks.empty() && !HasCohereOptions(part, encoding_.context);
  turn->text = &text;
  const size_t start = out_.size();
  if (auto status = AppendCohereBlock(part, place, &encoding_); !status.ok()) return status;
  Move(start, &turn->blocks);
  return absl::OkStatus();
}

absl::Status CohereMessageWriter::ReadReasoning(const Part& part, const PartPlace& place,
                                                Turn* turn) {
  if (HasCohereOptions(part, encoding_.context)) {
    return Unsupported(place.Field("provider_options"), "reasoning takes no options");
  }
  const auto state = part.has_provider_state()
                         ? ReadCohereState(part.provider_state(), encoding_.context)
                         : std::nullopt;
  if (!state.has_value()) {
    turn->left_out = true;
    return notes_.Drop(place.Field("reasoning"), "it has no state of this provider or model");
  }
  if (part.reasoning().text().empty()) {
    turn->left_out = true;
    return absl::OkStatus();
  }
  if (*state == CohereReasoning::kPlan) {
    turn->plan.append(part.reasoning().text());
    return absl::OkStatus();
  }
  const size_t start = out_.size();
  out_.append("{\"type\":\"thinking\",\"thinking\":");
  AppendJsonString(part.reasoning().text(), &out_);
  out_.push_back('}');
  Move(start, &turn->blocks);
  turn->plain = false;
  return absl::OkStatus();
}

absl::Status CohereMessageWriter::ReadToolCall(const Part& part, const PartPlace& place,
                                               Turn* turn) {
  const v1::ToolCall& call = part.tool_call();
  if (IsBlank(call.id())) {
    return Invalid(place.Field("tool_call.id"), "empty: the result could not be matched to it");
  }
  if (IsBlank(call.name())) return Invalid(place.Field("tool_call.name"), "empty");
  const bool fresh = calls_.insert({call.id(), Call{call.name(), place}}).second;
  if (!fresh) return Invalid(place.Field("tool_call.id"), "two calls of this message have this id");
  const size_t start = out_.size();
  out_.append("{\"id\":");
  AppendJsonString(call.id(), &out_);
  out_.append(",\"type\":\"function\",\"function\":{\"name\":");
  AppendJsonString(call.name(), &out_);
  out_.append(",\"arguments\":");
  AppendJsonString(IsBlank(call.arguments_json()) ? absl::string_view("{}") : call.arguments_json(),
                   &out_);
  out_.append("}}");
  if (auto status = MergeCohereOptions(part, place, start, &encoding_); !status.ok()) {
    return status;
  }
  Move(start, &turn->tool_calls);
  return absl::OkStatus();
}

}  // namespace mg
