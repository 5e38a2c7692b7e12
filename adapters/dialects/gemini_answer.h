// A whole answer of Gemini, or a stream's chunks one after the other, told as events of the
// contract. Owned by its decoder.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "adapters/dialects/gemini_candidate.h"
#include "adapters/dialects/gemini_usage.h"
#include "adapters/framed_decoder.h"
#include "adapters/metadata.h"

namespace mg {

class GeminiAnswer final : public AnswerReader {
 public:
  GeminiAnswer(const v1::ChatRequest& request, const DialectContext& context)
      : request_(request), context_(context) {}

  absl::Status ReadEvent(absl::string_view name, const JsonValue& json, absl::string_view text,
                         std::vector<v1::ChatEvent>* events, bool* ended) override;
  absl::Status ReadWhole(const JsonValue& json, absl::string_view text,
                         std::vector<v1::ChatEvent>* events) override;
  void Complete(std::vector<v1::ChatEvent>* events) override;

  bool has_output() const override;
  bool has_finish() const override;
  bool finished() const override;

 private:
  // `joins`: a chunk, not the whole answer.
  absl::Status Read(const JsonValue& json, absl::string_view text, bool joins,
                    std::vector<v1::ChatEvent>* events);
  // What is there where no chunk but a list of chunks came, or one of errors.
  absl::Status ReadList(const JsonValue& json, absl::string_view text,
                        std::vector<v1::ChatEvent>* events);
  absl::Status ReadCandidates(const JsonValue& json, absl::string_view text, bool joins,
                              std::vector<v1::ChatEvent>* events);
  void ReadHead(const JsonValue& json);
  GeminiCandidate* CandidateOf(int index);
  void PutStarted(size_t first, std::vector<v1::ChatEvent>* events);

  const v1::ChatRequest& request_;
  const DialectContext& context_;
  absl::BitGen random_;
  bool started_ = false;
  std::string id_;
  std::string model_;
  std::string created_;
  std::map<int, GeminiCandidate> candidates_;
  GeminiUsage usage_;
  AnswerMetadata metadata_;
};

}  // namespace mg
