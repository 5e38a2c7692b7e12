#include "telemetry/ids.h"

#include <algorithm>
#include <cstdint>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace mg {
namespace {

uint64_t RandomBits() {
  thread_local absl::BitGen bits;
  return absl::Uniform<uint64_t>(bits);
}

void AppendHex(uint64_t value, size_t digits, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  char text[16];
  for (size_t i = digits; i > 0; --i, value >>= 4) text[i - 1] = kHex[value & 15];
  out->append(text, digits);
}

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(absl::string_view text) {
  return text.find_first_not_of('0') == absl::string_view::npos;
}

}  // namespace

std::string NewRequestId(absl::Time wall_now) {
  const int64_t now = std::max<int64_t>(0, absl::ToUnixMillis(wall_now));
  const auto millis = static_cast<uint64_t>(now) & 0xFFFFFFFFFFFF;
  const uint64_t high = RandomBits();
  const uint64_t low = RandomBits();
  std::string id;
  id.reserve(36);
  AppendHex(millis >> 16, 8, &id);
  id.push_back('-');
  AppendHex(millis & 0xFFFF, 4, &id);
  id.push_back('-');
  AppendHex(0x7000 | (high & 0x0FFF), 4, &id);  // version 7
  id.push_back('-');
  AppendHex(0x8000 | (low >> 50), 4, &id);  // variant 10
  id.push_back('-');
  AppendHex(low & 0xFFFFFFFFFFFF, 12, &id);
  return id;
}

bool IsCorrelationId(absl::string_view text) {
  constexpr size_t kMaxBytes = 128;
  if (text.empty() || text.size() > kMaxBytes) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == ':' ||
           c == '-';
  });
}

std::optional<Traceparent> ParseTraceparent(absl::string_view header) {
  constexpr size_t kLength = 55;  // of version 00; later ones may go on behind another dash
  if (header.size() < kLength) return std::nullopt;
  const absl::string_view version = header.substr(0, 2);
  const absl::string_view trace_id = header.substr(3, 32);
  const absl::string_view parent_id = header.substr(36, 16);
  const absl::string_view flags = header.substr(53, 2);
  const bool dashes = header[2] == '-' && header[35] == '-' && header[52] == '-';
  const bool digits =
      IsLowerHex(version) && IsLowerHex(trace_id) && IsLowerHex(parent_id) && IsLowerHex(flags);
  if (!dashes || !digits || version == "ff" || IsZero(trace_id) || IsZero(parent_id)) {
    return std::nullopt;
  }
  if (header.size() > kLength && (version == "00" || header[kLength] != '-')) return std::nullopt;
  const char last = flags[1];
  const int digit = last <= '9' ? last - '0' : last - 'a' + 10;
  return Traceparent{std::string(trace_id), std::string(parent_id), (digit & 1) != 0};
}

std::string FormatTraceparent(const Traceparent& traceparent) {
  return absl::StrCat("00-", traceparent.trace_id, "-", traceparent.parent_id,
                      traceparent.sampled ? "-01" : "-00");
}

std::string TraceIdOf(absl::string_view traceparent) {
  const std::optional<Traceparent> parsed = ParseTraceparent(traceparent);
  return parsed.has_value() ? parsed->trace_id : NewTraceId();
}

std::string NewTraceId() {
  std::string id;
  id.reserve(32);
  AppendHex(RandomBits() | 1, 16, &id);  // never all zero
  AppendHex(RandomBits(), 16, &id);
  return id;
}

std::string NewSpanId() {
  std::string id;
  id.reserve(16);
  AppendHex(RandomBits() | 1, 16, &id);
  return id;
}

}  // namespace mg
