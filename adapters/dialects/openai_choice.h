// One choice of an answer in OpenAI's shape, whole or in pieces: reads messages and deltas alike,
// leniently (spec/providers.md §8), and tells them as deltas of the contract. Owned by the answer
// that it is part of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/random/bit_gen_ref.h"
#include "absl/status/status.h"
#include "adapters/dialect.h"
#include "adapters/dialects/openai_state.h"
#include "adapters/metadata.h"
#include "base/json.h"

namespace mg {

class OpenAiChoice {
 public:
  OpenAiChoice(int index, const v1::ChatRequest& request, const DialectContext& context);

  // The choice object of a chunk (`whole` false) or of a whole answer. `text` is its JSON as it was
  // sent, for slices. A finish reason by which the provider reports its own failure comes back as
  // the status.
  absl::Status Read(const JsonValue& choice, absl::string_view text, bool whole,
                    AnswerMetadata* metadata, std::vector<v1::ChatEvent>* events);

  // Nothing follows: gives out what was held (ids that never came, empty arguments, citations,
  // state). `cited`: URLs that the answer names at its top level.
  void Close(const std::vector<std::string>& cited, absl::BitGenRef random,
             std::vector<v1::ChatEvent>* events);
  void WriteFinish(v1::ChatEvent::ChoiceFinished* finished) const;

  int index() const { return index_; }
  bool has_finish() const { return has_finish_; }
  bool has_output() const { return has_output_; }
  // Of names, ids, citations and state, which come out at the end of the choice at the earliest.
  size_t held_bytes() const { return held_bytes_; }

 private:
  struct Call {
    std::optional<int> provider_index;
    int part = 0;
    std::string id;
    std::string name;
    bool named = false;  // name and id were given out
    bool id_sent = false;
    bool custom = false;
    std::string held_null;  // "null" so far: no arguments, unless more comes
    size_t argument_bytes = 0;
    bool blank = true;  // the arguments so far
    // Do the arguments so far make up a whole object? (Enough to tell two calls apart.)
    int depth = 0;
    bool in_string = false;
    bool escaped = false;
    bool whole_object = false;
    std::string extra_content;
  };

  absl::Status ReadMessage(const JsonValue& message, absl::string_view text, bool whole,
                           AnswerMetadata* metadata);
  void ReadContent(const JsonValue& content);
  void ReadContentPart(const JsonValue& part);
  void ReadReasoning(const JsonValue& message, bool whole);
  void ReadReasoningDetails(const JsonValue& details, bool whole);
  void ReadImage(const JsonValue& part);
  absl::Status ReadAudio(const JsonValue& audio);
  void ReadAnnotations(const JsonValue& annotations);
  void ReadLogprobs(const JsonValue& logprobs, const JsonValue* delta, AnswerMetadata* metadata);
  absl::Status ReadFinish(const JsonValue& choice, bool whole);
  absl::Status ReadToolCalls(const JsonValue& calls, absl::string_view text, bool whole);
  void ReadToolCall(const JsonValue& entry, absl::string_view text, bool whole, bool again);
  void ReadFunctionCall(const JsonValue& call, absl::string_view text);
  Call* FindCall(const JsonValue& entry, absl::string_view id, absl::string_view name,
                 bool has_arguments, bool fresh);
  void AppendArguments(Call* call, absl::string_view piece);
  void AppendName(Call* call, absl::string_view piece);
  void GiveName(Call* call);

  int PartIndex(int* part);
  v1::ChatEvent::Delta* NewDelta(int part);
  void GiveText(absl::string_view text);
  void GiveHeldText();
  void GiveReasoning(absl::string_view text);
  void GiveRefusal(absl::string_view text);
  // Calls `set` with pieces of `text` that no event outgrows.
  void InPieces(absl::string_view text, int part,
                absl::FunctionRef<void(absl::string_view, v1::Part*)> set);

  void CloseCalls(absl::BitGenRef random);
  void CloseCitations(const std::vector<std::string>& cited);
  void CloseState();

  const int index_;
  const v1::ChatRequest& request_;
  const DialectContext& context_;
  std::vector<v1::ChatEvent>* events_ = nullptr;  // during Read and Close

  int next_part_ = 0;
  int text_part_ = -1;
  int reasoning_part_ = -1;
  int refusal_part_ = -1;
  int audio_part_ = -1;
  int64_t text_code_points_ = 0;
  bool has_output_ = false;
  bool refused_ = false;
  size_t held_bytes_ = 0;

  // Mistral may begin its answer with the text that it was to continue: until more is known what
  // agrees with it is held.
  std::string echo_;
  std::string held_text_;

  std::vector<Call> calls_;
  std::string audio_rest_;  // base64 that is not a whole group yet
  std::string reasoning_key_;
  // OpenRouter's details: neighbours of one type and index are one, their texts joined.
  struct Detail {
    std::string type;
    std::string index;
    std::vector<std::pair<std::string, std::string>> members;  // name → JSON text
    std::string joined_name;                                   // "text", "summary" or "data"
    std::string joined;
    bool has_signature = false;
  };
  std::vector<Detail> details_;
  std::string message_extra_content_;
  std::string audio_id_;
  std::vector<v1::Citation> citations_;
  std::vector<v1::TokenLogprob> logprobs_;  // of the piece at hand, until a delta takes them

  bool has_finish_ = false;
  std::string finish_;
  std::string stop_sequence_;
};

// The reason that a finish word of these servers means, without regard to the parts.
v1::FinishReason OpenAiFinishReason(absl::string_view word, bool compatible);

}  // namespace mg
