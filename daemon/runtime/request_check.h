// What is checked of a request before anything of it is sent.
#pragma once

#include "absl/status/statusor.h"
#include "base/http_message.h"
#include "daemon/runtime/upstream_url.h"

namespace mg {

// Where the request leads. An error of class kConnectFinal where its URL is none, or a header has a
// character that HTTP does not allow (RFC 9110 §5.5): it could smuggle another request.
absl::StatusOr<UpstreamUrl> CheckRequest(const HttpRequest& request);

}  // namespace mg
