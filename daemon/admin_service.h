// The service Admin (admin.proto): what operators ask of the running daemon, and tell it. The
// loop's thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "daemon/admin_token.h"
#include "daemon/grpc_server.h"
#include "daemon/reload.h"
#include "daemon/worker.h"

namespace mg {

// What the service is about; all must outlive it.
struct AdminParts {
  const AdminToken* token = nullptr;
  const Worker* worker = nullptr;
  Reloader* reloader = nullptr;
  absl::Time started;
  std::function<bool()> draining;
  // Begins to drain, as SIGTERM does; nullopt: for as long as the configuration says.
  std::function<void(std::optional<absl::Duration> timeout)> drain;
};

RpcService AdminService(const AdminParts& parts);

}  // namespace mg
