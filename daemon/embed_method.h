// Embed: the same frame, routing, retry and record as Chat; its answer is one message.
#pragma once

#include <memory>

#include "daemon/rpc.h"
#include "daemon/worker.h"

namespace mg {

class EmbedMethod final : public RpcMethod {
 public:
  // `worker` must outlive the method.
  explicit EmbedMethod(Worker* worker) : worker_(worker) {}

  absl::string_view name() const override { return "Embed"; }
  std::unique_ptr<google::protobuf::Message> NewRequest() const override;
  Task<absl::Status> Serve(
      Rpc& rpc, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) override;

 private:
  Worker* const worker_;
};

}  // namespace mg
