// The HTTP side of the admin listeners: the methods of administration as JSON, and behind them the
// pages that machines read.
//   POST /api/v1/SERVICE/METHOD   the request as protobuf JSON; nothing, {} and no fields are one
//   GET  /api/v1/SERVICE/METHOD?FIELD=VALUE&FIELD.FIELD=VALUE   where the method changes nothing
// An error is {"error": {"code", "kind", "message", "field"}} with the HTTP status of its class.
// The loop's thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/admin_method.h"
#include "daemon/grpc_server.h"
#include "daemon/runtime/http_server.h"

namespace mg {

class AdminPages final : public HttpHandler {
 public:
  // All methods of `services` are AdminMethods. `others` serves every path that is not /api/v1/…;
  // it must outlive the pages.
  AdminPages(std::vector<RpcService> services, HttpHandler* others)
      : services_(std::move(services)), others_(others) {}

  Task<HttpReply> Handle(const HttpServerRequest& request) override;

 private:
  // nullptr where there is none at this path.
  AdminMethod* Find(absl::string_view path) const;

  const std::vector<RpcService> services_;
  HttpHandler* const others_;
};

}  // namespace mg
