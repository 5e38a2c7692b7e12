#include "adapters/dialects/bedrock_usage.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "adapters/json_count.h"

namespace mg {
namespace {

// Some models say the counts of the cache twice.
constexpr absl::string_view kRead[] = {"inputTokens",
                                       "outputTokens",
                                       "totalTokens",
                                       "cacheReadInputTokens",
                                       "cacheReadInputTokenCount",
                                       "cacheWriteInputTokens",
                                       "cacheDetails",
                                       "cacheWriteInputTokenCount"};

std::optional<int32_t> OneOfTwo(const JsonValue& usage, absl::string_view name,
                                absl::string_view other) {
  const auto count = CountMember(usage, name);
  return count.has_value() ? count : CountMember(usage, other);
}

// nullopt: it tells none of that duration.
std::optional<int32_t> WrittenForAnHour(const JsonValue& usage) {
  const JsonValue* details = Member(usage, "cacheDetails");
  if (details == nullptr || !details->IsArray()) return std::nullopt;
  std::optional<int32_t> sum;
  for (const JsonValue& entry : details->GetArray()) {
    const auto count = CountMember(entry, "inputTokens");
    if (StringMember(entry, "ttl") != "1h" || !count.has_value()) continue;
    const int64_t more = int64_t{sum.value_or(0)} + *count;
    if (more > std::numeric_limits<int32_t>::max()) return std::nullopt;
    sum = static_cast<int32_t>(more);
  }
  return sum;
}

}  // namespace

bool ReadBedrockUsage(const JsonValue& usage, v1::Usage* out, AnswerMetadata* metadata) {
  if (!usage.IsObject()) return false;
  const auto input = CountMember(usage, "inputTokens");
  const auto output = CountMember(usage, "outputTokens");
  const auto total = CountMember(usage, "totalTokens");
  const auto read = OneOfTwo(usage, "cacheReadInputTokens", "cacheReadInputTokenCount");
  const auto write = OneOfTwo(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount");
  if (input) {
    const int64_t all = int64_t{*input} + read.value_or(0) + write.value_or(0);
    if (all <= std::numeric_limits<int32_t>::max()) {
      out->set_input_tokens(static_cast<int32_t>(all));
    }
  }
  if (read) out->set_cached_input_tokens(*read);
  if (write) out->set_cache_write_tokens(*write);
  if (const auto hour = WrittenForAnHour(usage)) out->set_cache_write_1h_tokens(*hour);
  if (output) out->set_output_tokens(*output);
  if (total) out->set_total_tokens(*total);
  for (const auto& member : usage.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (std::find(std::begin(kRead), std::end(kRead), name) == std::end(kRead)) {
      metadata->KeepOfUsage(name, member.value);
    }
  }
  return input || output || total || read || write;
}

}  // namespace mg
