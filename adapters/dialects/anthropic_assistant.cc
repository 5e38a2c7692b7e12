// The assistant's messages in Anthropic's shape: text, thinking with its signature, tool calls and
// the provider's own blocks, each at its place.
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/call_arguments.h"
#include "adapters/dialects/anthropic_message_writer.h"
#include "adapters/dialects/anthropic_state.h"
#include "adapters/json_text.h"
#include "base/hash.h"

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

std::string AnthropicCallId(absl::string_view id) {
  std::string out(id);
  for (char& c : out) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-') c = '_';
  }
  if (out == id) return out;
  return absl::StrCat(out, "_", absl::Hex(StableHash(id) & 0xFFFFFFFF, absl::kZeroPad8));
}

absl::Status AnthropicMessageWriter::WriteAssistant(const Message& message, int index) {
  const bool last_message = index + 1 == encoding_.request.messages_size();
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
    if (auto status = DropExtras(part, place); !status.ok()) return status;
    const bool continued = last_message && i == last && IsSaid(part) && encoding_.rules.prefill;
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

absl::Status AnthropicMessageWriter::WriteAssistantPart(const Part& part, const PartPlace& place) {
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
      if (auto status = AppendAnthropicBlock(part, place, &encoding_); !status.ok()) return status;
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

absl::Status AnthropicMessageWriter::WriteReasoning(const Part& part, const PartPlace& place) {
  if (HasAnthropicOptions(part, encoding_.context)) {
    return Unsupported(place.Field("provider_options"), "thinking blocks take no options");
  }
  if (auto status = DropBreakpoint(part, place); !status.ok()) return status;
  const auto state = part.has_provider_state()
                         ? ReadAnthropicState(part.provider_state(), encoding_.context)
                         : std::nullopt;
  if (!state.has_value() || (state->signature.empty() && state->redacted.empty())) {
    return notes_.Drop(place.Field("reasoning"), "it has no state of this provider or model");
  }
  const size_t start = out_.size();
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
  Move(start, &content_);
  goes_on_ = false;
  return absl::OkStatus();
}

absl::Status AnthropicMessageWriter::WriteToolCall(const Part& part, const PartPlace& place) {
  const v1::ToolCall& call = part.tool_call();
  if (IsBlank(call.id())) {
    return Invalid(place.Field("tool_call.id"), "empty: the result could not be matched to it");
  }
  if (IsBlank(call.name())) return Invalid(place.Field("tool_call.name"), "empty");
  const auto [made, fresh] = calls_.insert({call.id(), Call{call.name(), "", place}});
  if (!fresh) return Invalid(place.Field("tool_call.id"), "two calls of this turn have this id");
  AnthropicState state;
  if (part.has_provider_state()) {
    auto read = ReadAnthropicState(part.provider_state(), encoding_.context);
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
  AppendJsonString(AnthropicCallId(call.id()), &out_);
  out_.append(",\"name\":");
  AppendJsonString(call.name(), &out_);
  out_.append(",\"input\":");
  if (!AppendArgumentsObject(call.arguments_json(), &out_)) {
    notes_.Tell("changed", place.Field("tool_call.arguments_json"),
                "no JSON object, and nothing else is taken: it is sent as the member input of one");
  }
  if (!state.tool_use.empty()) {
    ForEachMember(state.tool_use, [&](absl::string_view name, absl::string_view value) {
      if (IsOwnToolUseMember(name)) return;
      absl::StrAppend(&out_, ",\"", name, "\":", value);
      if (name == "toolset_name") made->second.toolset_name = std::string(value);
    });
  }
  out_.push_back('}');
  if (auto status = FinishAnthropicBlock(part, place, start, &encoding_); !status.ok()) {
    return status;
  }
  Move(start, &content_);
  goes_on_ = false;
  return absl::OkStatus();
}

absl::Status AnthropicMessageWriter::WriteProviderPart(const Part& part, const PartPlace& place) {
  if (!IsAnthropicOrigin(part.provider_part().origin(), encoding_.context)) {
    return notes_.Drop(place.Field("provider_part"),
                       "a block of another provider, which this one cannot read");
  }
  if (HasAnthropicOptions(part, encoding_.context)) {
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

}  // namespace mg
