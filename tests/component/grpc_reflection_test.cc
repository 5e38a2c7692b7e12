// Reflection over the wire, in both of its versions: what is served is the contract that is
// compiled in, with its comments.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "tests/component/grpc_fixture.h"

namespace mg::testing {
namespace {

namespace pb = google::protobuf;
using ::testing::HasSubstr;

constexpr char kContract[] = "modelgateway/v1/gateway.proto";
constexpr char kConfig[] = "modelgateway/v1/config.proto";

struct V1 {
  using Service = grpc::reflection::v1::ServerReflection;
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;
};
struct V1Alpha {
  using Service = grpc::reflection::v1alpha::ServerReflection;
  using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Response = grpc::reflection::v1alpha::ServerReflectionResponse;
};

pb::FileDescriptorProto ProtoOf(const pb::FileDescriptor& file) {
  pb::FileDescriptorProto proto;
  file.CopyTo(&proto);
  file.CopyJsonNameTo(&proto);
  return proto;
}

// One stream of questions to a server of its own.
template <typename Version>
class GrpcReflection : public ::testing::Test {
 protected:
  using Request = typename Version::Request;
  using Response = typename Version::Response;

  // The request comes back in the answer.
  Response Ask(const Request& request) {
    Response response;
    EXPECT_TRUE(stream_->Write(request));
    EXPECT_TRUE(stream_->Read(&response));
    EXPECT_EQ(response.original_request().DebugString(), request.DebugString());
    return response;
  }
  // The files of an answer, each once.
  void Take(const Response& response, pb::SimpleDescriptorDatabase* files) {
    for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      pb::FileDescriptorProto file;
      ASSERT_TRUE(file.ParseFromString(bytes));
      ASSERT_TRUE(files->Add(file)) << file.name() << " comes twice";
    }
  }
  std::string FirstFile(const Response& response) {
    pb::FileDescriptorProto file;
    if (response.file_descriptor_response().file_descriptor_proto_size() == 0) return "none";
    EXPECT_TRUE(file.ParseFromString(response.file_descriptor_response().file_descriptor_proto(0)));
    return file.name();
  }
  // Whether the server has ended the stream, without another answer.
  bool Ended() {
    Response response;
    return !stream_->Read(&response);
  }
  grpc::Status Finish() {
    stream_->WritesDone();
    return stream_->Finish();
  }

  Fixture fixture_;
  grpc::ClientContext context_;
  std::unique_ptr<typename Version::Service::Stub> stub_ =
      Version::Service::NewStub(fixture_.NewChannel());
  std::unique_ptr<grpc::ClientReaderWriter<Request, Response>> stream_ =
      stub_->ServerReflectionInfo(&context_);
};
using Versions = ::testing::Types<V1, V1Alpha>;
TYPED_TEST_SUITE(GrpcReflection, Versions);

TYPED_TEST(GrpcReflection, ListsWhatIsServed) {
  typename TypeParam::Request request;
  request.set_list_services("*");
  const auto response = this->Ask(request);
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) {
    names.push_back(service.name());
  }
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("modelgateway.v1.ModelGateway",
                                                     "grpc.health.v1.Health",
                                                     "grpc.reflection.v1.ServerReflection",
                                                     "grpc.reflection.v1alpha.ServerReflection"));
  EXPECT_TRUE(this->Finish().ok());
}

// Names, numbers, types, labels and options, and the comments, which the compiled-in one lacks.
TYPED_TEST(GrpcReflection, ServesTheContractThatIsCompiledIn) {
  typename TypeParam::Request request;
  request.set_file_containing_symbol("modelgateway.v1.ChatRequest.model");
  pb::SimpleDescriptorDatabase files;
  this->Take(this->Ask(request), &files);
  pb::DescriptorPool pool(&files);
  const pb::FileDescriptor* served = pool.FindFileByName(kContract);
  ASSERT_NE(served, nullptr) << "or one of its imports";
  const pb::FileDescriptor* compiled =
      pb::DescriptorPool::generated_pool()->FindFileByName(kContract);
  pb::util::MessageDifferencer differencer;
  std::string differences;
  differencer.ReportDifferencesToString(&differences);
  EXPECT_TRUE(differencer.Compare(ProtoOf(*compiled), ProtoOf(*served))) << differences;

  pb::SourceLocation location;
  const pb::Descriptor* chat = pool.FindMessageTypeByName("modelgateway.v1.ChatRequest");
  ASSERT_NE(chat, nullptr);
  ASSERT_TRUE(chat->FindFieldByName("model")->GetSourceLocation(&location));
  EXPECT_THAT(location.leading_comments, HasSubstr("Who is to answer"));
  const pb::ServiceDescriptor* service = served->FindServiceByName("ModelGateway");
  ASSERT_TRUE(service->FindMethodByName("StreamChat")->GetSourceLocation(&location));
  EXPECT_FALSE(location.leading_comments.empty());
  EXPECT_TRUE(this->Finish().ok());
}

