// What a choice's message may hold besides tool calls: content of all forms, reasoning, audio,
// citations, probabilities.
#include <algorithm>
#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/answer_pieces.h"
#include "adapters/dialects/openai_choice.h"
#include "adapters/dialects/openai_errors.h"
#include "adapters/json_text.h"
#include "adapters/provider_errors.h"
#include "adapters/provider_options.h"

namespace mg {
namespace {

// Of what is held until the end of the choice.
constexpr size_t kMaxHeldCitations = 4096;
constexpr size_t kMaxDetails = 4096;
constexpr size_t kMaxDetailMembers = 64;

bool OneOf(absl::string_view word, std::initializer_list<absl::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
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

void ReadCitation(const JsonValue& annotation, v1::Citation* citation) {
  const JsonValue* url = Member(annotation, "url_citation");
  if (StringMember(annotation, "type") != "url_citation" || url == nullptr) {
    google::protobuf::Value details;
    ToStructValue(annotation, 8, &details);
    *citation->mutable_details() = std::move(*details.mutable_struct_value());
    return;
  }
  const auto position = [&](const char* name) {
    const JsonValue* at = Member(*url, name);
    return at != nullptr && at->IsInt() ? at->GetInt() : -1;
  };
  citation->set_uri(std::string(StringMember(*url, "url")));
  citation->set_title(std::string(StringMember(*url, "title")));
  if (position("start_index") >= 0) citation->set_start(position("start_index"));
  if (position("end_index") >= 0) citation->set_end(position("end_index"));
}

}  // namespace

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
        held_bytes_ += member.value.GetStringLength();
        continue;
      }
      auto same = std::find_if(detail.members.begin(), detail.members.end(),
                               [&](const auto& each) { return each.first == name; });
      if (same == detail.members.end()) {
        if (detail.members.size() >= kMaxDetailMembers) continue;
        same = detail.members.emplace(same, name, "null");
        held_bytes_ += name.size();
      }
      if (member.value.IsNull()) continue;
      same->second = ToJsonText(member.value);
      held_bytes_ += same->second.size();
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
    return MalformedAnswer(context_, "audio that is no base64");
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
    ReadCitation(annotation, &citations_.emplace_back());
    held_bytes_ += citations_.back().ByteSizeLong();
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

}  // namespace mg
