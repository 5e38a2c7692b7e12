#include "adapters/dialects/anthropic_block.h"

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/answer_pieces.h"
#include "adapters/block_state.h"
#include "adapters/dialects/anthropic_citations.h"
#include "adapters/dialects/anthropic_encoding.h"
#include "adapters/generated_id.h"
#include "adapters/json_text.h"

namespace mg {
namespace {

constexpr size_t kMaxFolded = 64;  // members of one block: names could be endless

AnthropicBlock::Kind KindOf(absl::string_view type) {
  if (type == "text") return AnthropicBlock::Kind::kText;
  if (type == "thinking") return AnthropicBlock::Kind::kThinking;
  if (type == "redacted_thinking") return AnthropicBlock::Kind::kRedacted;
  if (type == "tool_use") return AnthropicBlock::Kind::kToolUse;
  return AnthropicBlock::Kind::kOther;
}

}  // namespace

AnthropicBlock::AnthropicBlock(const JsonValue& block, absl::string_view text, Sink* sink)
    : kind_(KindOf(StringMember(block, "type"))) {
  switch (kind_) {
    case Kind::kText: {
      GiveText(StringMember(block, "text"), sink);
      const JsonValue* citations = Member(block, "citations");
      if (citations == nullptr || !citations->IsArray()) return;
      for (const JsonValue& citation : citations->GetArray()) GiveCitation(citation, sink);
      return;
    }
    case Kind::kThinking:
      GiveThinking(StringMember(block, "thinking"), sink);
      signature_ = std::string(StringMember(block, "signature"));
      held_bytes_ += signature_.size();
      return;
    case Kind::kRedacted: {
      v1::Part* part = NewPart(sink);
      part->mutable_reasoning()->set_redacted(true);
      BlockState state;
      state.redacted = std::string(StringMember(block, "data"));
      if (!state.empty()) {
        WriteBlockState(state, kAnthropicDialect, sink->context, part->mutable_provider_state());
      }
      return;
    }
    case Kind::kToolUse:
      StartToolUse(block, text, sink);
      return;
    case Kind::kOther:
      part_ = (*sink->next_part)++;
      type_ = std::string(StringMember(block, "type"));
      json_ = std::string(text);
      held_bytes_ += json_.size();
      return;
  }
}

v1::Part* AnthropicBlock::NewPart(Sink* sink) {
  if (part_ < 0) part_ = (*sink->next_part)++;
  auto* delta = sink->events->emplace_back().mutable_delta();
  delta->set_choice_index(0);
  delta->set_part_index(part_);
  return delta->mutable_part();
}

void AnthropicBlock::GiveText(absl::string_view text, Sink* sink) {
  InPieces(text,
           [&](absl::string_view piece) { NewPart(sink)->set_text(piece.data(), piece.size()); });
}

void AnthropicBlock::GiveThinking(absl::string_view text, Sink* sink) {
  InPieces(text, [&](absl::string_view piece) {
    NewPart(sink)->mutable_reasoning()->set_text(piece.data(), piece.size());
    any_thought_ = true;
  });
}

void AnthropicBlock::GiveArguments(absl::string_view piece, Sink* sink) {
  if (!absl::StripAsciiWhitespace(piece).empty()) blank_ = false;
  InPieces(piece, [&](absl::string_view each) {
    NewPart(sink)->mutable_tool_call()->set_arguments_json(each.data(), each.size());
  });
}

void AnthropicBlock::GiveCitation(const JsonValue& citation, Sink* sink) {
  if (citation.IsObject()) ReadAnthropicCitation(citation, NewPart(sink)->add_citations());
}

void AnthropicBlock::StartToolUse(const JsonValue& block, absl::string_view text, Sink* sink) {
  v1::Part* part = NewPart(sink);
  const absl::string_view id = absl::StripAsciiWhitespace(StringMember(block, "id"));
  part->mutable_tool_call()->set_id(id.empty() ? GeneratedCallId(sink->random) : std::string(id));
  part->mutable_tool_call()->set_name(std::string(StringMember(block, "name")));
  BlockState state;
  state.tool_use = "{";
  ForEachMember(text, [&](absl::string_view name, absl::string_view value) {
    if (name == "input") input_ = std::string(value);
    if (IsOwnToolUseMember(name) || value == "null") return;
    AppendJsonKey(name, &state.tool_use);
    absl::StrAppend(&state.tool_use, value);
  });
  held_bytes_ += input_.size();
  state.tool_use.push_back('}');
  if (state.tool_use != "{}") {
    WriteBlockState(state, kAnthropicDialect, sink->context, part->mutable_provider_state());
  }
}

void AnthropicBlock::AddDelta(const JsonValue& delta, Sink* sink) {
  if (closed_ || !delta.IsObject()) return;
  const absl::string_view type = StringMember(delta, "type");
  switch (kind_) {
    case Kind::kText:
      if (type == "text_delta") GiveText(StringMember(delta, "text"), sink);
      if (type == "citations_delta") {
        if (const JsonValue* citation = Member(delta, "citation")) GiveCitation(*citation, sink);
      }
      return;
    case Kind::kThinking:
      if (type == "thinking_delta") GiveThinking(StringMember(delta, "thinking"), sink);
      if (type == "signature_delta") {
        const absl::string_view piece = StringMember(delta, "signature");
        signature_.append(piece.data(), piece.size());
        held_bytes_ += piece.size();
      }
      return;
    case Kind::kRedacted:
      return;
    case Kind::kToolUse:
      if (type == "input_json_delta") GiveArguments(StringMember(delta, "partial_json"), sink);
      return;
    case Kind::kOther:
      return FoldIn(delta);
  }
}

AnthropicBlock::Folded* AnthropicBlock::FoldedMember(absl::string_view name) {
  for (Folded& each : folded_) {
    if (each.name == name) return &each;
  }
  if (folded_.size() >= kMaxFolded) return nullptr;
  held_bytes_ += name.size();
  folded_.push_back({std::string(name), false, ""});
  // A text of the start is the first piece.
  JsonDocument start;
  if (ParseJson(json_, &start).ok()) folded_.back().value = std::string(StringMember(start, name));
  return &folded_.back();
}

// Texts are joined with what was there, anything else replaces it.
void AnthropicBlock::FoldIn(const JsonValue& delta) {
  if (StringMember(delta, "type") == "input_json_delta") {
    const absl::string_view piece = StringMember(delta, "partial_json");
    joined_input_.append(piece.data(), piece.size());
    held_bytes_ += piece.size();
    return;
  }
  for (const auto& member : delta.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (name == "type" || member.value.IsNull()) continue;
    Folded* folded = FoldedMember(name);
    if (folded == nullptr) return;
    folded->is_text = member.value.IsString();
    if (folded->is_text) {
      absl::StrAppend(&folded->value, StringOf(member.value));
      held_bytes_ += member.value.GetStringLength();
    } else {
      folded->value = ToJsonText(member.value);
      held_bytes_ += folded->value.size();
    }
  }
}

// The block as it would have come whole: the start, with what the deltas brought in its place.
std::string AnthropicBlock::FoldedJson() {
  const absl::string_view input = absl::StripAsciiWhitespace(joined_input_);
  if (Folded* folded = input.empty() ? nullptr : FoldedMember("input"); folded != nullptr) {
    JsonDocument document;
    folded->is_text = !ParseJson(input, &document).ok();
    folded->value = std::string(input);
  }
  if (folded_.empty()) return json_;
  std::string out = "{";
  const auto append = [&out](absl::string_view name, const Folded& member) {
    AppendJsonKey(name, &out);
    if (member.is_text) {
      AppendJsonString(member.value, &out);
    } else {
      out.append(member.value);
    }
  };
  std::set<absl::string_view> written;
  ForEachMember(json_, [&](absl::string_view name, absl::string_view value) {
    for (const Folded& member : folded_) {
      if (member.name != name) continue;
      if (written.insert(member.name).second) append(name, member);
      return;
    }
    if (out.back() != '{') out.push_back(',');
    absl::StrAppend(&out, "\"", name, "\":", value);  // as written: its escapes stay
  });
  for (const Folded& member : folded_) {
    if (written.insert(member.name).second) append(member.name, member);
  }
  out.push_back('}');
  return out;
}

void AnthropicBlock::Close(Sink* sink) {
  if (closed_) return;
  closed_ = true;
  if (kind_ == Kind::kThinking && !signature_.empty()) {
    v1::Part* part = NewPart(sink);
    part->mutable_reasoning()->set_redacted(!any_thought_);
    BlockState state;
    state.signature = signature_;
    WriteBlockState(state, kAnthropicDialect, sink->context, part->mutable_provider_state());
  }
  if (kind_ == Kind::kToolUse && blank_) {
    // Where pieces of white space came they are the beginning.
    const bool none = input_.empty() || input_ == "null";
    GiveArguments(none ? absl::string_view("{}") : absl::string_view(input_), sink);
  }
  if (kind_ == Kind::kOther) {
    v1::ProviderPart* given = NewPart(sink)->mutable_provider_part();
    given->set_origin(BlockOrigin(kAnthropicDialect, sink->context));
    given->set_type(type_);
    given->set_block_json(FoldedJson());
  }
}

}  // namespace mg
