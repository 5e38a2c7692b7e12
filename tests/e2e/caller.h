// A client of the gateway as an application has one: gRPC C++ stubs with default limits over TCP or
// a Unix socket. gRPC stays in caller.cc.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/error.h"

namespace mg::e2e {

// How a call ended.
struct Reply {
  absl::StatusCode code = absl::StatusCode::kUnknown;
  std::string message;
  bool has_detail = false;
  v1::ErrorDetail detail;
  std::optional<absl::Duration> retry_info;
  size_t details_bytes = 0;                     // of the whole grpc-status-details-bin
  std::map<std::string, std::string> metadata;  // initial
  std::map<std::string, std::string> trailers;
  v1::ChatResponse response;          // a stream's is the fold of its events
  std::vector<v1::ChatEvent> events;  // of a stream
  std::string bytes;                  // the answer of a raw call

  bool ok() const { return code == absl::StatusCode::kOk; }
  bool completed() const { return !events.empty() && events.back().has_completed(); }
  std::string Text() const;      // of the first choice
  std::string Attempts() const;  // "a:OVERLOADED b:ok", of the answer's or the error's report
};

struct CallOptions {
  std::optional<absl::Duration> deadline = {};
  std::vector<std::pair<std::string, std::string>> metadata = {};
};

struct Connection;

class Caller {
 public:
  // `service_config`: how its channel behaves by itself (JSON, gRPC's service config).
  explicit Caller(const std::string& address, const std::string& service_config = "");
  ~Caller();

  // A call under way. Its functions belong to one thread, but Cancel may come from any.
  class Call {
   public:
    virtual ~Call() = default;
    // Of a stream: the next event (of a raw call: an empty one, once); nullopt: it is over.
    virtual std::optional<v1::ChatEvent> Next() = 0;
    virtual void Cancel() = 0;
    // Until the call has ended, all that came before included.
    virtual Reply End() = 0;
  };

  std::unique_ptr<Call> Start(const v1::ChatRequest& request, bool stream,
                              const CallOptions& options = {});
  // A call of the method with these bytes as its request, which the call does not copy; null: it
  // never comes. Returns when the call is on its way.
  std::unique_ptr<Call> StartRaw(const std::string* request, const CallOptions& options = {},
                                 const std::string& method = "/modelgateway.v1.ModelGateway/Chat");
  Reply Run(const v1::ChatRequest& request, bool stream, const CallOptions& options = {}) {
    return Start(request, stream, options)->End();
  }
  Reply Chat(const v1::ChatRequest& request, const CallOptions& options = {}) {
    return Run(request, false, options);
  }
  Reply StreamChat(const v1::ChatRequest& request, const CallOptions& options = {}) {
    return Run(request, true, options);
  }

  // What grpc.health.v1 says of a service; "" where it does not answer.
  std::string Health(const std::string& service);

 private:
  std::unique_ptr<Connection> connection_;
};

v1::ChatRequest Ask(const std::string& model, const std::string& text = "hello");

}  // namespace mg::e2e
