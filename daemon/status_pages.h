// The pages that machines read: /metrics, /healthz and /readyz, on the admin, metrics and health
// listeners. The loop's thread.
#pragma once

#include <string>

#include "daemon/runtime/http_server.h"
#include "telemetry/telemetry.h"

namespace mg {

class StatusPages final : public HttpHandler {
 public:
  enum class Scope { kHealthAlone, kHealthAndMetrics };
  // `telemetry` and `ready` must outlive the pages. `ready`: new calls are taken.
  StatusPages(Scope scope, Telemetry* telemetry, const bool* ready)
      : scope_(scope), telemetry_(telemetry), ready_(ready) {}

  Task<HttpReply> Handle(const HttpServerRequest& request) override;

 private:
  const Scope scope_;
  Telemetry* const telemetry_;
  const bool* const ready_;
};

}  // namespace mg
