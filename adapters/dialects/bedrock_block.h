// One content block of Converse's answer, whole or in pieces, told as deltas of one part. Owned by
// its answer.
#pragma once

#include <string>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/strings/string_view.h"
#include "adapters/dialect.h"
#include "base/json.h"

namespace mg {

class BedrockBlock {
 public:
  // kNone: only a start without a kind has come, or nothing.
  enum class Kind { kNone, kText, kReasoning, kToolUse, kOther };

  // Where the block's deltas go. `next_part` is the answer's counter of parts.
  struct Sink {
    const DialectContext& context;
    absl::BitGenRef random;
    int* next_part;
    std::vector<v1::ChatEvent>* events;
  };

  // `block` is a block of a whole answer, `text` its JSON.
  void ReadWhole(const JsonValue& block, absl::string_view text, Sink* sink);
  // What a contentBlockStart and a contentBlockDelta hold under `start` and `delta`. Texts and
  // reasoning have no start. What does not belong to the block is ignored.
  void Start(const JsonValue& start, absl::string_view text, Sink* sink);
  void AddDelta(const JsonValue& delta, absl::string_view text, Sink* sink);
  // Nothing follows: gives out what was held.
  void Close(Sink* sink);

  Kind kind() const { return kind_; }
  // What comes out at the block's end at the earliest.
  size_t held_bytes() const { return held_bytes_; }

 private:
  v1::Part* NewPart(Sink* sink);
  // Is it of this kind, or becomes it?
  bool Become(Kind kind);
  void GiveText(absl::string_view text, Sink* sink);
  void GiveReasoning(const JsonValue& reasoning, Sink* sink);
  void GiveCitation(const JsonValue& citation, Sink* sink);
  void StartToolUse(const JsonValue& call, absl::string_view text, Sink* sink);
  void GiveArguments(absl::string_view piece, Sink* sink);
  void StartOther(absl::string_view name, absl::string_view text, Sink* sink);
  void FoldIn(const JsonValue& piece, absl::string_view text);
  std::string FoldedJson() const;
  void CloseReasoning(Sink* sink);
  void Hold(absl::string_view piece, std::string* held);

  Kind kind_ = Kind::kNone;
  int part_ = -1;
  bool closed_ = false;
  size_t held_bytes_ = 0;
  bool any_thought_ = false;
  std::string signature_;
  std::vector<std::string> redacted_;  // base64, a piece each
  bool blank_ = true;                  // the arguments so far
  std::string whole_;                  // a provider's own block that came whole
  std::string type_;                   // one that comes in pieces: its one member
  std::string start_;                  // that member's object as it began, but for its end
  std::string list_;                   // what deltas brought as lists: its content
  std::string input_;                  // and as pieces of its input
};

// Is it a member of toolUse that the gateway itself writes, or no plain name? Both never go through
// a state.
bool IsOwnToolUseMemberOfBedrock(absl::string_view name);

}  // namespace mg
