#include "adapters/dialects/bedrock_block.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "adapters/answer_pieces.h"
#include "adapters/block_state.h"
#include "adapters/dialects/bedrock_encoding.h"
#include "adapters/generated_id.h"
#include "adapters/json_text.h"

namespace mg {
namespace {

// The texts of a list of {text}.
std::string JoinedTexts(const JsonValue* list) {
  std::string joined;
  if (list == nullptr || !list->IsArray()) return joined;
  for (const JsonValue& each : list->GetArray())
    absl::StrAppend(&joined, StringMember(each, "text"));
  return joined;
}

void ReadCitation(const JsonValue& from, v1::Citation* citation) {
  const JsonValue* location = Member(from, "location");
  const JsonValue* web = location == nullptr ? nullptr : Member(*location, "web");
  const absl::string_view url = web == nullptr ? absl::string_view() : StringMember(*web, "url");
  citation->set_uri(std::string(url.empty() ? StringMember(from, "source") : url));
  citation->set_title(std::string(StringMember(from, "title")));
  citation->set_cited_text(JoinedTexts(Member(from, "sourceContent")));
  for (const auto& member : from.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    const bool read =
        name == "title" || name == "sourceContent" || (name == "source" && url.empty());
    if (member.value.IsNull() || read) continue;
    ToStructValue(member.value, 8,
                  &(*citation->mutable_details()->mutable_fields())[std::string(name)]);
  }
}

// The pieces are base64 each: more than one are put together as bytes.
std::string Joined(const std::vector<std::string>& pieces) {
  if (pieces.size() == 1) return pieces[0];
  std::string bytes;
  std::string as_written;
  bool sound = true;
  for (const std::string& piece : pieces) {
    std::string decoded;
    sound = sound && absl::Base64Unescape(piece, &decoded);
    bytes.append(decoded);
    as_written.append(piece);
  }
  return sound ? absl::Base64Escape(bytes) : as_written;
}

bool IsServersOwn(const JsonValue& call) { return StringMember(call, "type") == "server_tool_use"; }

}  // namespace

bool IsOwnToolUseMemberOfBedrock(absl::string_view name) {
  return name == "toolUseId" || name == "name" || name == "input" || !IsPlainMember(name);
}

v1::Part* BedrockBlock::NewPart(Sink* sink) {
  if (part_ < 0) part_ = (*sink->next_part)++;
  auto* delta = sink->events->emplace_back().mutable_delta();
  delta->set_choice_index(0);
  delta->set_part_index(part_);
  return delta->mutable_part();
}

bool BedrockBlock::Become(Kind kind) {
  if (kind_ == Kind::kNone) kind_ = kind;
  return kind_ == kind;
}

void BedrockBlock::Hold(absl::string_view piece, std::string* held) {
  held->append(piece.data(), piece.size());
  held_bytes_ += piece.size();
}

void BedrockBlock::ReadWhole(const JsonValue& block, absl::string_view text, Sink* sink) {
  const JsonValue* member = nullptr;
  if (member = Member(block, "text"); member != nullptr && member->IsString()) {
    kind_ = Kind::kText;
    GiveText(StringOf(*member), sink);
  } else if (member = Member(block, "reasoningContent"); member != nullptr && member->IsObject()) {
    kind_ = Kind::kReasoning;
    const JsonValue* said = Member(*member, "reasoningText");
    GiveReasoning(said == nullptr ? *member : *said, sink);
  } else if (member = Member(block, "citationsContent"); member != nullptr && member->IsObject()) {
    kind_ = Kind::kText;
    GiveText(JoinedTexts(Member(*member, "content")), sink);
    const JsonValue* citations = Member(*member, "citations");
    if (citations == nullptr || !citations->IsArray()) return;
    for (const JsonValue& citation : citations->GetArray()) GiveCitation(citation, sink);
  } else if (member = Member(block, "toolUse");
             member != nullptr && member->IsObject() && !IsServersOwn(*member)) {
    StartToolUse(*member, MemberText(text, "toolUse"), sink);
    const absl::string_view input = MemberText(MemberText(text, "toolUse"), "input");
    if (!input.empty() && input != "null") GiveArguments(input, sink);
  } else {
    ForEachMember(text, [&](absl::string_view name, absl::string_view value) {
      if (kind_ == Kind::kNone && value[0] == '{') StartOther(name, value, sink);
    });
    if (kind_ == Kind::kOther) whole_ = std::string(text);
  }
}

void BedrockBlock::Start(const JsonValue& start, absl::string_view text, Sink* sink) {
  if (kind_ != Kind::kNone || !start.IsObject()) return;
  const JsonValue* call = Member(start, "toolUse");
  if (call != nullptr && call->IsObject() && !IsServersOwn(*call)) {
    StartToolUse(*call, MemberText(text, "toolUse"), sink);
    return;
  }
  ForEachMember(text, [&](absl::string_view name, absl::string_view value) {
    if (kind_ == Kind::kNone && value[0] == '{') StartOther(name, value, sink);
  });
}

void BedrockBlock::AddDelta(const JsonValue& delta, absl::string_view text, Sink* sink) {
  if (closed_ || !delta.IsObject()) return;
  if (kind_ == Kind::kOther) {
    const JsonValue* piece = Member(delta, type_);
    if (piece != nullptr) FoldIn(*piece, MemberText(text, type_));
    return;
  }
  const JsonValue* piece = nullptr;
  if (piece = Member(delta, "text"); piece != nullptr && piece->IsString()) {
    if (Become(Kind::kText)) GiveText(StringOf(*piece), sink);
  } else if (piece = Member(delta, "reasoningContent"); piece != nullptr) {
    if (Become(Kind::kReasoning)) GiveReasoning(*piece, sink);
  } else if (piece = Member(delta, "citation"); piece != nullptr) {
    if (Become(Kind::kText)) GiveCitation(*piece, sink);
  } else if (piece = Member(delta, "toolUse"); piece != nullptr && kind_ == Kind::kToolUse) {
    GiveArguments(StringMember(*piece, "input"), sink);
  }
}

void BedrockBlock::GiveText(absl::string_view text, Sink* sink) {
  InPieces(text,
           [&](absl::string_view piece) { NewPart(sink)->set_text(piece.data(), piece.size()); });
}

void BedrockBlock::GiveReasoning(const JsonValue& reasoning, Sink* sink) {
  InPieces(StringMember(reasoning, "text"), [&](absl::string_view piece) {
    NewPart(sink)->mutable_reasoning()->set_text(piece.data(), piece.size());
    any_thought_ = true;
  });
  Hold(StringMember(reasoning, "signature"), &signature_);
  const absl::string_view redacted = StringMember(reasoning, "redactedContent");
  if (!redacted.empty()) Hold(redacted, &redacted_.emplace_back());
}

void BedrockBlock::GiveCitation(const JsonValue& citation, Sink* sink) {
  if (citation.IsObject()) ReadCitation(citation, NewPart(sink)->add_citations());
}

void BedrockBlock::StartToolUse(const JsonValue& call, absl::string_view text, Sink* sink) {
  kind_ = Kind::kToolUse;
  v1::Part* part = NewPart(sink);
  const absl::string_view id = absl::StripAsciiWhitespace(StringMember(call, "toolUseId"));
  part->mutable_tool_call()->set_id(id.empty() ? GeneratedCallId(sink->random) : std::string(id));
  part->mutable_tool_call()->set_name(std::string(StringMember(call, "name")));
  BlockState state;
  state.tool_use = "{";
  ForEachMember(text, [&](absl::string_view name, absl::string_view value) {
    if (IsOwnToolUseMemberOfBedrock(name) || value == "null") return;
    AppendJsonKey(name, &state.tool_use);
    absl::StrAppend(&state.tool_use, value);
  });
  state.tool_use.push_back('}');
  if (state.tool_use == "{}") return;
  WriteBlockState(state, kBedrockDialect, sink->context, part->mutable_provider_state());
}

void BedrockBlock::GiveArguments(absl::string_view piece, Sink* sink) {
  if (!absl::StripAsciiWhitespace(piece).empty()) blank_ = false;
  InPieces(piece, [&](absl::string_view each) {
    NewPart(sink)->mutable_tool_call()->set_arguments_json(each.data(), each.size());
  });
}

void BedrockBlock::StartOther(absl::string_view name, absl::string_view text, Sink* sink) {
  kind_ = Kind::kOther;
  part_ = (*sink->next_part)++;
  Hold(name, &type_);
  Hold(text, &start_);
}

// A list is more of the block's content, an object has more members of it; a text is a piece of the
// input.
void BedrockBlock::FoldIn(const JsonValue& piece, absl::string_view text) {
  if (piece.IsArray()) {
    for (absl::string_view element : ElementTexts(text)) {
      if (!list_.empty()) Hold(",", &list_);
      Hold(element, &list_);
    }
    return;
  }
  ForEachMember(text, [&](absl::string_view name, absl::string_view value) {
    const JsonValue* member = Member(piece, name);
    if (member == nullptr) return;
    if (name == "input" && member->IsString()) return Hold(StringOf(*member), &input_);
    if (!IsPlainMember(name) || !MemberText(start_, name).empty()) return;
    start_.pop_back();
    AppendJsonKey(name, &start_);
    Hold(value, &start_);
    start_.push_back('}');
  });
}

// The pieces as they would have come whole.
std::string BedrockBlock::FoldedJson() const {
  std::string member(absl::StripAsciiWhitespace(start_));
  const auto append = [&member](absl::string_view name, absl::string_view value) {
    if (!MemberText(member, name).empty()) return;
    member.pop_back();
    AppendJsonKey(name, &member);
    absl::StrAppend(&member, value, "}");
  };
  if (!list_.empty()) append("content", absl::StrCat("[", list_, "]"));
  JsonDocument input;
  if (!input_.empty() && ParseJson(input_, &input).ok()) {
    append("input", input_);
  } else if (type_ == "toolUse") {
    append("input", "{}");
  }
  return absl::StrCat("{\"", type_, "\":", member, "}");
}

void BedrockBlock::Close(Sink* sink) {
  if (closed_) return;
  closed_ = true;
  if (kind_ == Kind::kReasoning) CloseReasoning(sink);
  // Where pieces of white space came they are the beginning.
  if (kind_ == Kind::kToolUse && blank_) GiveArguments("{}", sink);
  if (kind_ != Kind::kOther) return;
  v1::ProviderPart* given = NewPart(sink)->mutable_provider_part();
  given->set_origin(BlockOrigin(kBedrockDialect, sink->context));
  given->set_type(type_);
  given->set_block_json(whole_.empty() ? FoldedJson() : whole_);
}

void BedrockBlock::CloseReasoning(Sink* sink) {
  BlockState state;
  state.signature = signature_;
  if (!redacted_.empty()) state.redacted = Joined(redacted_);
  state.unsigned_thoughts = state.empty() && any_thought_;
  if (state.empty()) return;
  v1::Part* part = NewPart(sink);
  part->mutable_reasoning()->set_redacted(!any_thought_);
  WriteBlockState(state, kBedrockDialect, sink->context, part->mutable_provider_state());
}

}  // namespace mg
