#include "adapters/dialects/gemini_usage.h"

#include <algorithm>
#include <limits>

#include "adapters/json_count.h"

namespace mg {
namespace {

constexpr absl::string_view kRead[] = {"promptTokenCount",        "cachedContentTokenCount",
                                       "candidatesTokenCount",    "thoughtsTokenCount",
                                       "toolUsePromptTokenCount", "totalTokenCount",
                                       "promptTokensDetails",     "candidatesTokensDetails"};

// The sum of two counters of which one may be missing; nullopt where both are, or the sum is none.
std::optional<int32_t> Sum(std::optional<int32_t> a, std::optional<int32_t> b) {
  if (!a.has_value() && !b.has_value()) return std::nullopt;
  const int64_t sum = int64_t{a.value_or(0)} + b.value_or(0);
  if (sum > std::numeric_limits<int32_t>::max()) return std::nullopt;
  return static_cast<int32_t>(sum);
}

// The entry of a modality in a list of {modality, tokenCount}.
std::optional<int32_t> OfModality(const JsonValue& usage, absl::string_view list,
                                  absl::string_view modality) {
  const JsonValue* details = Member(usage, list);
  if (details == nullptr || !details->IsArray()) return std::nullopt;
  for (const JsonValue& entry : details->GetArray()) {
    if (StringMember(entry, "modality") == modality) return CountMember(entry, "tokenCount");
  }
  return std::nullopt;
}

}  // namespace

void GeminiUsage::Read(const JsonValue& usage, AnswerMetadata* metadata) {
  if (!usage.IsObject()) return;
  for (const auto& member : usage.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (std::find(std::begin(kRead), std::end(kRead), name) == std::end(kRead)) {
      metadata->KeepOfUsage(name, member.value);
    }
  }
  v1::Usage read;
  const auto thoughts = CountMember(usage, "thoughtsTokenCount");
  const std::pair<std::optional<int32_t>, void (v1::Usage::*)(int32_t)> counters[] = {
      {Sum(CountMember(usage, "promptTokenCount"), CountMember(usage, "toolUsePromptTokenCount")),
       &v1::Usage::set_input_tokens},
      {Sum(CountMember(usage, "candidatesTokenCount"), thoughts), &v1::Usage::set_output_tokens},
      {CountMember(usage, "totalTokenCount"), &v1::Usage::set_total_tokens},
      {CountMember(usage, "cachedContentTokenCount"), &v1::Usage::set_cached_input_tokens},
      {thoughts, &v1::Usage::set_reasoning_tokens},
      {OfModality(usage, "promptTokensDetails", "AUDIO"), &v1::Usage::set_audio_input_tokens},
      {OfModality(usage, "candidatesTokensDetails", "AUDIO"), &v1::Usage::set_audio_output_tokens},
      {OfModality(usage, "promptTokensDetails", "IMAGE"), &v1::Usage::set_image_input_tokens},
      {OfModality(usage, "candidatesTokensDetails", "IMAGE"), &v1::Usage::set_image_output_tokens},
  };
  bool any = false;
  for (const auto& [count, set] : counters) {
    if (!count.has_value()) continue;
    (read.*set)(*count);
    any = true;
  }
  if (!any) return;
  told_ = true;
  usage_ = std::move(read);
}

bool GeminiUsage::Write(v1::Usage* out) const {
  if (told_) *out = usage_;
  return told_;
}

}  // namespace mg
