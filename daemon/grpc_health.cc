#include "daemon/grpc_health.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.pb.h"

namespace mg {
namespace {

using google::protobuf::Message;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

class HealthMethod : public RpcMethod {
 public:
  explicit HealthMethod(Health* health) : health_(health) {}

  bool is_probe() const override { return true; }
  std::unique_ptr<Message> NewRequest() const override {
    return std::make_unique<HealthCheckRequest>();
  }

 protected:
  static const std::string& ServiceOf(const Message& request) {
    return static_cast<const HealthCheckRequest&>(request).service();
  }
  HealthCheckResponse Answer(const std::string& service) const {
    HealthCheckResponse answer;
    answer.set_status(!health_->Knows(service) ? HealthCheckResponse::SERVICE_UNKNOWN
                      : health_->serving()     ? HealthCheckResponse::SERVING
                                               : HealthCheckResponse::NOT_SERVING);
    return answer;
  }

  Health* const health_;
};

class Check final : public HealthMethod {
 public:
  using HealthMethod::HealthMethod;
  absl::string_view name() const override { return "Check"; }

  Task<absl::Status> Serve(Rpc& rpc, absl::StatusOr<std::unique_ptr<Message>> request) override {
    if (!request.ok()) co_return request.status();
    const HealthCheckResponse answer = Answer(ServiceOf(**request));
    if (answer.status() == HealthCheckResponse::SERVICE_UNKNOWN) {
      co_return absl::NotFoundError(
          absl::StrCat("no service \"", ServiceOf(**request), "\" is served here"));
    }
    rpc.Send(answer);
    co_return absl::OkStatus();
  }
};

class Watch final : public HealthMethod {
 public:
  using HealthMethod::HealthMethod;
  absl::string_view name() const override { return "Watch"; }

  // Until the caller goes away, or the server ends.
  Task<absl::Status> Serve(Rpc& rpc, absl::StatusOr<std::unique_ptr<Message>> request) override {
    if (!request.ok()) co_return request.status();
    Signal changed(health_->loop());
    health_->AddWatcher(&changed);
    auto told = HealthCheckResponse::UNKNOWN;
    do {
      const HealthCheckResponse answer = Answer(ServiceOf(**request));
      if (answer.status() != told) rpc.Send(answer);
      told = answer.status();
    } while (co_await changed.Wait(kNever, rpc.cancellation()) == Wake::kNotified);
    health_->RemoveWatcher(&changed);
    co_return rpc.cancellation()->status();
  }
};

}  // namespace

Health::Health(Loop* loop, std::vector<std::string> services)
    : loop_(loop), services_(std::move(services)) {}

void Health::SetServing(bool serving) {
  serving_ = serving;
  for (Signal* changed : watchers_) changed->Notify();
}

RpcService Health::Service() {
  RpcService service;
  service.name = "grpc.health.v1.Health";
  service.error_details = false;
  service.methods.push_back(std::make_unique<Check>(this));
  service.methods.push_back(std::make_unique<Watch>(this));
  return service;
}

bool Health::Knows(const std::string& service) const {
  return service.empty() ||
         std::find(services_.begin(), services_.end(), service) != services_.end();
}

void Health::RemoveWatcher(Signal* changed) {
  watchers_.erase(std::remove(watchers_.begin(), watchers_.end(), changed), watchers_.end());
}

}  // namespace mg
