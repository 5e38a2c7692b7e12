// Writes the prompt of one request in Gemini's shape: the leading system messages apart, each
// message of a user as a content of its own, neighbours of the assistant as one, and the results of
// its calls together behind them. Lives for one encoding.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "adapters/dialects/gemini_encoding.h"

namespace mg {

class GeminiMessageWriter {
 public:
  explicit GeminiMessageWriter(GeminiEncoding* encoding)
      : encoding_(*encoding), out_(encoding->body), notes_(encoding->notes) {}

  absl::Status Write();

 private:
  struct Call {
    std::string id;
    std::string name;
    bool own_id = false;  // the provider's own
    PartPlace place;
    std::string result;  // the functionResponse; empty: none has come
  };

  // gemini_messages.cc
  absl::Status WriteLeadingSystem(int* next);
  absl::Status WriteMessage(const v1::Message& message, int index);
  absl::Status WriteInput(const v1::Message& message, int index);
  absl::Status WriteLaterSystem(const v1::Message& message, int index);
  absl::Status CheckInput(const v1::Message& message, int index, bool* written);
  absl::Status CheckInputPart(const v1::Part& part, const PartPlace& place, bool system);
  absl::Status DropName(const v1::Message& message, int index);
  absl::Status AppendTexts(const v1::Message& message, int index, bool tagged);
  // Ends what the assistant has said, its results included.
  absl::Status EndAssistant();
  void WriteLead();
  // Puts `parts` into a content of this role.
  void AppendContent(absl::string_view role, absl::string_view parts);

  // gemini_assistant.cc
  absl::Status WriteAssistant(const v1::Message& message, int index);
  absl::Status BeginAssistant();
  absl::Status WriteAssistantPart(const v1::Part& part, const PartPlace& place);
  absl::Status WriteSaid(const v1::Part& part, const PartPlace& place);
  absl::Status WriteReasoning(const v1::Part& part, const PartPlace& place);
  absl::Status WriteToolCall(const v1::Part& part, const PartPlace& place);
  absl::Status WriteProviderPart(const v1::Part& part, const PartPlace& place);

  // gemini_results.cc
  absl::Status WriteResults(const v1::Message& message, int index);
  absl::Status WriteResult(const v1::Part& part, const PartPlace& place);
  absl::Status WriteResponse(const v1::ToolResult& result, const PartPlace& place);

  // What every part may carry beside its kind, and this dialect has no place for.
  absl::Status DropExtras(const v1::Part& part, const PartPlace& place);
  // Takes what stands at the body's end from `start` on behind `to`'s parts.
  void Move(size_t start, std::string* to);

  GeminiEncoding& encoding_;
  std::string& out_;
  EncodeNotes& notes_;

  std::string system_;     // the parts of systemInstruction
  std::string lead_;       // the parts of later system messages, which wait for a user's turn
  std::string assistant_;  // the parts of the assistant's content that is not written yet
  bool any_content_ = false;
  bool answered_ = false;    // results of the calls have come
  std::vector<Call> calls_;  // of the assistant's last content
  absl::flat_hash_map<std::string, size_t> call_of_id_;
};

}  // namespace mg
