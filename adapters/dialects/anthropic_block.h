// One content block of an answer, whole or in pieces, told as deltas of one part. Owned by its
// answer.
#pragma once

#include <string>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/strings/string_view.h"
#include "adapters/dialect.h"
#include "base/json.h"

namespace mg {

class AnthropicBlock {
 public:
  enum class Kind { kText, kThinking, kRedacted, kToolUse, kOther };

  // Where the block's deltas go. `next_part` is the answer's counter of parts.
  struct Sink {
    const DialectContext& context;
    absl::BitGenRef random;
    int* next_part;
    std::vector<v1::ChatEvent>* events;
  };

  // `block` is the content_block of a start, or a block of a whole answer, `text` its JSON.
  AnthropicBlock(const JsonValue& block, absl::string_view text, Sink* sink);
  // A block of which only a delta has come.
  explicit AnthropicBlock(Kind kind) : kind_(kind) {}

  // Deltas of types that do not belong to the block are ignored, but in
  // one of the provider's own.
  void AddDelta(const JsonValue& delta, Sink* sink);
  // Nothing follows: gives out what was held.
  void Close(Sink* sink);

  Kind kind() const { return kind_; }
  // Something of it was given out, or will be.
  bool has_output() const { return part_ >= 0; }
  // What comes out at the block's end at the earliest.
  size_t held_bytes() const { return held_bytes_; }

 private:
  v1::Part* NewPart(Sink* sink);
  void GiveText(absl::string_view text, Sink* sink);
  void GiveThinking(absl::string_view text, Sink* sink);
  void GiveArguments(absl::string_view piece, Sink* sink);
  void GiveCitation(const JsonValue& citation, Sink* sink);
  void StartToolUse(const JsonValue& block, absl::string_view text, Sink* sink);
  void FoldIn(const JsonValue& delta);
  std::string FoldedJson();

  // What deltas brought for a provider's own block: a member's text, joined, or its JSON.
  struct Folded {
    std::string name;
    bool is_text = false;
    std::string value;
  };
  Folded* FoldedMember(absl::string_view name);

  Kind kind_;
  int part_ = -1;
  bool closed_ = false;
  size_t held_bytes_ = 0;
  bool any_thought_ = false;
  std::string signature_;
  bool blank_ = true;  // the arguments so far
  std::string input_;  // of a tool_use's start, for a block to which no piece comes
  std::string type_;   // of a provider's own block
  std::string json_;   // its start, as it was written
  std::string joined_input_;
  std::vector<Folded> folded_;
};

}  // namespace mg
