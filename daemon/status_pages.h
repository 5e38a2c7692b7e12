// The pages that machines read: /metrics, /healthz and /readyz, on the admin and metrics listeners.
// The loop's thread.
#pragma once

#include <string>

#include "daemon/runtime/http_server.h"
#include "telemetry/telemetry.h"

namespace mg {

class StatusPages final : public HttpHandler {
 public:
  // `telemetry` and `ready` must outlive the pages. `ready`: new calls are taken.
  StatusPages(Telemetry* telemetry, const bool* ready) : telemetry_(telemetry), ready_(ready) {}

  Task<HttpReply> Handle(const HttpServerRequest& request) override;

 private:
  Telemetry* const telemetry_;
  const bool* const ready_;
};

}  // namespace mg
