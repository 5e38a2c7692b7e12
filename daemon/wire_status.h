// How a call's final status goes out over gRPC: code, message, status details and the trailers that
// tell clients whether to try again (spec/resilience.md §3.9, §3.10). Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

// Makes a detail fit into `max_bytes` (its report is cut).
using CutDetail = absl::FunctionRef<void(modelgateway::v1::ErrorDetail*, size_t max_bytes)>;

inline constexpr size_t kMaxErrorDetailBytes = 4096;

struct WireStatus {
  int code = 0;
  std::string
      message;  // valid UTF-8, short enough that clients' limits of 8 KiB for all metadata hold
  std::string details;  // grpc-status-details-bin: google.rpc.Status
  std::vector<std::pair<std::string, std::string>> trailers;
};

// `error_details` false: for services that know nothing of ErrorDetail (health).
WireStatus ToWire(const absl::Status& status, bool error_details, CutDetail cut);

// The plainest cut: the lists of the report go one after the other until the rest fits.
void CutReport(modelgateway::v1::ErrorDetail* detail, size_t max_bytes);

}  // namespace mg
