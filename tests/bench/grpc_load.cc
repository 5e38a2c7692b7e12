// Load over gRPC for the benchmark: callers spread over at most four connections, one thread, one
// completion queue. Every answer's text is compared with what the upstream sent.

#include <grpcpp/grpcpp.h>
#include <poll.h>

#include <memory>
#include <string>
#include <vector>

#include "modelgateway/v1/gateway.grpc.pb.h"
#include "tests/bench/answer.h"
#include "tests/bench/load.h"

namespace mg::bench {
namespace {

namespace v1 = modelgateway::v1;

struct Caller {
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::ChatResponse>> unary;
  std::unique_ptr<grpc::ClientAsyncReader<v1::ChatEvent>> stream;
  enum class Wait { kAnswer, kStarted, kEvent, kStatus } wait = Wait::kAnswer;
  v1::ChatResponse answer;
  v1::ChatEvent event;
  grpc::Status status;
  std::string text;
  bool completed = false;
  Clock::time_point begun;
  Clock::time_point first;  // content of a stream
};

class GrpcLoad {
 public:
  explicit GrpcLoad(const LoadOptions& options)
      : options_(options), tally_(options), callers_(static_cast<size_t>(options.in_flight)) {
    request_.set_model(options.model);
    v1::Message* const message = request_.add_messages();
    message->set_role(v1::ROLE_USER);
    message->add_parts()->set_text(kQuestion);
    if (options.stream) {
      for (int i = 0; i + 1 < kChunks; ++i) wanted_ += StreamWord(i);
    } else {
      wanted_ = AnswerText();
    }
  }

  int Run() {
    if (!Connect()) return 1;
    for (size_t i = 0; i < callers_.size(); ++i) Call(i);
    while (busy_ > 0) {
      void* tag = nullptr;
      bool ok = false;
      const auto limit = std::chrono::system_clock::now() + std::chrono::seconds(30);
      if (queue_.AsyncNext(&tag, &ok, limit) != grpc::CompletionQueue::GOT_EVENT) {
        tally_.Bad("no answer for 30 s");
        break;
      }
      const size_t i = static_cast<size_t>(static_cast<Caller*>(tag) - callers_.data());
      Step(i, ok);
    }
    return tally_.Print();
  }

 private:
  bool Connect() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // else they share one connection
    for (int i = 0; i < std::min(4, options_.in_flight); ++i) {
      const auto channel = grpc::CreateCustomChannel(options_.address,
                                                     grpc::InsecureChannelCredentials(), arguments);
      if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5))) {
        std::fprintf(stderr, "grpc_load: no connection to %s\n", options_.address.c_str());
        return false;
      }
      stubs_.push_back(v1::ModelGateway::NewStub(channel));
    }
    return true;
  }

  void Call(size_t i) {
    if (!tally_.Begin()) return;
    ++busy_;
    Caller& caller = callers_[i];
    // They live in the call, which goes with its context.
    caller.unary.reset();
    caller.stream.reset();
    caller = Caller();
    caller.context = std::make_unique<grpc::ClientContext>();
    caller.begun = Clock::now();
    v1::ModelGateway::Stub& stub = *stubs_[i % stubs_.size()];
    if (options_.stream) {
      caller.wait = Caller::Wait::kStarted;
      caller.stream = stub.AsyncStreamChat(caller.context.get(), request_, &queue_, &caller);
    } else {
      caller.unary = stub.AsyncChat(caller.context.get(), request_, &queue_);
      caller.unary->Finish(&caller.answer, &caller.status, &caller);
    }
  }

  void Step(size_t i, bool ok) {
    Caller& caller = callers_[i];
    switch (caller.wait) {
      case Caller::Wait::kAnswer:
        if (caller.answer.choices_size() == 1 &&
            caller.answer.choices(0).message().parts_size() == 1) {
          caller.text = caller.answer.choices(0).message().parts(0).text();
        }
        caller.completed = true;
        return End(i);
      case Caller::Wait::kEvent:
        if (ok) Take(caller);
        [[fallthrough]];
      case Caller::Wait::kStarted:
        caller.wait = ok ? Caller::Wait::kEvent : Caller::Wait::kStatus;
        if (ok) return caller.stream->Read(&caller.event, &caller);
        return caller.stream->Finish(&caller.status, &caller);
      case Caller::Wait::kStatus:
        return End(i);
    }
  }

  static void Take(Caller& caller) {
    caller.completed = caller.event.has_completed();
    if (!caller.event.has_delta()) return;
    if (caller.text.empty()) caller.first = Clock::now();
    caller.text += caller.event.delta().part().text();
  }

  void End(size_t i) {
    --busy_;
    const Caller& caller = callers_[i];
    if (!caller.status.ok()) return tally_.Bad(caller.status.error_message());
    if (!caller.completed || caller.text != wanted_)
      return tally_.Bad("not the answer: " + caller.text);
    tally_.Good((options_.stream ? caller.first : Clock::now()) - caller.begun);
    poll(nullptr, 0, static_cast<int>(options_.pause.count()));
    Call(i);
  }

  const LoadOptions& options_;
  Tally tally_;
  v1::ChatRequest request_;
  std::string wanted_;
  int busy_ = 0;
  std::vector<std::unique_ptr<v1::ModelGateway::Stub>> stubs_;
  std::vector<Caller> callers_;
  grpc::CompletionQueue queue_;
};

}  // namespace
}  // namespace mg::bench

int main(int argc, char** argv) {
  const mg::bench::LoadOptions options = mg::bench::ParseLoadOptions(argc, argv);
  return mg::bench::GrpcLoad(options).Run();
}
