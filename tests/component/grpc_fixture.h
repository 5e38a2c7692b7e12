// A gRPC server on a loop in a thread of its own, with methods that do what the request's model
// says, and a client.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "base/error.h"
#include "daemon/byte_budget.h"
#include "daemon/grpc_health.h"
#include "daemon/grpc_server.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "modelgateway/v1/gateway.grpc.pb.h"

namespace mg::testing {

// What the methods saw, from any thread.
class Seen {
 public:
  void Add(absl::Status request) {
    absl::MutexLock lock(&mutex_);
    requests_.push_back(std::move(request));
  }
  void AddCancelled(absl::Status status) {
    absl::MutexLock lock(&mutex_);
    cancelled_.push_back(std::move(status));
  }
  // The n-th of them, as soon as it is there (ten seconds at most).
  absl::Status Request(size_t n) { return Await(&requests_, n); }
  absl::Status Cancelled(size_t n) { return Await(&cancelled_, n); }

 private:
  absl::Status Await(std::vector<absl::Status>* list, size_t n) {
    absl::MutexLock lock(&mutex_);
    const auto there = [list, n] { return list->size() > n; };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(10))) {
      return absl::InternalError("the server never saw it");
    }
    return (*list)[n];
  }

  absl::Mutex mutex_;
  std::vector<absl::Status> requests_;
  std::vector<absl::Status> cancelled_;
};

// "echo": the last text back. "stream": `max_output_tokens` events. "hang": until cancelled, or
// until Release. "metadata": what came in, in metadata. "fail", "shed", "attempted": errors.
// "flood": events until the reader is slow.
class Scripted final : public RpcMethod {
 public:
  Scripted(Loop* loop, bool streams, Seen* seen, std::vector<Signal*>* hanging)
      : loop_(loop), streams_(streams), seen_(seen), hanging_(hanging) {}
  absl::string_view name() const override { return streams_ ? "StreamChat" : "Chat"; }
  std::unique_ptr<google::protobuf::Message> NewRequest() const override {
    return std::make_unique<v1::ChatRequest>();
  }
  Task<absl::Status> Serve(
      Rpc& rpc, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) override;

 private:
  Task<absl::Status> Hang(Rpc& rpc);
  Task<absl::Status> Flood(Rpc& rpc);
  void Answer(Rpc& rpc, const std::string& text);

  Loop* const loop_;
  const bool streams_;
  Seen* const seen_;
  std::vector<Signal*>* const hanging_;
};

struct FixtureOptions {
  size_t budget = size_t{512} << 20;
  GrpcServerOptions server;
};

class Fixture {
 public:
  explicit Fixture(FixtureOptions options = {});
  ~Fixture() { Stop(); }
  void Stop();

  const absl::Status& started() const { return started_; }
  const std::vector<std::string>& addresses() const { return addresses_; }
  std::shared_ptr<grpc::Channel> NewChannel(size_t address = 0) const;
  std::unique_ptr<v1::ModelGateway::Stub> NewStub() const;
  Seen& seen() { return seen_; }
  ByteBudget& budget() { return budget_; }

  // Runs `action` on the server's thread and waits for it.
  void OnLoop(absl::AnyInvocable<void(GrpcServer& server, Health& health)> action);
  void Release();  // the calls that hang
  // Until `count` calls run: a caller has its answer a little before the server is done with it.
  void AwaitRunning(size_t count);
  void AwaitIdle() { AwaitRunning(0); }

 private:
  void Run(GrpcServerOptions options);

  Seen seen_;
  ByteBudget budget_;
  absl::Status started_;
  std::vector<std::string> addresses_;
  absl::Notification ready_;
  EpollLoop* loop_ = nullptr;
  GrpcServer* server_ = nullptr;
  Health* health_ = nullptr;
  std::vector<Signal*> hanging_;  // of the server's thread
  std::thread thread_;
};

v1::ChatRequest Ask(const std::string& model, const std::string& text = "hello");

// What grpc-status-details-bin says; empty messages where it says nothing.
struct Told {
  google::rpc::Status status;
  v1::ErrorDetail detail;
  bool has_retry_info = false;
  google::rpc::RetryInfo retry_info;
};
Told ToldBy(const grpc::Status& status);
std::string Trailer(const grpc::ClientContext& context, const std::string& key);

}  // namespace mg::testing
