// An exchange that libcurl carries whole: through a proxy, whose kinds, tunnels and authentication
// are libcurl's. Beneath HttpClient nobody sees the difference.
#pragma once

#include <string>

#include "daemon/runtime/curl_names.h"
#include "daemon/runtime/http_client.h"
#include "daemon/runtime/response_head.h"

namespace mg {

class CurlExchange : public HttpExchange, public NamedTransfer {
 public:
  // Checked already (request_check.h); `endpoint` outlives it.
  CurlExchange(CurlNames* names, HttpRequest request, const HttpEndpoint& endpoint,
               absl::Duration connect_timeout);

  void Start(CurlRoute route);

  Task<absl::StatusOr<const HttpHead*>> Head(Instant until, Cancellation* cancellation) override;
  Task<absl::StatusOr<std::string>> Read(Instant until, Cancellation* cancellation) override;
  bool sent() const override { return sent_; }

  void Connected() override;
  bool HeaderLine(absl::string_view line) override;
  Taken Body(absl::string_view bytes) override;

 private:
  void Ended(CURLcode code, CurlEasy& easy) override;
  void Failed(absl::Status status) override { End(std::move(status)); }
  void End(absl::Status failure);

  const HttpRequest request_;
  const HttpEndpoint& endpoint_;
  bool sent_ = false;
  bool ended_ = false;

  Signal changed_;
  ResponseHead head_;
  std::string body_;
  size_t max_unread_;
  bool rests_ = false;        // the connection: body_ is full
  size_t body_bytes_ = 0;     // of the whole body so far
  const char* problem_ = "";  // why we ended it in a callback
  absl::Status failure_;
};

}  // namespace mg
