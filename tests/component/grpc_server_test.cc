// The gRPC server over real sockets: calls of every kind, metadata, errors, cancellation, drain and
// shutdown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/component/grpc_fixture.h"

namespace mg::testing {
namespace {

struct Answered {
  grpc::Status status;
  v1::ChatResponse response;
  std::unique_ptr<grpc::ClientContext> context = std::make_unique<grpc::ClientContext>();

  std::string text() const { return response.choices(0).message().parts(0).text(); }
};

Answered Call(v1::ModelGateway::Stub* stub, const v1::ChatRequest& request) {
  Answered answered;
  answered.status = stub->Chat(answered.context.get(), request, &answered.response);
  return answered;
}

// The texts of a stream's events and its end.
struct Streamed {
  grpc::Status status;
  std::vector<std::string> texts;
};

Streamed Stream(v1::ModelGateway::Stub* stub, const v1::ChatRequest& request) {
  Streamed streamed;
  grpc::ClientContext context;
  auto reader = stub->StreamChat(&context, request);
  v1::ChatEvent event;
  while (reader->Read(&event)) streamed.texts.push_back(event.delta().part().text());
  streamed.status = reader->Finish();
  return streamed;
}

v1::ChatRequest AskForEvents(int count) {
  v1::ChatRequest request = Ask("stream");
  request.mutable_sampling()->set_max_output_tokens(count);
  return request;
}

TEST(GrpcServer, AnswersOneCallAfterTheOther) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  for (int i = 0; i < 100; ++i) {
    const Answered answered = Call(stub.get(), Ask("echo", absl::StrCat("text ", i)));
    ASSERT_TRUE(answered.status.ok()) << answered.status.error_message();
    EXPECT_EQ(answered.text(), absl::StrCat("text ", i));
  }
  fixture.AwaitIdle();
  EXPECT_EQ(fixture.budget().used(), 0u);
}

TEST(GrpcServer, AnswersManyAtOnce) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  std::vector<std::thread> callers;
  std::atomic<int> right = 0;
  for (int caller = 0; caller < 16; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 50; ++i) {
        const std::string text = absl::StrCat(caller, "/", i);
        const Answered answered = Call(stub.get(), Ask("echo", text));
        if (answered.status.ok() && answered.text() == text) ++right;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(right, 16 * 50);
}

TEST(GrpcServer, StreamsInOrder) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  for (const int count : {0, 1, 2, 1000}) {
    const Streamed streamed = Stream(stub.get(), AskForEvents(count));
    EXPECT_TRUE(streamed.status.ok());
    ASSERT_EQ(streamed.texts.size(), static_cast<size_t>(count));
    for (int i = 0; i < count; ++i)
      ASSERT_EQ(streamed.texts[static_cast<size_t>(i)], absl::StrCat(i));
  }
}

TEST(GrpcServer, AnAnswerOfManyMegabytesArrivesWhole) {
  Fixture fixture;
  auto channel_arguments = grpc::ChannelArguments();
  channel_arguments.SetMaxReceiveMessageSize(-1);
  auto stub = v1::ModelGateway::NewStub(grpc::CreateCustomChannel(
      fixture.addresses()[0], grpc::InsecureChannelCredentials(), channel_arguments));
  const std::string text(size_t{31} << 20, 'x');
  const Answered answered = Call(stub.get(), Ask("echo", text));
  ASSERT_TRUE(answered.status.ok()) << answered.status.error_message();
  EXPECT_TRUE(answered.text() == text);
}

TEST(GrpcServer, CarriesMetadataBothWays) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  Answered answered;
  answered.context->AddMetadata("x-correlation-id", "c1");
  answered.context->AddMetadata("x-many", "a");
  answered.context->AddMetadata("x-many", "b");
  answered.context->AddMetadata("x-raw-bin", "raw");
  answered.status = stub->Chat(answered.context.get(), Ask("metadata"), &answered.response);
  ASSERT_TRUE(answered.status.ok());
  EXPECT_EQ(answered.text(), "c1,a,b,raw,");
  const auto& initial = answered.context->GetServerInitialMetadata();
  ASSERT_EQ(initial.count("x-request-id"), 1u);
  const grpc::string_ref id = initial.find("x-request-id")->second;
  EXPECT_EQ(std::string(id.data(), id.size()), "r1??x-evil: 1");
  EXPECT_EQ(initial.count("x-evil"), 0u);
  EXPECT_EQ(Trailer(*answered.context, "x-trailer"), "t1");
}

