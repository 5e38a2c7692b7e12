// Writes the prompt of one request in the shape that Anthropic and Bedrock share: the leading
// system messages apart, and the others as turns of user and assistant that alternate, the results
// of tool calls at the head of the user's. What a block looks like is the dialect's own. Lives for
// one encoding.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/encode_notes.h"
#include "adapters/part_place.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

class TurnWriter {
 public:
  struct Rules {
    absl::string_view api;      // "Anthropic's API": for warnings
    bool system = true;         // it takes a system prompt
    bool system_later = false;  // it takes role system behind a user's turn
    bool prefill = false;       // it continues a last message of the assistant
  };

  // `out` ends within the object that is to have the members `system` and `messages`.
  TurnWriter(const v1::ChatRequest& request, Rules rules, EncodeNotes* notes, std::string* out)
      : request_(request), rules_(rules), notes_(*notes), out_(*out) {}
  virtual ~TurnWriter() = default;

  // Closes the system prompt, behind the caller's words; before Write.
  void AddInstruction(absl::string_view text) { instructions_.push_back(text); }
  absl::Status Write();

 protected:
  struct Call {
    std::string name;
    std::string repeated;  // JSON text of the call that its result repeats
    PartPlace place;
    bool answered = false;
  };

  // Each appends one block to `out`, without a comma.
  virtual void AppendText(absl::string_view text) = 0;  // the gateway's own words
  // A text, refusal or medium, with its breakpoint and options; any other kind is refused.
  virtual absl::Status AppendBlock(const v1::Part& part, const PartPlace& place) = 0;
  // Nothing where it cannot go back, with its warning.
  virtual absl::Status AppendReasoning(const v1::Part& part, const PartPlace& place) = 0;
  virtual absl::Status AppendToolCall(const v1::Part& part, const PartPlace& place, Call* call) = 0;
  virtual absl::Status AppendToolResult(const v1::Part& part, const PartPlace& place,
                                        const Call& call) = 0;
  // Can the candidate read a block of this origin?
  virtual bool IsOwnOrigin(absl::string_view origin) const = 0;
  virtual bool HasOptions(const v1::Part& part) const = 0;
  // Does AppendBlock write the citations of a part of the assistant's?
  virtual bool WritesCitations(const v1::Part& /*part*/) const { return false; }
  // The turn is whole; a block that is appended still belongs to it.
  virtual absl::Status CloseTurn() { return absl::OkStatus(); }

  // The blocks of a result, joined by commas.
  absl::Status AppendResultParts(const v1::ToolResult& result, const PartPlace& place, bool* any);
  absl::Status DropBreakpoint(const v1::Part& part, const PartPlace& place);

  const v1::ChatRequest& request_;
  const Rules rules_;
  EncodeNotes& notes_;
  std::string& out_;

 private:
  enum class Turn { kNone, kSystem, kUser, kAssistant };

  // turn_writer.cc
  absl::Status WriteLeadingSystem(int* next);
  absl::Status WriteMessage(const v1::Message& message, int index);
  absl::Status WriteInput(const v1::Message& message, int index);
  absl::Status WriteLaterSystem(const v1::Message& message, int index);
  // It waits for a turn of the user.
  absl::Status Defer(const v1::Message& message, int index);
  absl::Status WritePendingSystem();
  absl::Status CheckInput(const v1::Message& message, int index, bool* written, bool* left_out);
  absl::Status WritePrefill();
  absl::Status DropName(const v1::Message& message, int index);
  absl::Status DropExtras(const v1::Part& part, const PartPlace& place);
  absl::Status BeginTurn(Turn turn);
  absl::Status EndTurn();
  absl::Status CheckAnswered();
  void AddText(absl::string_view text);

  // turn_parts.cc
  absl::Status WriteAssistant(const v1::Message& message, int index);
  absl::Status WriteAssistantPart(const v1::Part& part, const PartPlace& place);
  absl::Status WriteReasoning(const v1::Part& part, const PartPlace& place);
  absl::Status WriteToolCall(const v1::Part& part, const PartPlace& place);
  absl::Status WriteProviderPart(const v1::Part& part, const PartPlace& place);
  absl::Status WriteResults(const v1::Message& message, int index);
  absl::Status WriteResult(const v1::Part& part, const PartPlace& place);

  // Takes what stands at the end from `start` on into the turn.
  void Move(size_t start, std::string* to);

  std::vector<absl::string_view> instructions_;
  Turn turn_ = Turn::kNone;
  std::string results_;  // of the turn, joined by commas; they come first
  std::string content_;
  Turn written_ = Turn::kNone;  // the last turn of the body
  bool goes_on_ = false;        // the assistant's turn ends with a block of the provider's own
  std::vector<const v1::Message*> pending_;  // system messages that wait for a user's turn
  std::vector<int> pending_index_;
  absl::flat_hash_map<std::string, Call> calls_;  // of the last assistant's turn
};

}  // namespace mg
