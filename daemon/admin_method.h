// A method of administration: one question, one answer, given at once. The same method serves gRPC
// (listen.admin_grpc) and JSON over HTTP (listen.admin). The loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "daemon/admin_token.h"
#include "daemon/rpc.h"

namespace mg {

// Who may ask it. What changes something is asked by POST alone over HTTP.
enum class AdminAccess {
  kOpen,        // reads nothing that was said: whoever reaches the listener
  kReadsToken,  // reads what was said
  kChanges,     // wants the token too
};

class AdminMethod : public RpcMethod {
 public:
  bool is_probe() const override { return true; }
  virtual AdminAccess access() const = 0;
};

template <typename Request, typename Response>
class AdminCall final : public AdminMethod {
 public:
  using Answer = std::function<absl::StatusOr<Response>(const Request&)>;

  // `name`: of the descriptor, static. `token` and what `answer` holds must outlive the method.
  AdminCall(const char* name, AdminAccess access, const AdminToken* token, Answer answer)
      : name_(name), access_(access), token_(token), answer_(std::move(answer)) {}

  absl::string_view name() const override { return name_; }
  AdminAccess access() const override { return access_; }
  std::unique_ptr<google::protobuf::Message> NewRequest() const override {
    return std::make_unique<Request>();
  }

  Task<absl::Status> Serve(
      Rpc& rpc, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) override {
    if (access_ != AdminAccess::kOpen) MG_CO_RETURN_IF_ERROR(token_->Check(rpc));
    if (!request.ok()) co_return request.status();
    absl::StatusOr<Response> response = answer_(static_cast<const Request&>(**request));
    if (!response.ok()) co_return response.status();
    rpc.Send(*response);
    co_return absl::OkStatus();
  }

 private:
  const char* const name_;
  const AdminAccess access_;
  const AdminToken* const token_;
  const Answer answer_;
};

}  // namespace mg