TYPED_TEST(GrpcReflection, FindsAFileByEachOfItsNames) {
  typename TypeParam::Request request;
  request.set_host("any");
  request.set_file_by_filename(kContract);
  EXPECT_EQ(this->Ask(request).valid_host(), "any");
  EXPECT_EQ(this->FirstFile(this->Ask(request)), kContract);
  for (const char* symbol : {"modelgateway.v1.ModelGateway", "modelgateway.v1.ModelGateway.Chat",
                             "modelgateway.v1.ChatRequest", "modelgateway.v1.ROLE_USER"}) {
    request.set_file_containing_symbol(symbol);
    EXPECT_EQ(this->FirstFile(this->Ask(request)), kContract) << symbol;
  }
  // What the contract imports is there like itself.
  request.set_file_containing_symbol("google.protobuf.Duration");
  EXPECT_EQ(this->FirstFile(this->Ask(request)), "google/protobuf/duration.proto");
  request.set_file_by_filename("grpc/health/v1/health.proto");
  EXPECT_EQ(this->FirstFile(this->Ask(request)), "grpc/health/v1/health.proto");
  EXPECT_TRUE(this->Finish().ok());
}

TYPED_TEST(GrpcReflection, FindsExtensions) {
  constexpr char kOptions[] = "google.protobuf.FieldOptions";
  typename TypeParam::Request request;
  request.set_all_extension_numbers_of_type(kOptions);
  const auto response = this->Ask(request);
  const auto& found = response.all_extension_numbers_response();
  EXPECT_EQ(found.base_type_name(), kOptions);
  ASSERT_THAT(found.extension_number(), ::testing::ElementsAre(50810));
  request.mutable_file_containing_extension()->set_containing_type(kOptions);
  request.mutable_file_containing_extension()->set_extension_number(50810);
  EXPECT_EQ(this->FirstFile(this->Ask(request)), kConfig);
  EXPECT_TRUE(this->Finish().ok());
}

TYPED_TEST(GrpcReflection, WhatIsUnknownIsSaidAndTheStreamGoesOn) {
  const auto refusal = [this](const typename TypeParam::Request& request) {
    return this->Ask(request).error_response();
  };
  typename TypeParam::Request request;
  EXPECT_EQ(refusal(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  request.set_file_by_filename("no.proto");
  EXPECT_EQ(refusal(request).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(refusal(request).error_message(), HasSubstr("file no.proto"));
  request.set_file_containing_symbol("modelgateway.v1.ChatRequest.nothing");
  EXPECT_EQ(refusal(request).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(refusal(request).error_message(),
              HasSubstr("symbol modelgateway.v1.ChatRequest.nothing"));
  request.mutable_file_containing_extension()->set_containing_type("modelgateway.v1.ChatRequest");
  EXPECT_EQ(refusal(request).error_code(), grpc::StatusCode::NOT_FOUND);
  request.set_all_extension_numbers_of_type("no.Type");
  EXPECT_EQ(refusal(request).error_code(), grpc::StatusCode::NOT_FOUND);
  request.set_file_by_filename(kContract);
  EXPECT_EQ(this->FirstFile(this->Ask(request)), kContract);
  EXPECT_TRUE(this->Finish().ok());
}

TYPED_TEST(GrpcReflection, AnIdleStreamEndsAndHoldsNoDrainUp) {
  typename TypeParam::Request request;
  request.set_list_services("");
  EXPECT_TRUE(this->Ask(request).has_list_services_response());
  size_t running = 1;
  this->fixture_.OnLoop([&](GrpcServer& server, Health&) { running = server.running(); });
  EXPECT_EQ(running, 0u);
  EXPECT_TRUE(this->Ended());
  EXPECT_TRUE(this->stream_->Finish().ok());
}

}  // namespace
}  // namespace mg::testing
