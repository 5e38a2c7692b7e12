// What the gRPC server refuses to take, and how: unknown, malformed, oversized, slow and unadmitted
// requests.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/component/grpc_fixture.h"

namespace mg::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kChat[] = "/modelgateway.v1.ModelGateway/Chat";
constexpr size_t kMiB = size_t{1} << 20;

grpc::Slice Bytes(const std::string& bytes) { return grpc::Slice(bytes); }

// One RPC whose request is any bytes, or none, sent by hand.
class RawCall {
 public:
  explicit RawCall(grpc::GenericStub* stub) : call_(stub->PrepareCall(&context_, kChat, &queue_)) {
    call_->StartCall(nullptr);
    Next();
  }
  ~RawCall() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }
  RawCall(const RawCall&) = delete;
  RawCall& operator=(const RawCall&) = delete;

  // Hands the request to gRPC, which may be unable to send it: nothing is waited for.
  void BeginWrite(const grpc::Slice& request) {
    buffer_ = grpc::ByteBuffer(&request, 1);
    call_->WriteLast(buffer_, grpc::WriteOptions(), this);
  }
  void HalfClose() {
    call_->WritesDone(nullptr);
    Next();
  }
  // The end of the call.
  grpc::Status Finish() {
    grpc::Status status;
    call_->Finish(&status, &status);
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok) && tag != &status) {
    }
    return status;
  }

 private:
  void Next() {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  grpc::ByteBuffer buffer_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

grpc::Status Send(Fixture& fixture, const grpc::Slice& request) {
  grpc::GenericStub stub(fixture.NewChannel());
  RawCall call(&stub);
  call.BeginWrite(request);
  return call.Finish();
}

std::string Refused(Fixture& fixture, const std::string& request) {
  const grpc::Status status = Send(fixture, Bytes(request));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const Told told = ToldBy(status);
  EXPECT_EQ(told.detail.kind(), v1::ERROR_KIND_INVALID_REQUEST);
  return absl::StrCat(told.detail.field(), " | ", status.error_message());
}

size_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  size_t pages = 0;
  size_t resident = 0;
  file >> pages >> resident;
  return resident * 4096;
}

TEST(GrpcRequests, WhatIsUnknownIsRefusedByName) {
  Fixture fixture;
  v1::ChatRequest request = Ask("echo");
  request.mutable_sampling()
      ->GetReflection()
      ->MutableUnknownFields(request.mutable_sampling())
      ->AddVarint(17, 1);
  EXPECT_THAT(Refused(fixture, request.SerializeAsString()),
              ::testing::AllOf(HasSubstr("sampling.#17 | "), HasSubstr("number 17"),
                               HasSubstr("model-gateway 0.0.0-test")));
  request = Ask("echo");
  request.add_messages();
  request.add_messages()->set_role(static_cast<v1::Role>(9));
  EXPECT_THAT(Refused(fixture, request.SerializeAsString()),
              ::testing::AllOf(HasSubstr("messages[2].role | "), HasSubstr("value 9"),
                               HasSubstr("model-gateway 0.0.0-test")));
  EXPECT_EQ(ClassOf(fixture.seen().Request(1)), ErrorClass::kInvalidRequest);
}

TEST(GrpcRequests, WhatIsMalformedIsRefused) {
  Fixture fixture;
  const v1::ChatRequest request = Ask("echo", "MARK");
  std::string bytes = request.SerializeAsString();
  bytes[bytes.find("MARK")] = '\xff';
  EXPECT_THAT(Refused(fixture, bytes), HasSubstr("messages[0].parts[0].text | "));
  bytes.pop_back();
  EXPECT_THAT(Refused(fixture, bytes), HasSubstr("not a ChatRequest"));
  EXPECT_THAT(Refused(fixture, std::string(1, '\0')), HasSubstr("not a ChatRequest"));
}

TEST(GrpcRequests, TheLimitOfSizeIsNamed) {
  Fixture fixture;
  const size_t around = Ask("echo", std::string(32 * kMiB, 'x')).ByteSizeLong() - 32 * kMiB;
  const std::string exact = Ask("hang", std::string(32 * kMiB - around, 'x')).SerializeAsString();
  ASSERT_EQ(exact.size(), 32 * kMiB);
  {
    grpc::GenericStub stub(fixture.NewChannel());
    RawCall call(&stub);
    call.BeginWrite(Bytes(exact));
    EXPECT_TRUE(fixture.seen().Request(0).ok());
    fixture.OnLoop([&](GrpcServer&, Health&) {
      EXPECT_EQ(fixture.budget().used(), exact.size()) << "what the request really has is held";
    });
  }
  EXPECT_THAT(Refused(fixture, exact + '\0'),
              ::testing::AllOf(HasSubstr("33554433 bytes"), HasSubstr("32 MiB")));
  EXPECT_THAT(Refused(fixture, std::string(47 * kMiB, 'x')), HasSubstr("32 MiB"));
  // Above its own limit gRPC answers by itself, without details.
  EXPECT_EQ(Send(fixture, Bytes(std::string(49 * kMiB, 'x'))).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  fixture.AwaitIdle();
  EXPECT_EQ(fixture.budget().used(), 0u);
}

TEST(GrpcRequests, ACallWithoutAMessageIsRefused) {
  Fixture fixture;
  grpc::GenericStub stub(fixture.NewChannel());
  RawCall call(&stub);
  call.HalfClose();
  const grpc::Status status = call.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("without a request message"));
}

