#include "adapters/dialects/bedrock_answer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/dialects/bedrock_usage.h"
#include "adapters/json_count.h"
#include "adapters/json_text.h"
#include "adapters/provider_errors.h"

namespace mg {
namespace {

constexpr size_t kMaxHeld = 16 << 20;  // until the end of a block: it may go on for ever
constexpr size_t kMaxOpenBlocks = 4096;
constexpr absl::string_view kPadding = "p";

bool OneOf(absl::string_view word, std::initializer_list<absl::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

template <typename Function>
absl::Status BedrockAnswer::WithSink(std::vector<v1::ChatEvent>* events, Function function) {
  const size_t first = events->size();
  BedrockBlock::Sink sink = {context_, random_, &next_part_, events};
  function(&sink);
  if (!started_ && events->size() > first) {
    MakeStarted(&*events->emplace(events->begin() + static_cast<std::ptrdiff_t>(first)));
  }
  if (held_bytes_ <= kMaxHeld) return absl::OkStatus();
  return MalformedAnswer(context_,
                         absl::StrCat("more than ", kMaxHeld, " bytes in blocks without an end"));
}

// Bedrock tells neither id nor model.
void BedrockAnswer::MakeStarted(v1::ChatEvent* event) {
  started_ = true;
  auto* started = event->mutable_started();
  started->set_id(absl::StrCat("gen-", absl::Hex(random_(), absl::kZeroPad16)));
  started->set_model(context_.model);
}

absl::Status BedrockAnswer::ReadEvent(absl::string_view name, const JsonValue& json,
                                      absl::string_view text, std::vector<v1::ChatEvent>* events,
                                      bool* ended) {
  if (!json.IsObject()) return MalformedAnswer(context_, "an event that is no object");
  if (name == "messageStop" || name == "metadata") {
    ReadEnd(json);
    has_metadata_ = has_metadata_ || name == "metadata";
    // The usage mostly follows the stop, sometimes it comes before it.
    *ended = has_metadata_ && has_finish();
    return absl::OkStatus();
  }
  return ReadBlockEvent(name, json, text, events);
}

absl::Status BedrockAnswer::ReadBlockEvent(absl::string_view name, const JsonValue& json,
                                           absl::string_view text,
                                           std::vector<v1::ChatEvent>* events) {
  const bool start = name == "contentBlockStart";
  const bool stop = name == "contentBlockStop";
  if (!start && !stop && name != "contentBlockDelta") return absl::OkStatus();  // messageStart
  const int index = CountMember(json, "contentBlockIndex").value_or(0);
  return WithSink(events, [&](auto* sink) {
    auto found = blocks_.find(index);
    // The same index again is another block: the former is over.
    if (found != blocks_.end() &&
        (stop || (start && found->second.kind() != BedrockBlock::Kind::kNone))) {
      held_bytes_ -= found->second.held_bytes();
      found->second.Close(sink);
      blocks_.erase(found);
      found = blocks_.end();
    }
    if (stop || (found == blocks_.end() && blocks_.size() >= kMaxOpenBlocks)) return;
    if (found == blocks_.end()) found = blocks_.try_emplace(index).first;
    BedrockBlock& block = found->second;
    const char* member = start ? "start" : "delta";
    const JsonValue* piece = Member(json, member);
    if (piece == nullptr) return;
    held_bytes_ -= block.held_bytes();
    if (start) {
      block.Start(*piece, MemberText(text, member), sink);
    } else {
      block.AddDelta(*piece, MemberText(text, member), sink);
    }
    held_bytes_ += block.held_bytes();
    has_calls_ = has_calls_ || block.kind() == BedrockBlock::Kind::kToolUse;
  });
}

absl::Status BedrockAnswer::ReadWhole(const JsonValue& json, absl::string_view text,
                                      std::vector<v1::ChatEvent>* events) {
  if (!json.IsObject()) return MalformedAnswer(context_, "JSON, but no object");
  const absl::string_view type = StringMember(json, "__type");
  if (!type.empty()) return AwsStreamError(context_, type, text);
  ReadEnd(json);
  const JsonValue* output = Member(json, "output");
  const JsonValue* message = output == nullptr ? nullptr : Member(*output, "message");
  const JsonValue* content = message == nullptr ? nullptr : Member(*message, "content");
  if (content == nullptr || !content->IsArray()) return absl::OkStatus();
  const std::vector<absl::string_view> texts =
      ElementTexts(MemberText(MemberText(MemberText(text, "output"), "message"), "content"));
  return WithSink(events, [&](auto* sink) {
    for (rapidjson::SizeType i = 0; i < content->Size() && i < texts.size(); ++i) {
      if (!(*content)[i].IsObject()) continue;
      BedrockBlock block;
      block.ReadWhole((*content)[i], texts[i], sink);
      has_calls_ = has_calls_ || block.kind() == BedrockBlock::Kind::kToolUse;
      block.Close(sink);
    }
  });
}

void BedrockAnswer::ReadEnd(const JsonValue& json) {
  const absl::string_view reason = StringMember(json, "stopReason");
  if (!reason.empty()) stop_reason_ = std::string(reason);
  for (const auto& member : json.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (name == "usage") {
      ReadUsage(member.value);
    } else if (name == "additionalModelResponseFields" && member.value.IsObject()) {
      ReadResponseFields(member.value);
    } else if (name == "serviceTier") {
      usage_.set_service_tier(std::string(StringMember(member.value, "type")));
      has_usage_ = has_usage_ || !usage_.service_tier().empty();
    } else if (!OneOf(name, {kPadding, "stopReason", "output"})) {
      metadata_.Keep(name, member.value);
    }
  }
}

// The whole object replaces what was told before.
void BedrockAnswer::ReadUsage(const JsonValue& usage) {
  v1::Usage told;
  if (!ReadBedrockUsage(usage, &told, &metadata_)) return;
  told.set_service_tier(usage_.service_tier());
  usage_ = std::move(told);
  has_usage_ = true;
}

// What was asked for to learn which text the answer stopped at; anything else by the caller.
void BedrockAnswer::ReadResponseFields(const JsonValue& fields) {
  const JsonValue* delta = Member(fields, "delta");
  for (const JsonValue* from : {&fields, delta}) {
    if (from == nullptr) continue;
    const absl::string_view sequence = StringMember(*from, "stop_sequence");
    if (!sequence.empty()) stop_sequence_ = std::string(sequence);
  }
  for (const auto& member : fields.GetObject()) {
    if (OneOf(StringOf(member.name), {"stop_sequence", "delta"})) continue;
    metadata_.Keep("additionalModelResponseFields", fields);
    return;
  }
}

v1::FinishReason BedrockAnswer::Reason() const {
  const absl::string_view word = stop_reason_;
  if (word.empty() || OneOf(word, {"end_turn", "stop_sequence", "tool_use"})) {
    return has_calls_ ? v1::FINISH_REASON_TOOL_CALLS : v1::FINISH_REASON_STOP;
  }
  if (OneOf(word, {"max_tokens", "model_context_window_exceeded"})) return v1::FINISH_REASON_LENGTH;
  if (OneOf(word, {"guardrail_intervened", "content_filtered"})) {
    return v1::FINISH_REASON_CONTENT_FILTER;
  }
  if (OneOf(word, {"malformed_model_output", "malformed_tool_use"})) {
    return v1::FINISH_REASON_MALFORMED;
  }
  return v1::FINISH_REASON_OTHER;
}

void BedrockAnswer::Complete(std::vector<v1::ChatEvent>* events) {
  BedrockBlock::Sink sink = {context_, random_, &next_part_, events};
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
  auto* completed = events->emplace_back().mutable_completed();
  if (has_usage_) *completed->mutable_usage() = usage_;
  google::protobuf::Struct metadata;
  if (metadata_.Write(&metadata)) *completed->mutable_provider_metadata() = std::move(metadata);
}

}  // namespace mg
