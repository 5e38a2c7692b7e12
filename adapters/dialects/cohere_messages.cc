// Messages in Cohere's shape: system and users, in their order, and what must be emulated for them.
#include "absl/strings/str_cat.h"
#include "adapters/dialects/cohere_message_writer.h"
#include "adapters/json_instruction.h"
#include "adapters/json_text.h"
#include "adapters/prefill.h"

namespace mg {

using v1::Message;
using v1::Part;

namespace {

bool IsContent(const Part& part) {
  return part.has_text() ? !IsBlank(part.text()) : !part.has_provider_part();
}

}  // namespace

void CohereMessageWriter::Begin(absl::string_view role) {
  if (out_.back() != '[') out_.push_back(',');
  absl::StrAppend(&out_, "{\"role\":\"", role, "\"");
}

void CohereMessageWriter::WriteText(absl::string_view role, absl::string_view text) {
  Begin(role);
  out_.append(",\"content\":");
  AppendJsonString(text, &out_);
  out_.push_back('}');
}

absl::Status CohereMessageWriter::Write() {
  const auto& messages = encoding_.request.messages();
  if (messages.empty()) return Invalid("messages", "no message at all");
  out_.append(",\"messages\":[");
  const size_t start = out_.size();
  for (int i = 0; i < messages.size(); ++i) {
    if (auto status = WriteMessage(messages[i], i); !status.ok()) return status;
  }
  if (auto status = WriteResultImages(); !status.ok()) return status;
  if (auto status = CheckAnswered(); !status.ok()) return status;
  if (auto status = WritePrefill(); !status.ok()) return status;
  if (out_.back() == '[') return Invalid("messages", "nothing is left that this model can read");
  if (NeedsJsonInstruction(encoding_)) {
    std::string rest = out_.substr(start);
    out_.resize(start);
    WriteText("system", kJsonObjectInstruction);
    absl::StrAppend(&out_, ",", rest);
  }
  out_.push_back(']');
  if (!encoding_.documents.empty()) {
    absl::StrAppend(&out_, ",\"documents\":[", encoding_.documents, "]");
  }
  return absl::OkStatus();
}

absl::Status CohereMessageWriter::WriteMessage(const Message& message, int index) {
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

absl::Status CohereMessageWriter::CheckInput(const Part& part, const PartPlace& place,
                                             bool system) {
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
  if (part.kind_case() == Part::KIND_NOT_SET) return Invalid(place.Field(""), "a part of no kind");
  if (auto status = DropState(part, place); !status.ok()) return status;
  return DropCohereExtras(part, place, &encoding_);
}

absl::Status CohereMessageWriter::DropState(const Part& part, const PartPlace& place) {
  if (part.has_provider_part()) {
    return notes_.Drop(place.Field("provider_part"),
                       "a block of another provider, which this one cannot read");
  }
  if (!part.has_provider_state()) return absl::OkStatus();
  return notes_.Drop(place.Field("provider_state"),
                     "state of another provider, or none that this part can have here");
}

// Documents stand beside the messages, not in them.
absl::Status CohereMessageWriter::TakeDocument(const Part& part, const PartPlace& place) {
  const size_t start = out_.size();
  if (auto status = AppendCohereDocument(part, place, &encoding_); !status.ok()) return status;
  Move(start, &encoding_.documents);
  return absl::OkStatus();
}

absl::Status CohereMessageWriter::WriteInput(const Message& message, int index) {
  const bool system = message.role() == v1::ROLE_SYSTEM;
  bool elsewhere = false;  // a part is no content of the message
  int count = 0;
  int last = 0;
  for (int i = 0; i < message.parts_size(); ++i) {
    const Part& part = message.parts(i);
    const PartPlace place = {index, i};
    if (auto status = CheckInput(part, place, system); !status.ok()) return status;
    elsewhere = elsewhere || part.has_provider_part() || part.has_document();
    if (part.has_document()) {
      if (auto status = TakeDocument(part, place); !status.ok()) return status;
    } else if (IsContent(part)) {
      ++count;
      last = i;
    }
  }
  if (count == 0) {
    if (elsewhere) return absl::OkStatus();
    return Invalid(absl::StrCat("messages[", index, "]"), "no part that is not blank");
  }
  if (auto status = DropName(message, index); !status.ok()) return status;
  const Part& only = message.parts(last);
  if (count == 1 && only.has_text() && !HasCohereOptions(only, encoding_.context)) {
    WriteText(system ? "system" : "user", only.text());
    return absl::OkStatus();
  }
  Begin(system ? "system" : "user");
  out_.append(",\"content\":[");
  for (int i = 0; i < message.parts_size(); ++i) {
    if (!IsContent(message.parts(i)) || message.parts(i).has_document()) continue;
    if (out_.back() != '[') out_.push_back(',');
    auto status = AppendCohereBlock(message.parts(i), {index, i}, &encoding_);
    if (!status.ok()) return status;
  }
  out_.append("]}");
  return absl::OkStatus();
}

absl::Status CohereMessageWriter::WritePrefill() {
  if (!prefill_) return absl::OkStatus();
  const int last = encoding_.request.messages_size() - 1;
  if (auto status = notes_.Emulate(absl::StrCat("messages[", last, "]"),
                                   "Cohere's models do not continue a last message of the "
                                   "assistant: they are asked to, by an instruction");
      !status.ok()) {
    return status;
  }
  WriteText("user", kContinueInstruction);
  return absl::OkStatus();
}

absl::Status CohereMessageWriter::CheckAnswered() {
  const Call* first = nullptr;
  for (const auto& [id, call] : calls_) {
    if (call.answered) continue;
    if (first == nullptr || call.place.part < first->place.part) first = &call;
  }
  if (first == nullptr) return absl::OkStatus();
  return Invalid(first->place.Field("tool_call.id"), "no tool result follows for this call");
}

absl::Status CohereMessageWriter::DropName(const Message& message, int index) {
  if (message.name().empty()) return absl::OkStatus();
  return notes_.Drop(absl::StrCat("messages[", index, "].name"),
                     "Cohere's API has no place for a name on a message");
}

void CohereMessageWriter::Move(size_t start, std::string* to) {
  if (!to->empty()) to->push_back(',');
  to->append(out_, start, std::string::npos);
  out_.resize(start);
}

absl::Status EncodeCohereMessages(CohereEncoding* encoding) {
  return CohereMessageWriter(encoding).Write();
}

}  // namespace mg
