#include "daemon/status_pages.h"

namespace mg {

Task<HttpReply> StatusPages::Handle(const HttpServerRequest& request) {
  HttpReply reply;
  const absl::string_view path = request.path();
  if (path == "/healthz") {
    reply.body = "ok\n";
  } else if (path == "/readyz") {
    reply.status = *ready_ ? 200 : 503;
    reply.body = *ready_ ? "ready\n" : "not ready: the daemon is draining or starts\n";
  } else if (path == "/metrics") {
    reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    reply.body = telemetry_->Expose();
  } else {
    reply.status = 404;
    reply.body = "no such page; there are /metrics, /healthz and /readyz\n";
  }
  co_return reply;
}

}  // namespace mg
