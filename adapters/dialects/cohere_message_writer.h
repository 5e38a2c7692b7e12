// Writes the messages of one request in Cohere's shape. What must be known beyond a single message
// is kept here: the calls that wait for their results, and the images that wait for the turn's end.
// Lives for one EncodeChat.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "adapters/dialects/cohere_encoding.h"

namespace mg {

class CohereMessageWriter {
 public:
  explicit CohereMessageWriter(CohereEncoding* encoding)
      : encoding_(*encoding), out_(encoding->body), notes_(encoding->notes) {}

  absl::Status Write();

 private:
  // What an assistant's message holds.
  struct Turn {
    std::string blocks;  // texts and thinking, joined by commas
    const std::string* text = nullptr;
    bool plain = true;  // one text, or none, without options
    std::string plan;
    std::string tool_calls;  // joined by commas
    bool left_out = false;   // a part was left out, with its warning
  };
  struct Call {
    std::string name;
    PartPlace place;
    bool answered = false;
  };
  struct ResultImage {
    const v1::Part* result;
    const v1::Part* image;
    PartPlace place;
  };

  // cohere_messages.cc
  void Begin(absl::string_view role);
  void WriteText(absl::string_view role, absl::string_view text);
  absl::Status WriteMessage(const v1::Message& message, int index);
  absl::Status WriteInput(const v1::Message& message, int index);
  absl::Status CheckInput(const v1::Part& part, const PartPlace& place, bool system);
  absl::Status TakeDocument(const v1::Part& part, const PartPlace& place);
  absl::Status WritePrefill();
  absl::Status CheckAnswered();
  absl::Status DropName(const v1::Message& message, int index);
  absl::Status DropState(const v1::Part& part, const PartPlace& place);

  // cohere_assistant.cc
  absl::Status WriteAssistant(const v1::Message& message, int index);
  absl::Status ReadPart(const v1::Part& part, const PartPlace& place, Turn* turn);
  absl::Status ReadText(const v1::Part& part, const PartPlace& place, Turn* turn);
  absl::Status ReadReasoning(const v1::Part& part, const PartPlace& place, Turn* turn);
  absl::Status ReadToolCall(const v1::Part& part, const PartPlace& place, Turn* turn);
  void Move(size_t start, std::string* to);

  // cohere_results.cc
  absl::Status WriteResults(const v1::Message& message, int index);
  absl::Status WriteResult(const v1::Part& part, const PartPlace& place);
  absl::Status CheckResultPart(const v1::Part& result, const v1::Part& inner,
                               const PartPlace& place);
  absl::Status WriteResultContent(const v1::Part& part, const PartPlace& place);
  absl::Status WriteResultImages();

  CohereEncoding& encoding_;
  std::string& out_;
  EncodeNotes& notes_;
  absl::flat_hash_map<std::string, Call> calls_;  // of the last assistant's turn
  std::vector<ResultImage> images_;               // of the results since then
  bool prefill_ = false;                          // the last message is the assistant's, to go on
};

}  // namespace mg
