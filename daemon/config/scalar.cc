#include "daemon/config/scalar.h"

#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "daemon/config/problem.h"

namespace mg {
namespace {

absl::Status Bad(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(Shown(text), " ", why));
}

bool AllDigits(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  return !text.empty();
}

// 010 is eight to some readers and ten to others.
bool LeadingZero(absl::string_view digits) { return digits.size() > 1 && digits[0] == '0'; }

}  // namespace

absl::StatusOr<absl::Duration> ReadDuration(absl::string_view text) {
  constexpr char kHow[] = "is no duration: write 250ms, 1.5s, 5m or 1h";
  if (absl::StartsWith(text, "-")) return Bad(text, "is negative");
  double number;
  if (absl::SimpleAtod(text, &number)) return Bad(text, "has no unit: write 250ms, 1.5s, 5m or 1h");
  // The library also takes "inf" and signs.
  for (const char c : text) {
    if (!absl::StrContains("0123456789.hmsnu", std::string(1, c))) return Bad(text, kHow);
  }
  absl::Duration duration;
  if (text.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(text[0])) ||
      !absl::ParseDuration(text, &duration)) {
    return Bad(text, kHow);
  }
  // What fits into nanoseconds of 64 bits, about 292 years.
  if (duration > absl::Nanoseconds(std::numeric_limits<int64_t>::max())) {
    return Bad(text, "is too long");
  }
  return duration;
}

absl::StatusOr<uint64_t> ReadSize(absl::string_view text) {
  constexpr std::pair<const char*, int> kUnits[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
  if (absl::StartsWith(text, "-")) return Bad(text, "is negative");
  absl::string_view digits = text;
  int shift = 0;
  for (const auto& [unit, bits] : kUnits) {
    if (absl::ConsumeSuffix(&digits, unit)) {
      shift = bits;
      break;
    }
  }
  if (!AllDigits(digits) || LeadingZero(digits)) {
    return Bad(text, "is no size: write whole bytes, or 64KiB, 8MiB, 1GiB");
  }
  uint64_t number;
  if (!absl::SimpleAtoi(digits, &number) ||
      number > (std::numeric_limits<uint64_t>::max() >> shift)) {
    return Bad(text, "is too large");
  }
  return number << shift;
}

absl::StatusOr<int64_t> ReadInteger(absl::string_view text) {
  absl::string_view digits = text;
  absl::ConsumePrefix(&digits, "-");
  int64_t number;
  if (!AllDigits(digits) || LeadingZero(digits)) return Bad(text, "is no whole number");
  if (!absl::SimpleAtoi(text, &number)) return Bad(text, "is too large");
  return number;
}

absl::StatusOr<double> ReadNumber(absl::string_view text) {
  double number;
  for (const char c : text) {
    if (!absl::StrContains("0123456789.+-eE", std::string(1, c))) return Bad(text, "is no number");
  }
  if (!absl::SimpleAtod(text, &number)) return Bad(text, "is no number");
  if (!std::isfinite(number)) return Bad(text, "is too large");
  return number;
}

}  // namespace mg
