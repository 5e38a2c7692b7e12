#include "adapters/turn_writer.h"

#include "absl/strings/str_cat.h"
#include "adapters/json_instruction.h"
#include "adapters/json_text.h"
#include "adapters/prefill.h"

namespace mg {

using v1::Message;
using v1::Part;

namespace {

bool IsText(const Part& part) { return part.has_text() && !IsBlank(part.text()); }

}  // namespace

absl::Status TurnWriter::Write() {
  const auto& messages = request_.messages();
  if (messages.empty()) return Invalid("messages", "no message at all");
  int next = 0;
  if (auto status = WriteLeadingSystem(&next); !status.ok()) return status;
  AppendJsonKey("messages", &out_);
  out_.push_back('[');
  for (int i = next; i < messages.size(); ++i) {
    if (auto status = WriteMessage(messages[i], i); !status.ok()) return status;
  }
  if (!pending_.empty() || (!rules_.system && !instructions_.empty())) {
    if (auto status = BeginTurn(Turn::kUser); !status.ok()) return status;
    if (auto status = WritePendingSystem(); !status.ok()) return status;
  }
  if (auto status = WritePrefill(); !status.ok()) return status;
  if (auto status = EndTurn(); !status.ok()) return status;
  if (auto status = CheckAnswered(); !status.ok()) return status;
  if (written_ == Turn::kNone) {
    return Invalid("messages", "beside system messages nothing is there that this model can read");
  }
  out_.push_back(']');
  return absl::OkStatus();
}

absl::Status TurnWriter::WriteLeadingSystem(int* next) {
  const auto& messages = request_.messages();
  for (; *next < messages.size() && messages[*next].role() == v1::ROLE_SYSTEM; ++*next) {
    const Message& message = messages[*next];
    bool written = false;
    bool left_out = false;
    auto status = CheckInput(message, *next, &written, &left_out);
    if (status.ok()) status = DropName(message, *next);
    if (status.ok() && !rules_.system && written) status = Defer(message, *next);
    for (int i = 0; status.ok() && rules_.system && i < message.parts_size(); ++i) {
      if (!IsText(message.parts(i))) continue;
      const size_t start = out_.size();
      status = AppendBlock(message.parts(i), {*next, i});
      if (status.ok()) Move(start, &content_);
    }
    if (!status.ok()) return status;
  }
  if (request_.response_format().has_json_object()) {
    auto status = notes_.Emulate("response_format.json_object",
                                 "the model has no such switch: it is asked for in words");
    if (!status.ok()) return status;
    instructions_.insert(instructions_.begin(), kJsonObjectInstruction);
  }
  if (!rules_.system) return absl::OkStatus();
  for (absl::string_view instruction : instructions_) AddText(instruction);
  if (!content_.empty()) {
    AppendJsonKey("system", &out_);
    absl::StrAppend(&out_, "[", content_, "]");
  }
  content_.clear();
  return absl::OkStatus();
}

absl::Status TurnWriter::WriteMessage(const Message& message, int index) {
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

// What a message of the user or the system holds. `written`: something of it goes out; `left_out`:
// something does not, with its warning.
absl::Status TurnWriter::CheckInput(const Message& message, int index, bool* written,
                                    bool* left_out) {
  const bool system = message.role() == v1::ROLE_SYSTEM;
  for (int i = 0; i < message.parts_size(); ++i) {
    const Part& part = message.parts(i);
    const PartPlace place = {index, i};
    if (system &&
        (part.has_image() || part.has_audio() || part.has_document() || part.has_video())) {
      return Unsupported(place.Field(part.has_image()      ? "image"
                                     : part.has_audio()    ? "audio"
                                     : part.has_document() ? "document"
                                                           : "video"),
                         "a system message takes text only");
    }
    if (part.has_tool_result()) {
      return Invalid(place.Field("tool_result"), "tool results belong into a message of ROLE_TOOL");
    }
    if (part.has_tool_call() || part.has_reasoning() || part.has_refusal()) {
      return Invalid(place.Field(""), "only the assistant's messages hold such a part");
    }
    if (part.kind_case() == Part::KIND_NOT_SET) {
      return Invalid(place.Field(""), "a part of no kind");
    }
    absl::Status status;
    if (part.has_provider_part()) {
      *left_out = true;
      status = notes_.Drop(place.Field("provider_part"),
                           "only the assistant's messages hold a provider's own blocks");
    } else if (part.has_provider_state()) {
      status = notes_.Drop(place.Field("provider_state"), "this part can have none here");
    }
    if (status.ok()) status = DropExtras(part, place);
    if (!status.ok()) return status;
    if (part.has_text() ? IsText(part) : !part.has_provider_part()) {
      *written = true;
    } else if (auto dropped = DropBreakpoint(part, place); !dropped.ok()) {
      return dropped;
    }
  }
  if (*written || *left_out) return absl::OkStatus();
  return Invalid(absl::StrCat("messages[", index, "]"), "no part that is not blank");
}

absl::Status TurnWriter::WriteInput(const Message& message, int index) {
  bool written = false;
  bool left_out = false;
  if (auto status = CheckInput(message, index, &written, &left_out); !status.ok()) return status;
  if (!written) return absl::OkStatus();
  if (auto status = DropName(message, index); !status.ok()) return status;
  if (auto status = BeginTurn(Turn::kUser); !status.ok()) return status;
  if (auto status = WritePendingSystem(); !status.ok()) return status;
  for (int i = 0; i < message.parts_size(); ++i) {
    const Part& part = message.parts(i);
    if (part.has_text() ? !IsText(part) : part.has_provider_part()) continue;
    const size_t start = out_.size();
    if (auto status = AppendBlock(part, {index, i}); !status.ok()) {
      return status;
    }
    Move(start, &content_);
  }
  return absl::OkStatus();
}

// In its place behind a user's turn, where the model has such a role; else it waits for one.
absl::Status TurnWriter::WriteLaterSystem(const Message& message, int index) {
  bool written = false;
  bool left_out = false;
  if (auto status = CheckInput(message, index, &written, &left_out); !status.ok()) return status;
  if (auto status = DropName(message, index); !status.ok()) return status;
  if (!written) return absl::OkStatus();
  const bool behind_user = turn_ == Turn::kUser || turn_ == Turn::kSystem;
  if (!rules_.system_later || !behind_user || !pending_.empty()) {
    return Defer(message, index);
  }
  if (auto status = BeginTurn(Turn::kSystem); !status.ok()) return status;
  for (int i = 0; i < message.parts_size(); ++i) {
    if (!IsText(message.parts(i))) continue;
    const size_t start = out_.size();
    auto status = AppendBlock(message.parts(i), {index, i});
    if (!status.ok()) return status;
    Move(start, &content_);
  }
  return absl::OkStatus();
}

absl::Status TurnWriter::Defer(const Message& message, int index) {
  pending_.push_back(&message);
  pending_index_.push_back(index);
  return notes_.Emulate(absl::StrCat("messages[", index, "].role"),
                        "this model takes no system message here: it is sent as text of the user");
}

absl::Status TurnWriter::WritePendingSystem() {
  for (size_t at = 0; at < pending_.size(); ++at) {
    for (int i = 0; i < pending_[at]->parts_size(); ++i) {
      if (!IsText(pending_[at]->parts(i))) continue;
      Part part = pending_[at]->parts(i);
      part.set_text(absl::StrCat("<system>\n", part.text(), "\n</system>"));
      const size_t start = out_.size();
      auto status = AppendBlock(part, {pending_index_[at], i});
      if (!status.ok()) return status;
      Move(start, &content_);
    }
  }
  pending_.clear();
  pending_index_.clear();
  if (rules_.system) return absl::OkStatus();
  for (absl::string_view instruction : instructions_) AddText(instruction);
  instructions_.clear();
  return absl::OkStatus();
}

// A last message of the assistant is continued by older models that do not think; a turn that the
// provider itself has paused goes on by itself.
absl::Status TurnWriter::WritePrefill() {
  const bool open = turn_ == Turn::kAssistant && !content_.empty() && calls_.empty();
  if (!open || goes_on_) return absl::OkStatus();
  if (rules_.prefill) return absl::OkStatus();
  const int last = request_.messages_size() - 1;
  if (auto status = notes_.Emulate(absl::StrCat("messages[", last, "]"),
                                   "this model does not continue a last message of the assistant: "
                                   "it is asked to, by an instruction");
      !status.ok()) {
    return status;
  }
  if (auto status = BeginTurn(Turn::kUser); !status.ok()) return status;
  AddText(kContinueInstruction);
  return absl::OkStatus();
}

// Neighbours of one role are one turn.
absl::Status TurnWriter::BeginTurn(Turn turn) {
  if (turn == turn_) return absl::OkStatus();
  if (auto status = EndTurn(); !status.ok()) return status;
  if (turn == Turn::kAssistant) {
    if (auto status = CheckAnswered(); !status.ok()) return status;
    calls_.clear();
    if (written_ == Turn::kNone) {
      auto status = notes_.Emulate("messages",
                                   "a conversation begins with the user here: a text (start) of "
                                   "the user is put before it");
      if (!status.ok()) return status;
      written_ = Turn::kUser;
      out_.append("{\"role\":\"user\",\"content\":[");
      AppendText("(start)");
      out_.append("]}");
    }
  }
  turn_ = turn;
  return absl::OkStatus();
}

absl::Status TurnWriter::EndTurn() {
  if (results_.empty() && content_.empty()) return absl::OkStatus();
  const size_t start = out_.size();
  if (auto status = CloseTurn(); !status.ok()) return status;
  if (out_.size() > start) Move(start, &content_);
  if (turn_ == written_) {
    // What stood between two turns of one role was left out: they are one.
    out_.resize(out_.size() - 2);
    out_.push_back(',');
  } else {
    const char* role = turn_ == Turn::kUser     ? "user"
                       : turn_ == Turn::kSystem ? "system"
                                                : "assistant";
    absl::StrAppend(&out_, written_ == Turn::kNone ? "" : ",", "{\"role\":\"", role,
                    "\",\"content\":[");
  }
  written_ = turn_;
  absl::StrAppend(&out_, results_, results_.empty() || content_.empty() ? "" : ",", content_, "]}");
  results_.clear();
  content_.clear();
  return absl::OkStatus();
}

absl::Status TurnWriter::CheckAnswered() {
  const Call* first = nullptr;
  for (const auto& [id, call] : calls_) {
    if (call.answered) continue;
    if (first == nullptr || call.place.part < first->place.part) first = &call;
  }
  if (first == nullptr) return absl::OkStatus();
  return Invalid(first->place.Field("tool_call.id"), "no tool result follows for this call");
}

absl::Status TurnWriter::DropName(const Message& message, int index) {
  if (message.name().empty()) return absl::OkStatus();
  return notes_.Drop(absl::StrCat("messages[", index, "].name"),
                     absl::StrCat(rules_.api, " has no place for a name on a message"));
}

absl::Status TurnWriter::DropExtras(const Part& part, const PartPlace& place) {
  if (part.citations().empty()) return absl::OkStatus();
  return notes_.Drop(place.Field("citations"), "the texts that are sent carry none");
}

absl::Status TurnWriter::DropBreakpoint(const Part& part, const PartPlace& place) {
  if (!part.has_cache_breakpoint()) return absl::OkStatus();
  return notes_.Drop(place.Field("cache_breakpoint"), "no breakpoint can be set on such a part");
}

void TurnWriter::Move(size_t start, std::string* to) {
  if (!to->empty()) to->push_back(',');
  to->append(out_, start, std::string::npos);
  out_.resize(start);
}

void TurnWriter::AddText(absl::string_view text) {
  const size_t start = out_.size();
  AppendText(text);
  Move(start, &content_);
}

}  // namespace mg
