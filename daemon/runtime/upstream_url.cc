#include "daemon/runtime/upstream_url.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace mg {

std::string UpstreamUrl::Peer() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return ipv6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

std::string UpstreamUrl::Authority() const {
  const std::string peer = Peer();
  const absl::string_view own_port = https ? ":443" : ":80";
  return std::string(absl::StripSuffix(peer, own_port));
}

absl::StatusOr<UpstreamUrl> ParseUpstreamUrl(absl::string_view url) {
  UpstreamUrl parsed;
  if (!std::all_of(url.begin(), url.end(), absl::ascii_isgraph)) {
    return absl::InvalidArgumentError("it has a character that no URL may have");
  }
  if (absl::StartsWithIgnoreCase(url, "https://")) {
    parsed.https = true;
  } else if (!absl::StartsWithIgnoreCase(url, "http://")) {
    return absl::InvalidArgumentError("it does not begin with http:// or https://");
  }
  url.remove_prefix(url.find("//") + 2);
  const absl::string_view authority = url.substr(0, url.find_first_of("/?#\\"));
  if (absl::StrContains(authority, "@")) {
    return absl::InvalidArgumentError("it has user information before its host");
  }

  absl::string_view host = authority;
  absl::string_view port = parsed.https ? "443" : "80";
  const size_t host_end = absl::StartsWith(authority, "[") ? authority.find(']') : 0;
  if (host_end == absl::string_view::npos)
    return absl::InvalidArgumentError("its host is no address");
  if (const size_t colon = authority.find(':', host_end); colon != absl::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
  }
  int number = 0;
  if (!std::all_of(port.begin(), port.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(port, &number) || number < 1 || number > 65535) {
    return absl::InvalidArgumentError("its port is no number from 1 to 65535");
  }
  const bool bracketed = absl::ConsumePrefix(&host, "[");
  if (bracketed && !absl::ConsumeSuffix(&host, "]")) {
    return absl::InvalidArgumentError("its host is no address");
  }
  if (host.empty()) return absl::InvalidArgumentError("it has no host");
  parsed.host = absl::AsciiStrToLower(host);
  parsed.port = absl::StrCat(number);
  const absl::string_view rest = url.substr(authority.size());
  const absl::string_view target = rest.substr(0, rest.find('#'));
  parsed.target = absl::StartsWith(target, "/") ? std::string(target) : absl::StrCat("/", target);
  return parsed;
}

bool IsIpLiteral(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool IsLoopback(const std::string& host) {
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace mg
