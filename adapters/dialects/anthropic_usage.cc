#include "adapters/dialects/anthropic_usage.h"

#include <algorithm>

#include "adapters/json_count.h"

namespace mg {
namespace {

constexpr absl::string_view kRead[] = {
    "input_tokens",   "cache_read_input_tokens", "cache_creation_input_tokens",
    "cache_creation", "output_tokens",           "output_tokens_details",
    "service_tier"};

void Replace(std::optional<int32_t> with, std::optional<int32_t>* known) {
  if (with.has_value()) *known = with;
}

// False where the sum is no counter any more.
bool Set(int64_t sum, void (v1::Usage::*set)(int32_t), v1::Usage* out) {
  if (sum > std::numeric_limits<int32_t>::max()) return false;
  (out->*set)(static_cast<int32_t>(sum));
  return true;
}

}  // namespace

void AnthropicUsage::Read(const JsonValue& usage, AnswerMetadata* metadata) {
  if (!usage.IsObject()) return;
  Replace(CountMember(usage, "input_tokens"), &input_);
  Replace(CountMember(usage, "cache_read_input_tokens"), &cache_read_);
  Replace(CountMember(usage, "cache_creation_input_tokens"), &cache_write_);
  Replace(CountMember(usage, "output_tokens"), &output_);
  if (const JsonValue* creation = Member(usage, "cache_creation")) {
    Replace(CountMember(*creation, "ephemeral_1h_input_tokens"), &cache_write_1h_);
  }
  if (const JsonValue* details = Member(usage, "output_tokens_details")) {
    Replace(CountMember(*details, "thinking_tokens"), &thinking_);
  }
  const absl::string_view tier = StringMember(usage, "service_tier");
  if (!tier.empty()) service_tier_ = std::string(tier);
  for (const auto& member : usage.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (std::find(std::begin(kRead), std::end(kRead), name) == std::end(kRead)) {
      metadata->KeepOfUsage(name, member.value);
    }
  }
}

bool AnthropicUsage::Write(v1::Usage* out) const {
  if (cache_read_) out->set_cached_input_tokens(*cache_read_);
  if (cache_write_) out->set_cache_write_tokens(*cache_write_);
  if (cache_write_1h_) out->set_cache_write_1h_tokens(*cache_write_1h_);
  if (thinking_) out->set_reasoning_tokens(*thinking_);
  if (output_) out->set_output_tokens(*output_);
  out->set_service_tier(service_tier_);
  if (input_) {
    const int64_t input = int64_t{*input_} + cache_read_.value_or(0) + cache_write_.value_or(0);
    const bool counted = Set(input, &v1::Usage::set_input_tokens, out);
    if (counted && output_) Set(input + *output_, &v1::Usage::set_total_tokens, out);
  }
  return input_ || output_ || cache_read_ || cache_write_ || !service_tier_.empty();
}

}  // namespace mg
