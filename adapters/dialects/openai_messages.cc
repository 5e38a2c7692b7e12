// Messages in OpenAI's shape: roles, tool calls and their results, reasoning under the key it came
// with, and what must be emulated (images of tool results, prefill, a schema in words).
#include "absl/strings/str_cat.h"
#include "adapters/call_id.h"
#include "adapters/dialects/openai_message_writer.h"
#include "adapters/dialects/openai_state.h"
#include "adapters/json_instruction.h"
#include "adapters/json_text.h"
#include "adapters/prefill.h"

namespace mg {

using v1::Message;
using v1::Part;

namespace {

bool IsInput(const Part& part) {
  return part.has_image() || part.has_audio() || part.has_document() || part.has_video() ||
         (part.has_text() && !IsBlank(part.text()));
}

bool IsAssistantContent(const Part& part) {
  return (part.has_text() && !IsBlank(part.text())) ||
         (part.has_refusal() && !IsBlank(part.refusal()));
}

}  // namespace

void OpenAiMessageWriter::Begin(absl::string_view role) {
  if (out_.back() != '[') out_.push_back(',');
  absl::StrAppend(&out_, "{\"role\":\"", role, "\"");
}

absl::Status OpenAiMessageWriter::Write() {
  const auto& messages = encoding_.request.messages();
  if (messages.empty()) return Invalid("messages", "no message at all");
  out_.append("\"messages\":[");
  if (NeedsSchemaInstruction(encoding_)) {
    Begin("system");
    out_.append(",\"content\":");
    AppendJsonString(absl::StrCat("Answer with one JSON value that fits this JSON Schema, and with "
                                  "nothing else:\n",
                                  encoding_.request.response_format().json_schema().schema_json()),
                     &out_);
    out_.push_back('}');
  }
  if (NeedsJsonWord(encoding_)) {
    Begin("system");
    out_.append(",\"content\":");
    AppendJsonString(kJsonObjectInstruction, &out_);
    out_.push_back('}');
  }
  for (int i = 0; i < messages.size(); ++i) {
    if (messages[i].role() == v1::ROLE_USER) last_user_ = i;
  }
  for (int i = 0; i < messages.size(); ++i) {
    if (auto status = WriteMessage(messages[i], i); !status.ok()) return status;
  }
  if (auto status = WriteResultImages(); !status.ok()) return status;
  if (auto status = CheckAnswered(); !status.ok()) return status;
  if (auto status = WritePrefill(); !status.ok()) return status;
  if (out_.back() == '[') return Invalid("messages", "nothing is left that this model can read");
  out_.push_back(']');
  return absl::OkStatus();
}

absl::Status OpenAiMessageWriter::WriteMessage(const Message& message, int index) {
  if (message.role() != v1::ROLE_TOOL) {
    if (auto status = WriteResultImages(); !status.ok()) return status;
    if (auto status = CheckAnswered(); !status.ok()) return status;
    calls_.clear();
  }
  prefill_ = false;
  switch (message.role()) {
    case v1::ROLE_SYSTEM:
    case v1::ROLE_USER:
      return WriteInput(message, index);
    case v1::ROLE_ASSISTANT:
      return WriteAssistant(message, index);
    case v1::ROLE_TOOL:
      return WriteResults(message, index);
    default:
      return Invalid(absl::StrCat("messages[", index, "].role"),
                     "must be system, user, assistant or tool");
  }
}

// Content as a plain string where a single text is all of it, else as blocks. `thinking`, where not
// null, is a block before the others. `empty`: nothing was there to write, and nothing was written.
absl::Status OpenAiMessageWriter::WriteContent(const Message& message, int index,
                                               bool (*is_content)(const Part&),
                                               const std::string* thinking, bool* empty) {
  int count = 0;
  int last = 0;
  for (int i = 0; i < message.parts_size(); ++i) {
    if (!is_content(message.parts(i))) continue;
    ++count;
    last = i;
  }
  *empty = count == 0 && thinking == nullptr;
  if (*empty) return absl::OkStatus();
  out_.append(",\"content\":");
  if (count == 1 && thinking == nullptr && !NeedsBlock(message.parts(last), encoding_)) {
    AppendJsonString(message.parts(last).text(), &out_);
    return DropBreakpoint(message.parts(last), {index, last}, &encoding_);
  }
  out_.push_back('[');
  if (thinking != nullptr) {
    out_.append("{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":");
    AppendJsonString(*thinking, &out_);
    out_.append("}]}");
  }
  for (int i = 0; i < message.parts_size(); ++i) {
    if (!is_content(message.parts(i))) continue;
    if (auto status = AppendBlock(message.parts(i), {index, i}, &encoding_); !status.ok()) {
      return status;
    }
  }
  out_.push_back(']');
  return absl::OkStatus();
}

absl::Status OpenAiMessageWriter::WriteName(const Message& message, int index) {
  if (message.name().empty()) return absl::OkStatus();
  using Names = OpenAiProfile::Names;
  const Names names = encoding_.profile.names;
  const bool user = message.role() == v1::ROLE_USER;
  const bool taken = names == Names::kUsersAndAssistant || names == Names::kAll ||
                     (names == Names::kUsers && user);
  if (!taken || message.role() == v1::ROLE_TOOL) {
    return notes_.Drop(absl::StrCat("messages[", index, "].name"),
                       "this server has no place for a name on such a message");
  }
  out_.append(",\"name\":");
  AppendJsonString(message.name(), &out_);
  return absl::OkStatus();
}

absl::Status OpenAiMessageWriter::WriteInput(const Message& message, int index) {
  const bool system = message.role() == v1::ROLE_SYSTEM;
  bool left_out = false;
  for (int i = 0; i < message.parts_size(); ++i) {
    const Part& part = message.parts(i);
    const PartPlace place = {index, i};
    if (system && (part.has_image() || part.has_audio() || part.has_document())) {
      return Unsupported(place.Field(part.has_image()   ? "image"
                                     : part.has_audio() ? "audio"
                                                        : "document"),
                         "a system message takes text only");
    }
    if (part.has_tool_result()) {
      return Invalid(place.Field("tool_result"), "tool results belong into a message of ROLE_TOOL");
    }
    if (part.has_tool_call() || part.has_reasoning() || part.has_refusal()) {
      return Invalid(place.Field(""), "only the assistant's messages hold such a part");
    }
    if (part.kind_case() == Part::KIND_NOT_SET)
      return Invalid(place.Field(""), "a part of no kind");
    if (part.has_provider_part() || part.has_provider_state()) {
      left_out = left_out || part.has_provider_part();
      if (auto status = LeaveOutState(part, place); !status.ok()) return status;
    }
    if (auto status = DropExtras(part, place, &encoding_); !status.ok()) return status;
  }
  const size_t start = out_.size();
  Begin(!system ? "user" : encoding_.rules.developer_role ? "developer" : "system");
  bool empty = false;
  if (auto status = WriteContent(message, index, IsInput, nullptr, &empty); !status.ok())
    return status;
  if (empty) {
    out_.resize(start);
    if (left_out) return absl::OkStatus();
    return Invalid(absl::StrCat("messages[", index, "]"), "no part that is not blank");
  }
  if (auto status = WriteName(message, index); !status.ok()) return status;
  out_.push_back('}');
  return absl::OkStatus();
}

absl::Status OpenAiMessageWriter::LeaveOutState(const Part& part, const PartPlace& place) {
  if (part.has_provider_part()) {
    return notes_.Drop(place.Field("provider_part"),
                       "a block of another provider, which this one cannot read");
  }
  return notes_.Drop(place.Field("provider_state"),
                     "state of another provider, or none that this part can have here");
}

absl::Status OpenAiMessageWriter::ReadReasoning(const Part& part, const PartPlace& place,
                                                Turn* turn) {
  turn->left_out = true;
  if (!encoding_.profile.reasoning_back) {
    return notes_.Drop(place.Field("reasoning"), "OpenAI's chat API takes no reasoning back");
  }
  const auto state = part.has_provider_state()
                         ? ReadOpenAiState(part.provider_state(), encoding_.context)
                         : std::nullopt;
  if (!state.has_value() || (state->reasoning_key.empty() && state->reasoning_details.empty())) {
    return notes_.Drop(place.Field("reasoning"), "it has no state of this provider or model");
  }
  if (IsDeepSeeksOldReasoning(place)) {
    notes_.Tell("dropped", place.Field("reasoning"),
                "this model takes it back only behind the last message of the user");
    return absl::OkStatus();
  }
  if (turn->reasoning_key.empty()) turn->reasoning_key = state->reasoning_key;
  turn->reasoning.append(part.reasoning().text());
  if (turn->reasoning_details.empty()) turn->reasoning_details = SignedDetails(*state);
  if (!state->message_extra_content.empty()) turn->extra_content = state->message_extra_content;
  turn->left_out = false;
  return absl::OkStatus();
}

absl::Status OpenAiMessageWriter::ReadToolCall(const Part& part, const PartPlace& place,
                                               Turn* turn) {
  const v1::ToolCall& call = part.tool_call();
  if (IsBlank(call.id())) {
    return Invalid(place.Field("tool_call.id"), "empty: the result could not be matched to it");
  }
  if (IsBlank(call.name())) return Invalid(place.Field("tool_call.name"), "empty");
  const bool fresh = calls_.insert({call.id(), Call{call.name(), place}}).second;
  if (!fresh) return Invalid(place.Field("tool_call.id"), "two calls of this message have this id");
  OpenAiState state;
  if (part.has_provider_state()) {
    const auto read = ReadOpenAiState(part.provider_state(), encoding_.context);
    if (read.has_value()) {
      state = *read;
    } else if (auto status = LeaveOutState(part, place); !status.ok()) {
      return status;
    }
  }
  if (!state.message_extra_content.empty()) turn->extra_content = state.message_extra_content;
  if (auto status = DropBreakpoint(part, place, &encoding_); !status.ok()) return status;

  std::string entry = "{\"id\":";
  AppendJsonString(SentCallId(call.id()), &entry);
  const absl::string_view type = state.custom_tool ? "custom" : "function";
  absl::StrAppend(&entry, ",\"type\":\"", type, "\",\"", type, "\":{\"name\":");
  AppendJsonString(call.name(), &entry);
  entry.append(state.custom_tool ? ",\"input\":" : ",\"arguments\":");
  const bool none = IsBlank(call.arguments_json()) && !state.custom_tool;
  AppendJsonString(none ? absl::string_view("{}") : call.arguments_json(), &entry);
  entry.push_back('}');
  if (!state.extra_content.empty()) {
    absl::StrAppend(&entry, ",\"extra_content\":", state.extra_content);
  }
  entry.push_back('}');
  const size_t start = out_.size();
  out_.append(entry);
  if (auto status = MergePartOptions(part, place, start, &encoding_); !status.ok()) return status;
  if (!turn->tool_calls.empty()) turn->tool_calls.push_back(',');
  turn->tool_calls.append(out_, start, std::string::npos);
  out_.resize(start);
  return absl::OkStatus();
}

absl::Status OpenAiMessageWriter::ReadAudio(const Part& part, const PartPlace& place, Turn* turn) {
  const auto state = part.has_provider_state()
                         ? ReadOpenAiState(part.provider_state(), encoding_.context)
                         : std::nullopt;
  if (!state.has_value() || state->audio_id.empty()) {
    return Unsupported(place.Field("audio"),
                       "the assistant's audio can only go back to the provider that made it");
  }
  turn->audio_id = state->audio_id;
  return absl::OkStatus();
}

// What of an assistant's message is no content block.
absl::Status OpenAiMessageWriter::ReadBeside(const Part& part, const PartPlace& place, Turn* turn) {
  if (auto status = DropExtras(part, place, &encoding_); !status.ok()) return status;
  switch (part.kind_case()) {
    case Part::kReasoning:
      if (HasPartOptions(part, encoding_)) {
        return Unsupported(place.Field("provider_options"), "reasoning is no content block here");
      }
      if (auto status = DropBreakpoint(part, place, &encoding_); !status.ok()) return status;
      return ReadReasoning(part, place, turn);
    case Part::kToolCall:
      return ReadToolCall(part, place, turn);
    case Part::kAudio:
      return ReadAudio(part, place, turn);
    case Part::kProviderPart:
      turn->left_out = true;
      return LeaveOutState(part, place);
    case Part::kText:
    case Part::kRefusal: {
      if (!part.has_provider_state()) return absl::OkStatus();
      const auto state = ReadOpenAiState(part.provider_state(), encoding_.context);
      if (!state.has_value()) return LeaveOutState(part, place);
      if (!state->message_extra_content.empty()) turn->extra_content = state->message_extra_content;
      return absl::OkStatus();
    }
    case Part::kToolResult:
      return Invalid(place.Field("tool_result"), "tool results belong into a message of ROLE_TOOL");
    case Part::kImage:
      return Unsupported(place.Field("image"), "the assistant's messages take text only");
    case Part::kDocument:
      return Unsupported(place.Field("document"), "the assistant's messages take text only");
    case Part::kVideo:
      return Unsupported(place.Field("video"), "OpenAI's chat API takes no video");
    case Part::KIND_NOT_SET:
      return Invalid(place.Field(""), "a part of no kind");
  }
  return absl::OkStatus();
}

absl::Status OpenAiMessageWriter::WriteAssistant(const Message& message, int index) {
  Turn turn;
  for (int i = 0; i < message.parts_size(); ++i) {
    if (auto status = ReadBeside(message.parts(i), {index, i}, &turn); !status.ok()) return status;
  }
  const size_t start = out_.size();
  Begin("assistant");
  bool empty = false;
  const bool in_content = turn.reasoning_key == kThinkingInContent;
  if (auto status = WriteContent(message, index, IsAssistantContent,
                                 in_content ? &turn.reasoning : nullptr, &empty);
      !status.ok()) {
    return status;
  }
  if (empty && turn.tool_calls.empty() && turn.audio_id.empty()) {
    const bool reasoned = !turn.reasoning.empty() || !turn.reasoning_details.empty();
    if (!reasoned) {
      out_.resize(start);
      if (turn.left_out) return absl::OkStatus();
      return Invalid(absl::StrCat("messages[", index, "]"), "no part that is not blank");
    }
    out_.append(",\"content\":\"\"");
  } else if (empty) {
    out_.append(",\"content\":null");
  }
  if (!turn.reasoning_key.empty() && !in_content) {
    AppendJsonKey(turn.reasoning_key, &out_);
    AppendJsonString(turn.reasoning, &out_);
  } else if (encoding_.profile.preset == "deepseek" &&
             IsDeepSeekV4(KnownModel(encoding_.context))) {
    out_.append(",\"reasoning_content\":\"\"");
  }
  if (!turn.reasoning_details.empty()) {
    absl::StrAppend(&out_, ",\"reasoning_details\":", turn.reasoning_details);
  }
  if (!turn.tool_calls.empty()) absl::StrAppend(&out_, ",\"tool_calls\":[", turn.tool_calls, "]");
  if (!turn.audio_id.empty()) {
    out_.append(",\"audio\":{\"id\":");
    AppendJsonString(turn.audio_id, &out_);
    out_.push_back('}');
  }
  if (!turn.extra_content.empty()) {
    absl::StrAppend(&out_, ",\"extra_content\":", turn.extra_content);
  }
  if (auto status = WriteName(message, index); !status.ok()) return status;
  out_.push_back('}');
  prefill_ = turn.tool_calls.empty();
  return absl::OkStatus();
}

// Before V4, DeepSeek's models took the reasoning of the turn at hand alone.
bool OpenAiMessageWriter::IsDeepSeeksOldReasoning(const PartPlace& place) const {
  return encoding_.profile.preset == "deepseek" && !IsDeepSeekV4(KnownModel(encoding_.context)) &&
         place.message < last_user_;
}

// OpenRouter's details without those whose maker would miss its signature.
std::string OpenAiMessageWriter::SignedDetails(const OpenAiState& state) const {
  if (encoding_.profile.preset != "openrouter") return state.reasoning_details;
  std::string kept;
  for (absl::string_view text : ElementTexts(state.reasoning_details)) {
    JsonDocument detail;
    if (!ParseJson(text, &detail).ok()) continue;
    const absl::string_view format = StringMember(detail, "format");
    const bool of_signers = format == "anthropic-claude-v1" || format == "google-gemini-v1";
    if (of_signers && StringMember(detail, "type") == "reasoning.text" &&
        StringMember(detail, "signature").empty()) {
      continue;
    }
    absl::StrAppend(&kept, kept.empty() ? "[" : ",", text);
  }
  return kept.empty() ? kept : kept + "]";
}

std::string OpenAiMessageWriter::SentCallId(const std::string& id) const {
  return encoding_.profile.short_call_ids ? ShortCallId(id) : id;
}

// OpenAI refuses a call without its result; a compatible server may take it, and decides itself.
absl::Status OpenAiMessageWriter::CheckAnswered() {
  if (encoding_.profile.unanswered_calls) return absl::OkStatus();
  const Call* first = nullptr;
  for (const auto& [id, call] : calls_) {
    if (call.answered) continue;
    if (first == nullptr || call.place.part < first->place.part) first = &call;
  }
  if (first == nullptr) return absl::OkStatus();
  return Invalid(first->place.Field("tool_call.id"), "no tool result follows for this call");
}

absl::Status OpenAiMessageWriter::WritePrefill() {
  if (!prefill_) return absl::OkStatus();
  switch (encoding_.profile.prefill) {
    case OpenAiProfile::Prefill::kInstruction:
      break;
    case OpenAiProfile::Prefill::kNative:
      return absl::OkStatus();
    case OpenAiProfile::Prefill::kUnthinking:
      encoding_.template_unthinks = true;
      return absl::OkStatus();
    case OpenAiProfile::Prefill::kContinue:
      encoding_.continues = true;
      return absl::OkStatus();
    case OpenAiProfile::Prefill::kPrefix:
      out_.pop_back();
      out_.append(",\"prefix\":true}");
      return absl::OkStatus();
  }
  const int last = encoding_.request.messages_size() - 1;
  if (auto status = notes_.Emulate(absl::StrCat("messages[", last, "]"),
                                   "this server does not continue a last message of the assistant: "
                                   "it is asked to, by an instruction");
      !status.ok()) {
    return status;
  }
  Begin("user");
  out_.append(",\"content\":");
  AppendJsonString(kContinueInstruction, &out_);
  out_.push_back('}');
  return absl::OkStatus();
}

absl::Status EncodeOpenAiMessages(OpenAiEncoding* encoding) {
  return OpenAiMessageWriter(encoding).Write();
}

}  // namespace mg
