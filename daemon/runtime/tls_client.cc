#include "daemon/runtime/tls_client.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"
#include "daemon/runtime/http_client.h"

namespace mg {
namespace {

constexpr size_t kMost = 1 << 30;                    // OpenSSL counts in int
constexpr unsigned char kHttp11[] = "\x08http/1.1";  // as ALPN writes it

absl::Status OfTls(absl::Status status) {
  SetConnectStep(ConnectStep::kTls, &status);
  return status;
}

}  // namespace

TlsClient::ContextPtr TlsClient::NewContext(const std::string& ca_file) {
  ContextPtr context(SSL_CTX_new(TLS_client_method()));
  MG_CHECK(context != nullptr, "OpenSSL does not start");
  if (SSL_CTX_load_verify_file(context.get(), ca_file.c_str()) != 1) return nullptr;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  // A ca_file may name the issuer or the server's own certificate alone, as for libcurl.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context.get()), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);  // 34 KiB a connection that rests
  SSL_CTX_set_read_ahead(context.get(), 1);                       // a record in one read
  SSL_CTX_set_alpn_protos(context.get(), kHttp11, sizeof kHttp11 - 1);
  return context;
}

SSL_CTX* TlsClient::ContextOf(const std::string& ca_file) {
  struct stat file{};
  if (stat(ca_file.c_str(), &file) != 0) return nullptr;
  const int64_t changed_ns = int64_t{file.st_mtim.tv_sec} * 1'000'000'000 + file.st_mtim.tv_nsec;
  Context& known = contexts_[ca_file];
  if (known.context == nullptr || known.changed_ns != changed_ns) {
    known.context = NewContext(ca_file);
    known.changed_ns = changed_ns;
  }
  return known.context.get();
}

absl::StatusOr<std::unique_ptr<TlsSession>> TlsClient::NewSession(const UpstreamUrl& url,
                                                                  const std::string& ca_file,
                                                                  int fd) {
  ERR_clear_error();
  SSL_CTX* const context = ContextOf(ca_file.empty() ? system_ca_file_ : ca_file);
  if (context == nullptr) {
    return OfTls(
        MakeError(ErrorClass::kConnectFinal,
                  absl::StrCat("the certificates to check ", url.Peer(),
                               " with cannot be read: check ca_file, or install ca-certificates")));
  }
  SSL* const ssl = SSL_new(context);
  MG_CHECK(ssl != nullptr, "no TLS session");
  auto session = std::make_unique<TlsSession>(ssl);
  const bool is_ip = IsIpLiteral(url.host);
  const int named = is_ip ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), url.host.c_str())
                          : SSL_set1_host(ssl, url.host.c_str());
  if (named != 1) {
    return OfTls(MakeError(ErrorClass::kConnectFinal,
                           absl::StrCat("no certificate can be checked for ", url.Peer())));
  }
  if (!is_ip) SSL_set_tlsext_host_name(ssl, url.host.c_str());
  SSL_set_fd(ssl, fd);
  SSL_set_connect_state(ssl);
  return session;
}

absl::Status TlsSession::HandshakeError(const std::string& peer) const {
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (verdict != X509_V_OK) {
    return OfTls(MakeError(ErrorClass::kConnectFinal,
                           absl::StrCat("the certificate of ", peer,
                                        " is refused: ", X509_verify_cert_error_string(verdict),
                                        " (a CA of your own is named by ca_file)")));
  }
  return OfTls(
      MakeError(ErrorClass::kConnect, absl::StrCat("the TLS handshake with ", peer, " failed")));
}

Io TlsSession::Handshake() {
  ERR_clear_error();
  size_t none = 0;
  return Result(SSL_do_handshake(ssl_.get()), &none);
}

Io TlsSession::Read(char* into, size_t size, size_t* got) {
  ERR_clear_error();
  return Result(SSL_read(ssl_.get(), into, static_cast<int>(std::min(size, kMost))), got);
}

Io TlsSession::Write(absl::string_view bytes, size_t* written) {
  ERR_clear_error();
  return Result(
      SSL_write(ssl_.get(), bytes.data(), static_cast<int>(std::min(bytes.size(), kMost))),
      written);
}

Io TlsSession::Result(int result, size_t* moved) {
  const int os_error = errno;
  waits_to_write_ = false;
  if (result > 0) {
    *moved = static_cast<size_t>(result);
    return Io::kSome;
  }
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Io::kBlocked;
    case SSL_ERROR_WANT_WRITE:
      waits_to_write_ = true;
      return Io::kBlocked;
    case SSL_ERROR_ZERO_RETURN:
      return Io::kEnd;
    case SSL_ERROR_SYSCALL:
      error_ = os_error;
      return Io::kFailed;
    default:
      error_ = 0;
      return Io::kFailed;
  }
}

}  // namespace mg
