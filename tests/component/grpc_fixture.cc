#include "tests/component/grpc_fixture.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace mg::testing {
namespace {

v1::ChatEvent TextEvent(const std::string& text) {
  v1::ChatEvent event;
  event.mutable_delta()->mutable_part()->set_text(text);
  return event;
}

absl::Status Attempted() {
  v1::ErrorDetail detail;
  detail.mutable_retry_after()->set_seconds(7);
  detail.set_provider_message(std::string(2048, 'p'));
  for (int i = 0; i < 10; ++i) {
    v1::Attempt* attempt = detail.mutable_report()->add_attempts();
    attempt->set_candidate("candidate");
    attempt->set_error_kind(v1::ERROR_KIND_OVERLOADED);
  }
  for (int i = 0; i < 30; ++i) detail.mutable_report()->add_skipped()->set_candidate("skipped");
  for (int i = 0; i < 50; ++i) {
    detail.mutable_report()->add_warnings()->set_message(std::string(100, 'w'));
  }
  return MakeError(ErrorClass::kOverload, std::move(detail), "the provider is overloaded");
}

absl::Status Refusal(int seconds) {
  v1::ErrorDetail detail;
  detail.mutable_retry_after()->set_seconds(seconds);
  return MakeError(ErrorClass::kNoCandidate, std::move(detail), "nothing is selectable");
}

}  // namespace

void Scripted::Answer(Rpc& rpc, const std::string& text) {
  if (streams_) {
    rpc.Send(TextEvent(text));
    return;
  }
  v1::ChatResponse response;
  response.add_choices()->mutable_message()->add_parts()->set_text(text);
  rpc.Send(response);
}

Task<absl::Status> Scripted::Hang(Rpc& rpc) {
  Signal released(loop_);
  hanging_->push_back(&released);
  const Wake wake = co_await released.Wait(kNever, rpc.cancellation());
  hanging_->erase(std::find(hanging_->begin(), hanging_->end(), &released));
  if (wake == Wake::kCancelled) {
    seen_->AddCancelled(rpc.cancellation()->status());
    co_return rpc.cancellation()->status();
  }
  Answer(rpc, "released");
  co_return absl::OkStatus();
}

Task<absl::Status> Scripted::Flood(Rpc& rpc) {
  const v1::ChatEvent event = TextEvent(std::string(1 << 20, 'f'));
  while (rpc.unsent_bytes() < size_t{8} << 20) {
    rpc.Send(event);
    Signal turn(loop_);
    if (co_await turn.Wait(loop_->now() + absl::Milliseconds(1), rpc.cancellation()) ==
        Wake::kCancelled) {
      co_return rpc.cancellation()->status();
    }
  }
  co_return MakeError(ErrorClass::kSlowReader, "the caller reads too slowly");
}

Task<absl::Status> Scripted::Serve(
    Rpc& rpc, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) {
  seen_->Add(request.status());
  if (!request.ok()) co_return request.status();
  const auto& chat = static_cast<const v1::ChatRequest&>(**request);
  const std::string& model = chat.model();
  if (model == "echo") Answer(rpc, chat.messages().rbegin()->parts(0).text());
  if (model == "stream") {
    for (int i = 0; i < chat.sampling().max_output_tokens(); ++i) Answer(rpc, absl::StrCat(i));
  }
  if (model == "hang") co_return co_await Hang(rpc);
  if (model == "flood") co_return co_await Flood(rpc);
  if (model == "attempted") co_return Attempted();
  if (model == "shed") co_return Refusal(3);
  if (model == "shed-long") co_return Refusal(61);
  if (model == "interrupted") {
    Answer(rpc, "begun");
    co_return MakeError(ErrorClass::kInterrupted, "the provider broke off");
  }
  if (model == "metadata") {
    rpc.AddInitialMetadata("x-request-id", "r1\r\nx-evil: 1");
    rpc.AddTrailingMetadata("x-trailer", "t1");
    std::string all(rpc.Metadata("x-correlation-id"));
    for (absl::string_view value : rpc.MetadataValues("x-many")) absl::StrAppend(&all, ",", value);
    absl::StrAppend(&all, ",", rpc.Metadata("x-raw-bin"), ",", rpc.Metadata("absent"));
    Answer(rpc, all);
  }
  co_return absl::OkStatus();
}

Fixture::Fixture(FixtureOptions options) : budget_(options.budget) {
  if (options.server.addresses.empty()) options.server.addresses = {"127.0.0.1:0"};
  options.server.program = "model-gateway 0.0.0-test";
  thread_ = std::thread([this, server = std::move(options.server)] { Run(server); });
  ready_.WaitForNotification();
}

void Fixture::Run(GrpcServerOptions options) {
  EpollLoop loop;
  Health health(&loop, {"modelgateway.v1.ModelGateway"});
  RpcService gateway;
  gateway.name = "modelgateway.v1.ModelGateway";
  for (const bool streams : {false, true}) {
    gateway.methods.push_back(std::make_unique<Scripted>(&loop, streams, &seen_, &hanging_));
  }
  std::vector<RpcService> services;
  services.push_back(std::move(gateway));
  services.push_back(health.Service());
  auto server = GrpcServer::Start(&loop, &budget_, std::move(options), std::move(services));
  started_ = server.status();
  if (!server.ok()) {
    ready_.Notify();
    return;
  }
  addresses_ = (*server)->addresses();
  loop_ = &loop;
  server_ = server->get();
  health_ = &health;
  ready_.Notify();
  loop.Run();
}

void Fixture::Stop() {
  if (!thread_.joinable()) return;
  if (loop_ != nullptr) loop_->Stop();
  thread_.join();
}

std::shared_ptr<grpc::Channel> Fixture::NewChannel(size_t address) const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Never a name: c-ares, by which gRPC's clients resolve one, leaks.
  const std::string target =
      absl::StrReplaceAll(addresses_.at(address), {{"localhost", "127.0.0.1"}});
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

std::unique_ptr<v1::ModelGateway::Stub> Fixture::NewStub() const {
  return v1::ModelGateway::NewStub(NewChannel());
}

void Fixture::OnLoop(absl::AnyInvocable<void(GrpcServer& server, Health& health)> action) {
  absl::Notification done;
  loop_->Post([&] {
    action(*server_, *health_);
    done.Notify();
  });
  done.WaitForNotification();
}

void Fixture::Release() {
  OnLoop([this](GrpcServer&, Health&) {
    for (Signal* released : hanging_) released->Notify();
  });
}

void Fixture::AwaitRunning(size_t count) {
  bool right = false;
  while (!right) {
    OnLoop([&](GrpcServer& server, Health&) { right = server.running() == count; });
  }
}

v1::ChatRequest Ask(const std::string& model, const std::string& text) {
  v1::ChatRequest request;
  request.set_model(model);
  v1::Message* message = request.add_messages();
  message->set_role(v1::ROLE_USER);
  message->add_parts()->set_text(text);
  return request;
}

Told ToldBy(const grpc::Status& status) {
  Told told;
  told.status.ParseFromString(status.error_details());
  for (const google::protobuf::Any& any : told.status.details()) {
    any.UnpackTo(&told.detail);
    told.has_retry_info |= any.UnpackTo(&told.retry_info);
  }
  return told;
}

std::string Trailer(const grpc::ClientContext& context, const std::string& key) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(key);
  return found == trailers.end() ? "" : std::string(found->second.data(), found->second.size());
}

}  // namespace mg::testing
