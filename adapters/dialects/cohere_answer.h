// A whole answer of Cohere's chat, or a stream's events one after the other, told as events of the
// contract. Owned by its decoder.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "adapters/dialects/cohere_state.h"
#include "adapters/framed_decoder.h"
#include "adapters/metadata.h"

namespace mg {

class CohereAnswer final : public AnswerReader {
 public:
  explicit CohereAnswer(const DialectContext& context) : context_(context) {}

  bool IsEnd(absl::string_view data) const override;
  absl::Status ReadEvent(absl::string_view name, const JsonValue& json, absl::string_view text,
                         std::vector<v1::ChatEvent>* events, bool* ended) override;
  absl::Status ReadWhole(const JsonValue& json, absl::string_view text,
                         std::vector<v1::ChatEvent>* events) override;
  void Complete(std::vector<v1::ChatEvent>* events) override;

  bool has_output() const override { return next_part_ > 0; }
  bool has_finish() const override { return !finish_.empty(); }
  bool finished() const override { return has_finish(); }

 private:
  // A content block, or the plan: nothing of it was given out while `part` is below 0.
  struct Block {
    bool thinking = false;
    int part = -1;
    bool stated = false;  // its state was given out
  };
  struct Call {
    int part = 0;
    std::string held;  // blank, or the beginning of "null": no arguments, unless more comes
    bool given = false;
  };

  // cohere_answer.cc
  absl::Status Dispatch(absl::string_view type, const JsonValue& json, bool* ended);
  absl::Status ReadEnd(const JsonValue& json);
  absl::Status ReadFinish(const JsonValue& from);
  void ReadUsage(const JsonValue& usage);
  void ReadRest(const JsonValue& answer);
  v1::FinishReason Reason() const;
  void PutStarted(size_t first);

  // cohere_pieces.cc
  absl::Status ReadContent(const JsonValue& message, int index, bool start);
  void ReadBlock(const JsonValue& block, int index, bool start);
  void ReadPlan(const JsonValue& message);
  absl::Status ReadCalls(const JsonValue& message, int index, bool start);
  absl::Status StartCall(const JsonValue& call, int index);
  void AddArguments(absl::string_view piece, Call* call);
  void CloseCall(Call* call);
  void ReadCitations(const JsonValue& message);
  void ReadCitation(const JsonValue& citation);
  void ReadLogprobs(const JsonValue& logprobs);
  Block* FirstText();
  v1::ChatEvent::Delta* EmptyDelta(Block* block);
  v1::Part* NewPart(int part);
  void GiveText(absl::string_view text, Block* block);
  void GiveReasoning(absl::string_view text, CohereReasoning kind, Block* block);

  const DialectContext& context_;
  absl::BitGen random_;
  std::vector<v1::ChatEvent>* events_ = nullptr;  // while something is read
  bool started_ = false;
  std::string id_;
  int next_part_ = 0;
  std::map<int, Block> blocks_;  // by the provider's index
  Block plan_;
  std::map<int, Call> calls_;  // likewise, those that are open
  bool has_calls_ = false;
  std::string finish_;
  std::vector<v1::TokenLogprob> logprobs_;  // of the piece at hand, until a delta takes them
  bool has_usage_ = false;
  v1::Usage usage_;
  AnswerMetadata metadata_;
};

}  // namespace mg
