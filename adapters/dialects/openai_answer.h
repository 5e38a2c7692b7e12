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
#include "adapters/metadata.h"
#include "base/json.h"

namespace mg {

class OpenAiAnswer {
 public:
  OpenAiAnswer(const v1::ChatRequest& request, const DialectContext& context)
      : request_(request), context_(context) {}

  // A chunk (`whole` false) or a whole answer; `text` is its JSON. An error in it comes back as the
  // status.
  absl::Status Read(const JsonValue& chunk, absl::string_view text, bool whole,
                    std::vector<v1::ChatEvent>* events);
  // Nothing follows.
  void Complete(std::vector<v1::ChatEvent>* events);

  bool has_output() const;  // content of any kind
  bool has_finish() const;  // of any choice
  bool finished() const;    // of every choice that was begun, and one was

 private:
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
