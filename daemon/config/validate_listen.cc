// Listeners: addresses, doubles, and who may reach what.
#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "daemon/config/address.h"
#include "daemon/config/validate.h"

namespace mg {
namespace {

struct ListenerKind {
  const char* key;
  const v1::AddressList& list;
  bool unix_sockets;  // may be one
  enum class Reach { kAny, kLocal, kUnlessOpened } reach;
};

bool IsMode(absl::string_view text) {
  if (text.size() == 4 && text[0] == '0') text.remove_prefix(1);
  if (text.size() != 3) return false;
  return text.find_first_not_of("01234567") == absl::string_view::npos;
}

void CheckReach(const ListenerKind& kind, const v1::Listen& listen, const std::string& path,
                Findings* findings) {
  using Reach = ListenerKind::Reach;
  if (kind.reach == Reach::kLocal) {
    findings->Add(path,
                  "is beyond loopback, where it needs mTLS, which is not in this version: use "
                  "127.0.0.1, [::1] or a Unix socket");
  } else if (kind.reach == Reach::kUnlessOpened && !listen.allow_unauthenticated()) {
    findings->Add(path,
                  "is beyond loopback and Unix sockets: whoever reaches it could use your "
                  "providers' keys. TLS comes with a later version; "
                  "listen.allow_unauthenticated: true opens it as it is");
  }
}

}  // namespace

void ValidateListen(const v1::Config& config, Findings* findings) {
  using Reach = ListenerKind::Reach;
  const v1::Listen& listen = config.listen();
  const ListenerKind kinds[] = {{"grpc", listen.grpc(), true, Reach::kUnlessOpened},
                                {"http", listen.http(), false, Reach::kUnlessOpened},
                                {"admin", listen.admin(), false, Reach::kLocal},
                                {"admin_grpc", listen.admin_grpc(), true, Reach::kLocal},
                                {"health", listen.health(), false, Reach::kAny},
                                {"metrics", listen.metrics(), false, Reach::kAny}};
  absl::flat_hash_map<std::string, std::string> paths;  // by address
  for (const ListenerKind& kind : kinds) {
    for (int i = 0; i < kind.list.addresses_size(); ++i) {
      const std::string path = absl::StrCat("listen.", kind.key, "[", i, "]");
      const absl::StatusOr<Address> address = ParseAddress(kind.list.addresses(i));
      if (!address.ok()) {
        findings->Add(path, address.status().message());
        continue;
      }
      if (address->is_unix() && !kind.unix_sockets) {
        findings->Add(path, "cannot be a Unix socket: write HOST:PORT");
      }
      if (!address->local() && kind.reach != Reach::kAny) {
        CheckReach(kind, listen, path, findings);
      }
      if (!address->is_unix() && address->port == 0) continue;
      const auto [first, is_new] = paths.emplace(address->ToText(), path);
      if (!is_new) {
        findings->Add(path, absl::StrCat(address->ToText(), " is also ", first->second));
      }
    }
  }
  if (!listen.unix_mode().empty() && !IsMode(listen.unix_mode())) {
    findings->Add("listen.unix_mode", "must be three octal digits: \"0660\"");
  }
  for (int i = 0; i < listen.allowed_hosts_size(); ++i) {
    // A port is no part of it: the check of a request drops the port.
    const absl::StatusOr<BaseUrl> host =
        ParseBaseUrl(absl::StrCat("http://", listen.allowed_hosts(i)));
    const std::string lower = absl::AsciiStrToLower(listen.allowed_hosts(i));
    if (!host.ok() || (lower != host->host && lower != absl::StrCat("[", host->host, "]"))) {
      findings->Add(absl::StrCat("listen.allowed_hosts[", i, "]"),
                    "must be a host's name or address, without scheme, port and path");
    }
  }
}

}  // namespace mg
