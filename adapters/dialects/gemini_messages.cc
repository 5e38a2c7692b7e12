// Contents in Gemini's shape: system, users and what must be emulated for them.
#include "absl/strings/str_cat.h"
#include "adapters/dialects/gemini_message_writer.h"
#include "adapters/json_instruction.h"
#include "adapters/json_text.h"

namespace mg {

using v1::Message;
using v1::Part;

namespace {

bool IsText(const Part& part) { return part.has_text() && !IsBlank(part.text()); }

void AppendTextPart(absl::string_view text, std::string* parts) {
  if (!parts->empty()) parts->push_back(',');
  parts->append("{\"text\":");
  AppendJsonString(text, parts);
  parts->push_back('}');
}

bool IsMedia(const Part& part) {
  return part.has_image() || part.has_audio() || part.has_video() || part.has_document();
}

}  // namespace

absl::Status GeminiMessageWriter::Write() {
  const auto& messages = encoding_.request.messages();
  if (messages.empty()) return Invalid("messages", "no message at all");
  int next = 0;
  if (auto status = WriteLeadingSystem(&next); !status.ok()) return status;
  out_.append("\"contents\":[");
  for (int i = next; i < messages.size(); ++i) {
    if (auto status = WriteMessage(messages[i], i); !status.ok()) return status;
  }
  if (auto status = EndAssistant(); !status.ok()) return status;
  if (any_content_) WriteLead();
  if (!any_content_) {
    return Invalid("messages", "beside system messages nothing is there that this model can read");
  }
  out_.push_back(']');
  if (!system_.empty())
    absl::StrAppend(&out_, ",\"systemInstruction\":{\"parts\":[", system_, "]}");
  return absl::OkStatus();
}

absl::Status GeminiMessageWriter::WriteLeadingSystem(int* next) {
  const auto& messages = encoding_.request.messages();
  for (; *next < messages.size() && messages[*next].role() == v1::ROLE_SYSTEM; ++*next) {
    const Message& message = messages[*next];
    if (!encoding_.rules.system) {
      if (auto status = WriteLaterSystem(message, *next); !status.ok()) return status;
      continue;
    }
    bool written = false;
    if (auto status = CheckInput(message, *next, &written); !status.ok()) return status;
    if (auto status = DropName(message, *next); !status.ok()) return status;
    const size_t start = out_.size();
    if (auto status = AppendTexts(message, *next, false); !status.ok()) return status;
    Move(start, &system_);
  }
  if (!GeminiJsonByWords(encoding_)) return absl::OkStatus();
  AppendTextPart(kJsonObjectInstruction, encoding_.rules.system ? &system_ : &lead_);
  return notes_.Emulate("response_format.json_object",
                        "the model has no such switch here: it is asked for in words");
}

absl::Status GeminiMessageWriter::WriteMessage(const Message& message, int index) {
  switch (message.role()) {
    case v1::ROLE_SYSTEM:
      return WriteLaterSystem(message, index);
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

absl::Status GeminiMessageWriter::CheckInputPart(const Part& part, const PartPlace& place,
                                                 bool system) {
  if (system && IsMedia(part)) {
    return Unsupported(place.Field(part.has_image()   ? "image"
                                   : part.has_audio() ? "audio"
                                   : part.has_video() ? "video"
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
  absl::Status status;
  if (part.has_provider_part()) {
    status = notes_.Drop(place.Field("provider_part"),
                         "only the assistant's messages hold a provider's own blocks");
  } else if (part.has_provider_state()) {
    status = notes_.Drop(place.Field("provider_state"), "this part can have none here");
  }
  return status.ok() ? DropExtras(part, place) : status;
}

// What a message of the user or the system holds. `written`: something of it goes out; else
// something is left out with a warning.
absl::Status GeminiMessageWriter::CheckInput(const Message& message, int index, bool* written) {
  bool left_out = false;
  for (int i = 0; i < message.parts_size(); ++i) {
    const Part& part = message.parts(i);
    auto status = CheckInputPart(part, {index, i}, message.role() == v1::ROLE_SYSTEM);
    if (!status.ok()) return status;
    *written = *written || IsText(part) || IsMedia(part);
    left_out = left_out || part.has_provider_part();
  }
  if (*written || left_out) return absl::OkStatus();
  return Invalid(absl::StrCat("messages[", index, "]"), "no part that is not blank");
}

absl::Status GeminiMessageWriter::WriteInput(const Message& message, int index) {
  bool written = false;
  if (auto status = CheckInput(message, index, &written); !status.ok()) return status;
  if (!written) return absl::OkStatus();
  if (auto status = DropName(message, index); !status.ok()) return status;
  if (auto status = EndAssistant(); !status.ok()) return status;
  std::string parts = std::move(lead_);
  lead_.clear();
  for (int i = 0; i < message.parts_size(); ++i) {
    const Part& part = message.parts(i);
    if (!IsText(part) && !IsMedia(part)) continue;
    const size_t start = out_.size();
    auto status = AppendGeminiPart(part, {index, i}, "", &encoding_);
    if (!status.ok()) return status;
    Move(start, &parts);
  }
  AppendContent("user", parts);
  return absl::OkStatus();
}

// The texts of a system message at the body's end, joined by commas.
absl::Status GeminiMessageWriter::AppendTexts(const Message& message, int index, bool tagged) {
  bool any = false;
  for (int i = 0; i < message.parts_size(); ++i) {
    Part part = message.parts(i);
    if (!IsText(part)) continue;
    if (tagged) part.set_text(absl::StrCat("<system>\n", part.text(), "\n</system>"));
    if (any) out_.push_back(',');
    any = true;
    if (auto status = AppendGeminiPart(part, {index, i}, "", &encoding_); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

// There is no such role within the conversation, and none at all for Gemma.
absl::Status GeminiMessageWriter::WriteLaterSystem(const Message& message, int index) {
  bool written = false;
  if (auto status = CheckInput(message, index, &written); !status.ok()) return status;
  if (auto status = DropName(message, index); !status.ok()) return status;
  if (!written) return absl::OkStatus();
  const size_t start = out_.size();
  if (auto status = AppendTexts(message, index, true); !status.ok()) return status;
  Move(start, &lead_);
  return notes_.Emulate(absl::StrCat("messages[", index, "].role"),
                        "this model takes no system message here: it is sent as text of the user");
}

// As a user's turn of its own, where no other one follows.
void GeminiMessageWriter::WriteLead() {
  AppendContent("user", lead_);
  lead_.clear();
}

// The results of a turn go out together, in the order of its calls.
absl::Status GeminiMessageWriter::EndAssistant() {
  AppendContent("model", assistant_);
  assistant_.clear();
  std::string results;
  for (const Call& call : calls_) {
    if (call.result.empty()) {
      return Invalid(call.place.Field("tool_call.id"), "no tool result follows for this call");
    }
    absl::StrAppend(&results, results.empty() ? "" : ",", call.result);
  }
  AppendContent("user", results);
  calls_.clear();
  call_of_id_.clear();
  answered_ = false;
  return absl::OkStatus();
}

void GeminiMessageWriter::AppendContent(absl::string_view role, absl::string_view parts) {
  if (parts.empty()) return;
  absl::StrAppend(&out_, any_content_ ? "," : "", "{\"role\":\"", role, "\",\"parts\":[", parts,
                  "]}");
  any_content_ = true;
}

absl::Status GeminiMessageWriter::DropName(const Message& message, int index) {
  if (message.name().empty()) return absl::OkStatus();
  return notes_.Drop(absl::StrCat("messages[", index, "].name"),
                     "Gemini's API has no place for a name on a message");
}

absl::Status GeminiMessageWriter::DropExtras(const Part& part, const PartPlace& place) {
  if (part.has_cache_breakpoint()) {
    auto status = notes_.Drop(place.Field("cache_breakpoint"),
                              "Gemini caches by itself and takes no such mark");
    if (!status.ok()) return status;
  }
  if (part.citations().empty()) return absl::OkStatus();
  return notes_.Drop(place.Field("citations"), "the texts that are sent carry none");
}

void GeminiMessageWriter::Move(size_t start, std::string* to) {
  if (out_.size() == start) return;
  if (!to->empty()) to->push_back(',');
  to->append(out_, start, std::string::npos);
  out_.resize(start);
}

bool GeminiJsonByWords(const GeminiEncoding& encoding) {
  if (!encoding.request.response_format().has_json_object()) return false;
  if (!encoding.rules.json_mode) return true;
  if (encoding.rules.json_with_tools) return false;
  for (const v1::Tool& tool : encoding.request.tools()) {
    if (tool.hosted().empty()) return true;
  }
  return false;
}

absl::Status EncodeGeminiMessages(GeminiEncoding* encoding) {
  return GeminiMessageWriter(encoding).Write();
}

}  // namespace mg