TEST(GrpcRequests, CompressedRequestsAreRefused) {
  Fixture fixture;
  auto stub = fixture.NewStub();
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  v1::ChatResponse response;
  const grpc::Status status = stub->Chat(&context, Ask("echo", std::string(kMiB, 'x')), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

// Sixteen requests of 30 MiB, none of which finds room: all of them stay with their callers.
TEST(GrpcRequests, NothingIsReadBeforeItIsAdmitted) {
  FixtureOptions options;
  options.budget = 3 * ByteBudget::kLargestMessage;
  options.server.admission.room_timeout = absl::Seconds(3);
  Fixture fixture(std::move(options));
  const size_t taken = 2 * ByteBudget::kLargestMessage + kMiB;
  ASSERT_TRUE(fixture.budget().TryReserve(taken));
  const grpc::Slice request = Bytes(Ask("echo", std::string(30 * kMiB, 'x')).SerializeAsString());
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs;
  std::vector<std::unique_ptr<RawCall>> calls;
  [[maybe_unused]] const size_t before = ResidentBytes();
  for (int i = 0; i < 16; ++i) {
    stubs.push_back(std::make_unique<grpc::GenericStub>(fixture.NewChannel()));
    calls.push_back(std::make_unique<RawCall>(stubs.back().get()));
    calls.back()->BeginWrite(request);
  }
  for (size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(ClassOf(fixture.seen().Request(i)), ErrorClass::kShed);
  }
#if !__has_feature(address_sanitizer)
  EXPECT_LT(ResidentBytes(), before + 32 * kMiB);
#endif
  for (auto& call : calls) {
    const grpc::Status status = call->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    const Told told = ToldBy(status);
    EXPECT_EQ(told.detail.kind(), v1::ERROR_KIND_GATEWAY_OVERLOADED);
    EXPECT_EQ(told.retry_info.retry_delay().seconds(), 1);
  }
  // The callers' own clocks are not the gateway's: none of this counts against it for ever.
  EXPECT_EQ(fixture.budget().used(), taken);
  fixture.budget().Release(taken);
}

TEST(GrpcRequests, CallsWaitForRoomInTurnAndAllAreServed) {
  FixtureOptions options;
  options.budget = 49 * kMiB;  // room for the reading of one
  Fixture fixture(std::move(options));
  auto stub = fixture.NewStub();
  std::vector<std::thread> callers;
  std::atomic<int> served = 0;
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        grpc::ClientContext context;
        v1::ChatResponse response;
        if (stub->Chat(&context, Ask("echo"), &response).ok()) ++served;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(served, 160);
}

TEST(GrpcRequests, HalfOpenCallsAreEndedAndDoNotBlockOthers) {
  FixtureOptions options;
  options.budget = 5 * 48 * kMiB;
  options.server.admission.slow_read = absl::Milliseconds(50);
  options.server.admission.message_timeout = absl::Seconds(2);
  Fixture fixture(std::move(options));
  grpc::GenericStub generic(fixture.NewChannel());
  std::vector<std::unique_ptr<RawCall>> silent;
  for (int i = 0; i < 6; ++i) silent.push_back(std::make_unique<RawCall>(&generic));
  auto stub = fixture.NewStub();
  grpc::ClientContext context;
  v1::ChatResponse response;
  EXPECT_TRUE(stub->Chat(&context, Ask("echo"), &response).ok());
  // Two more than may be slow: the oldest have to give way.
  int evicted = 0;
  int timed_out = 0;
  for (auto& call : silent) {
    const grpc::Status status = call->Finish();
    const Told told = ToldBy(status);
    if (told.detail.reason() == "slow_request" &&
        told.detail.kind() == v1::ERROR_KIND_GATEWAY_OVERLOADED) {
      ++evicted;
    }
    if (status.error_code() == grpc::StatusCode::INVALID_ARGUMENT &&
        status.error_message() == "the request's message did not arrive within 2s") {
      ++timed_out;
    }
  }
  EXPECT_EQ(evicted, 2);
  EXPECT_EQ(timed_out, 4);
  fixture.AwaitIdle();
  EXPECT_EQ(fixture.budget().used(), 0u);
}

TEST(GrpcRequests, ACallerWhoLeavesWhileItWaitsForRoomIsForgotten) {
  FixtureOptions options;
  options.budget = kMiB;
  Fixture fixture(std::move(options));
  ASSERT_TRUE(fixture.budget().TryReserve(kMiB));
  auto stub = fixture.NewStub();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(100));
  v1::ChatResponse response;
  EXPECT_EQ(stub->Chat(&context, Ask("echo"), &response).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(ClassOf(fixture.seen().Request(0)), ErrorClass::kDeadline);
  fixture.AwaitIdle();
  EXPECT_EQ(fixture.budget().used(), size_t{kMiB});
  fixture.budget().Release(kMiB);
}

}  // namespace
}  // namespace mg::testing
