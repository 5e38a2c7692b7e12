// A whole answer of Converse, or the events of ConverseStream one after the other, told as events
// of the contract. Owned by its decoder.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "adapters/dialects/bedrock_block.h"
#include "adapters/framed_decoder.h"
#include "adapters/metadata.h"

namespace mg {

class BedrockAnswer final : public AnswerReader {
 public:
  explicit BedrockAnswer(const DialectContext& context) : context_(context) {}

  absl::Status ReadEvent(absl::string_view name, const JsonValue& json, absl::string_view text,
                         std::vector<v1::ChatEvent>* events, bool* ended) override;
  absl::Status ReadWhole(const JsonValue& json, absl::string_view text,
                         std::vector<v1::ChatEvent>* events) override;
  void Complete(std::vector<v1::ChatEvent>* events) override;

  bool has_output() const override { return next_part_ > 0; }
  bool has_finish() const override { return !stop_reason_.empty(); }
  bool finished() const override { return has_finish(); }

 private:
  // Calls the block's function, puts Started before its first event and watches what is held.
  template <typename Function>
  absl::Status WithSink(std::vector<v1::ChatEvent>* events, Function function);
  absl::Status ReadBlockEvent(absl::string_view name, const JsonValue& json, absl::string_view text,
                              std::vector<v1::ChatEvent>* events);
  // What messageStop and metadata, or a whole answer, say beside the content.
  void ReadEnd(const JsonValue& json);
  void ReadUsage(const JsonValue& usage);
  void ReadResponseFields(const JsonValue& fields);
  v1::FinishReason Reason() const;
  void MakeStarted(v1::ChatEvent* event);

  const DialectContext& context_;
  absl::BitGen random_;
  bool started_ = false;
  int next_part_ = 0;
  std::map<int, BedrockBlock> blocks_;  // by the provider's index, those that are open
  bool has_calls_ = false;
  size_t held_bytes_ = 0;  // of all open blocks
  bool has_metadata_ = false;
  std::string stop_reason_;
  std::string stop_sequence_;
  v1::Usage usage_;  // the last one that was told
  bool has_usage_ = false;
  AnswerMetadata metadata_;
};

}  // namespace mg
