// How a call's final status goes out over gRPC: code, message, status details and the trailers that
// tell clients whether to try again (spec/resilience.md §3.9, §3.10). Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace mg {

struct WireStatus {
  int code = 0;
  std::string
      message;  // valid UTF-8, short enough that clients' limits of 8 KiB for all metadata hold
  std::string details;  // grpc-status-details-bin: google.rpc.Status
  std::vector<std::pair<std::string, std::string>> trailers;
};

// `error_details` false: for services that know nothing of ErrorDetail (health).
WireStatus ToWire(const absl::Status& status, bool error_details);

}  // namespace mg
