// A method of the contract that this version does not serve: it says so in the contract's own
// words.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "daemon/rpc.h"

namespace mg {

template <typename Request>
class UnsupportedMethod final : public RpcMethod {
 public:
  explicit UnsupportedMethod(absl::string_view name) : name_(name) {}

  absl::string_view name() const override { return name_; }
  std::unique_ptr<google::protobuf::Message> NewRequest() const override {
    return std::make_unique<Request>();
  }
  Task<absl::Status> Serve(
      Rpc&, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) override {
    if (!request.ok()) co_return request.status();
    co_return MakeError(ErrorClass::kUnsupportedMethod,
                        absl::StrCat(name_, " is not served by this version of the gateway"));
  }

 private:
  const std::string name_;
};

}  // namespace mg
