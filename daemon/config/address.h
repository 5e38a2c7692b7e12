// Addresses and URLs as the configuration writes them. Pure functions; nothing is resolved.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mg {

// A failed status' message says what is wrong as the end of a sentence, without the text itself: it
// may hold a password.

// Where a listener listens: "HOST:PORT", "[V6]:PORT" or "unix:/PATH".
struct Address {
  std::string host;       // without brackets; empty for a Unix socket
  int port = 0;           // 0: any free one
  std::string unix_path;  // empty: TCP

  bool is_unix() const { return !unix_path.empty(); }
  // Only processes of this machine can reach it.
  bool local() const;
  // As it is written, with brackets where they are needed.
  std::string ToText() const;
};
absl::StatusOr<Address> ParseAddress(absl::string_view text);

// "localhost", 127.0.0.0/8 and ::1, written plainly; no other name is looked up.
bool IsLoopback(absl::string_view host);
// 169.254.0.0/16 and fe80::/10, written plainly: where clouds keep their metadata.
bool IsLinkLocal(absl::string_view host);

// http(s)://HOST[:PORT][/PATH], and nothing else: no user, query, fragment or "..".
struct BaseUrl {
  bool https = false;
  std::string host;  // lower case, without brackets
  int port = 0;      // 443 or 80 unless written
  std::string path;  // without slashes at its end
};
absl::StatusOr<BaseUrl> ParseBaseUrl(absl::string_view text);

}  // namespace mg
