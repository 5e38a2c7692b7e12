#include "daemon/grpc_server.h"

#include <grpc/support/log.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <cstdlib>
#include <list>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"
#include "daemon/grpc_admission.h"
#include "daemon/grpc_listen.h"
#include "daemon/grpc_queue.h"
#include "daemon/grpc_reflection.h"
#include "daemon/grpc_rpc.h"

namespace mg {
namespace {

// Calls that gRPC may hand over before it is asked for the next.
constexpr int kAskedAhead = 4;
constexpr int kMaxStreams = 1024;
constexpr int kMaxMetadataBytes = 64 << 10;
constexpr int kMinPingIntervalMs = 10'000;
// Finds callers whose machine is gone, so that their calls end.
constexpr int kKeepaliveMs = 300'000;
constexpr int kKeepaliveTimeoutMs = 20'000;

// A service whose methods gRPC knows by name alone. All are bidirectional streams of bytes to it:
// nothing is read before it is asked for, and callers do not notice.
class GenericService final : public grpc::Service {
 public:
  void Add(const std::string& path) {
    // gRPC keeps the pointer to the name.
    paths_.push_back(path);
    AddMethod(new grpc::internal::RpcServiceMethod(
        paths_.back().c_str(), grpc::internal::RpcMethod::BIDI_STREAMING, nullptr));
    MarkMethodAsync(count_++);
  }

  void RequestCall(ServedRpc* rpc, grpc::ServerCompletionQueue* queue, GrpcTag* tag) {
    RequestAsyncBidiStreaming(rpc->method().index, rpc->context(), rpc->stream(), queue, queue,
                              tag);
  }

 private:
  std::list<std::string> paths_;
  int count_ = 0;
};

// Both write lines of their own to stderr about what callers send (invalid UTF-8, a compressed
// message): text that is told to the caller, and of which a hostile one could make any amount.
void SilenceLibraries() {
  google::protobuf::SetLogHandler(nullptr);
  if (std::getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_function([](gpr_log_func_args*) {});
}

void SetLimits(size_t max_receive_bytes, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(static_cast<int>(max_receive_bytes));
  builder->SetMaxSendMessageSize(-1);
  // A probe of the bandwidth would make gRPC read ahead of what is admitted.
  builder->AddChannelArgument("grpc.http2.bdp_probe", 0);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreams);
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                              kMinPingIntervalMs);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  // A few compressed kilobytes can become half a gigabyte.
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
}

class Server final : public GrpcServer {
 public:
  Server(EpollLoop* loop, ByteBudget* budget, GrpcServerOptions options)
      : loop_(loop),
        budget_(budget),
        options_(std::move(options)),
        admission_(loop, budget, options_.admission),
        idle_(loop) {}
  ~Server() override;

  absl::Status AddService(RpcService service);
  absl::Status Listen();

  const std::vector<std::string>& addresses() const override { return addresses_; }
  void StopAccepting() override { admission_.Close(); }
  void CancelAll() override;
  size_t running() const override { return running_; }
  Signal* idle() override { return &idle_; }

 private:
  // A call of one method that gRPC has been asked for.
  struct Next {
    Server* server;
    GenericService* service;
    ServedMethod* method;
    ServedRpc* rpc = nullptr;
    GrpcTag tag{&Server::OnCall, nullptr};
  };

  // What is wrong with one of the addresses.
  absl::Status AtAddress(size_t index, const absl::Status& status) const;
  static void OnCall(void* self, bool ok);
  void AskForCall(Next* next);
  Task<void> Serve(ServedRpc* rpc);
  void Begun(ServedRpc* rpc);
  void Ended(ServedRpc* rpc);

