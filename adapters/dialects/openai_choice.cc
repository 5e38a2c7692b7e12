#include "adapters/dialects/openai_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/answer_pieces.h"
#include "adapters/dialects/openai_errors.h"
#include "adapters/json_text.h"

namespace mg {
namespace {

bool OneOf(absl::string_view word, std::initializer_list<absl::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// A member of a whole or partial message that this reader knows.
bool IsReadOfMessage(absl::string_view name) {
  return OneOf(name, {"role", "content", "refusal", "tool_calls", "function_call", "audio",
                      "annotations", "reasoning_content", "reasoning", "reasoning_text", "thinking",
                      "reasoning_details", "extra_content", "images", "index"});
}

bool IsReadOfChoice(absl::string_view name) {
  return OneOf(name, {"index", "delta", "message", "finish_reason", "logprobs", "text"});
}

}  // namespace

v1::FinishReason OpenAiFinishReason(absl::string_view word, bool compatible) {
  if (word == "stop") return v1::FINISH_REASON_STOP;
  if (word == "length") return v1::FINISH_REASON_LENGTH;
  if (OneOf(word, {"tool_calls", "function_call"})) return v1::FINISH_REASON_TOOL_CALLS;
  if (word == "content_filter") return v1::FINISH_REASON_CONTENT_FILTER;
  if (word.empty()) return v1::FINISH_REASON_STOP;
  if (!compatible) return v1::FINISH_REASON_OTHER;
  if (OneOf(word, {"eos", "end_turn"})) return v1::FINISH_REASON_STOP;
  if (OneOf(word, {"model_length", "max_tokens"})) return v1::FINISH_REASON_LENGTH;
  if (word == "tool_use") return v1::FINISH_REASON_TOOL_CALLS;
  if (OneOf(word, {"safety", "sensitive"})) return v1::FINISH_REASON_CONTENT_FILTER;
  return v1::FINISH_REASON_OTHER;
}

OpenAiChoice::OpenAiChoice(int index, const v1::ChatRequest& request, const DialectContext& context)
    : index_(index), request_(request), context_(context) {
  const bool repeats = context.preset == "mistral" && !request.messages().empty() &&
                       request.messages().rbegin()->role() == v1::ROLE_ASSISTANT;
  if (!repeats) return;
  for (const v1::Part& part : request.messages().rbegin()->parts()) echo_.append(part.text());
}

int OpenAiChoice::PartIndex(int* part) {
  if (*part < 0) *part = next_part_++;
  return *part;
}

v1::ChatEvent::Delta* OpenAiChoice::NewDelta(int part) {
  auto* delta = events_->emplace_back().mutable_delta();
  delta->set_choice_index(index_);
  delta->set_part_index(part);
  return delta;
}

void OpenAiChoice::InPieces(absl::string_view text, int part,
                            absl::FunctionRef<void(absl::string_view, v1::Part*)> set) {
  mg::InPieces(text, [&](absl::string_view piece) { set(piece, NewDelta(part)->mutable_part()); });
  has_output_ = true;
}

void OpenAiChoice::GiveText(absl::string_view text) {
  if (text.empty()) return;
  if (!echo_.empty()) {
    has_output_ = true;
    held_text_.append(text.data(), text.size());
    if (held_text_.size() < echo_.size() && absl::StartsWith(echo_, held_text_)) return;
    return GiveHeldText();
  }
  text_code_points_ += CodePoints(text);
  InPieces(text, PartIndex(&text_part_), [](absl::string_view piece, v1::Part* part) {
    part->set_text(piece.data(), piece.size());
  });
}

void OpenAiChoice::GiveHeldText() {
  const std::string held = std::move(held_text_);
  absl::string_view text = held;
  absl::ConsumePrefix(&text, echo_);
  echo_.clear();
  held_text_.clear();
  GiveText(text);
}

void OpenAiChoice::GiveReasoning(absl::string_view text) {
  if (text.empty()) return;
  InPieces(text, PartIndex(&reasoning_part_), [](absl::string_view piece, v1::Part* part) {
    part->mutable_reasoning()->set_text(piece.data(), piece.size());
  });
}

void OpenAiChoice::GiveRefusal(absl::string_view text) {
  if (text.empty()) return;
  refused_ = true;
  InPieces(text, PartIndex(&refusal_part_), [](absl::string_view piece, v1::Part* part) {
    part->set_refusal(piece.data(), piece.size());
  });
}

absl::Status OpenAiChoice::Read(const JsonValue& choice, absl::string_view text, bool whole,
                                AnswerMetadata* metadata, std::vector<v1::ChatEvent>* events) {
  events_ = events;
  const size_t first = events->size();
  const JsonValue* delta = Member(choice, "delta");
  if (const JsonValue* logprobs = Member(choice, "logprobs")) {
    ReadLogprobs(*logprobs, delta, metadata);
  }
  const JsonValue* message = Member(choice, "message");
  absl::Status status;
  if (!whole && delta != nullptr) {
    status = ReadMessage(*delta, MemberText(text, "delta"), false, metadata);
  } else if (message != nullptr && (whole || !has_output_)) {
    status = ReadMessage(*message, MemberText(text, "message"), whole, metadata);
  } else if (whole && delta != nullptr) {
    status = ReadMessage(*delta, MemberText(text, "delta"), whole, metadata);
  }
  if (!status.ok()) return status;
  GiveLogprobs(&logprobs_, first, events_, [this] {
    auto* given = NewDelta(PartIndex(&text_part_));
    given->mutable_part()->set_text("");
    return given;
  });
  for (const auto& member : choice.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (!IsReadOfChoice(name)) metadata->KeepOfChoice(index_, name, member.value);
  }
  return ReadFinish(choice, whole);
}

absl::Status OpenAiChoice::ReadFinish(const JsonValue& choice, bool whole) {
  for (const char* name : {"stop_reason", "matched_stop"}) {
    const absl::string_view met = StringMember(choice, name);
    if (!met.empty()) stop_sequence_ = std::string(met);
  }
  const absl::string_view finish = StringMember(choice, "finish_reason");
  if (finish.empty()) return absl::OkStatus();
  has_finish_ = true;
  finish_ = std::string(finish);
  if (!context_.compatible) return absl::OkStatus();
  std::optional<ErrorClass> failure;
  if (finish == "error") failure = ErrorClass::kServerError;
  if (finish == "insufficient_system_resource") failure = ErrorClass::kOverload;
  if (OneOf(finish, {"abort", "network_error"})) {
    failure = has_output_ && !whole ? ErrorClass::kInterrupted : ErrorClass::kReset;
  }
  if (!failure.has_value()) return absl::OkStatus();
  v1::ErrorDetail detail;
  detail.set_provider(context_.provider);
  detail.set_http_status(200);
  detail.set_provider_code(finish_);
  if (failure == ErrorClass::kReset) detail.set_kind(v1::ERROR_KIND_STREAM_INTERRUPTED);
  return MakeError(*failure, std::move(detail),
                   absl::StrCat(context_.provider, " broke off with finish reason ", finish_));
}

absl::Status OpenAiChoice::ReadMessage(const JsonValue& message, absl::string_view text, bool whole,
                                       AnswerMetadata* metadata) {
  if (!message.IsObject()) return absl::OkStatus();
  ReadReasoning(message, whole);
  if (const JsonValue* content = Member(message, "content")) ReadContent(*content);
  GiveRefusal(StringMember(message, "refusal"));
  if (const JsonValue* annotations = Member(message, "annotations")) ReadAnnotations(*annotations);
  if (const JsonValue* audio = Member(message, "audio")) {
    if (auto status = ReadAudio(*audio); !status.ok()) return status;
  }
  if (const JsonValue* images = Member(message, "images"); images != nullptr && images->IsArray()) {
    for (const JsonValue& image : images->GetArray()) ReadImage(image);
  }
  if (const JsonValue* calls = Member(message, "tool_calls")) {
    if (auto status = ReadToolCalls(*calls, text, whole); !status.ok()) return status;
  }
  if (const JsonValue* call = Member(message, "function_call")) ReadFunctionCall(*call, text);
  if (const JsonValue* extra = Member(message, "extra_content");
      extra != nullptr && extra->IsObject()) {
    message_extra_content_ = ToJsonText(*extra);
    held_bytes_ += message_extra_content_.size();
  }
  for (const auto& member : message.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (!IsReadOfMessage(name)) metadata->KeepOfMessage(index_, name, member.value);
  }
  return absl::OkStatus();
}

void OpenAiChoice::Close(const std::vector<std::string>& cited, absl::BitGenRef random,
                         std::vector<v1::ChatEvent>* events) {
  events_ = events;
  if (!held_text_.empty()) GiveHeldText();
  CloseCitations(cited);
  CloseCalls(random);
  CloseState();
}

void OpenAiChoice::CloseCitations(const std::vector<std::string>& cited) {
  if (text_part_ < 0) return;  // nothing that they could be about
  for (v1::Citation& citation : citations_) {
    const auto end = static_cast<int32_t>(
        std::min<int64_t>(text_code_points_, std::numeric_limits<int32_t>::max()));
    if (citation.has_end()) citation.set_end(std::min(citation.end(), end));
    if (citation.has_start() && citation.start() > (citation.has_end() ? citation.end() : end)) {
      citation.clear_start();
      citation.clear_end();
    }
  }
  for (const std::string& uri : cited) citations_.emplace_back().set_uri(uri);
  for (size_t at = 0; at < citations_.size();) {
    auto* part = NewDelta(text_part_)->mutable_part();
    size_t bytes = 0;
    while (at < citations_.size() && (bytes < kMaxPiece || part->citations().empty())) {
      bytes += citations_[at].ByteSizeLong();
      *part->add_citations() = std::move(citations_[at++]);
    }
  }
}

void OpenAiChoice::CloseState() {
  if (reasoning_part_ >= 0) {
    OpenAiState state;
    state.reasoning_key = reasoning_key_;
    if (!details_.empty()) {
      std::string& list = state.reasoning_details;
      list = "[";
      for (const Detail& detail : details_) {
        if (list.back() != '[') list.push_back(',');
        list.push_back('{');
        for (const auto& [name, json] : detail.members) {
          AppendJsonKey(name, &list);
          list.append(json);
        }
        if (!detail.joined_name.empty()) {
          AppendJsonKey(detail.joined_name, &list);
          AppendJsonString(detail.joined, &list);
        }
        list.push_back('}');
      }
      list.push_back(']');
    }
    auto* part = NewDelta(reasoning_part_)->mutable_part();
    part->mutable_reasoning();
    WriteOpenAiState(state, context_, part->mutable_provider_state());
  }
  if (audio_part_ >= 0 && !audio_id_.empty()) {
    OpenAiState state;
    state.audio_id = audio_id_;
    WriteOpenAiState(state, context_,
                     NewDelta(audio_part_)->mutable_part()->mutable_provider_state());
  }
  // What belongs to the message itself is carried by its text, or where there is none by its first
  // call.
  if (message_extra_content_.empty() || text_part_ < 0) return;
  OpenAiState state;
  state.message_extra_content = message_extra_content_;
  WriteOpenAiState(state, context_, NewDelta(text_part_)->mutable_part()->mutable_provider_state());
}

void OpenAiChoice::WriteFinish(v1::ChatEvent::ChoiceFinished* finished) const {
  finished->set_choice_index(index_);
  v1::FinishReason reason = OpenAiFinishReason(finish_, context_.compatible);
  const bool calls = !calls_.empty();
  if (reason == v1::FINISH_REASON_STOP && calls) reason = v1::FINISH_REASON_TOOL_CALLS;
  if (reason == v1::FINISH_REASON_TOOL_CALLS && !calls) reason = v1::FINISH_REASON_STOP;
  if (reason == v1::FINISH_REASON_STOP && refused_) reason = v1::FINISH_REASON_REFUSAL;
  v1::Finish* finish = finished->mutable_finish();
  finish->set_reason(reason);
  finish->set_provider_reason(finish_);
  if (reason == v1::FINISH_REASON_STOP) finish->set_stop_sequence(stop_sequence_);
}

}  // namespace mg
