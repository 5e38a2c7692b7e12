// The gRPC server of a worker: methods are served generically, each RPC by a coroutine on the
// worker's loop, on all the addresses of one `listen` key. Created and destroyed on the loop's
// thread while the loop does not run; everything else belongs to that thread too.
//
// Life: Start → the loop runs → StopAccepting → running() falls to 0, or CancelAll → the loop ends
// → destructor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/error.h"
#include "daemon/byte_budget.h"
#include "daemon/rpc.h"
#include "daemon/runtime/epoll_loop.h"

namespace mg {

struct RpcService {
  std::string name;  // "modelgateway.v1.ModelGateway", of the descriptors that are compiled in
  std::vector<std::unique_ptr<RpcMethod>> methods;
  bool error_details = true;  // errors carry ErrorDetail
};

// How long a call waits to be read (design.md §5).
struct AdmissionLimits {
  absl::Duration room_timeout = absl::Seconds(10);
  absl::Duration message_timeout = absl::Seconds(30);
  // A read that lasts longer holds its room at the cost of others: only `max_slow_reads` may.
  absl::Duration slow_read = absl::Seconds(1);
  size_t max_slow_reads = 4;
};

struct GrpcServerOptions {
  std::vector<std::string> addresses;  // "HOST:PORT", "[V6]:PORT", "unix:/PATH"
  std::string key = "listen.grpc";     // named in errors
  uint32_t unix_mode = 0660;
  std::string program;  // "model-gateway 1.2.3"
  AdmissionLimits admission;
};

class GrpcServer {
 public:
  // Listens and serves as soon as the loop runs, `services` and reflection of them. Plain statuses:
  // INVALID_ARGUMENT for an address that is none, UNAVAILABLE for one that cannot be opened:
  // `listen.grpc[0] "127.0.0.1:7411": address in use`. Takes the loop's completion source, and
  // silences the log lines of protobuf and, unless GRPC_VERBOSITY is set, of gRPC. `loop` and
  // `budget` must outlive the server.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(EpollLoop* loop, ByteBudget* budget,
                                                           GrpcServerOptions options,
                                                           std::vector<RpcService> services);
  virtual ~GrpcServer() = default;  // cancels what still runs and runs the loop until it has ended

  // As they were given, with the real port instead of 0.
  virtual const std::vector<std::string>& addresses() const = 0;

  // New calls are refused with kShuttingDown and a hint; those that run go on.
  virtual void StopAccepting() = 0;
  // Cancels every call that runs with kShuttingDown.
  virtual void CancelAll() = 0;
  // Calls that run (probes do not count).
  virtual size_t running() const = 0;
  // Notified whenever running() becomes 0.
  virtual Signal* idle() = 0;
};

}  // namespace mg
