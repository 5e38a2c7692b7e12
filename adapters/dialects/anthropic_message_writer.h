// Writes the prompt of one request in Anthropic's shape: the leading system messages apart, and the
// others as turns of user and assistant that alternate, the results of tool calls at the head of
// the user's. Lives for one encoding.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "adapters/dialects/anthropic_encoding.h"

namespace mg {

class AnthropicMessageWriter {
 public:
  explicit AnthropicMessageWriter(AnthropicEncoding* encoding)
      : encoding_(*encoding), out_(encoding->body), notes_(encoding->notes) {}

  absl::Status Write();

 private:
  enum class Turn { kNone, kSystem, kUser, kAssistant };
  struct Call {
    std::string name;
    std::string toolset_name;  // JSON text, which its result repeats
    PartPlace place;
    bool answered = false;
  };

  // anthropic_messages.cc
  absl::Status WriteLeadingSystem(int* next);
  absl::Status WriteMessage(const v1::Message& message, int index);
  absl::Status WriteInput(const v1::Message& message, int index);
  absl::Status WriteLaterSystem(const v1::Message& message, int index);
  absl::Status WritePendingSystem();
  absl::Status CheckInput(const v1::Message& message, int index, bool* written, bool* left_out);
  absl::Status WritePrefill();
  absl::Status DropName(const v1::Message& message, int index);
  absl::Status BeginTurn(Turn turn);
  absl::Status EndTurn();
  absl::Status CheckAnswered();

  // anthropic_assistant.cc
  absl::Status WriteAssistant(const v1::Message& message, int index);
  absl::Status WriteAssistantPart(const v1::Part& part, const PartPlace& place);
  absl::Status WriteReasoning(const v1::Part& part, const PartPlace& place);
  absl::Status WriteToolCall(const v1::Part& part, const PartPlace& place);
  absl::Status WriteProviderPart(const v1::Part& part, const PartPlace& place);

  // anthropic_results.cc
  absl::Status WriteResults(const v1::Message& message, int index);
  absl::Status WriteResult(const v1::Part& part, const PartPlace& place);
  absl::Status WriteResultContent(const v1::ToolResult& result, const PartPlace& place);

  // What every part may carry beside its kind, and this dialect has no place for.
  absl::Status DropExtras(const v1::Part& part, const PartPlace& place);
  absl::Status DropBreakpoint(const v1::Part& part, const PartPlace& place);
  // Takes what stands at the body's end from `start` on into the turn.
  void Move(size_t start, std::string* to);

  AnthropicEncoding& encoding_;
  std::string& out_;
  EncodeNotes& notes_;

  Turn turn_ = Turn::kNone;
  std::string results_;  // of the turn, joined by commas; they come first
  std::string content_;
  Turn written_ = Turn::kNone;  // the last turn of the body
  bool goes_on_ = false;        // the assistant's turn ends with a block of the provider's own
  std::vector<const v1::Message*> pending_;  // system messages that wait for a user's turn
  std::vector<int> pending_index_;
  absl::flat_hash_map<std::string, Call> calls_;  // of the last assistant's turn
};

// An id that Anthropic takes: itself, unless another provider made it.
std::string AnthropicCallId(absl::string_view id);

}  // namespace mg
