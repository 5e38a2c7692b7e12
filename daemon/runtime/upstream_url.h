// The few things the HTTP client must know of a URL before libcurl sees it: where it leads, and
// whether that is this machine. Pure functions.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mg {

struct UpstreamUrl {
  bool https = false;
  std::string host;    // lower case, an IPv6 address without its brackets
  std::string port;    // digits; the scheme's own where the URL has none
  std::string target;  // path and query as they stand in the URL, "/" at least; no fragment

  // "api.example.com:443", "[::1]:8080": for error texts.
  std::string Peer() const;
  // What a Host header says: the scheme's own port is left out (RFC 9110 §7.2).
  std::string Authority() const;
};

// Refuses what is not http(s)://host[:port][/…] in printable ASCII; user information above all,
// behind which another host could hide. The error is a plain status whose text repeats nothing of
// the URL.
absl::StatusOr<UpstreamUrl> ParseUpstreamUrl(absl::string_view url);

bool IsIpLiteral(const std::string& host);
// localhost, 127.0.0.0/8, ::1.
bool IsLoopback(const std::string& host);

}  // namespace mg
