#include "adapters/dialects/gemini_candidate.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/answer_pieces.h"
#include "adapters/generated_id.h"
#include "adapters/json_text.h"
#include "adapters/media.h"
#include "adapters/provider_errors.h"

namespace mg {
namespace {

constexpr absl::string_view kUnexpectedCall = "UNEXPECTED_TOOL_CALL";

bool OneOf(absl::string_view word, std::initializer_list<absl::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool IsTrue(const JsonValue& object, absl::string_view name) {
  const JsonValue* value = Member(object, name);
  return value != nullptr && value->IsTrue();
}

// A word, or the number that stands for one where the caller has asked for numbers.
std::string WordOf(const JsonValue& object, absl::string_view name) {
  const JsonValue* value = Member(object, name);
  if (value == nullptr) return "";
  if (value->IsString()) return std::string(StringOf(*value));
  return value->IsInt() ? absl::StrCat(value->GetInt()) : "";
}

// The member that says what a part is; empty: it has a signature alone.
absl::string_view DataKey(const JsonValue& part) {
  for (const auto& member : part.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (member.value.IsNull()) continue;
    if (!OneOf(name, {"thought", "thoughtSignature", "partMetadata", "videoMetadata",
                      "mediaResolution"})) {
      return name;
    }
  }
  return {};
}

bool Unescape(absl::string_view text, std::string* bytes) {
  return absl::Base64Unescape(text, bytes) || absl::WebSafeBase64Unescape(text, bytes);
}

v1::FinishReason ReasonOf(absl::string_view word) {
  if (word.empty() || word == "STOP") return v1::FINISH_REASON_STOP;
  if (OneOf(word, {"MAX_TOKENS", "CONTINUATION"})) return v1::FINISH_REASON_LENGTH;
  if (OneOf(word, {"SAFETY", "RECITATION", "BLOCKLIST", "ESCALATION", "PUP_LIMITED_DISABLED",
                   "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT",
                   "IMAGE_RECITATION", "MODEL_ARMOR"})) {
    return v1::FINISH_REASON_CONTENT_FILTER;
  }
  if (OneOf(word, {"MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", kUnexpectedCall,
                   "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"})) {
    return v1::FINISH_REASON_MALFORMED;
  }
  return v1::FINISH_REASON_OTHER;
}

}  // namespace

size_t GeminiCandidate::held_bytes() const {
  return waiting_bytes_ + (call_.has_value() ? call_->arguments.held_bytes() : 0);
}

v1::ChatEvent::Delta* GeminiCandidate::NewDelta(int part, Sink* sink) {
  auto* delta = sink->events->emplace_back().mutable_delta();
  delta->set_choice_index(index_);
  delta->set_part_index(part);
  return delta;
}

bool GeminiCandidate::IsPlain(const JsonValue& candidate) {
  const JsonValue* content = Member(candidate, "content");
  const JsonValue* parts = content == nullptr ? nullptr : Member(*content, "parts");
  if (parts == nullptr || !parts->IsArray()) return true;
  const auto list = parts->GetArray();
  return std::all_of(list.begin(), list.end(), [](const JsonValue& part) {
    return part.IsObject() && DataKey(part) == "text";
  });
}

absl::Status GeminiCandidate::Read(const JsonValue& candidate, absl::string_view text, bool joins,
                                   Sink* sink) {
  const size_t first = sink->events->size();
  ReadFinish(candidate);  // it says what a call is worth
  if (has_finish_) {
    if (auto status = ReadWaiting(sink); !status.ok()) return status;
  }
  if (auto status = ReadParts(candidate, text, joins, sink); !status.ok()) return status;
  citations_.Read(index_, candidate, sink->metadata);
  if (const JsonValue* result = Member(candidate, "logprobsResult")) ReadLogprobs(*result);
  GiveLogprobs(&logprobs_, first, sink->events,
               [&] { return NewDelta(Open(Kind::kText, sink), sink); });
  for (const auto& member : candidate.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (!OneOf(name, {"content", "finishReason", "finishMessage", "index", "citationMetadata",
                      "groundingMetadata", "logprobsResult"})) {
      sink->metadata->KeepOfChoice(index_, name, member.value);
    }
  }
  return absl::OkStatus();
}

void GeminiCandidate::ReadFinish(const JsonValue& candidate) {
  std::string finish = WordOf(candidate, "finishReason");
  if (!finish.empty()) {
    has_finish_ = true;
    finish_ = std::move(finish);
  }
  const absl::string_view message = StringMember(candidate, "finishMessage");
  if (!message.empty()) explanation_ = std::string(message);
}

void GeminiCandidate::Block(const JsonValue& feedback) {
  if (has_finish_) return;
  has_finish_ = true;
  blocked_ = true;
  finish_ = WordOf(feedback, "blockReason");
  explanation_ = std::string(StringMember(feedback, "blockReasonMessage"));
}

bool GeminiCandidate::IsDeclared(absl::string_view function) const {
  const v1::ToolChoice& choice = request_.tool_choice();
  if (choice.mode() == v1::ToolChoice::MODE_NONE) return false;
  const auto& allowed = choice.allowed_tools();
  const bool may =
      allowed.empty() || std::any_of(allowed.begin(), allowed.end(),
                                     [&](const auto& name) { return name == function; });
  return may && std::any_of(request_.tools().begin(), request_.tools().end(),
                            [&](const v1::Tool& tool) { return tool.name() == function; });
}

// A call of something that was not declared may be no call at all: it waits, and what comes behind
// it, until the finish says so.
absl::Status GeminiCandidate::ReadParts(const JsonValue& candidate, absl::string_view text,
                                        bool joins, Sink* sink) {
  const JsonValue* content = Member(candidate, "content");
  const JsonValue* parts = content == nullptr ? nullptr : Member(*content, "parts");
  if (parts == nullptr || !parts->IsArray()) return absl::OkStatus();
  std::vector<absl::string_view> texts(parts->Size());
  if (!text.empty()) texts = ElementTexts(MemberText(MemberText(text, "content"), "parts"));
  for (rapidjson::SizeType i = 0; i < parts->Size() && i < texts.size(); ++i) {
    const JsonValue& part = (*parts)[i];
    if (!part.IsObject()) continue;
    if (!has_finish_ && joins) {
      const JsonValue* call = Member(part, "functionCall");
      const absl::string_view name =
          call == nullptr ? absl::string_view() : StringMember(*call, "name");
      if (!waiting_.empty() || (!name.empty() && !IsDeclared(name))) {
        waiting_.push_back(texts[i].empty() ? ToJsonText(part) : std::string(texts[i]));
        waiting_bytes_ += waiting_.back().size();
        continue;
      }
    }
    if (auto status = ReadPart(part, texts[i], joins, sink); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status GeminiCandidate::ReadWaiting(Sink* sink) {
  for (const std::string& text : waiting_) {
    JsonDocument part;
    if (!ParseJson(text, &part).ok()) continue;
    if (auto status = ReadPart(part, text, true, sink); !status.ok()) return status;
  }
  waiting_.clear();
  waiting_bytes_ = 0;
  return absl::OkStatus();
}

absl::Status GeminiCandidate::ReadPart(const JsonValue& part, absl::string_view text, bool joins,
                                       Sink* sink) {
  const absl::string_view signature = StringMember(part, "thoughtSignature");
  const absl::string_view key = DataKey(part);
  const bool thought = IsTrue(part, "thought");
  if (key.empty() || key == "text") {
    GiveText(StringMember(part, "text"), thought, signature, joins, sink);
  } else if (key == "functionCall") {
    if (finish_ != kUnexpectedCall) ReadCall(part, text, sink);
  } else if ((key == "inlineData" || key == "fileData") && !thought) {
    return ReadMedia(part, signature, joins, sink);
  } else {
    GiveProviderPart(part, text, sink);
  }
  return absl::OkStatus();
}

// A part with a signature is one by itself: it must go back with the very part that it came on.
void GeminiCandidate::GiveText(absl::string_view text, bool thought, absl::string_view signature,
                               bool joins, Sink* sink) {
  if (text.empty() && signature.empty()) {
    if (!joins) citations_.AddOther();  // it counts all the same
    return;
  }
  const Kind kind = thought ? Kind::kThought : Kind::kText;
  if (!joins || !signature.empty()) CloseOpen(sink);
  if (thought && open_ != kind) citations_.AddOther();
  const int index = Open(kind, sink);
  const auto give = [&](absl::string_view piece) {
    v1::Part* part = NewDelta(index, sink)->mutable_part();
    if (thought) {
      part->mutable_reasoning()->set_text(piece.data(), piece.size());
    } else {
      part->set_text(piece.data(), piece.size());
    }
  };
  if (text.empty()) give(text);
  InPieces(text, give);
  open_is_blank_ = open_is_blank_ && text.empty();
  if (!thought) citations_.AddText(index, text, joins);
  if (signature.empty()) return;
  v1::Part* part = NewDelta(index, sink)->mutable_part();
  if (thought) part->mutable_reasoning()->set_redacted(open_is_blank_);
  GiveState({std::string(signature), thought, false}, part);
  open_ = Kind::kNone;
}

int GeminiCandidate::Open(Kind kind, Sink* sink) {
  if (open_ == kind) return open_part_;
  CloseOpen(sink);
  open_ = kind;
  open_part_ = next_part_++;
  open_is_blank_ = true;
  return open_part_;
}

// A thought without a signature goes back, too.
void GeminiCandidate::CloseOpen(Sink* sink) {
  if (open_ == Kind::kThought) {
    v1::Part* part = NewDelta(open_part_, sink)->mutable_part();
    part->mutable_reasoning();
    GiveState({"", true, false}, part);
  }
  open_ = Kind::kNone;
}

void GeminiCandidate::GiveState(const GeminiState& state, v1::Part* part) {
  if (!state.empty()) WriteGeminiState(state, context_, part->mutable_provider_state());
}

void GeminiCandidate::ReadCall(const JsonValue& part, absl::string_view text, Sink* sink) {
  const JsonValue* call = Member(part, "functionCall");
  const absl::string_view call_text = MemberText(text, "functionCall");
  const absl::string_view signature = StringMember(part, "thoughtSignature");
  const absl::string_view name = StringMember(*call, "name");
  const bool goes_on = IsTrue(*call, "willContinue");
  const JsonValue* pieces = Member(*call, "partialArgs");
  if (!name.empty()) {
    GiveOpenCall(sink);
    if (!goes_on && pieces == nullptr) {
      GiveCall(name, StringMember(*call, "id"), MemberText(call_text, "args"), signature, sink);
      return;
    }
    call_.emplace();
    call_->name = std::string(name);
  }
  if (!call_.has_value()) return;
  if (const absl::string_view id = StringMember(*call, "id"); !id.empty()) {
    call_->id = std::string(id);
  }
  if (!signature.empty()) call_->signature = std::string(signature);
  if (pieces != nullptr && pieces->IsArray()) {
    const auto texts = ElementTexts(MemberText(call_text, "partialArgs"));
    for (rapidjson::SizeType i = 0; i < pieces->Size() && i < texts.size(); ++i) {
      if ((*pieces)[i].IsObject()) call_->arguments.Add((*pieces)[i], texts[i]);
    }
  }
  if (!goes_on) GiveOpenCall(sink);
}

void GeminiCandidate::GiveOpenCall(Sink* sink) {
  if (!call_.has_value()) return;
  const OpenCall call = *std::move(call_);
  call_.reset();
  GiveCall(call.name, call.id, call.arguments.Json(), call.signature, sink);
}

void GeminiCandidate::GiveCall(absl::string_view name, absl::string_view id,
                               absl::string_view arguments, absl::string_view signature,
                               Sink* sink) {
  CloseOpen(sink);
  citations_.AddOther();
  has_calls_ = true;
  const int index = next_part_++;
  v1::Part* part = NewDelta(index, sink)->mutable_part();
  v1::ToolCall* call = part->mutable_tool_call();
  call->set_id(id.empty() ? GeneratedCallId(sink->random) : std::string(id));
  call->set_name(std::string(name));
  GiveState({std::string(signature), false, !id.empty()}, part);
  if (arguments.empty() || arguments == "null") arguments = "{}";
  InPieces(arguments, [&](absl::string_view piece) {
    NewDelta(index, sink)
        ->mutable_part()
        ->mutable_tool_call()
        ->set_arguments_json(piece.data(), piece.size());
  });
}

// Sound comes in many chunks of one type, and is one part then.
absl::Status GeminiCandidate::ReadMedia(const JsonValue& part, absl::string_view signature,
                                        bool joins, Sink* sink) {
  const JsonValue* data = Member(part, "inlineData");
  const JsonValue& source = data != nullptr ? *data : *Member(part, "fileData");
  const std::string type(StringMember(source, "mimeType"));
  std::string bytes;
  if (data != nullptr && !Unescape(StringMember(source, "data"), &bytes)) {
    return MalformedAnswer(context_, "media that are no base64");
  }
  const bool audio = absl::StartsWith(type, "audio/");
  const bool goes_on = joins && audio && data != nullptr && open_ == Kind::kAudio &&
                       open_type_ == type && signature.empty();
  if (!goes_on) {
    CloseOpen(sink);
    citations_.AddOther();
    open_part_ = next_part_++;
  }
  const auto media_of = [&](v1::Part* to) {
    if (audio) return to->mutable_audio();
    if (absl::StartsWith(type, "image/")) return to->mutable_image();
    return absl::StartsWith(type, "video/") ? to->mutable_video() : to->mutable_document();
  };
  absl::string_view rest = bytes;
  bool first = !goes_on;
  do {
    const absl::string_view piece = rest.substr(0, kMaxPiece);
    rest.remove_prefix(piece.size());
    v1::Part* to = NewDelta(open_part_, sink)->mutable_part();
    v1::Media* media = media_of(to);
    if (first) media->set_media_type(type);
    if (data != nullptr) {
      media->set_data(piece.data(), piece.size());
    } else {
      media->set_uri(std::string(StringMember(source, "fileUri")));
    }
    if (first) GiveState({std::string(signature), false, false}, to);
    first = false;
  } while (!rest.empty());
  open_ = audio && signature.empty() ? Kind::kAudio : Kind::kNone;
  open_type_ = type;
  return absl::OkStatus();
}

void GeminiCandidate::GiveProviderPart(const JsonValue& part, absl::string_view text, Sink* sink) {
  CloseOpen(sink);
  citations_.AddOther();
  v1::ProviderPart* given = NewDelta(next_part_++, sink)->mutable_part()->mutable_provider_part();
  given->set_origin(GeminiOrigin(context_));
  given->set_type(std::string(DataKey(part)));
  given->set_block_json(std::string(text));
}

void GeminiCandidate::Close(Sink* sink) {
  // Only chunks of which none had a finish leave something here.
  ReadWaiting(sink).IgnoreError();
  GiveOpenCall(sink);
  CloseOpen(sink);
  citations_.Give([&](int part, v1::Citation citation) {
    *NewDelta(part, sink)->mutable_part()->add_citations() = std::move(citation);
  });
}

void GeminiCandidate::WriteFinish(v1::ChatEvent::ChoiceFinished* finished) const {
  finished->set_choice_index(index_);
  v1::FinishReason reason = blocked_ ? v1::FINISH_REASON_CONTENT_FILTER : ReasonOf(finish_);
  if (reason == v1::FINISH_REASON_STOP && has_calls_) reason = v1::FINISH_REASON_TOOL_CALLS;
  v1::Finish* finish = finished->mutable_finish();
  finish->set_reason(reason);
  finish->set_provider_reason(finish_);
  finish->set_explanation(explanation_);
}

}  // namespace mg
