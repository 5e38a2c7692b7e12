#include "adapters/schema/formats.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "re2/re2.h"

namespace mg {
namespace {

// A format that one pattern says whole.
bool Is(const RE2& pattern, absl::string_view text) {
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

int NumberOf(absl::string_view digits) {
  int number = 0;
  return absl::SimpleAtoi(digits, &number) ? number : -1;
}

// RFC 3339 full-date.
bool IsDate(absl::string_view text) {
  static const RE2* const kShape = new RE2(R"(\d{4}-\d{2}-\d{2})");
  if (!Is(*kShape, text)) return false;
  const int year = NumberOf(text.substr(0, 4));
  const int month = NumberOf(text.substr(5, 2));
  const int day = NumberOf(text.substr(8, 2));
  if (month < 1 || month > 12) return false;
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  const int days = month == 2 && leap ? 29 : kDays[static_cast<size_t>(month) - 1];
  return day >= 1 && day <= days;
}

// RFC 3339 full-time; 60 seconds are a leap second.
bool IsTime(absl::string_view text) {
  static const RE2* const kShape =
      new RE2(R"(([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d))");
  return Is(*kShape, text);
}

bool IsDateTime(absl::string_view text) {
  if (text.size() < 11 || (text[10] != 'T' && text[10] != 't')) return false;
  return IsDate(text.substr(0, 10)) && IsTime(text.substr(11));
}

// RFC 3339, appendix A: weeks stand alone, and something must follow P and T.
bool IsDuration(absl::string_view text) {
  static const RE2* const kShape = new RE2(
      R"(P(\d+W|(\d+Y(\d+M(\d+D)?)?|\d+M(\d+D)?|\d+D)(T(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S))?)"
      R"(|T(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S)))");
  return Is(*kShape, text);
}

bool IsHostname(absl::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  for (absl::string_view label : absl::StrSplit(text, '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
      return false;
    }
    const auto fits = [](char c) {
      return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
    };
    if (!std::all_of(label.begin(), label.end(), fits)) return false;
  }
  return true;
}

bool IsAddress(int family, absl::string_view text) {
  unsigned char address[16];
  return text.find('\0') == absl::string_view::npos &&
         inet_pton(family, std::string(text).c_str(), address) == 1;
}
bool IsIpv4(absl::string_view text) { return IsAddress(AF_INET, text); }
bool IsIpv6(absl::string_view text) { return IsAddress(AF_INET6, text); }

// RFC 5321 Mailbox.
bool IsEmail(absl::string_view text) {
  static const RE2* const kLocal =
      new RE2(R"([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*)"
              R"(|"([\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*")");
  const size_t at = text.rfind('@');
  if (at > 64 || !Is(*kLocal, text.substr(0, at))) return false;  // npos is larger too
  absl::string_view host = text.substr(at + 1);
  if (host.size() < 2 || host.front() != '[' || host.back() != ']') return IsHostname(host);
  host = host.substr(1, host.size() - 2);
  return absl::ConsumePrefix(&host, "IPv6:") ? IsIpv6(host) : IsIpv4(host);
}

bool IsUuid(absl::string_view text) {
  static const RE2* const kShape =
      new RE2(R"([0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})");
  return Is(*kShape, text);
}

}  // namespace

FormatCheck FindFormat(absl::string_view name) {
  static constexpr struct {
    absl::string_view name;
    FormatCheck check;
  } kFormats[] = {
      {"date-time", IsDateTime}, {"date", IsDate},   {"time", IsTime},
      {"duration", IsDuration},  {"email", IsEmail}, {"hostname", IsHostname},
      {"ipv4", IsIpv4},          {"ipv6", IsIpv6},   {"uuid", IsUuid},
  };
  for (const auto& format : kFormats) {
    if (format.name == name) return format.check;
  }
  return nullptr;
}

}  // namespace mg
