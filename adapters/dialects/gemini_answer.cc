#include "adapters/dialects/gemini_answer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "adapters/dialects/gemini_errors.h"
#include "adapters/json_count.h"
#include "adapters/json_text.h"
#include "adapters/provider_errors.h"

namespace mg {
namespace {

constexpr size_t kMaxHeld = 16 << 20;  // until an end that may never come
constexpr size_t kMaxCandidates = 256;

bool IsRead(absl::string_view name) {
  constexpr absl::string_view kRead[] = {"candidates", "usageMetadata", "modelVersion",
                                         "responseId", "createTime"};
  return std::find(std::begin(kRead), std::end(kRead), name) != std::end(kRead);
}

}  // namespace

absl::Status GeminiAnswer::ReadEvent(absl::string_view name, const JsonValue& json,
                                     absl::string_view text, std::vector<v1::ChatEvent>* events,
                                     bool* /*ended*/) {
  if (name == "error") return GeminiInBandError(context_, json);
  if (json.IsArray()) return ReadList(json, text, events);
  return Read(json, text, true, events);
}

absl::Status GeminiAnswer::ReadWhole(const JsonValue& json, absl::string_view text,
                                     std::vector<v1::ChatEvent>* events) {
  if (json.IsArray()) return ReadList(json, text, events);
  return Read(json, text, false, events);
}

absl::Status GeminiAnswer::ReadList(const JsonValue& json, absl::string_view text,
                                    std::vector<v1::ChatEvent>* events) {
  const auto texts = ElementTexts(text);
  for (rapidjson::SizeType i = 0; i < json.Size() && i < texts.size(); ++i) {
    if (auto status = Read(json[i], texts[i], true, events); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status GeminiAnswer::Read(const JsonValue& json, absl::string_view text, bool joins,
                                std::vector<v1::ChatEvent>* events) {
  if (!json.IsObject()) return MalformedAnswer(context_, "JSON, but no object");
  if (Member(json, "error") != nullptr) return GeminiInBandError(context_, json);
  ReadHead(json);
  const size_t first = events->size();
  auto status = ReadCandidates(json, text, joins, events);
  PutStarted(first, events);
  if (!status.ok()) return status;
  const JsonValue* feedback = Member(json, "promptFeedback");
  if (feedback != nullptr && Member(*feedback, "blockReason") != nullptr) {
    CandidateOf(0)->Block(*feedback);
  }
  return absl::OkStatus();
}

void GeminiAnswer::ReadHead(const JsonValue& json) {
  const std::pair<const char*, std::string*> texts[] = {
      {"responseId", &id_}, {"modelVersion", &model_}, {"createTime", &created_}};
  for (const auto& [name, known] : texts) {
    const absl::string_view value = StringMember(json, name);
    if (known->empty()) *known = std::string(value);
  }
  if (const JsonValue* usage = Member(json, "usageMetadata")) usage_.Read(*usage, &metadata_);
  for (const auto& member : json.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (!IsRead(name)) metadata_.Keep(name, member.value);
  }
}

GeminiCandidate* GeminiAnswer::CandidateOf(int index) {
  return &candidates_.try_emplace(index, index, request_, context_).first->second;
}

absl::Status GeminiAnswer::ReadCandidates(const JsonValue& json, absl::string_view text, bool joins,
                                          std::vector<v1::ChatEvent>* events) {
  const JsonValue* list = Member(json, "candidates");
  if (list == nullptr || !list->IsArray()) return absl::OkStatus();
  const auto all = list->GetArray();
  std::vector<absl::string_view> texts(list->Size());
  if (!std::all_of(all.begin(), all.end(), GeminiCandidate::IsPlain)) {
    texts = ElementTexts(MemberText(text, "candidates"));
  }
  GeminiCandidate::Sink sink = {random_, &metadata_, events};
  for (rapidjson::SizeType i = 0; i < list->Size() && i < texts.size(); ++i) {
    const JsonValue& candidate = (*list)[i];
    if (!candidate.IsObject()) continue;
    if (candidates_.size() >= kMaxCandidates)
      return MalformedAnswer(context_, "too many candidates");
    const int index = CountMember(candidate, "index").value_or(static_cast<int>(i));
    auto status = CandidateOf(index)->Read(candidate, texts[i], joins, &sink);
    if (!status.ok()) return status;
  }
  size_t held = 0;
  for (const auto& [index, candidate] : candidates_) held += candidate.held_bytes();
  if (held <= kMaxHeld) return absl::OkStatus();
  return MalformedAnswer(context_, absl::StrCat("more than ", kMaxHeld, " bytes without an end"));
}

// Before the first event, if there is one behind `first`.
void GeminiAnswer::PutStarted(size_t first, std::vector<v1::ChatEvent>* events) {
  if (started_ || events->size() == first) return;
  started_ = true;
  auto* started =
      events->emplace(events->begin() + static_cast<std::ptrdiff_t>(first))->mutable_started();
  if (id_.empty()) id_ = absl::StrCat("gen-", absl::Hex(random_(), absl::kZeroPad16));
  started->set_id(id_);
  started->set_model(model_.empty() ? context_.model : model_);
  absl::Time created;
  if (!absl::ParseTime(absl::RFC3339_full, created_, &created, nullptr)) return;
  const int64_t seconds = absl::ToUnixSeconds(created);
  started->mutable_created()->set_seconds(seconds);
  started->mutable_created()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(created - absl::FromUnixSeconds(seconds))));
}

bool GeminiAnswer::has_output() const {
  return std::any_of(candidates_.begin(), candidates_.end(),
                     [](const auto& each) { return each.second.has_output(); });
}

bool GeminiAnswer::has_finish() const {
  return std::any_of(candidates_.begin(), candidates_.end(),
                     [](const auto& each) { return each.second.has_finish(); });
}

bool GeminiAnswer::finished() const {
  return !candidates_.empty() &&
         std::all_of(candidates_.begin(), candidates_.end(),
                     [](const auto& each) { return each.second.has_finish(); });
}

void GeminiAnswer::Complete(std::vector<v1::ChatEvent>* events) {
  GeminiCandidate::Sink sink = {random_, &metadata_, events};
  const size_t first = events->size();
  for (auto& [index, candidate] : candidates_) candidate.Close(&sink);
  for (auto& [index, candidate] : candidates_) {
    candidate.WriteFinish(events->emplace_back().mutable_finished());
  }
  PutStarted(first, events);
  auto* completed = events->emplace_back().mutable_completed();
  v1::Usage usage;
  if (usage_.Write(&usage)) *completed->mutable_usage() = std::move(usage);
  google::protobuf::Struct metadata;
  if (metadata_.Write(&metadata)) *completed->mutable_provider_metadata() = std::move(metadata);
}

}  // namespace mg
