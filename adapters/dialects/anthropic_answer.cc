#include "adapters/dialects/anthropic_answer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/json_count.h"
#include "adapters/json_text.h"
#include "adapters/provider_errors.h"

namespace mg {
namespace {

constexpr size_t kMaxHeld = 16 << 20;  // until the end of a block: it may go on for ever
constexpr size_t kMaxOpenBlocks = 4096;

using Kind = AnthropicBlock::Kind;

bool OneOf(absl::string_view word, std::initializer_list<absl::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The block to which a delta of this type can be the first that comes.
bool KindOfDelta(absl::string_view type, Kind* kind) {
  if (type == "text_delta") *kind = Kind::kText;
  if (type == "thinking_delta" || type == "signature_delta") *kind = Kind::kThinking;
  return OneOf(type, {"text_delta", "thinking_delta", "signature_delta"});
}

}  // namespace

template <typename Function>
absl::Status AnthropicAnswer::WithSink(std::vector<v1::ChatEvent>* events, Function function) {
  const size_t first = events->size();
  AnthropicBlock::Sink sink = {context_, random_, &next_part_, events};
  function(&sink);
  if (!started_ && events->size() > first) {
    MakeStarted(&*events->emplace(events->begin() + static_cast<std::ptrdiff_t>(first)));
  }
  if (held_bytes_ <= kMaxHeld) return absl::OkStatus();
  return MalformedAnswer(context_,
                         absl::StrCat("more than ", kMaxHeld, " bytes in blocks without an end"));
}

void AnthropicAnswer::MakeStarted(v1::ChatEvent* event) {
  started_ = true;
  auto* started = event->mutable_started();
  if (id_.empty()) id_ = absl::StrCat("gen-", absl::Hex(random_(), absl::kZeroPad16));
  started->set_id(id_);
  started->set_model(model_.empty() ? context_.model : model_);
}

absl::Status AnthropicAnswer::ReadEvent(absl::string_view name, const JsonValue& json,
                                        absl::string_view text, std::vector<v1::ChatEvent>* events,
                                        bool* ended) {
  if (name == "error") return ProviderInBandError(context_, json, nullptr);
  if (!json.IsObject()) return MalformedAnswer(context_, "an event that is no object");
  const absl::string_view type = StringMember(json, "type");
  return Dispatch(type.empty() ? name : type, json, text, events, ended);
}

absl::Status AnthropicAnswer::Dispatch(absl::string_view type, const JsonValue& json,
                                       absl::string_view text, std::vector<v1::ChatEvent>* events,
                                       bool* ended) {
  if (type == "message_start") return ReadStart(json);
  if (type == "content_block_start") return StartBlock(json, text, events);
  if (type == "content_block_delta") return AddDelta(json, events);
  if (type == "content_block_stop") {
    const auto found = blocks_.find(CountMember(json, "index").value_or(0));
    if (found == blocks_.end()) return absl::OkStatus();
    held_bytes_ -= found->second.held_bytes();
    auto status = WithSink(events, [&](auto* sink) { found->second.Close(sink); });
    blocks_.erase(found);
    return status;
  }
  if (type == "message_delta") ReadMessageDelta(json);
  if (type == "message_stop") *ended = true;
  // A server that tells errors in another way, or answers whole in a stream.
  if (type == "error" || (type.empty() && Member(json, "error") != nullptr)) {
    return ProviderInBandError(context_, json, nullptr);
  }
  if (type == "message") {
    *ended = true;
    return ReadWhole(json, text, events);
  }
  return absl::OkStatus();  // ping, and whatever will be
}

absl::Status AnthropicAnswer::ReadStart(const JsonValue& json) {
  const JsonValue* message = Member(json, "message");
  if (message == nullptr) return absl::OkStatus();
  const absl::string_view id = StringMember(*message, "id");
  if (begun_ && id == id_) return absl::OkStatus();
  if (begun_) return MalformedAnswer(context_, "two answers in one stream");
  begun_ = true;
  ReadHead(*message);
  return absl::OkStatus();
}

// What a whole message and a message_start have alike.
void AnthropicAnswer::ReadHead(const JsonValue& message) {
  if (!message.IsObject()) return;
  id_ = std::string(StringMember(message, "id"));
  model_ = std::string(StringMember(message, "model"));
  if (const JsonValue* usage = Member(message, "usage")) usage_.Read(*usage, &metadata_);
  ReadStop(message);
  for (const auto& member : message.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (OneOf(name, {"id", "type", "role", "model", "content", "usage", "stop_reason",
                     "stop_sequence"})) {
      continue;
    }
    metadata_.Keep(name, member.value);
  }
}

void AnthropicAnswer::ReadStop(const JsonValue& from) {
  const absl::string_view reason = StringMember(from, "stop_reason");
  if (!reason.empty()) stop_reason_ = std::string(reason);
  const absl::string_view sequence = StringMember(from, "stop_sequence");
  if (!sequence.empty()) stop_sequence_ = std::string(sequence);
  const JsonValue* details = Member(from, "stop_details");
  if (details != nullptr) explanation_ = std::string(StringMember(*details, "explanation"));
}

void AnthropicAnswer::ReadMessageDelta(const JsonValue& json) {
  if (const JsonValue* usage = Member(json, "usage")) usage_.Read(*usage, &metadata_);
  for (const auto& member : json.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (!OneOf(name, {"type", "delta", "usage"})) metadata_.Keep(name, member.value);
  }
  const JsonValue* delta = Member(json, "delta");
  if (delta == nullptr || !delta->IsObject()) return;
  ReadStop(*delta);
  for (const auto& member : delta->GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (!OneOf(name, {"stop_reason", "stop_sequence"})) metadata_.Keep(name, member.value);
  }
}

absl::Status AnthropicAnswer::StartBlock(const JsonValue& json, absl::string_view text,
                                         std::vector<v1::ChatEvent>* events) {
  const JsonValue* block = Member(json, "content_block");
  if (block == nullptr || !block->IsObject()) {
    return MalformedAnswer(context_, "a content_block_start without its block");
  }
  if (blocks_.size() >= kMaxOpenBlocks) {
    return MalformedAnswer(context_, absl::StrCat("more than ", kMaxOpenBlocks, " open blocks"));
  }
  const int index = CountMember(json, "index").value_or(0);
  return WithSink(events, [&](auto* sink) {
    // The same index again is another block: the former is over.
    if (const auto former = blocks_.find(index); former != blocks_.end()) {
      held_bytes_ -= former->second.held_bytes();
      former->second.Close(sink);
      blocks_.erase(former);
    }
    const auto made =
        blocks_.try_emplace(index, *block, MemberText(text, "content_block"), sink).first;
    held_bytes_ += made->second.held_bytes();
    has_calls_ = has_calls_ || made->second.kind() == Kind::kToolUse;
  });
}

absl::Status AnthropicAnswer::AddDelta(const JsonValue& json, std::vector<v1::ChatEvent>* events) {
  const JsonValue* delta = Member(json, "delta");
  if (delta == nullptr) return absl::OkStatus();
  const int index = CountMember(json, "index").value_or(0);
  auto found = blocks_.find(index);
  if (found == blocks_.end()) {
    Kind kind = Kind::kText;
    if (!KindOfDelta(StringMember(*delta, "type"), &kind) || blocks_.size() >= kMaxOpenBlocks) {
      return absl::OkStatus();
    }
    found = blocks_.try_emplace(index, kind).first;
  }
  const size_t held = found->second.held_bytes();
  return WithSink(events, [&](auto* sink) {
    found->second.AddDelta(*delta, sink);
    held_bytes_ += found->second.held_bytes() - held;
  });
}

absl::Status AnthropicAnswer::ReadWhole(const JsonValue& json, absl::string_view text,
                                        std::vector<v1::ChatEvent>* events) {
  if (!json.IsObject()) return MalformedAnswer(context_, "JSON, but no object");
  if (StringMember(json, "type") == "error" || Member(json, "error") != nullptr) {
    return ProviderInBandError(context_, json, nullptr);
  }
  ReadHead(json);
  const JsonValue* content = Member(json, "content");
  if (content == nullptr || !content->IsArray()) return absl::OkStatus();
  const std::vector<absl::string_view> texts = ElementTexts(MemberText(text, "content"));
  return WithSink(events, [&](auto* sink) {
    for (rapidjson::SizeType i = 0; i < content->Size() && i < texts.size(); ++i) {
      if (!(*content)[i].IsObject()) continue;
      AnthropicBlock block((*content)[i], texts[i], sink);
      has_calls_ = has_calls_ || block.kind() == Kind::kToolUse;
      block.Close(sink);
    }
  });
}

v1::FinishReason AnthropicAnswer::Reason() const {
  const absl::string_view word = stop_reason_;
  if (word == "tool_use") return has_calls_ ? v1::FINISH_REASON_TOOL_CALLS : v1::FINISH_REASON_STOP;
  if (word.empty() || OneOf(word, {"end_turn", "stop_sequence"})) {
    return has_calls_ ? v1::FINISH_REASON_TOOL_CALLS : v1::FINISH_REASON_STOP;
  }
  if (OneOf(word, {"max_tokens", "model_context_window_exceeded"})) return v1::FINISH_REASON_LENGTH;
  if (word == "refusal") return v1::FINISH_REASON_REFUSAL;
  if (OneOf(word, {"pause_turn", "compaction"})) return v1::FINISH_REASON_PAUSE;
  return v1::FINISH_REASON_OTHER;
}

void AnthropicAnswer::Complete(std::vector<v1::ChatEvent>* events) {
  AnthropicBlock::Sink sink = {context_, random_, &next_part_, events};
  const size_t first = events->size();
  for (auto& [index, block] : blocks_) block.Close(&sink);
  blocks_.clear();
  if (!started_) {
    MakeStarted(&*events->emplace(events->begin() + static_cast<std::ptrdiff_t>(first)));
  }
  auto* finished = events->emplace_back().mutable_finished();
  finished->set_choice_index(0);
  v1::Finish* finish = finished->mutable_finish();
  finish->set_reason(Reason());
  finish->set_provider_reason(stop_reason_);
  finish->set_stop_sequence(stop_sequence_);
  finish->set_explanation(explanation_);
  auto* completed = events->emplace_back().mutable_completed();
  v1::Usage usage;
  if (usage_.Write(&usage)) *completed->mutable_usage() = std::move(usage);
  google::protobuf::Struct metadata;
  if (metadata_.Write(&metadata)) *completed->mutable_provider_metadata() = std::move(metadata);
}

}  // namespace mg