TEST(GrpcServer, ADeadlineReachesTheMethodAsDeadline) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  Answered answered;
  answered.context->set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  answered.status = stub->Chat(answered.context.get(), Ask("hang"), &answered.response);
  EXPECT_EQ(answered.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(ClassOf(fixture.seen().Cancelled(0)), ErrorClass::kDeadline);
}

TEST(GrpcServer, Row29ACallerThatGoesAwayCancelsItsCall) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  grpc::ClientContext context;
  auto reader = stub->StreamChat(&context, Ask("hang"));
  ASSERT_TRUE(fixture.seen().Request(0).ok());
  context.TryCancel();
  EXPECT_EQ(ClassOf(fixture.seen().Cancelled(0)), ErrorClass::kCancel);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST(GrpcServer, Row29ALostConnectionCancelsItsCalls) {
  Fixture fixture;
  grpc::CompletionQueue queue;
  {
    // A client that never closes its calls: its channel goes with everything in it.
    auto stub = fixture.NewStub();
    auto context = std::make_unique<grpc::ClientContext>();
    void* tag = nullptr;
    bool ok = false;
    auto reader = stub->AsyncStreamChat(context.get(), Ask("hang"), &queue, nullptr);
    ASSERT_TRUE(queue.Next(&tag, &ok));
    ASSERT_TRUE(fixture.seen().Request(0).ok());
  }
  EXPECT_EQ(ClassOf(fixture.seen().Cancelled(0)), ErrorClass::kCancel);
  queue.Shutdown();
}

TEST(GrpcServer, AnErrorAfterAttemptsForbidsRetriesAndStaysSmall) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  const Answered answered = Call(stub.get(), Ask("attempted"));
  EXPECT_EQ(answered.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(answered.status.error_message(), "the provider is overloaded");
  const Told told = ToldBy(answered.status);
  EXPECT_EQ(told.status.code(), answered.status.error_code());
  EXPECT_EQ(told.status.message(), answered.status.error_message());
  EXPECT_EQ(told.detail.kind(), v1::ERROR_KIND_OVERLOADED);
  EXPECT_EQ(told.detail.fault(), "provider");
  EXPECT_GT(told.detail.report().attempts_size(), 0);
  EXPECT_LE(told.detail.ByteSizeLong(), 4096u);
  EXPECT_EQ(told.retry_info.retry_delay().seconds(), 7);
  EXPECT_EQ(Trailer(*answered.context, "x-should-retry"), "false");
  EXPECT_EQ(Trailer(*answered.context, "grpc-retry-pushback-ms"), "-1");
  EXPECT_EQ(Trailer(*answered.context, "retry-after"), "7");
}

TEST(GrpcServer, ARefusalWithAHintInvitesARetry) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  const Answered soon = Call(stub.get(), Ask("shed"));
  EXPECT_EQ(ToldBy(soon.status).retry_info.retry_delay().seconds(), 3);
  EXPECT_EQ(Trailer(*soon.context, "grpc-retry-pushback-ms"), "3000");
  EXPECT_EQ(Trailer(*soon.context, "retry-after"), "3");
  EXPECT_EQ(Trailer(*soon.context, "x-should-retry"), "true");
  const Answered late = Call(stub.get(), Ask("shed-long"));
  EXPECT_EQ(Trailer(*late.context, "grpc-retry-pushback-ms"), "61000");
  EXPECT_EQ(Trailer(*late.context, "x-should-retry"), "");
}

TEST(GrpcServer, WhatWasSentBeforeAnErrorArrives) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  const Streamed streamed = Stream(stub.get(), Ask("interrupted"));
  EXPECT_THAT(streamed.texts, ::testing::ElementsAre("begun"));
  EXPECT_EQ(ToldBy(streamed.status).detail.kind(), v1::ERROR_KIND_STREAM_INTERRUPTED);
  // A unary call has one answer or an error, never both.
  const Answered answered = Call(stub.get(), Ask("interrupted"));
  EXPECT_EQ(ToldBy(answered.status).detail.kind(), v1::ERROR_KIND_STREAM_INTERRUPTED);
}

TEST(GrpcServer, AUnaryMethodWithoutAnAnswerIsABug) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  const Answered answered = Call(stub.get(), Ask("nothing"));
  EXPECT_EQ(answered.status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(ToldBy(answered.status).detail.kind(), v1::ERROR_KIND_INTERNAL_ERROR);
}

