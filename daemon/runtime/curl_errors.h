// What libcurl says of a failed transfer as a status of the project. Nothing of the URL but host
// and port gets into it.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace mg {

struct CurlFailure {
  int code = 0;         // CURLcode, not CURLE_OK
  std::string message;  // of libcurl's error buffer
  long os_errno = 0;
  bool sent = false;  // the request may have left
  std::string peer;   // host:port
};

absl::Status CurlError(const CurlFailure& failure);
// Of class kConnect: the connection to `peer` (host:port) does not stand after connect_timeout.
absl::Status NoConnectionInTime(const std::string& peer);

}  // namespace mg
