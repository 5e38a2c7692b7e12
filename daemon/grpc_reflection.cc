#include "daemon/grpc_reflection.h"

#include <google/protobuf/descriptor.h>
#include <grpcpp/support/status_code_enum.h>

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "proto/embedded.h"

namespace mg {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::Message;

// Knows where things are; what a file says is taken from the embedded ones.
const DescriptorPool& Pool() { return *DescriptorPool::generated_pool(); }

// The file and all that it imports, each once; none where it is not embedded.
void Collect(const FileDescriptor* file, std::set<const FileDescriptor*>* seen,
             std::vector<std::string>* files) {
  if (file == nullptr || !seen->insert(file).second) return;
  const absl::string_view bytes = EmbeddedFile(file->name());
  if (bytes.empty()) return;
  files->emplace_back(bytes);
  for (int i = 0; i < file->dependency_count(); ++i) Collect(file->dependency(i), seen, files);
}

const FileDescriptor* FileOfExtension(const std::string& type, int number) {
  const Descriptor* extended = Pool().FindMessageTypeByName(type);
  if (extended == nullptr) return nullptr;
  const FieldDescriptor* extension = Pool().FindExtensionByNumber(extended, number);
  return extension == nullptr ? nullptr : extension->file();
}

template <typename Response>
void Refuse(grpc::StatusCode code, const std::string& text, Response* response) {
  response->mutable_error_response()->set_error_code(code);
  response->mutable_error_response()->set_error_message(text);
}

template <typename Response>
void AddFiles(const FileDescriptor* file, const std::string& wanted, Response* response) {
  std::set<const FileDescriptor*> seen;
  std::vector<std::string> files;
  Collect(file, &seen, &files);
  if (files.empty()) {
    return Refuse(grpc::StatusCode::NOT_FOUND, absl::StrCat("there is no ", wanted, " here"),
                  response);
  }
  for (std::string& bytes : files) {
    response->mutable_file_descriptor_response()->add_file_descriptor_proto(std::move(bytes));
  }
}

template <typename Response>
void AddExtensionNumbers(const std::string& type, Response* response) {
  const Descriptor* extended = Pool().FindMessageTypeByName(type);
  if (extended == nullptr) {
    return Refuse(grpc::StatusCode::NOT_FOUND, absl::StrCat("there is no type ", type, " here"),
                  response);
  }
  std::vector<const FieldDescriptor*> extensions;
  Pool().FindAllExtensions(extended, &extensions);
  auto* numbers = response->mutable_all_extension_numbers_response();
  numbers->set_base_type_name(type);
  for (const FieldDescriptor* extension : extensions) {
    numbers->add_extension_number(extension->number());
  }
}

template <typename Request, typename Response>
class Info final : public RpcMethod {
 public:
  explicit Info(std::vector<std::string> services) : services_(std::move(services)) {}

  absl::string_view name() const override { return "ServerReflectionInfo"; }
  bool is_probe() const override { return true; }
  std::unique_ptr<Message> NewRequest() const override { return std::make_unique<Request>(); }

  Task<absl::Status> Serve(Rpc& rpc, absl::StatusOr<std::unique_ptr<Message>> request) override {
    if (!request.ok()) co_return request.status();
    const auto& asked = static_cast<const Request&>(**request);
    Response response;
    response.set_valid_host(asked.host());
    *response.mutable_original_request() = asked;
    Answer(asked, &response);
    rpc.Send(response);
    co_return absl::OkStatus();
  }

 private:
  void Answer(const Request& asked, Response* response) const {
    switch (asked.message_request_case()) {
      case Request::kFileByFilename: {
        const std::string& name = asked.file_by_filename();
        return AddFiles(Pool().FindFileByName(name), absl::StrCat("file ", name), response);
      }
      case Request::kFileContainingSymbol: {
        const std::string& symbol = asked.file_containing_symbol();
        return AddFiles(Pool().FindFileContainingSymbol(symbol), absl::StrCat("symbol ", symbol),
                        response);
      }
      case Request::kFileContainingExtension: {
        const std::string& type = asked.file_containing_extension().containing_type();
        const int number = asked.file_containing_extension().extension_number();
        return AddFiles(FileOfExtension(type, number),
                        absl::StrCat("extension ", number, " of ", type), response);
      }
      case Request::kAllExtensionNumbersOfType:
        return AddExtensionNumbers(asked.all_extension_numbers_of_type(), response);
      case Request::kListServices:
        for (const std::string& service : services_) {
          response->mutable_list_services_response()->add_service()->set_name(service);
        }
        return;
      case Request::MESSAGE_REQUEST_NOT_SET:
        return Refuse(grpc::StatusCode::INVALID_ARGUMENT, "the request asks nothing", response);
    }
  }

  const std::vector<std::string> services_;
};

RpcService ServiceOf(std::string name, std::unique_ptr<RpcMethod> method) {
  RpcService service;
  service.name = std::move(name);
  service.methods.push_back(std::move(method));
  service.error_details = false;
  return service;
}

}  // namespace

void AddReflection(std::vector<RpcService>* services) {
  namespace v1 = grpc::reflection::v1;
  namespace v1alpha = grpc::reflection::v1alpha;
  constexpr char kV1[] = "grpc.reflection.v1.ServerReflection";
  constexpr char kV1Alpha[] = "grpc.reflection.v1alpha.ServerReflection";
  std::vector<std::string> names;
  for (const RpcService& service : *services) names.push_back(service.name);
  names.insert(names.end(), {kV1, kV1Alpha});
  using InfoV1 = Info<v1::ServerReflectionRequest, v1::ServerReflectionResponse>;
  using InfoV1Alpha = Info<v1alpha::ServerReflectionRequest, v1alpha::ServerReflectionResponse>;
  services->push_back(ServiceOf(kV1, std::make_unique<InfoV1>(names)));
  services->push_back(ServiceOf(kV1Alpha, std::make_unique<InfoV1Alpha>(names)));
}

}  // namespace mg
