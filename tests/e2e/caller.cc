#include "tests/e2e/caller.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <future>

#include "absl/strings/str_cat.h"
#include "adapters/fold.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "modelgateway/v1/gateway.grpc.pb.h"
#include "tests/support/script.h"

namespace mg::e2e {
namespace {

// What hangs ends as a failure of its test.
std::chrono::system_clock::time_point Patience() {
  return std::chrono::system_clock::now() + 2 * kTestPatience;
}

void Prepare(const CallOptions& options, grpc::ClientContext* context) {
  context->set_deadline(options.deadline.has_value()
                            ? absl::ToChronoTime(absl::Now() + *options.deadline)
                            : Patience());
  for (const auto& [key, value] : options.metadata) context->AddMetadata(key, value);
}

std::map<std::string, std::string> Copied(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  std::map<std::string, std::string> copy;
  for (const auto& [key, value] : metadata) {
    copy.emplace(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
  }
  return copy;
}

void Note(const grpc::Status& status, const grpc::ClientContext& context, Reply* reply) {
  reply->code = static_cast<absl::StatusCode>(status.error_code());
  reply->message = status.error_message();
  reply->metadata = Copied(context.GetServerInitialMetadata());
  reply->trailers = Copied(context.GetServerTrailingMetadata());
  reply->details_bytes = status.error_details().size();
  google::rpc::Status rich;
  rich.ParseFromString(status.error_details());
  for (const google::protobuf::Any& any : rich.details()) {
    google::rpc::RetryInfo retry;
    if (any.UnpackTo(&retry)) {
      reply->retry_info = absl::Seconds(retry.retry_delay().seconds()) +
                          absl::Nanoseconds(retry.retry_delay().nanos());
    }
    reply->has_detail |= any.UnpackTo(&reply->detail);
  }
}

using Stub = v1::ModelGateway::Stub;

class UnaryCall final : public Caller::Call {
 public:
  UnaryCall(Stub* stub, v1::ChatRequest request, const CallOptions& options) {
    Prepare(options, &context_);
    ended_ = std::async(std::launch::async, [this, stub, request = std::move(request)] {
      return stub->Chat(&context_, request, &reply_.response);
    });
  }
  std::optional<v1::ChatEvent> Next() override { return std::nullopt; }
  void Cancel() override { context_.TryCancel(); }
  Reply End() override {
    Note(ended_.get(), context_, &reply_);
    return reply_;
  }

 private:
  grpc::ClientContext context_;
  Reply reply_;
  std::future<grpc::Status> ended_;  // the last: its end is awaited before the others go
};

class StreamCall final : public Caller::Call {
 public:
  StreamCall(Stub* stub, const v1::ChatRequest& request, const CallOptions& options) {
    Prepare(options, &context_);
    reader_ = stub->StreamChat(&context_, request);
  }
  ~StreamCall() override {
    if (ended_) return;
    context_.TryCancel();
    End();
  }
  std::optional<v1::ChatEvent> Next() override {
    v1::ChatEvent event;
    if (!reader_->Read(&event)) return std::nullopt;
    reply_.events.push_back(event);
    return event;
  }
  void Cancel() override { context_.TryCancel(); }
  Reply End() override {
    while (Next().has_value()) {
    }
    ended_ = true;
    Note(reader_->Finish(), context_, &reply_);
    ChatFold fold;
    for (const v1::ChatEvent& event : reply_.events) fold.Add(v1::ChatEvent(event));
    reply_.response = fold.Take();
    return reply_;
  }

 private:
  grpc::ClientContext context_;
  Reply reply_;
  std::unique_ptr<grpc::ClientReader<v1::ChatEvent>> reader_;
  bool ended_ = false;
};

class RawCall final : public Caller::Call {
 public:
  RawCall(const std::shared_ptr<grpc::Channel>& channel, const std::string* request,
          const CallOptions& options, const std::string& method)
      : stub_(channel) {
    Prepare(options, &context_);
    call_ = stub_.PrepareCall(&context_, method, &queue_);
    call_->StartCall(this);
    Await(this);
    if (request == nullptr) return;
    const grpc::Slice slice(request->data(), request->size(), grpc::Slice::STATIC_SLICE);
    call_->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), this);
  }
  ~RawCall() override {
    if (!ended_) {
      context_.TryCancel();
      End();
    }
    queue_.Shutdown();
    Await(nullptr);
  }
  std::optional<v1::ChatEvent> Next() override {
    if (read_) return std::nullopt;
    read_ = true;
    call_->Read(&answer_, &answer_);
    Await(&answer_);
    if (!answer_.Valid()) return std::nullopt;
    return v1::ChatEvent();
  }
  void Cancel() override { context_.TryCancel(); }
  Reply End() override {
    ended_ = true;
    Reply reply;
    grpc::Status status;
    (void)Next();  // the status comes behind it
    call_->Finish(&status, &status);
    Await(&status);
    Note(status, context_, &reply);
    std::vector<grpc::Slice> slices;
    if (answer_.Valid() && answer_.Dump(&slices).ok()) {
      for (const grpc::Slice& slice : slices) {
        reply.bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
      }
    }
    return reply;
  }

