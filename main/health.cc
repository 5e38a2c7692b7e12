#include "main/health.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "main/commands.h"
#include "main/options.h"

namespace mg {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr char kUsage[] =
    "usage: model-gateway health [--socket HOST:PORT|unix:/PATH|/PATH] [--service NAME]\n";
// Less than a kubelet gives a probe, so that its log has our sentence.
constexpr std::chrono::milliseconds kPatience(900);

int Ask(const std::string& address, const std::string& service) {
  const auto stub =
      Health::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  HealthCheckRequest request;
  request.set_service(service);
  HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, request, &response);
  if (status.ok() && response.status() == HealthCheckResponse::SERVING) {
    std::printf("serving\n");
    return kOk;
  }
  const std::string why =
      status.ok() ? "it drains or starts (NOT_SERVING)" : std::string(status.error_message());
  std::fprintf(stderr, "model-gateway: not serving at %s: %s\n", address.c_str(), why.c_str());
  return kFailed;
}

}  // namespace

int RunHealth(const std::vector<std::string>& arguments) {
  std::string address;
  std::string service;
  for (size_t at = 0; at < arguments.size(); ++at) {
    if (auto socket = Option(arguments, "--socket", &at)) {
      address = absl::StartsWith(*socket, "/") ? absl::StrCat("unix:", *socket) : *socket;
    } else if (auto name = Option(arguments, "--service", &at)) {
      service = *name;
    } else {
      std::fprintf(stderr, "model-gateway: health does not take \"%s\" here\n%s",
                   arguments[at].c_str(), kUsage);
      return kWrongUsage;
    }
  }
  return Ask(address.empty() ? DefaultAddress() : address, service);
}

}  // namespace mg
