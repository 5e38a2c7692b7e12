// CountTokens: asked of the provider where it has an endpoint for it (the same Execute, routing,
// retry and record as Chat); where it has none or that fails, an honest estimate made here
// (spec/tokens.md §6.1).
#pragma once

#include <memory>

#include "daemon/rpc.h"
#include "daemon/worker.h"

namespace mg {

class CountTokensMethod final : public RpcMethod {
 public:
  // `worker` must outlive the method.
  explicit CountTokensMethod(Worker* worker) : worker_(worker) {}

  absl::string_view name() const override { return "CountTokens"; }
  std::unique_ptr<google::protobuf::Message> NewRequest() const override;
  Task<absl::Status> Serve(
      Rpc& rpc, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) override;

 private:
  Worker* const worker_;
};

}  // namespace mg
