// Where the daemon listens: what is configured, each absent key by its own default. The default
// sockets move to where this user may make them.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "daemon/config/address.h"
#include "daemon/config/load.h"

namespace mg {

struct ListenPlan {
  // Only those that are opened in this version.
  std::vector<Address> grpc;
  std::vector<Address> admin;
  std::vector<Address> admin_grpc;
  std::vector<Address> health;
  std::vector<Address> metrics;
  mode_t unix_mode = 0660;  // of the sockets of grpc
  std::vector<std::string> allowed_hosts;
  // Where the admin token may lie, the best first: beside the first admin socket, else in the state
  // folder. None where there is no admin listener.
  std::vector<std::string> token_folders;
  std::vector<std::string> notes;  // lines to say at start
};

// Whether this user can have sockets in this folder, which is made where it is absent. A link, or a
// folder of another user than root, could be a trap: it is none of ours.
using SocketFolder = std::function<bool(const std::string& folder)>;
bool MakeSocketFolder(const std::string& folder);

// Where this user keeps what a daemon leaves on disk: /var/lib/model-gateway for root, else
// $XDG_STATE_HOME/model-gateway or ~/.local/state/model-gateway; empty: nowhere. Not made here.
std::string StateFolder(const Outside& outside);

// `config` must have passed LoadConfig without problems.
ListenPlan ListenOf(const v1::Config& config, const Outside& outside, const SocketFolder& folder);

}  // namespace mg
