#include "daemon/config/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace mg {
namespace {

absl::Status Bad(absl::string_view why) { return absl::InvalidArgumentError(why); }

bool IsV4(absl::string_view host, in_addr* address) {
  return inet_pton(AF_INET, std::string(host).c_str(), address) == 1;
}

bool IsV6(absl::string_view host, in6_addr* address) {
  return inet_pton(AF_INET6, std::string(host).c_str(), address) == 1;
}

// Letters, digits, dots and hyphens; no label is empty, none begins or ends with a hyphen. What
// looks like a number at its end must be an IPv4 address: resolvers take 2130706433 and 0x7f.1 for
// loopback.
bool IsHostName(absl::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  const std::vector<absl::string_view> labels = absl::StrSplit(absl::StripSuffix(host, "."), '.');
  for (const absl::string_view label : labels) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
      return false;
    }
    for (const char c : label) {
      // An underscore is no host name by the letter, but names of containers have it.
      if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') return false;
    }
  }
  in_addr v4;
  const bool numeric = absl::ascii_isdigit(static_cast<unsigned char>(labels.back()[0]));
  return !numeric || IsV4(host, &v4);
}

// Cuts "HOST:PORT" or "[V6]:PORT"; `port` is -1 where none is written.
absl::Status SplitHostPort(absl::string_view text, std::string* host, int* port) {
  absl::string_view rest;
  if (absl::StartsWith(text, "[")) {
    const size_t end = text.find(']');
    if (end == absl::string_view::npos) return Bad("has a [ without its ]");
    *host = std::string(text.substr(1, end - 1));
    rest = text.substr(end + 1);
    in6_addr v6;
    if (!IsV6(*host, &v6)) return Bad("has no IPv6 address between its brackets");
  } else {
    const size_t colon = text.find(':');
    *host = std::string(text.substr(0, colon));
    rest = colon == absl::string_view::npos ? absl::string_view() : text.substr(colon);
    if (rest.find(':', 1) != absl::string_view::npos) {
      return Bad("has more than one colon: an IPv6 address is written in brackets, [::1]:7411");
    }
    if (!IsHostName(*host)) return Bad("has no valid host");
  }
  *port = -1;
  if (rest.empty()) return absl::OkStatus();
  uint32_t number;
  if (!absl::ConsumePrefix(&rest, ":") || rest.empty() || rest.size() > 5 ||
      !absl::ascii_isdigit(static_cast<unsigned char>(rest[0])) ||
      !absl::SimpleAtoi(rest, &number) || number > 65535) {
    return Bad("has no valid port: 0 to 65535");
  }
  *port = static_cast<int>(number);
  return absl::OkStatus();
}

}  // namespace

bool IsLoopback(absl::string_view host) {
  in_addr v4;
  in6_addr v6;
  if (IsV4(host, &v4)) return (ntohl(v4.s_addr) >> 24) == 127;
  if (IsV6(host, &v6)) return IN6_IS_ADDR_LOOPBACK(&v6);
  return absl::EqualsIgnoreCase(host, "localhost");
}

bool IsLinkLocal(absl::string_view host) {
  in_addr v4;
  in6_addr v6;
  if (IsV4(host, &v4)) return (ntohl(v4.s_addr) >> 16) == 0xa9fe;
  if (!IsV6(host, &v6)) return false;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == 0xa9 && v6.s6_addr[13] == 0xfe;
  return IN6_IS_ADDR_LINKLOCAL(&v6);
}

bool Address::local() const { return is_unix() || IsLoopback(host); }

std::string Address::ToText() const {
  if (is_unix()) return absl::StrCat("unix:", unix_path);
  const bool v6 = absl::StrContains(host, ":");
  return absl::StrCat(v6 ? "[" : "", host, v6 ? "]:" : ":", port);
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  Address address;
  if (absl::ConsumePrefix(&text, "unix:")) {
    if (!absl::StartsWith(text, "/") || absl::EndsWith(text, "/")) {
      return Bad("must have an absolute path: unix:/run/app/gateway.sock");
    }
    if (text.size() >= sizeof(sockaddr_un::sun_path)) {
      return Bad(absl::StrCat("has too long a path: at most ", sizeof(sockaddr_un::sun_path) - 1,
                              " bytes"));
    }
    address.unix_path = std::string(text);
    return address;
  }
  int port;
  if (absl::Status status = SplitHostPort(text, &address.host, &port); !status.ok()) return status;
  if (port < 0) return Bad("has no port: write HOST:PORT, [V6]:PORT or unix:/PATH");
  address.port = port;
  return address;
}

absl::StatusOr<BaseUrl> ParseBaseUrl(absl::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~' || c == '\\' || c == '"' || c == '<' || c == '>' || c == '%') {
      return Bad("has a character that an address here cannot have");
    }
  }
  BaseUrl url;
  const size_t colon = text.find("://");
  const std::string scheme = absl::AsciiStrToLower(text.substr(0, colon));
  if (colon == absl::string_view::npos || (scheme != "https" && scheme != "http")) {
    return Bad("must begin with https:// (or http://)");
  }
  url.https = scheme == "https";
  text.remove_prefix(colon + 3);
  if (absl::StrContains(text, "?")) return Bad("has a query (?)");
  if (absl::StrContains(text, "#")) return Bad("has a fragment (#)");
  const size_t slash = text.find('/');
  const absl::string_view authority = text.substr(0, slash);
  if (absl::StrContains(authority, "@")) return Bad("has a user (@): keys go into api_key");
  int port;
  if (absl::Status status = SplitHostPort(authority, &url.host, &port); !status.ok()) return status;
  if (port == 0) return Bad("has no valid port: 1 to 65535");
  absl::AsciiStrToLower(&url.host);
  url.port = port > 0 ? port : (url.https ? 443 : 80);
  if (slash != absl::string_view::npos) {
    absl::string_view path = text.substr(slash);
    while (absl::ConsumeSuffix(&path, "/")) {
    }
    for (const absl::string_view segment : absl::StrSplit(path, '/')) {
      if (segment == "." || segment == "..") return Bad("has . or .. in its path");
    }
    url.path = std::string(path);
  }
  return url;
}

}  // namespace mg
