// Writes the messages of one request in OpenAI's shape. What must be known beyond a single message
// is kept here: the calls that wait for their results, and the images that wait for the turn's end.
// Lives for one EncodeChat.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "adapters/dialects/openai_encoding.h"
#include "adapters/dialects/openai_state.h"

namespace mg {

class OpenAiMessageWriter {
 public:
  explicit OpenAiMessageWriter(OpenAiEncoding* encoding)
      : encoding_(*encoding), out_(encoding->body), notes_(encoding->notes) {}

  absl::Status Write();

 private:
  // What an assistant's message holds beside its content blocks.
  struct Turn {
    std::string tool_calls;  // the entries, joined by commas
    std::string reasoning_key;
    std::string reasoning;
    std::string reasoning_details;
    std::string extra_content;
    std::string audio_id;
    bool left_out = false;  // a part was left out, with its warning
  };
  struct Call {
    std::string name;
    PartPlace place;
    bool answered = false;
  };

  absl::Status WriteMessage(const v1::Message& message, int index);
  absl::Status WriteInput(const v1::Message& message, int index);
  absl::Status WriteAssistant(const v1::Message& message, int index);
  absl::Status WriteResults(const v1::Message& message, int index);
  absl::Status WriteResult(const v1::Part& part, const PartPlace& place);
  absl::Status WriteResultContent(const v1::Part& part, const PartPlace& place);
  absl::Status WriteResultImages();
  absl::Status WritePrefill();

  absl::Status ReadBeside(const v1::Part& part, const PartPlace& place, Turn* turn);
  absl::Status ReadReasoning(const v1::Part& part, const PartPlace& place, Turn* turn);
  absl::Status ReadToolCall(const v1::Part& part, const PartPlace& place, Turn* turn);
  absl::Status ReadAudio(const v1::Part& part, const PartPlace& place, Turn* turn);
  absl::Status LeaveOutState(const v1::Part& part, const PartPlace& place);

  absl::Status WriteContent(const v1::Message& message, int index,
                            bool (*is_content)(const v1::Part&), const std::string* thinking,
                            bool* empty);
  absl::Status WriteName(const v1::Message& message, int index);
  absl::Status CheckAnswered();
  bool IsDeepSeeksOldReasoning(const PartPlace& place) const;
  std::string SignedDetails(const OpenAiState& state) const;
  std::string SentCallId(const std::string& id) const;

  void Begin(absl::string_view role);

  OpenAiEncoding& encoding_;
  std::string& out_;
  EncodeNotes& notes_;
  absl::flat_hash_map<std::string, Call> calls_;  // of the last assistant's turn
  int last_user_ = -1;                            // the last message of the user
  bool prefill_ = false;                          // the last message is the assistant's, to go on
  struct ResultImage {
    const v1::Part* result;
    const v1::Part* image;
    PartPlace place;
  };
  std::vector<ResultImage> images_;  // of the results since then
};

}  // namespace mg
