#include "adapters/dialects/openai_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/dialects/openai_errors.h"
#include "adapters/json_text.h"
#include "adapters/provider_options.h"
#include "base/utf8.h"

namespace mg {
namespace {

// Of one event, so that none comes near 1 MiB.
constexpr size_t kMaxPiece = 512 * 1024;
// Of what is held until the end of the choice.
constexpr size_t kMaxHeldCitations = 4096;
constexpr size_t kMaxDetails = 4096;

bool OneOf(absl::string_view word, std::initializer_list<absl::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

int64_t CodePoints(absl::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

std::string AudioMediaType(const v1::ChatRequest& request, const DialectContext& context) {
  google::protobuf::Struct options;
  OptionsFor(request.provider_options(), context.provider, "openai", &options);
  const auto audio = options.fields().find("audio");
  if (audio == options.fields().end()) return "";
  const auto& fields = audio->second.struct_value().fields();
  const auto format = fields.find("format");
  if (format == fields.end()) return "";
  const std::string& name = format->second.string_value();
  if (name == "mp3") return "audio/mpeg";
  if (name == "opus") return "audio/ogg";
  if (name == "pcm16") return "audio/pcm";
  return OneOf(name, {"wav", "aac", "flac"}) ? absl::StrCat("audio/", name) : "";
}

void ReadTokenLogprob(const JsonValue& entry, v1::TokenLogprob* out) {
  const absl::string_view token = StringMember(entry, "token");
  out->set_token(std::string(token));
  if (const JsonValue* value = Member(entry, "logprob"); value != nullptr && value->IsNumber()) {
    out->set_logprob(value->GetDouble());
  }
  const JsonValue* bytes = Member(entry, "bytes");
  if (bytes == nullptr || !bytes->IsArray()) return;
  for (const JsonValue& byte : bytes->GetArray()) {
    if (byte.IsUint() && byte.GetUint() < 256) {
      out->mutable_raw()->push_back(static_cast<char>(byte.GetUint()));
    }
  }
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
    : index_(index), request_(request), context_(context) {}

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
  while (!text.empty()) {
    const absl::string_view piece = CutUtf8(text, kMaxPiece);
    set(piece, NewDelta(part)->mutable_part());
    text.remove_prefix(piece.size());
  }
  has_output_ = true;
}

void OpenAiChoice::GiveText(absl::string_view text) {
  if (text.empty()) return;
  text_code_points_ += CodePoints(text);
  InPieces(text, PartIndex(&text_part_), [](absl::string_view piece, v1::Part* part) {
    part->set_text(piece.data(), piece.size());
  });
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
  GiveLogprobs(first);
  for (const auto& member : choice.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (!IsReadOfChoice(name)) metadata->KeepOfChoice(index_, name, member.value);
  }
  return ReadFinish(choice, whole);
}

// Log probabilities go with the first delta that the piece at hand gave; a token of half a
// character gives none.
void OpenAiChoice::GiveLogprobs(size_t first) {
  for (size_t at = 0; at < logprobs_.size();) {
    const bool with_piece = at == 0 && events_->size() > first;
    auto* given =
        with_piece ? events_->at(first).mutable_delta() : NewDelta(PartIndex(&text_part_));
    if (!with_piece) given->mutable_part()->set_text("");
    size_t bytes = given->ByteSizeLong();
    while (at < logprobs_.size() && (bytes < kMaxPiece || given->logprobs().empty())) {
      bytes += logprobs_[at].ByteSizeLong() + 8;
      *given->add_logprobs() = std::move(logprobs_[at++]);
    }
  }
  logprobs_.clear();
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
  }
  for (const auto& member : message.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (!IsReadOfMessage(name)) metadata->KeepOfMessage(index_, name, member.value);
  }
  return absl::OkStatus();
}

void OpenAiChoice::ReadContent(const JsonValue& content) {
  if (content.IsString()) GiveText(StringOf(content));
  if (content.IsObject()) ReadContentPart(content);
  if (!content.IsArray()) return;
  for (const JsonValue& part : content.GetArray()) {
    if (part.IsString()) GiveText(StringOf(part));
    if (part.IsObject()) ReadContentPart(part);
  }
}

void OpenAiChoice::ReadContentPart(const JsonValue& part) {
  const absl::string_view type = StringMember(part, "type");
  if (type == "refusal") return GiveRefusal(StringMember(part, "refusal"));
  if (type == "image_url") return ReadImage(part);
  if (type != "thinking" && type != "reasoning") return GiveText(StringMember(part, "text"));
  if (reasoning_key_.empty()) reasoning_key_ = std::string(kThinkingInContent);
  for (const char* name : {"thinking", "reasoning", "text"}) {
    const JsonValue* value = Member(part, name);
    if (value == nullptr) continue;
    if (value->IsString()) GiveReasoning(StringOf(*value));
    if (!value->IsArray()) continue;
    for (const JsonValue& piece : value->GetArray()) GiveReasoning(StringMember(piece, "text"));
  }
}

// The same text may come under two names at once: the first name that brings any is the choice's.
void OpenAiChoice::ReadReasoning(const JsonValue& message, bool whole) {
  const JsonValue* text = nullptr;
  const bool in_content = reasoning_key_ == kThinkingInContent;
  if (!reasoning_key_.empty() && !in_content) text = Member(message, reasoning_key_);
  for (absl::string_view key : kReasoningKeys) {
    if (text != nullptr && text->IsString() && text->GetStringLength() > 0) break;
    text = Member(message, key);
    if (text != nullptr && text->IsString() && text->GetStringLength() > 0) {
      if (reasoning_key_.empty()) reasoning_key_ = std::string(key);
    }
  }
  if (text != nullptr && text->IsString() && !in_content) GiveReasoning(StringOf(*text));
  if (const JsonValue* details = Member(message, "reasoning_details")) {
    ReadReasoningDetails(*details, whole);
  }
}

void OpenAiChoice::ReadReasoningDetails(const JsonValue& details, bool whole) {
  if (!details.IsArray()) return;
  for (const JsonValue& entry : details.GetArray()) {
    if (!entry.IsObject() || details_.size() >= kMaxDetails) continue;
    PartIndex(&reasoning_part_);
    const absl::string_view type = StringMember(entry, "type");
    const JsonValue* number = Member(entry, "index");
    const std::string index = number == nullptr ? "" : ToJsonText(*number);
    // Without an index the pieces of a text are neighbours, until its signature ends it.
    const bool goes_on =
        !whole && !details_.empty() && details_.back().type == type &&
        details_.back().index == index &&
        (!index.empty() || (type != "reasoning.encrypted" && !details_.back().has_signature));
    Detail& detail = goes_on ? details_.back() : details_.emplace_back();
    detail.type = std::string(type);
    detail.index = index;
    for (const auto& member : entry.GetObject()) {
      const std::string name(StringOf(member.name));
      if (name == "signature" && member.value.IsString()) detail.has_signature = true;
      if (OneOf(name, {"text", "summary", "data"}) && member.value.IsString() &&
          (detail.joined_name.empty() || detail.joined_name == name)) {
        detail.joined_name = name;
        detail.joined.append(member.value.GetString(), member.value.GetStringLength());
        continue;
      }
      auto same = std::find_if(detail.members.begin(), detail.members.end(),
                               [&](const auto& each) { return each.first == name; });
      if (same == detail.members.end()) {
        detail.members.emplace_back(name, ToJsonText(member.value));
      } else if (!member.value.IsNull()) {
        same->second = ToJsonText(member.value);
      }
    }
  }
}

void OpenAiChoice::ReadImage(const JsonValue& part) {
  const JsonValue* image = Member(part, "image_url");
  if (image == nullptr) return;
  absl::string_view url = image->IsString() ? StringOf(*image) : StringMember(*image, "url");
  if (url.empty()) return;
  const int index = next_part_++;
  has_output_ = true;
  const size_t comma = url.find(',');
  std::string data;
  if (absl::StartsWithIgnoreCase(url, "data:") && comma != absl::string_view::npos &&
      absl::Base64Unescape(url.substr(comma + 1), &data)) {
    const absl::string_view type = url.substr(5, comma - 5);
    auto* first = NewDelta(index)->mutable_part()->mutable_image();
    first->set_media_type(std::string(type.substr(0, type.find(';'))));
    first->set_data(data.substr(0, kMaxPiece));
    for (size_t at = kMaxPiece; at < data.size(); at += kMaxPiece) {
      NewDelta(index)->mutable_part()->mutable_image()->set_data(data.substr(at, kMaxPiece));
    }
    return;
  }
  NewDelta(index)->mutable_part()->mutable_image()->set_uri(std::string(url));
}

absl::Status OpenAiChoice::ReadAudio(const JsonValue& audio) {
  const absl::string_view id = StringMember(audio, "id");
  const absl::string_view transcript = StringMember(audio, "transcript");
  const absl::string_view base64 = StringMember(audio, "data");
  if (!id.empty() && audio_id_.empty()) audio_id_ = std::string(id);
  audio_rest_.append(base64.data(), base64.size());
  // A padded piece is whole in itself; else whole groups of four are.
  const size_t usable =
      absl::EndsWith(audio_rest_, "=") ? audio_rest_.size() : audio_rest_.size() / 4 * 4;
  std::string data;
  if (!absl::Base64Unescape(absl::string_view(audio_rest_).substr(0, usable), &data)) {
    return OpenAiMalformed(context_, "audio that is no base64");
  }
  audio_rest_.erase(0, usable);
  if (data.empty() && transcript.empty()) return absl::OkStatus();
  const bool first = audio_part_ < 0;
  const int part = PartIndex(&audio_part_);
  if (first) {
    const std::string type = AudioMediaType(request_, context_);
    if (!type.empty()) NewDelta(part)->mutable_part()->mutable_audio()->set_media_type(type);
  }
  for (size_t at = 0; at < data.size(); at += kMaxPiece) {
    NewDelta(part)->mutable_part()->mutable_audio()->set_data(data.substr(at, kMaxPiece));
  }
  InPieces(transcript, part, [](absl::string_view piece, v1::Part* to) {
    to->mutable_audio()->set_transcript(piece.data(), piece.size());
  });
  return absl::OkStatus();
}

void OpenAiChoice::ReadAnnotations(const JsonValue& annotations) {
  if (!annotations.IsArray()) return;
  for (const JsonValue& annotation : annotations.GetArray()) {
    if (!annotation.IsObject() || citations_.size() >= kMaxHeldCitations) continue;
    v1::Citation& citation = citations_.emplace_back();
    const JsonValue* url = Member(annotation, "url_citation");
    if (StringMember(annotation, "type") == "url_citation" && url != nullptr) {
      const auto position = [&](const char* name) {
        const JsonValue* at = Member(*url, name);
        return at != nullptr && at->IsInt() ? at->GetInt() : -1;
      };
      citation.set_uri(std::string(StringMember(*url, "url")));
      citation.set_title(std::string(StringMember(*url, "title")));
      if (position("start_index") >= 0) citation.set_start(position("start_index"));
      if (position("end_index") >= 0) citation.set_end(position("end_index"));
      continue;
    }
    google::protobuf::Value details;
    ToStructValue(annotation, 8, &details);
    *citation.mutable_details() = std::move(*details.mutable_struct_value());
  }
}

// OpenAI's shape; Together's parallel lists, or in a chunk a number for the piece's own text.
void OpenAiChoice::ReadLogprobs(const JsonValue& logprobs, const JsonValue* delta,
                                AnswerMetadata* metadata) {
  if (logprobs.IsNumber() && delta != nullptr) {
    v1::TokenLogprob& token = logprobs_.emplace_back();
    token.set_token(std::string(StringMember(*delta, "content")));
    token.set_logprob(logprobs.GetDouble());
  }
  for (const char* name : {"content", "refusal"}) {
    const JsonValue* list = Member(logprobs, name);
    if (list == nullptr || !list->IsArray()) continue;
    for (const JsonValue& entry : list->GetArray()) {
      v1::TokenLogprob& token = logprobs_.emplace_back();
      ReadTokenLogprob(entry, &token);
      const JsonValue* top = Member(entry, "top_logprobs");
      if (top == nullptr || !top->IsArray()) continue;
      for (const JsonValue& each : top->GetArray()) ReadTokenLogprob(each, token.add_top());
    }
  }
  if (const JsonValue* reasoning = Member(logprobs, "reasoning_content")) {
    metadata->KeepOfChoice(index_, "reasoning_logprobs", *reasoning);
  }
  const JsonValue* tokens = Member(logprobs, "tokens");
  const JsonValue* values = Member(logprobs, "token_logprobs");
  const JsonValue* tops = Member(logprobs, "top_logprobs");
  if (tokens == nullptr || !tokens->IsArray()) return;
  for (rapidjson::SizeType i = 0; i < tokens->Size(); ++i) {
    if (!(*tokens)[i].IsString()) continue;
    v1::TokenLogprob& token = logprobs_.emplace_back();
    token.set_token(std::string(StringOf((*tokens)[i])));
    if (values != nullptr && values->IsArray() && i < values->Size() && (*values)[i].IsNumber()) {
      token.set_logprob((*values)[i].GetDouble());
    }
    const bool listed = tops != nullptr && tops->IsArray() && i < tops->Size();
    if (!listed || !(*tops)[i].IsObject()) continue;
    for (const auto& each : (*tops)[i].GetObject()) {
      if (!each.value.IsNumber()) continue;
      v1::TokenLogprob* top = token.add_top();
      top->set_token(std::string(StringOf(each.name)));
      top->set_logprob(each.value.GetDouble());
    }
  }
}

void OpenAiChoice::Close(const std::vector<std::string>& cited, absl::BitGenRef random,
                         std::vector<v1::ChatEvent>* events) {
  events_ = events;
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
