// TLS to providers by OpenSSL: at least 1.2, the certificate checked against the name in the URL,
// with the system's certificates or those of a file. Belongs to the loop's thread.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "daemon/runtime/upstream_url.h"

namespace mg {

// What became of a step on a connection.
enum class Io {
  kSome,
  kBlocked,  // until the socket can be read (or, where so told, written)
  kEnd,      // the peer sends no more
  kFailed,
};

// One connection's TLS.
class TlsSession {
 public:
  explicit TlsSession(SSL* ssl) : ssl_(ssl) {}

  Io Handshake();
  Io Read(char* into, size_t size, size_t* got);
  Io Write(absl::string_view bytes, size_t* written);

  // Whether bytes of the peer wait in here, read ahead of what was asked for: no descriptor tells.
  bool holds_bytes() const { return SSL_has_pending(ssl_.get()) == 1; }
  // After kBlocked: the step waits until the socket can be written.
  bool waits_to_write() const { return waits_to_write_; }
  // After kFailed: an errno, or 0 where TLS itself failed: a cut without its own end, or no TLS.
  int error() const { return error_; }
  // Why the handshake with `peer` failed: kConnectFinal for a certificate that is refused, else
  // kConnect; the step is kTls.
  absl::Status HandshakeError(const std::string& peer) const;

 private:
  Io Result(int result, size_t* moved);

  struct Deleter {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  const std::unique_ptr<SSL, Deleter> ssl_;
  bool waits_to_write_ = false;
  int error_ = 0;
};

class TlsClient {
 public:
  // `system_ca_file` is read where an endpoint names no file of its own.
  explicit TlsClient(std::string system_ca_file) : system_ca_file_(std::move(system_ca_file)) {}

  // The client's side of a connection to `url` over the socket `fd`, before its handshake. A file
  // of certificates is read once, and again when it has changed. kConnectFinal where it cannot be.
  absl::StatusOr<std::unique_ptr<TlsSession>> NewSession(const UpstreamUrl& url,
                                                         const std::string& ca_file, int fd);

 private:
  struct Deleter {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  using ContextPtr = std::unique_ptr<SSL_CTX, Deleter>;
  struct Context {
    ContextPtr context;
    int64_t changed_ns = -1;  // the file's
  };

  static ContextPtr NewContext(const std::string& ca_file);
  SSL_CTX* ContextOf(const std::string& ca_file);

  const std::string system_ca_file_;
  absl::flat_hash_map<std::string, Context> contexts_;  // by file
};

}  // namespace mg
