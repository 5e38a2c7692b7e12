// An exchange over a connection of our own: HTTP/1.1 as RFC 9112 has it, and nothing beside it that
// a call to a model does not need. libcurl only connects.
#pragma once

#include <memory>
#include <string>

#include "daemon/runtime/connection_pool.h"
#include "daemon/runtime/content_encoding.h"
#include "daemon/runtime/curl_connector.h"
#include "daemon/runtime/http_client.h"
#include "daemon/runtime/response_parser.h"

namespace mg {

// What all exchanges of a loop share; outlives them.
struct Http1Shared {
  Http1Shared(EpollLoop* loop, CurlNames* names, std::string system_ca_file)
      : loop(loop), names(names), tls(std::move(system_ca_file)), pool(loop) {}

  EpollLoop* const loop;
  CurlNames* const names;
  TlsClient tls;
  ConnectionPool pool;
  char buffer[64 << 10];  // what a read brings, for as long as it is looked at
};

class Http1Exchange : public HttpExchange, public Connection::User {
 public:
  // Checked already (request_check.h); `endpoint` outlives it.
  Http1Exchange(Http1Shared* shared, HttpRequest request, UpstreamUrl url,
                const HttpEndpoint& endpoint, absl::Duration connect_timeout);
  ~Http1Exchange() override;

  void Start();

  Task<absl::StatusOr<const HttpHead*>> Head(Instant until, Cancellation* cancellation) override;
  Task<absl::StatusOr<std::string>> Read(Instant until, Cancellation* cancellation) override;
  bool sent() const override { return sent_; }

  void Ready(Connection* connection) override;

 private:
  enum class State { kConnects, kShakesHands, kExchanges, kEnded };

  void Connect();
  void Connected(absl::StatusOr<int> fd);
  void ShakeHands();
  void HandshakeTimedOut();
  void BeginExchange();
  void Send();
  void Receive();
  void ReceiveNextTurn();
  bool TakeBytes(absl::string_view bytes);
  void Decode();
  void TakeEnd(const std::string& how);
  void Complete();
  void End(absl::Status failure);
  absl::Status Malformed(const char* problem) const;
  absl::Status Cut(const std::string& how) const;
  void SetTimer(Instant at, void (Http1Exchange::*then)());
  void CancelTimer();

  Http1Shared* const shared_;
  const HttpRequest request_;
  const UpstreamUrl url_;
  const HttpEndpoint& endpoint_;
  const absl::Duration connect_timeout_;
  const std::string head_text_;

  State state_ = State::kEnded;
  std::unique_ptr<CurlConnector> connector_;  // from kConnects on
  std::unique_ptr<Connection> connection_;    // in kShakesHands and kExchanges
  Instant connect_by_ = kNever;
  Loop::TimerId timer_{kNever, 0};  // of the handshake, or of what TLS holds
  bool kept_ = false;               // the connection served others before
  bool sent_ = false;
  Instant sent_at_ = kNever;
  size_t written_ = 0;  // of the head and the body
  bool write_failed_ = false;

  Signal changed_;
  std::unique_ptr<ResponseParser> parser_;
  std::unique_ptr<ContentDecoder> decoder_;  // where the body is encoded
  std::string body_;
  bool rests_ = false;  // the connection: body_ is full
  absl::Status failure_;
};

}  // namespace mg
