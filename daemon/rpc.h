// One RPC of an application as the daemon sees it: gRPC itself stays in grpc_server.cc. An Rpc
// belongs to its loop and to the coroutine that serves it.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/time.h"
#include "daemon/runtime/signal.h"
#include "daemon/runtime/task.h"

namespace mg {

class Rpc {
 public:
  virtual ~Rpc() = default;

  // The first value of an inbound metadata key (lower case); empty if there is none.
  virtual absl::string_view Metadata(absl::string_view key) const = 0;
  virtual std::vector<absl::string_view> MetadataValues(absl::string_view key) const = 0;
  // The caller's deadline on the loop's clock; kNever if it set none.
  virtual Instant deadline() const = 0;
  // Cancelled with kCancel when the caller goes away, with kDeadline when its deadline ended the
  // call, with kShuttingDown at the end of a drain.
  virtual Cancellation* cancellation() = 0;

  // Sent before the first message (or with the final status if there is none). Later calls do
  // nothing.
  virtual void AddInitialMetadata(absl::string_view key, absl::string_view value) = 0;
  virtual void AddTrailingMetadata(absl::string_view key, absl::string_view value) = 0;

  // Queues a message for the caller and returns at once; messages go out in order.
  virtual void Send(const google::protobuf::MessageLite& message) = 0;
  // Bytes that were queued and that the transport has not taken yet.
  virtual size_t unsent_bytes() const = 0;
};

// A method of a service. The server admits, reads and parses, and then calls Serve exactly once for
// each RPC, whatever became of the request: a refused one (no room, unknown fields, invalid UTF-8,
// shutting down) comes as its status, so that every RPC passes the one place that records it.
// Where callers stream, each further message is served in the same way, as long as the status is
// OK.
class RpcMethod {
 public:
  virtual ~RpcMethod() = default;
  virtual absl::string_view name() const = 0;  // "Chat"
  virtual std::unique_ptr<google::protobuf::Message> NewRequest() const = 0;
  // The final status. An error goes out with its ErrorDetail (cut to 4 KiB) and RetryInfo in
  // grpc-status-details-bin.
  virtual Task<absl::Status> Serve(
      Rpc& rpc, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) = 0;
  // A question about the daemon itself (health, reflection): answered even where calls find no room
  // and while it drains, and no drain waits for it.
  virtual bool is_probe() const { return false; }
};

}  // namespace mg
