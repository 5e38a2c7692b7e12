#include "daemon/config/listen.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace mg {
namespace {

constexpr char kFolder[] = "/run/model-gateway";
constexpr char kSocket[] = "gateway.sock";
constexpr char kAdminSocket[] = "admin.sock";
constexpr char kRootState[] = "/var/lib/model-gateway";

std::vector<Address> Parsed(const v1::AddressList& list) {
  std::vector<Address> addresses;
  for (const std::string& text : list.addresses()) {
    absl::StatusOr<Address> address = ParseAddress(text);
    MG_CHECK(address.ok(), "a listener of a checked configuration has no address");
    addresses.push_back(*std::move(address));
  }
  return addresses;
}

Address Loopback(int port) { return {.host = "127.0.0.1", .port = port, .unix_path = ""}; }

Address SocketIn(const std::string& folder) {
  return {.host = "", .port = 0, .unix_path = absl::StrCat(folder, "/", kSocket)};
}

// TCP always; the socket where this user may have one.
void DefaultGrpc(const Outside& outside, const SocketFolder& folder, ListenPlan* plan) {
  plan->grpc.push_back(Loopback(7411));
  if (folder(kFolder)) {
    plan->grpc.push_back(SocketIn(kFolder));
    return;
  }
  const std::string runtime = outside.variable("XDG_RUNTIME_DIR").value_or("");
  const std::string own = absl::StrCat(runtime, "/model-gateway");
  if (!runtime.empty() && runtime[0] == '/' && folder(own)) {
    plan->grpc.push_back(SocketIn(own));
    plan->notes.push_back(
        absl::StrCat(kFolder, " cannot be made by this user: the socket is ", own, "/", kSocket));
    return;
  }
  plan->notes.push_back(absl::StrCat(
      kFolder, " cannot be made by this user and XDG_RUNTIME_DIR names no folder for sockets: ",
      "listening on TCP alone (name a socket in listen.grpc to have one)"));
}

std::string FolderOf(const Address& socket) {
  return socket.unix_path.substr(0, socket.unix_path.rfind('/'));
}

void FindTokenFolders(const Outside& outside, const SocketFolder& folder, ListenPlan* plan) {
  for (const Address& address : plan->admin_grpc) {
    if (!address.is_unix()) continue;
    plan->token_folders = {FolderOf(address)};
    return;
  }
  if (plan->admin_grpc.empty() && plan->admin.empty()) return;
  const std::string state = StateFolder(outside);
  if (!state.empty() && folder(state)) {
    plan->token_folders = {state};
    return;
  }
  plan->notes.emplace_back(
      "there is no place for the admin token: the methods of administration that want it are "
      "refused (name a Unix socket in listen.admin_grpc, beside which it will lie)");
}

// Beside the app's socket.
void DefaultAdminGrpc(bool grpc_named, ListenPlan* plan) {
  for (const Address& address : plan->grpc) {
    if (!address.is_unix()) continue;
    plan->admin_grpc.push_back(
        {.host = "", .port = 0, .unix_path = absl::StrCat(FolderOf(address), "/", kAdminSocket)});
    return;
  }
  if (!grpc_named) return;  // that there is no socket was said
  plan->notes.emplace_back(
      "listen.grpc names no Unix socket beside which the one of administration could be: there is "
      "none (name one in listen.admin_grpc to have it)");
}

}  // namespace

std::string StateFolder(const Outside& outside) {
  if (::geteuid() == 0) return kRootState;
  const std::string state = outside.variable("XDG_STATE_HOME").value_or("");
  if (absl::StartsWith(state, "/")) return absl::StrCat(state, "/model-gateway");
  const std::string home = outside.variable("HOME").value_or("");
  if (absl::StartsWith(home, "/")) return absl::StrCat(home, "/.local/state/model-gateway");
  return "";
}

bool MakeSocketFolder(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST) return false;
  struct stat info;
  return ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
         (info.st_uid == ::geteuid() || info.st_uid == 0) &&
         ::access(folder.c_str(), W_OK | X_OK) == 0;
}

ListenPlan ListenOf(const v1::Config& config, const Outside& outside, const SocketFolder& folder) {
  const v1::Listen& listen = config.listen();
  ListenPlan plan;
  if (listen.has_grpc()) {
    plan.grpc = Parsed(listen.grpc());
  } else {
    DefaultGrpc(outside, folder, &plan);
  }
  if (listen.has_admin()) {
    plan.admin = Parsed(listen.admin());
  } else {
    plan.admin.push_back(Loopback(7413));
  }
  if (listen.has_admin_grpc()) {
    plan.admin_grpc = Parsed(listen.admin_grpc());
  } else {
    DefaultAdminGrpc(listen.has_grpc(), &plan);
  }
  FindTokenFolders(outside, folder, &plan);
  plan.health = Parsed(listen.health());
  plan.metrics = Parsed(listen.metrics());
  if (!listen.unix_mode().empty()) {
    plan.unix_mode = static_cast<mode_t>(std::strtoul(listen.unix_mode().c_str(), nullptr, 8));
  }
  plan.allowed_hosts.assign(listen.allowed_hosts().begin(), listen.allowed_hosts().end());
  return plan;
}

}  // namespace mg
