// Upstream HTTP behind one interface: nothing above it knows what carries the bytes. That is
// upstream_client.h on the worker's loop; tests script their own.
//
// One exchange = one request and its answer, pulled: Head, then Read until it gives nothing more.
// Destroying an exchange that is not at its end closes its connection: that is how a cancellation
// reaches the provider.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/http_message.h"
#include "base/time.h"
#include "daemon/runtime/signal.h"
#include "daemon/runtime/task.h"

namespace mg {

// How a provider is reached; part of the configuration, lives as long as the exchange.
struct HttpEndpoint {
  std::string ca_file;  // empty: the system's certificates
  // nullopt: the environment's HTTPS_PROXY, HTTP_PROXY, NO_PROXY; empty: none. Loopback is always
  // asked directly.
  std::optional<std::string> proxy;
};

// Where on the way to a connection an exchange failed, for whoever explains it; of a status of
// class kConnect or kConnectFinal.
enum class ConnectStep { kName, kConnection, kTls };
ConnectStep ConnectStepOf(const absl::Status& status);
void SetConnectStep(ConnectStep step, absl::Status* status);

class HttpExchange {
 public:
  virtual ~HttpExchange() = default;

  // All of these: DEADLINE_EXCEEDED as a plain status (no payload) where `until` came first, and
  // the caller knows which of its clocks that was; the cancellation's status where that came first;
  // else an error of class kConnect, kConnectFinal, kReset or kMalformed whose text has no URL and
  // no key. The exchange stays usable after DEADLINE_EXCEEDED.

  // The status line and headers (1xx skipped); at most 64 KiB, or kMalformed.
  virtual Task<absl::StatusOr<const HttpHead*>> Head(Instant until, Cancellation* cancellation) = 0;
  // What has arrived of the (decompressed) body since the last Read, at least one byte; empty: its
  // end.
  virtual Task<absl::StatusOr<std::string>> Read(Instant until, Cancellation* cancellation) = 0;

  // Whether a connection was made (or a kept one taken) and the request may have left.
  virtual bool sent() const = 0;
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Starts at once. `connect_timeout` covers name resolution, TCP and TLS. `endpoint` must outlive
  // the exchange.
  virtual std::unique_ptr<HttpExchange> Start(HttpRequest request, const HttpEndpoint& endpoint,
                                              absl::Duration connect_timeout) = 0;
};

// Why a wait of an exchange ended without what was waited for, as Head and Read tell it; OK where
// there is something new to look at.
absl::Status WakeStatus(Wake wake, const Cancellation* cancellation);

// The rest of the body, at most `max_bytes` (more: kMalformed).
Task<absl::StatusOr<std::string>> ReadAll(HttpExchange* exchange, size_t max_bytes, Instant until,
                                          Cancellation* cancellation);

}  // namespace mg