  EpollLoop* const loop_;
  ByteBudget* const budget_;
  const GrpcServerOptions options_;
  std::vector<RpcService> services_;
  std::vector<std::unique_ptr<GenericService>> generic_;
  std::vector<std::unique_ptr<ServedMethod>> methods_;
  std::vector<std::unique_ptr<Next>> next_;
  std::vector<std::unique_ptr<ListenAddress>> listens_;
  std::vector<std::string> addresses_;
  Admission admission_;
  std::list<std::unique_ptr<ServedRpc>> rpcs_;  // that run, and that gRPC was asked for
  size_t served_ = 0;                           // of them: run, probes included
  size_t running_ = 0;
  Signal idle_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<GrpcQueue> queue_;
  bool closed_ = false;  // gRPC's server has ended
};

absl::Status Server::AddService(RpcService service) {
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  const auto* descriptor = pool->FindServiceByName(service.name);
  if (descriptor == nullptr) return absl::InternalError(absl::StrCat("no service ", service.name));
  auto generic = std::make_unique<GenericService>();
  int index = 0;
  for (const auto& method : service.methods) {
    const auto* found = descriptor->FindMethodByName(std::string(method->name()));
    if (found == nullptr) {
      return absl::InternalError(absl::StrCat("no method ", service.name, "/", method->name()));
    }
    auto served = std::make_unique<ServedMethod>(method.get(),
                                                 WireSchema(found->input_type(), options_.program));
    served->index = index++;
    served->streams = found->server_streaming();
    served->takes_many = found->client_streaming();
    served->error_details = service.error_details;
    generic->Add(absl::StrCat("/", service.name, "/", method->name()));
    for (int i = 0; i < kAskedAhead; ++i) {
      next_.push_back(std::make_unique<Next>(Next{this, generic.get(), served.get()}));
      next_.back()->tag.self = next_.back().get();
    }
    methods_.push_back(std::move(served));
  }
  generic_.push_back(std::move(generic));
  services_.push_back(std::move(service));
  return absl::OkStatus();
}

absl::Status Server::AtAddress(size_t index, const absl::Status& status) const {
  return absl::Status(status.code(),
                      absl::StrCat(options_.key, "[", index, "] \"", options_.addresses[index],
                                   "\": ", status.message()));
}

absl::Status Server::Listen() {
  grpc::ServerBuilder builder;
  SetLimits(budget_->largest_message(), &builder);
  for (const auto& service : generic_) builder.RegisterService(service.get());
  std::vector<int> ports(options_.addresses.size());
  for (size_t i = 0; i < options_.addresses.size(); ++i) {
    const std::string& address = options_.addresses[i];
    const auto first = std::find(options_.addresses.begin(), options_.addresses.end(), address);
    if (first != options_.addresses.begin() + static_cast<ptrdiff_t>(i) &&
        !absl::EndsWith(address, ":0")) {
      return AtAddress(i, absl::UnavailableError("address in use: it is listed twice"));
    }
    auto listen = ListenAddress::Prepare(address);
    if (!listen.ok()) return AtAddress(i, listen.status());
    builder.AddListeningPort((*listen)->to_bind(), grpc::InsecureServerCredentials(), &ports[i]);
    listens_.push_back(*std::move(listen));
  }
  auto queue = builder.AddCompletionQueue();
  {
    const ScopedUmask mask(options_.unix_mode);
    server_ = builder.BuildAndStart();
  }
  queue_ = std::make_unique<GrpcQueue>(loop_, std::move(queue));
  loop_->AddCompletionSource(queue_.get());
  if (server_ == nullptr) {
    return absl::UnavailableError(
        absl::StrCat(options_.key, ": cannot listen on ", absl::StrJoin(options_.addresses, ", ")));
  }
  for (size_t i = 0; i < listens_.size(); ++i) {
    absl::Status status = listens_[i]->Publish(ports[i]);
    if (!status.ok()) return AtAddress(i, status);
    addresses_.push_back(listens_[i]->published());
  }
  for (const auto& next : next_) AskForCall(next.get());
  return absl::OkStatus();
}

void Server::AskForCall(Next* next) {
  auto rpc = std::make_unique<ServedRpc>(loop_, queue_.get(), budget_, *next->method);
  next->rpc = rpc.get();
  rpcs_.push_front(std::move(rpc));
  next->rpc->position = rpcs_.begin();
  next->service->RequestCall(next->rpc, queue_->queue(), &next->tag);
}

void Server::OnCall(void* self, bool ok) {
  auto* const next = static_cast<Next*>(self);
  Server* const server = next->server;
  ServedRpc* const rpc = next->rpc;
  if (!ok) {  // gRPC's server ends
    server->rpcs_.erase(rpc->position);
    return;
  }
  server->AskForCall(next);
  server->Begun(rpc);
  Spawn(server->Serve(rpc));
}

Task<void> Server::Serve(ServedRpc* rpc) {
  rpc->Accepted();
  absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request =
      co_await admission_.Receive(rpc);
  RpcMethod* const method = rpc->method().method;
  absl::Status status = co_await method->Serve(*rpc, std::move(request));
  while (rpc->method().takes_many && status.ok()) {
    request = co_await admission_.ReceiveNext(rpc);
    if (request.ok() && *request == nullptr) break;
    status = co_await method->Serve(*rpc, std::move(request));
  }
  co_await rpc->Finish(std::move(status));
  Ended(rpc);
}

void Server::Begun(ServedRpc* rpc) {
  ++served_;
  if (!rpc->method().method->is_probe()) ++running_;
}

void Server::Ended(ServedRpc* rpc) {
  --served_;
  if (!rpc->method().method->is_probe() && --running_ == 0) idle_.Notify();
  rpcs_.erase(rpc->position);
  if (closed_ && served_ == 0) loop_->Stop();
}

void Server::CancelAll() {
  const absl::Status status =
      MakeError(ErrorClass::kShuttingDown, "the gateway is shutting down and the call was cut");
  for (const auto& rpc : rpcs_) {
    if (rpc->accepted()) rpc->cancellation()->Cancel(status);
  }
}

Server::~Server() {
  if (server_ != nullptr) {
    StopAccepting();
    CancelAll();
    // Shutdown blocks until the last connection is gone, for which the calls must end, for which
    // the loop must run.
    std::thread shutdown([this] {
      server_->Shutdown(gpr_inf_past(GPR_CLOCK_MONOTONIC));
      loop_->Post([this] {
        closed_ = true;
        if (served_ == 0) loop_->Stop();
      });
    });
    while (!closed_ || served_ > 0) loop_->Run();
    shutdown.join();
  }
  loop_->RemoveCompletionSource(queue_.get());
  queue_.reset();
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(EpollLoop* loop, ByteBudget* budget,
                                                              GrpcServerOptions options,
                                                              std::vector<RpcService> services) {
  SilenceLibraries();
  AddReflection(&services);
  auto server = std::make_unique<Server>(loop, budget, std::move(options));
  for (RpcService& service : services) {
    if (absl::Status status = server->AddService(std::move(service)); !status.ok()) return status;
  }
  if (absl::Status status = server->Listen(); !status.ok()) return status;
  return server;
}

}  // namespace mg
