// A whole answer of OpenAI's chat API, or a stream's chunks one after the other, told as events.
// Finishes and Completed are held until Complete, since usage and content may follow a finish
// reason. Owned by its decoder.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "adapters/dialect.h"
#include "adapters/dialects/openai_choice.h"
#include "adapters/framed_decoder.h"
#include "adapters/metadata.h"
#include "base/json.h"

namespace mg {

class OpenAiAnswer final : public AnswerReader {
 public:
  OpenAiAnswer(const v1::ChatRequest& request, const DialectContext& context)
      : request_(request), context_(context) {}

  bool IsEnd(absl::string_view data) const override;
  absl::Status ReadEvent(absl::string_view name, const JsonValue& json, absl::string_view text,
                         std::vector<v1::ChatEvent>* events, bool* ended) override;
  absl::Status ReadWhole(const JsonValue& json, absl::string_view text,
                         std::vector<v1::ChatEvent>* events) override;
  void Complete(std::vector<v1::ChatEvent>* events) override;

  bool has_output() const override;
  bool has_finish() const override;
  bool finished() const override;

 private:
  // A chunk (`whole` false) or a whole answer. An error in it comes back as the status.
  absl::Status Read(const JsonValue& chunk, absl::string_view text, bool whole,
                    std::vector<v1::ChatEvent>* events);
  absl::Status ReadChoices(const JsonValue& chunk, absl::string_view text, bool whole,
                           std::vector<v1::ChatEvent>* events);
  void ReadUsage(const JsonValue& chunk);
  void ReadRest(const JsonValue& chunk);
  v1::ChatEvent MakeStarted();

  const v1::ChatRequest& request_;
  const DialectContext& context_;
  bool started_ = false;
  std::string id_;
  std::string model_;
  double created_ = 0;
  std::string service_tier_;
  bool has_usage_ = false;
  v1::Usage usage_;
  AnswerMetadata metadata_;
  std::vector<std::string> cited_;
  std::map<int, OpenAiChoice> choices_;
  size_t held_bytes_ = 0;  // by all choices
  absl::BitGen random_;
};

}  // namespace mg
