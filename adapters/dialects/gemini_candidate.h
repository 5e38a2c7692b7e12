// One candidate of an answer, whole or chunk by chunk, told as deltas of one choice. Owned by its
// answer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/dialect.h"
#include "adapters/dialects/gemini_citations.h"
#include "adapters/dialects/gemini_partial_args.h"
#include "adapters/dialects/gemini_state.h"
#include "adapters/metadata.h"
#include "base/json.h"

namespace mg {

class GeminiCandidate {
 public:
  // Where its deltas go.
  struct Sink {
    absl::BitGenRef random;
    AnswerMetadata* metadata;
    std::vector<v1::ChatEvent>* events;
  };

  GeminiCandidate(int index, const v1::ChatRequest& request, const DialectContext& context)
      : index_(index), request_(request), context_(context) {}

  // Does Read do without its text? Most chunks are mere words, and finding texts takes time.
  static bool IsPlain(const JsonValue& candidate);
  // `text` is the candidate's JSON; empty for one that is plain. `joins`: it is a chunk, whose
  // texts go on with those before.
  absl::Status Read(const JsonValue& candidate, absl::string_view text, bool joins, Sink* sink);
  // The prompt was refused: there is no other answer.
  void Block(const JsonValue& feedback);
  // Nothing follows: gives out what was held.
  void Close(Sink* sink);
  void WriteFinish(v1::ChatEvent::ChoiceFinished* finished) const;

  bool has_output() const { return next_part_ > 0 || !waiting_.empty() || call_.has_value(); }
  bool has_finish() const { return has_finish_; }
  // What comes out at the end at the earliest.
  size_t held_bytes() const;

 private:
  enum class Kind { kNone, kText, kThought, kAudio };
  struct OpenCall {
    std::string name;
    std::string id;
    std::string signature;
    GeminiPartialArgs arguments;
  };

  void ReadFinish(const JsonValue& candidate);
  absl::Status ReadParts(const JsonValue& candidate, absl::string_view text, bool joins,
                         Sink* sink);
  absl::Status ReadPart(const JsonValue& part, absl::string_view text, bool joins, Sink* sink);
  absl::Status ReadWaiting(Sink* sink);
  void ReadCall(const JsonValue& part, absl::string_view text, Sink* sink);
  absl::Status ReadMedia(const JsonValue& part, absl::string_view signature, bool joins,
                         Sink* sink);
  void ReadLogprobs(const JsonValue& result);
  bool IsDeclared(absl::string_view function) const;

  void GiveText(absl::string_view text, bool thought, absl::string_view signature, bool joins,
                Sink* sink);
  void GiveCall(absl::string_view name, absl::string_view id, absl::string_view arguments,
                absl::string_view signature, Sink* sink);
  void GiveOpenCall(Sink* sink);
  void GiveProviderPart(const JsonValue& part, absl::string_view text, Sink* sink);
  void GiveState(const GeminiState& state, v1::Part* part);
  // The part that takes more of its kind is over.
  void CloseOpen(Sink* sink);
  int Open(Kind kind, Sink* sink);
  v1::ChatEvent::Delta* NewDelta(int part, Sink* sink);

  const int index_;
  const v1::ChatRequest& request_;
  const DialectContext& context_;
  int next_part_ = 0;
  Kind open_ = Kind::kNone;
  int open_part_ = -1;
  std::string open_type_;      // of the audio
  bool open_is_blank_ = true;  // no text has come
  std::optional<OpenCall> call_;
  // Parts from a call on that may be unexpected, which the finish tells.
  std::vector<std::string> waiting_;
  size_t waiting_bytes_ = 0;
  bool has_calls_ = false;
  bool has_finish_ = false;
  bool blocked_ = false;
  std::string finish_;
  std::string explanation_;
  std::vector<v1::TokenLogprob> logprobs_;
  GeminiCitations citations_;
};

}  // namespace mg
