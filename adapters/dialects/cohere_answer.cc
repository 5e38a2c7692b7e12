#include "adapters/dialects/cohere_answer.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/answer_pieces.h"
#include "adapters/json_count.h"
#include "adapters/provider_errors.h"

namespace mg {
namespace {

bool OneOf(absl::string_view word, std::initializer_list<absl::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The message that an event's delta holds, or null.
const JsonValue* MessageOf(const JsonValue& event) {
  const JsonValue* delta = Member(event, "delta");
  return delta == nullptr ? nullptr : Member(*delta, "message");
}

}  // namespace

bool CohereAnswer::IsEnd(absl::string_view data) const { return absl::StartsWith(data, "[DONE]"); }

absl::Status CohereAnswer::ReadEvent(absl::string_view name, const JsonValue& json,
                                     absl::string_view text, std::vector<v1::ChatEvent>* events,
                                     bool* ended) {
  if (name == "error") return ProviderInBandError(context_, json, nullptr);
  if (!json.IsObject()) return MalformedAnswer(context_, "an event that is no object");
  const absl::string_view type = StringMember(json, "type");
  if (type.empty() && name.empty()) {
    *ended = true;
    return ReadWhole(json, text, events);
  }
  events_ = events;
  const size_t first = events->size();
  auto status = Dispatch(type.empty() ? name : type, json, ended);
  PutStarted(first);
  return status;
}

absl::Status CohereAnswer::Dispatch(absl::string_view type, const JsonValue& json, bool* ended) {
  const JsonValue* message = MessageOf(json);
  const int index = CountMember(json, "index").value_or(0);
  if (type == "message-start") {
    if (id_.empty()) id_ = std::string(StringMember(json, "id"));
    return absl::OkStatus();
  }
  if (type == "message-end") {
    *ended = true;
    return ReadEnd(json);
  }
  if (type == "tool-call-end") {
    const auto found = calls_.find(index);
    if (found == calls_.end()) return absl::OkStatus();
    CloseCall(&found->second);
    calls_.erase(found);
    return absl::OkStatus();
  }
  if (type == "error") return ProviderInBandError(context_, json, nullptr);
  if (message == nullptr) return absl::OkStatus();  // content-end, citation-end, and what will be
  if (type == "content-start" || type == "content-delta") {
    const size_t first = events_->size();
    const JsonValue* logprobs = Member(json, "logprobs");
    auto status = ReadContent(*message, index, type == "content-start");
    if (logprobs != nullptr && status.ok()) {
      ReadLogprobs(*logprobs);
      Block& block = blocks_[index];
      GiveLogprobs(&logprobs_, first, events_, [this, &block] { return EmptyDelta(&block); });
    }
    return status;
  }
  if (type == "tool-plan-delta") ReadPlan(*message);
  if (type == "citation-start") ReadCitations(*message);
  if (type == "tool-call-start" || type == "tool-call-delta") {
    return ReadCalls(*message, index, type == "tool-call-start");
  }
  return absl::OkStatus();
}

absl::Status CohereAnswer::ReadEnd(const JsonValue& json) {
  const JsonValue* delta = Member(json, "delta");
  if (delta == nullptr || !delta->IsObject()) return absl::OkStatus();
  if (const JsonValue* usage = Member(*delta, "usage")) ReadUsage(*usage);
  ReadRest(*delta);
  return ReadFinish(*delta);
}

// By ERROR and TIMEOUT the provider reports its own failure.
absl::Status CohereAnswer::ReadFinish(const JsonValue& from) {
  finish_ = std::string(StringMember(from, "finish_reason"));
  if (finish_ == "ERROR") return ProviderInBandError(context_, from, nullptr);
  if (finish_ != "TIMEOUT") return absl::OkStatus();
  v1::ErrorDetail detail;
  detail.set_provider(context_.provider);
  detail.set_http_status(200);
  detail.set_provider_code(finish_);
  return MakeError(ErrorClass::kTimeout, std::move(detail),
                   absl::StrCat(context_.provider, " gave up: its own time was over"));
}

absl::Status CohereAnswer::ReadWhole(const JsonValue& json, absl::string_view,
                                     std::vector<v1::ChatEvent>* events) {
  if (!json.IsObject()) return MalformedAnswer(context_, "JSON, but no object");
  const JsonValue* message = Member(json, "message");
  if (message == nullptr || !message->IsObject()) {
    // An error is a text under the same name.
    if (message != nullptr || Member(json, "error") != nullptr) {
      return ProviderInBandError(context_, json, nullptr);
    }
    return MalformedAnswer(context_, "an answer without a message");
  }
  events_ = events;
  const size_t first = events->size();
  id_ = std::string(StringMember(json, "id"));
  if (const JsonValue* usage = Member(json, "usage")) ReadUsage(*usage);
  ReadPlan(*message);
  absl::Status status = ReadContent(*message, 0, true);
  if (const JsonValue* logprobs = Member(json, "logprobs"); logprobs != nullptr && status.ok()) {
    ReadLogprobs(*logprobs);
    Block* text = FirstText();
    size_t at = first;
    while (text != nullptr && (*events)[at].delta().part_index() != text->part) ++at;
    if (text != nullptr) {
      GiveLogprobs(&logprobs_, at, events_, [this, text] { return EmptyDelta(text); });
    }
  }
  if (status.ok()) status = ReadCalls(*message, 0, true);
  ReadCitations(*message);
  ReadRest(json);
  if (status.ok()) status = ReadFinish(json);
  PutStarted(first);
  return status;
}

void CohereAnswer::PutStarted(size_t first) {
  if (started_ || events_->size() == first) return;
  started_ = true;
  if (id_.empty()) id_ = absl::StrCat("gen-", absl::Hex(random_(), absl::kZeroPad16));
  auto* started =
      events_->emplace(events_->begin() + static_cast<std::ptrdiff_t>(first))->mutable_started();
  started->set_id(id_);
  started->set_model(context_.model);  // the answer does not name it
}

// The last whole usage object replaces the former.
void CohereAnswer::ReadUsage(const JsonValue& usage) {
  if (!usage.IsObject()) return;
  v1::Usage read;
  if (const JsonValue* tokens = Member(usage, "tokens")) {
    const auto input = CountMember(*tokens, "input_tokens");
    const auto output = CountMember(*tokens, "output_tokens");
    if (input) read.set_input_tokens(*input);
    if (output) read.set_output_tokens(*output);
    if (input && output && *input <= std::numeric_limits<int32_t>::max() - *output) {
      read.set_total_tokens(*input + *output);
    }
  }
  if (auto cached = CountMember(usage, "cached_tokens")) read.set_cached_input_tokens(*cached);
  has_usage_ = read.ByteSizeLong() > 0;
  usage_ = std::move(read);
  for (const auto& member : usage.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (!OneOf(name, {"tokens", "cached_tokens"})) metadata_.KeepOfUsage(name, member.value);
  }
}

// Of a whole answer, or of a stream's end.
void CohereAnswer::ReadRest(const JsonValue& answer) {
  for (const auto& member : answer.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (OneOf(name, {"id", "finish_reason", "message", "usage", "logprobs", "error", "error_type"}))
      continue;
    metadata_.Keep(name, member.value);
  }
}

v1::FinishReason CohereAnswer::Reason() const {
  const absl::string_view word = finish_;
  if (word == "MAX_TOKENS") return v1::FINISH_REASON_LENGTH;
  if (word == "ERROR_TOXIC") return v1::FINISH_REASON_CONTENT_FILTER;
  if (word.empty() || OneOf(word, {"COMPLETE", "STOP_SEQUENCE", "TOOL_CALL"})) {
    return has_calls_ ? v1::FINISH_REASON_TOOL_CALLS : v1::FINISH_REASON_STOP;
  }
  return v1::FINISH_REASON_OTHER;
}

void CohereAnswer::Complete(std::vector<v1::ChatEvent>* events) {
  events_ = events;
  const size_t first = events->size();
  for (auto& [index, call] : calls_) CloseCall(&call);
  calls_.clear();
  auto* finished = events->emplace_back().mutable_finished();
  finished->set_choice_index(0);
  finished->mutable_finish()->set_reason(Reason());
  finished->mutable_finish()->set_provider_reason(finish_);
  PutStarted(first);
  auto* completed = events->emplace_back().mutable_completed();
  if (has_usage_) *completed->mutable_usage() = usage_;
  google::protobuf::Struct metadata;
  if (metadata_.Write(&metadata)) *completed->mutable_provider_metadata() = std::move(metadata);
}

}  // namespace mg