 private:
  // Until this tag, or the queue's end.
  void Await(const void* awaited) {
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok) && tag != awaited) {
    }
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  grpc::ByteBuffer answer_;
  bool read_ = false;
  bool ended_ = false;
};

}  // namespace

struct Connection {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<Stub> stub;
};

Caller::Caller(const std::string& address, const std::string& service_config)
    : connection_(std::make_unique<Connection>()) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  if (!service_config.empty()) arguments.SetServiceConfigJSON(service_config);
  connection_->channel =
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  connection_->stub = v1::ModelGateway::NewStub(connection_->channel);
}

Caller::~Caller() = default;

std::unique_ptr<Caller::Call> Caller::Start(const v1::ChatRequest& request, bool stream,
                                            const CallOptions& options) {
  if (stream) return std::make_unique<StreamCall>(connection_->stub.get(), request, options);
  return std::make_unique<UnaryCall>(connection_->stub.get(), request, options);
}

std::unique_ptr<Caller::Call> Caller::StartRaw(const std::string* request,
                                               const CallOptions& options,
                                               const std::string& method) {
  return std::make_unique<RawCall>(connection_->channel, request, options, method);
}

std::string Caller::Health(const std::string& service) {
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  grpc::health::v1::HealthCheckResponse response;
  grpc::ClientContext context;
  context.set_deadline(Patience());
  auto stub = grpc::health::v1::Health::NewStub(connection_->channel);
  if (!stub->Check(&context, request, &response).ok()) return "";
  return grpc::health::v1::HealthCheckResponse::ServingStatus_Name(response.status());
}

std::string Reply::Text() const {
  std::string text;
  if (response.choices().empty()) return text;
  for (const v1::Part& part : response.choices(0).message().parts()) text += part.text();
  return text;
}

std::string Reply::Attempts() const {
  constexpr size_t kPrefix = sizeof("ERROR_KIND_") - 1;
  std::string list;
  for (const v1::Attempt& attempt : (ok() ? response.report() : detail.report()).attempts()) {
    const std::string kind = attempt.error_kind() == v1::ERROR_KIND_UNSPECIFIED
                                 ? "ok"
                                 : v1::ErrorKind_Name(attempt.error_kind()).substr(kPrefix);
    absl::StrAppend(&list, list.empty() ? "" : " ", attempt.provider(), ":", kind);
  }
  return list;
}

v1::ChatRequest Ask(const std::string& model, const std::string& text) {
  v1::ChatRequest request;
  request.set_model(model);
  v1::Message* message = request.add_messages();
  message->set_role(v1::ROLE_USER);
  message->add_parts()->set_text(text);
  return request;
}

}  // namespace mg::e2e
