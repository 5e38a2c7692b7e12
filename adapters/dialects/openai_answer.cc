#include "adapters/dialects/openai_answer.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/openai_errors.h"
#include "adapters/dialects/openai_usage.h"
#include "adapters/json_text.h"
#include "adapters/provider_errors.h"

namespace mg {
namespace {

constexpr int kMaxChoices = 1024;
constexpr size_t kMaxHeld = 16 << 20;  // until the end: a stream may go on for ever
constexpr double kYear10000 = 253402300800.0;

// Read here, or without a meaning (padding).
constexpr absl::string_view kRead[] = {"id",    "object", "created",      "model",       "choices",
                                       "usage", "error",  "service_tier", "obfuscation", "p"};

// An error has been seen as object, string, list and flag; null, "" and false are none.
bool IsError(const JsonValue* error) {
  if (error == nullptr) return false;
  if (error->IsString()) return error->GetStringLength() > 0;
  if (error->IsBool()) return error->GetBool();
  return error->IsObject() || error->IsArray();
}

// Only tool calls are ever sliced out of the text.
bool HasCalls(const JsonValue& choice) {
  for (const char* name : {"delta", "message"}) {
    const JsonValue* message = Member(choice, name);
    if (message == nullptr) continue;
    if (Member(*message, "tool_calls") != nullptr) return true;
    if (Member(*message, "function_call") != nullptr) return true;
  }
  return false;
}

int IndexOf(const JsonValue& choice, int otherwise) {
  const JsonValue* index = Member(choice, "index");
  if (index == nullptr || !index->IsNumber()) return otherwise;
  const double number = index->GetDouble();
  return number >= 0 && number < 1e6 && number == std::floor(number) ? static_cast<int>(number)
                                                                     : otherwise;
}

}  // namespace

bool OpenAiAnswer::IsEnd(absl::string_view data) const { return absl::StartsWith(data, "[DONE]"); }

absl::Status OpenAiAnswer::ReadEvent(absl::string_view name, const JsonValue& json,
                                     absl::string_view text, std::vector<v1::ChatEvent>* events,
                                     bool*) {
  if (name == "error") return OpenAiInBandError(context_, json);
  return Read(json, text, false, events);
}

absl::Status OpenAiAnswer::ReadWhole(const JsonValue& json, absl::string_view text,
                                     std::vector<v1::ChatEvent>* events) {
  return Read(json, text, true, events);
}

absl::Status OpenAiAnswer::Read(const JsonValue& chunk, absl::string_view text, bool whole,
                                std::vector<v1::ChatEvent>* events) {
  if (chunk.IsArray() && !chunk.Empty() && IsError(Member(chunk[0], "error"))) {
    return OpenAiInBandError(context_, chunk);
  }
  if (!chunk.IsObject()) return MalformedAnswer(context_, "JSON, but no object");
  // Before choices: OpenRouter sends an error beside an empty one. The second form is SGLang's flat
  // one.
  if (IsError(Member(chunk, "error")) ||
      (StringMember(chunk, "object") == "error" && Member(chunk, "choices") == nullptr)) {
    return OpenAiInBandError(context_, chunk);
  }
  if (id_.empty()) id_ = std::string(StringMember(chunk, "id"));
  if (model_.empty()) model_ = std::string(StringMember(chunk, "model"));
  if (const JsonValue* created = Member(chunk, "created");
      created_ == 0 && created != nullptr && created->IsNumber()) {
    created_ = created->GetDouble();
  }
  const absl::string_view tier = StringMember(chunk, "service_tier");
  if (!tier.empty()) service_tier_ = std::string(tier);
  ReadUsage(chunk);
  ReadRest(chunk);
  const size_t first = events->size();
  const absl::Status status = ReadChoices(chunk, text, whole, events);
  if (!started_ && events->size() > first) {
    events->insert(events->begin() + static_cast<std::ptrdiff_t>(first), MakeStarted());
  }
  return status;
}

absl::Status OpenAiAnswer::ReadChoices(const JsonValue& chunk, absl::string_view text, bool whole,
                                       std::vector<v1::ChatEvent>* events) {
  const JsonValue* choices = Member(chunk, "choices");
  if (choices == nullptr || !choices->IsArray() || choices->Empty()) return absl::OkStatus();
  std::vector<absl::string_view> texts;
  if (std::any_of(choices->Begin(), choices->End(), HasCalls)) {
    texts = ElementTexts(MemberText(text, "choices"));
  }
  texts.resize(choices->Size());
  for (rapidjson::SizeType i = 0; i < choices->Size(); ++i) {
    const JsonValue& choice = (*choices)[i];
    if (!choice.IsObject()) continue;
    const int index = IndexOf(choice, whole ? static_cast<int>(i) : 0);
    auto found = choices_.find(index);
    if (found == choices_.end()) {
      if (choices_.size() >= kMaxChoices) {
        return MalformedAnswer(context_, absl::StrCat("more than ", kMaxChoices, " choices"));
      }
      found = choices_.try_emplace(index, index, request_, context_).first;
    }
    const size_t held = found->second.held_bytes();
    auto status = found->second.Read(choice, texts[i], whole, &metadata_, events);
    if (!status.ok()) return status;
    held_bytes_ += found->second.held_bytes() - held;
    if (held_bytes_ > kMaxHeld) {
      return MalformedAnswer(
          context_, absl::StrCat("more than ", kMaxHeld, " bytes of names, citations and state"));
    }
  }
  return absl::OkStatus();
}

// The last whole usage object replaces the former.
void OpenAiAnswer::ReadUsage(const JsonValue& chunk) {
  const JsonValue* usage = Member(chunk, "usage");
  if (usage == nullptr) {
    if (const JsonValue* groq = Member(chunk, "x_groq")) usage = Member(*groq, "usage");
  }
  if (usage == nullptr || !ReadOpenAiUsage(*usage, context_, &usage_)) return;
  has_usage_ = true;
  for (const auto& member : usage->GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (!IsReadUsageMember(name)) metadata_.KeepOfUsage(name, member.value);
  }
}

void OpenAiAnswer::ReadRest(const JsonValue& chunk) {
  for (const auto& member : chunk.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (std::find(std::begin(kRead), std::end(kRead), name) != std::end(kRead)) continue;
    const JsonValue& value = member.value;
    const bool urls = name == "citations" && value.IsArray() &&
                      std::all_of(value.Begin(), value.End(),
                                  [](const JsonValue& each) { return each.IsString(); });
    if (!urls) {
      metadata_.Keep(name, value);
      continue;
    }
    cited_.clear();
    for (const JsonValue& url : value.GetArray()) cited_.emplace_back(StringOf(url));
  }
}

v1::ChatEvent OpenAiAnswer::MakeStarted() {
  started_ = true;
  v1::ChatEvent event;
  auto* started = event.mutable_started();
  if (id_.empty()) id_ = absl::StrCat("gen-", absl::Hex(random_(), absl::kZeroPad16));
  started->set_id(id_);
  started->set_model(model_.empty() ? context_.model : model_);
  if (created_ > 0 && created_ < kYear10000) {
    started->mutable_created()->set_seconds(static_cast<int64_t>(created_));
  }
  return event;
}

void OpenAiAnswer::Complete(std::vector<v1::ChatEvent>* events) {
  if (!started_) events->push_back(MakeStarted());
  for (auto& [index, choice] : choices_) choice.Close(cited_, random_, events);
  for (auto& [index, choice] : choices_) {
    choice.WriteFinish(events->emplace_back().mutable_finished());
  }
  auto* completed = events->emplace_back().mutable_completed();
  if (usage_.service_tier().empty()) usage_.set_service_tier(service_tier_);
  if (has_usage_ || !usage_.service_tier().empty()) *completed->mutable_usage() = usage_;
  google::protobuf::Struct metadata;
  if (metadata_.Write(&metadata)) *completed->mutable_provider_metadata() = std::move(metadata);
}

bool OpenAiAnswer::has_output() const {
  return std::any_of(choices_.begin(), choices_.end(),
                     [](const auto& each) { return each.second.has_output(); });
}

bool OpenAiAnswer::has_finish() const {
  return std::any_of(choices_.begin(), choices_.end(),
                     [](const auto& each) { return each.second.has_finish(); });
}

bool OpenAiAnswer::finished() const {
  return !choices_.empty() && std::all_of(choices_.begin(), choices_.end(), [](const auto& each) {
    return each.second.has_finish();
  });
}

}  // namespace mg
