// What an answer's message holds, whole or in pieces: content blocks, the plan, tool calls,
// citations and log probabilities, each told as deltas of its part.
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/answer_pieces.h"
#include "adapters/dialects/cohere_answer.h"
#include "adapters/generated_id.h"
#include "adapters/json_count.h"
#include "adapters/json_text.h"
#include "adapters/provider_errors.h"

namespace mg {
namespace {

constexpr size_t kMaxOpen = 4096;  // blocks, and calls: indexes could be endless

// Calls `read` with each element of a list and its index, or with the only one that is no list.
template <typename Read>
void ForEach(const JsonValue& value, int index, Read read) {
  if (!value.IsArray()) {
    read(value, index);
    return;
  }
  for (const JsonValue& each : value.GetArray()) read(each, index++);
}

}  // namespace

v1::Part* CohereAnswer::NewPart(int part) {
  auto* delta = events_->emplace_back().mutable_delta();
  delta->set_choice_index(0);
  delta->set_part_index(part);
  return delta->mutable_part();
}

void CohereAnswer::GiveText(absl::string_view text, Block* block) {
  InPieces(text, [&](absl::string_view piece) {
    if (block->part < 0) block->part = next_part_++;
    NewPart(block->part)->set_text(piece.data(), piece.size());
  });
}

// Its state, once, says where it goes back to.
void CohereAnswer::GiveReasoning(absl::string_view text, CohereReasoning kind, Block* block) {
  InPieces(text, [&](absl::string_view piece) {
    if (block->part < 0) block->part = next_part_++;
    v1::Part* part = NewPart(block->part);
    part->mutable_reasoning()->set_text(piece.data(), piece.size());
    if (!block->stated) WriteCohereState(kind, context_, part->mutable_provider_state());
    block->stated = true;
  });
}

void CohereAnswer::ReadPlan(const JsonValue& message) {
  GiveReasoning(StringMember(message, "tool_plan"), CohereReasoning::kPlan, &plan_);
}

absl::Status CohereAnswer::ReadContent(const JsonValue& message, int index, bool start) {
  const JsonValue* content = Member(message, "content");
  if (content == nullptr) return absl::OkStatus();
  if (content->IsString()) {
    GiveText(StringOf(*content), &blocks_[index]);
    return absl::OkStatus();
  }
  ForEach(*content, index, [&](const JsonValue& block, int at) { ReadBlock(block, at, start); });
  if (blocks_.size() <= kMaxOpen) return absl::OkStatus();
  return MalformedAnswer(context_, absl::StrCat("more than ", kMaxOpen, " content blocks"));
}

// The same index again, with a start, is another block.
void CohereAnswer::ReadBlock(const JsonValue& block, int index, bool start) {
  if (!block.IsObject()) return;
  const absl::string_view thinking = StringMember(block, "thinking");
  const absl::string_view type = StringMember(block, "type");
  if (start) {
    blocks_[index] = {type == "thinking"};
    if (!type.empty() && type != "text" && type != "thinking") metadata_.Keep("content", block);
  }
  if (!thinking.empty()) blocks_[index].thinking = true;
  GiveReasoning(thinking, CohereReasoning::kThinking, &blocks_[index]);
  if (!blocks_[index].thinking) GiveText(StringMember(block, "text"), &blocks_[index]);
}

absl::Status CohereAnswer::ReadCalls(const JsonValue& message, int index, bool start) {
  const JsonValue* calls = Member(message, "tool_calls");
  if (calls == nullptr) return absl::OkStatus();
  absl::Status status;
  ForEach(*calls, index, [&](const JsonValue& call, int at) {
    if (!call.IsObject() || !status.ok()) return;
    if (start) status = StartCall(call, at);
    const auto found = calls_.find(at);
    const JsonValue* function = Member(call, "function");
    if (found == calls_.end() || function == nullptr) return;
    const JsonValue* arguments = Member(*function, "arguments");
    if (arguments == nullptr) return;
    if (arguments->IsString()) {
      AddArguments(StringOf(*arguments), &found->second);
    } else {
      AddArguments(ToJsonText(*arguments), &found->second);
    }
  });
  return status;
}

absl::Status CohereAnswer::StartCall(const JsonValue& call, int index) {
  if (const auto former = calls_.find(index); former != calls_.end()) {
    CloseCall(&former->second);
    calls_.erase(former);
  }
  if (calls_.size() >= kMaxOpen) {
    return MalformedAnswer(context_, absl::StrCat("more than ", kMaxOpen, " open tool calls"));
  }
  has_calls_ = true;
  Call& made = calls_[index];
  made.part = next_part_++;
  const absl::string_view id = absl::StripAsciiWhitespace(StringMember(call, "id"));
  const JsonValue* function = Member(call, "function");
  v1::ToolCall* given = NewPart(made.part)->mutable_tool_call();
  given->set_id(id.empty() ? GeneratedCallId(random_) : std::string(id));
  if (function != nullptr) given->set_name(std::string(StringMember(*function, "name")));
  return absl::OkStatus();
}

// "null" and nothing are no arguments: what may still become either is held, as long as it is
// short.
void CohereAnswer::AddArguments(absl::string_view piece, Call* call) {
  if (!call->given) {
    call->held.append(piece.data(), piece.size());
    const absl::string_view so_far = absl::StripAsciiWhitespace(call->held);
    if (absl::StartsWith("null", so_far) && call->held.size() < 64) return;
    piece = call->held;
    call->given = true;
  }
  InPieces(piece, [&](absl::string_view each) {
    NewPart(call->part)->mutable_tool_call()->set_arguments_json(each.data(), each.size());
  });
}

void CohereAnswer::CloseCall(Call* call) {
  if (call->given) return;
  call->given = true;
  const absl::string_view held = absl::StripAsciiWhitespace(call->held);
  const bool none = held.empty() || held == "null";
  NewPart(call->part)
      ->mutable_tool_call()
      ->set_arguments_json(none ? std::string("{}") : call->held);
}

CohereAnswer::Block* CohereAnswer::FirstText() {
  for (auto& [index, block] : blocks_) {
    if (!block.thinking && block.part >= 0) return &block;
  }
  return nullptr;
}

v1::ChatEvent::Delta* CohereAnswer::EmptyDelta(Block* block) {
  if (block->part < 0) block->part = next_part_++;
  v1::Part* part = NewPart(block->part);
  if (block->thinking) {
    part->mutable_reasoning();
  } else {
    part->set_text("");
  }
  return events_->back().mutable_delta();
}

void CohereAnswer::ReadCitations(const JsonValue& message) {
  const JsonValue* citations = Member(message, "citations");
  if (citations == nullptr) return;
  ForEach(*citations, 0, [&](const JsonValue& citation, int) {
    if (citation.IsObject()) ReadCitation(citation);
  });
}

// Start and end count characters of the block that it is about.
void CohereAnswer::ReadCitation(const JsonValue& from) {
  const Block* text = FirstText();
  int part = text == nullptr ? -1 : text->part;
  if (StringMember(from, "type") == "PLAN") {
    part = plan_.part;
  } else if (const auto index = CountMember(from, "content_index")) {
    const auto block = blocks_.find(*index);
    if (block != blocks_.end() && block->second.part >= 0) part = block->second.part;
  }
  if (part < 0) return metadata_.Keep("citations", from);
  v1::Citation citation;
  if (auto start = CountMember(from, "start")) citation.set_start(*start);
  if (auto end = CountMember(from, "end")) citation.set_end(*end);
  const JsonValue* sources = Member(from, "sources");
  if (sources != nullptr && sources->IsArray()) {
    for (const JsonValue& source : sources->GetArray()) {
      const JsonValue* document = Member(source, "document");
      if (document == nullptr) continue;
      citation.set_title(std::string(StringMember(*document, "title")));
      citation.set_uri(std::string(StringMember(*document, "url")));
      break;
    }
  }
  for (const auto& member : from.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (name == "start" || name == "end" || member.value.IsNull()) continue;
    ToStructValue(member.value, 8,
                  &(*citation.mutable_details()->mutable_fields())[std::string(name)]);
  }
  // The output of a tool can be of any size, and the caller has it.
  if (citation.ByteSizeLong() > kMaxPiece) citation.clear_details();
  if (citation.ByteSizeLong() > kMaxPiece) return;
  v1::Part* given = NewPart(part);
  given->add_citations()->Swap(&citation);
}

// One token an entry; where there are more, the text is the first one's.
void CohereAnswer::ReadLogprobs(const JsonValue& logprobs) {
  ForEach(logprobs, 0, [&](const JsonValue& entry, int) {
    const JsonValue* values = Member(entry, "logprobs");
    if (values == nullptr || !values->IsArray()) return;
    bool first = true;
    for (const JsonValue& value : values->GetArray()) {
      if (!value.IsNumber()) continue;
      v1::TokenLogprob& token = logprobs_.emplace_back();
      if (first) token.set_token(std::string(StringMember(entry, "text")));
      first = false;
      token.set_logprob(value.GetDouble());
    }
  });
}

}  // namespace mg
