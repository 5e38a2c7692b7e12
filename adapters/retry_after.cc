#include "adapters/retry_after.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace mg {
namespace {

constexpr double kMaxSeconds = 1e9;

using Hint = std::optional<absl::Duration>;

// A plain decimal number: no sign, no exponent, no words.
std::optional<double> Decimal(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.empty() || text.size() > 32) return std::nullopt;
  for (char c : text) {
    if (c != '.' && !absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
  }
  double value = 0;
  if (!absl::SimpleAtod(text, &value) || !std::isfinite(value)) return std::nullopt;
  return value;
}

Hint Within(double seconds) {
  if (seconds < 0 || seconds > kMaxSeconds) return std::nullopt;
  return absl::Seconds(seconds);
}

void Larger(Hint hint, Hint* largest) {
  if (hint.has_value() && (!largest->has_value() || **largest < *hint)) *largest = hint;
}

Hint Milliseconds(const HttpHeaders& headers, absl::string_view name) {
  Hint largest;
  for (const HttpHeader& header : headers) {
    if (!absl::EqualsIgnoreCase(header.name, name)) continue;
    const auto value = Decimal(header.value);
    if (value.has_value() && *value > 0) Larger(Within(*value / 1000), &largest);
  }
  return largest;
}

Hint Seconds(const HttpHeaders& headers, absl::Time wall_now) {
  Hint largest;
  for (const HttpHeader& header : headers) {
    if (!absl::EqualsIgnoreCase(header.name, "retry-after")) continue;
    if (const auto value = Decimal(header.value); value.has_value()) {
      Larger(Within(*value), &largest);
    } else if (const auto date = HttpDate(header.value); date.has_value()) {
      const auto now = HttpDate(FindHeader(headers, "date"));
      const absl::Duration wait = *date - now.value_or(wall_now);
      Larger(Within(std::max(0.0, absl::ToDoubleSeconds(wait))), &largest);
    }
  }
  return largest;
}

Hint RetryInfo(const JsonValue& body) {
  const JsonValue* details = nullptr;
  if (const JsonValue* error = Member(body, "error")) details = Member(*error, "details");
  if (details == nullptr || !details->IsArray()) return std::nullopt;
  Hint largest;
  for (const JsonValue& detail : details->GetArray()) {
    if (!absl::EndsWith(StringMember(detail, "@type"), "google.rpc.RetryInfo")) continue;
    absl::string_view delay = StringMember(detail, "retryDelay");
    if (!absl::ConsumeSuffix(&delay, "s")) continue;
    if (const auto value = Decimal(delay)) Larger(Within(*value), &largest);
  }
  return largest;
}

Hint ExhaustedDimensions(const HttpHeaders& headers) {
  constexpr absl::string_view kRemaining = "x-ratelimit-remaining-";
  Hint largest;
  for (const HttpHeader& header : headers) {
    if (!absl::StartsWithIgnoreCase(header.name, kRemaining)) continue;
    const auto remaining = Decimal(header.value);
    if (!remaining.has_value() || *remaining != 0) continue;
    const auto reset = FindHeader(
        headers, absl::StrCat("x-ratelimit-reset-", header.name.substr(kRemaining.size())));
    absl::Duration wait;
    // Go's form, "6m0s". A bare number has no unit (Azure's is undocumented) and says nothing.
    if (reset.size() > 32 || !absl::ParseDuration(reset, &wait)) continue;
    if (wait > absl::ZeroDuration()) Larger(Within(absl::ToDoubleSeconds(wait)), &largest);
  }
  return largest;
}

}  // namespace

std::optional<absl::Time> HttpDate(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() > 64) return std::nullopt;
  for (const char* format :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    absl::Time time;
    if (absl::ParseTime(format, std::string(text), &time, nullptr)) return time;
  }
  return std::nullopt;
}

std::optional<absl::Duration> RetryAfter(const HttpHeaders& headers, const JsonValue& body,
                                         absl::Time wall_now, bool exhausted_dimensions) {
  if (auto hint = Milliseconds(headers, "retry-after-ms")) return hint;
  if (auto hint = Milliseconds(headers, "x-ms-retry-after-ms")) return hint;
  if (auto hint = Seconds(headers, wall_now)) return hint;
  if (auto hint = RetryInfo(body)) return hint;
  if (exhausted_dimensions) return ExhaustedDimensions(headers);
  return std::nullopt;
}

}  // namespace mg