TEST(GrpcServer, ASlowReaderIsEndedAndItsBuffersAreFreed) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  grpc::ClientContext context;
  auto reader = stub->StreamChat(&context, Ask("flood"));
  // Nothing is read until the server has given up; another call is served meanwhile.
  EXPECT_TRUE(Call(stub.get(), Ask("echo")).status.ok());
  fixture.AwaitIdle();
  EXPECT_EQ(fixture.budget().used(), 0u);
  v1::ChatEvent event;
  while (reader->Read(&event)) {
  }
  EXPECT_FALSE(reader->Finish().ok());
}

TEST(GrpcServer, UnknownMethodsAreUnimplemented) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  grpc::ClientContext context;
  v1::ListModelsResponse response;
  const grpc::Status status = stub->ListModels(&context, v1::ListModelsRequest(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST(GrpcServer, DrainsRefusingNewCallsAndCutsTheRestAtTheEnd) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  grpc::ClientContext first_context;
  auto first = stub->StreamChat(&first_context, Ask("hang"));
  ASSERT_TRUE(fixture.seen().Request(0).ok());
  fixture.OnLoop([](GrpcServer& server, Health&) { server.StopAccepting(); });

  const Answered refused = Call(stub.get(), Ask("echo"));
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ToldBy(refused.status).detail.kind(), v1::ERROR_KIND_SHUTTING_DOWN);
  EXPECT_EQ(Trailer(*refused.context, "grpc-retry-pushback-ms"), "1000");
  EXPECT_EQ(ClassOf(fixture.seen().Request(1)), ErrorClass::kShuttingDown);

  fixture.AwaitRunning(1);
  fixture.OnLoop([](GrpcServer& server, Health&) { server.CancelAll(); });
  EXPECT_EQ(ClassOf(fixture.seen().Cancelled(0)), ErrorClass::kShuttingDown);
  v1::ChatEvent event;
  EXPECT_FALSE(first->Read(&event));
  EXPECT_EQ(ToldBy(first->Finish()).detail.kind(), v1::ERROR_KIND_SHUTTING_DOWN);
}

TEST(GrpcServer, ACallThatRunsWhileItDrainsIsServedToItsEnd) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  grpc::ClientContext context;
  auto reader = stub->StreamChat(&context, Ask("hang"));
  ASSERT_TRUE(fixture.seen().Request(0).ok());
  fixture.OnLoop([](GrpcServer& server, Health&) { server.StopAccepting(); });
  fixture.Release();
  v1::ChatEvent event;
  EXPECT_TRUE(reader->Read(&event));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST(GrpcServer, EndsWithCallsUnderWay) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::ChatEvent>>> readers;
  for (int i = 0; i < 8; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    readers.push_back(stub->StreamChat(contexts.back().get(), Ask("hang")));
    ASSERT_TRUE(fixture.seen().Request(static_cast<size_t>(i)).ok());
  }
  fixture.Stop();
  for (auto& reader : readers) EXPECT_FALSE(reader->Finish().ok());
  EXPECT_EQ(fixture.budget().used(), 0u);
}

TEST(GrpcServer, HealthTellsOfServicesAndOfTheDrain) {
  using grpc::health::v1::HealthCheckResponse;
  Fixture fixture;
  auto stub = grpc::health::v1::Health::NewStub(fixture.NewChannel());
  const auto check = [&](const std::string& service, HealthCheckResponse* response) {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    return stub->Check(&context, request, response);
  };
  HealthCheckResponse response;
  for (const char* service : {"", "modelgateway.v1.ModelGateway"}) {
    EXPECT_TRUE(check(service, &response).ok());
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  }
  EXPECT_EQ(check("other.Service", &response).error_code(), grpc::StatusCode::NOT_FOUND);

  grpc::ClientContext known_context, unknown_context;
  auto known = stub->Watch(&known_context, {});
  ASSERT_TRUE(known->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  grpc::health::v1::HealthCheckRequest other;
  other.set_service("other.Service");
  auto unknown = stub->Watch(&unknown_context, other);
  ASSERT_TRUE(unknown->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);

  size_t running = 1;
  fixture.OnLoop([&](GrpcServer& server, Health& health) {
    health.SetServing(false);
    server.StopAccepting();
    running = server.running();
  });
  EXPECT_EQ(running, 0u) << "whoever watches holds no drain up";
  ASSERT_TRUE(known->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_TRUE(check("", &response).ok());
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  unknown_context.TryCancel();
  EXPECT_EQ(unknown->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace mg::testing
