// A whole answer of Anthropic's Messages API, or a stream's events one after the other, told as
// events of the contract. Owned by its decoder.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "adapters/dialects/anthropic_block.h"
#include "adapters/dialects/anthropic_usage.h"
#include "adapters/framed_decoder.h"
#include "adapters/metadata.h"

namespace mg {

class AnthropicAnswer final : public AnswerReader {
 public:
  explicit AnthropicAnswer(const DialectContext& context) : context_(context) {}

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
  absl::Status Dispatch(absl::string_view type, const JsonValue& json, absl::string_view text,
                        std::vector<v1::ChatEvent>* events, bool* ended);
  absl::Status ReadStart(const JsonValue& json);
  absl::Status StartBlock(const JsonValue& json, absl::string_view text,
                          std::vector<v1::ChatEvent>* events);
  absl::Status AddDelta(const JsonValue& json, std::vector<v1::ChatEvent>* events);
  void ReadHead(const JsonValue& message);
  void ReadStop(const JsonValue& from);
  void ReadMessageDelta(const JsonValue& json);
  v1::FinishReason Reason() const;
  void MakeStarted(v1::ChatEvent* event);

  const DialectContext& context_;
  absl::BitGen random_;
  bool started_ = false;
  bool begun_ = false;  // message_start was there
  std::string id_;
  std::string model_;
  int next_part_ = 0;
  std::map<int, AnthropicBlock> blocks_;  // by the provider's index, those that are open
  bool has_calls_ = false;
  size_t held_bytes_ = 0;  // of all open blocks
  std::string stop_reason_;
  std::string stop_sequence_;
  std::string explanation_;
  AnthropicUsage usage_;
  AnswerMetadata metadata_;
};

}  // namespace mg
