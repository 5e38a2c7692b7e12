#include "adapters/dialects/openai_usage.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace mg {
namespace {

constexpr absl::string_view kRead[] = {"prompt_tokens",
                                       "completion_tokens",
                                       "total_tokens",
                                       "prompt_tokens_details",
                                       "cached_tokens",
                                       "completion_tokens_details",
                                       "prompt_cache_hit_tokens",
                                       "prompt_cache_miss_tokens",
                                       "reasoning_tokens",
                                       "num_cached_tokens",
                                       "service_tier"};

// A counter: an integer, or a double that is one.
std::optional<int32_t> Count(const JsonValue* object, absl::string_view name) {
  const JsonValue* value = object == nullptr ? nullptr : Member(*object, name);
  if (value == nullptr || !value->IsNumber()) return std::nullopt;
  const double number = value->GetDouble();
  if (number < 0 || number > std::numeric_limits<int32_t>::max() || number != std::floor(number)) {
    return std::nullopt;
  }
  return static_cast<int32_t>(number);
}

// completion_tokens mostly include reasoning. xAI's do not, and Google's compatible endpoint hides
// it in the total.
int64_t OutputTokens(const v1::Usage& usage, const DialectContext& context) {
  const int64_t input = usage.input_tokens();
  const int64_t output = usage.output_tokens();
  const int64_t total = usage.total_tokens();
  const int64_t reasoning = usage.reasoning_tokens();
  if (!usage.has_total_tokens() || !usage.has_input_tokens()) return output;
  if (reasoning > 0 && total == input + output + reasoning) return output + reasoning;
  if (context.google_compatible && !usage.has_reasoning_tokens() && total > input + output) {
    return total - input;
  }
  return output;
}

}  // namespace

bool IsReadUsageMember(absl::string_view name) {
  return std::find(std::begin(kRead), std::end(kRead), name) != std::end(kRead);
}

bool ReadOpenAiUsage(const JsonValue& object, const DialectContext& context, v1::Usage* usage) {
  if (!object.IsObject()) return false;
  const auto input = Count(&object, "prompt_tokens");
  const auto output = Count(&object, "completion_tokens");
  const auto total = Count(&object, "total_tokens");
  if (!input && !output && !total) return false;
  v1::Usage read;
  if (input) read.set_input_tokens(*input);
  if (output) read.set_output_tokens(*output);
  if (total) read.set_total_tokens(*total);
  const JsonValue* in = Member(object, "prompt_tokens_details");
  const JsonValue* out = Member(object, "completion_tokens_details");
  for (const auto& cached : {Count(in, "cached_tokens"), Count(&object, "prompt_cache_hit_tokens"),
                             Count(&object, "cached_tokens")}) {
    if (cached && !read.has_cached_input_tokens()) read.set_cached_input_tokens(*cached);
  }
  if (auto n = Count(in, "cache_write_tokens")) read.set_cache_write_tokens(*n);
  if (auto n = Count(in, "audio_tokens")) read.set_audio_input_tokens(*n);
  if (auto n = Count(in, "image_tokens")) read.set_image_input_tokens(*n);
  if (auto n = Count(out, "audio_tokens")) read.set_audio_output_tokens(*n);
  if (auto n = Count(out, "image_tokens")) read.set_image_output_tokens(*n);
  auto reasoning = Count(out, "reasoning_tokens");
  if (!reasoning) reasoning = Count(&object, "reasoning_tokens");
  if (reasoning) read.set_reasoning_tokens(*reasoning);
  if (output) {
    const int64_t all = OutputTokens(read, context);
    if (all <= std::numeric_limits<int32_t>::max()) {
      read.set_output_tokens(static_cast<int32_t>(all));
    }
  }
  const absl::string_view tier = StringMember(object, "service_tier");
  read.set_service_tier(tier.empty() ? usage->service_tier() : std::string(tier));
  *usage = std::move(read);
  return true;
}

}  // namespace mg
