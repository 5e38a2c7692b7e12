#include "daemon/runtime/http1_exchange.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "daemon/runtime/curl_errors.h"

namespace mg {
namespace {

// Of a body, decoded, that nobody takes: beyond it the provider has to wait.
constexpr size_t kMaxUnread = 256 << 10;
// What one turn of the loop reads at most, whatever comes of it: others have their turns too.
constexpr size_t kMaxOfTurn = 128 << 10;
// A kept connection that ends so soon after a request was on its way out already.
constexpr absl::Duration kStale = absl::Seconds(3);

// What we say ourselves, and nobody for us.
bool IsFraming(absl::string_view name) {
  return absl::EqualsIgnoreCase(name, "content-length") ||
         absl::EqualsIgnoreCase(name, "transfer-encoding");
}

std::string RequestHead(const HttpRequest& request, const UpstreamUrl& url) {
  size_t size = url.target.size() + url.host.size() + 160;
  for (const HttpHeader& header : request.headers) {
    size += header.name.size() + header.value.size() + 4;
  }
  std::string head;
  head.reserve(size);
  absl::StrAppend(&head, request.method, " ", url.target, " HTTP/1.1\r\n");
  const auto unless_given = [&](absl::string_view name, absl::string_view value) {
    if (FindHeader(request.headers, name).empty()) {
      absl::StrAppend(&head, name, ": ", value, "\r\n");
    }
  };
  unless_given("Host", url.Authority());
  unless_given("Accept", "*/*");
  unless_given("Accept-Encoding", "gzip, deflate");
  for (const HttpHeader& header : request.headers) {
    if (IsFraming(header.name)) continue;
    absl::StrAppend(&head, header.name, ": ", header.value, "\r\n");
  }
  const bool has_body =
      request.method == "POST" || request.method == "PUT" || !request.body.empty();
  if (has_body) absl::StrAppend(&head, "Content-Length: ", request.body.size(), "\r\n");
  absl::StrAppend(&head, "\r\n");
  return head;
}

std::string KeyOf(const UpstreamUrl& url, const HttpEndpoint& endpoint) {
  return absl::StrCat(url.https ? "https " : "http ", url.Peer(), " ", endpoint.ca_file);
}

std::string ErrnoText(int error) {
  if (error == 0) return "it was cut off";
  char text[128];
  return strerror_r(error, text, sizeof text);
}

}  // namespace

Http1Exchange::Http1Exchange(Http1Shared* shared, HttpRequest request, UpstreamUrl url,
                             const HttpEndpoint& endpoint, absl::Duration connect_timeout)
    : shared_(shared),
      request_(std::move(request)),
      url_(std::move(url)),
      endpoint_(endpoint),
      connect_timeout_(connect_timeout),
      head_text_(RequestHead(request_, url_)),
      changed_(shared->loop) {}

Http1Exchange::~Http1Exchange() { CancelTimer(); }

void Http1Exchange::Start() {
  connection_ = shared_->pool.Take(KeyOf(url_, endpoint_));
  if (connection_ == nullptr) return Connect();
  kept_ = true;
  connection_->set_user(this);
  BeginExchange();
}

void Http1Exchange::Connect() {
  state_ = State::kConnects;
  kept_ = false;
  connector_ =
      std::make_unique<CurlConnector>(shared_->names, connect_timeout_,
                                      [this](absl::StatusOr<int> fd) { Connected(std::move(fd)); });
  connect_by_ = shared_->loop->now() + connect_timeout_;
  connector_->Connect(url_);
}

void Http1Exchange::SetTimer(Instant at, void (Http1Exchange::*then)()) {
  timer_ = shared_->loop->CallAt(at, [this, then] {
    timer_ = {kNever, 0};
    (this->*then)();
  });
}

void Http1Exchange::CancelTimer() {
  shared_->loop->CancelTimer(timer_);
  timer_ = {kNever, 0};
}

void Http1Exchange::HandshakeTimedOut() {
  absl::Status status = NoConnectionInTime(url_.Peer());
  SetConnectStep(ConnectStep::kTls, &status);
  End(std::move(status));
}

// Within a callback of the connector, which therefore stays until the connection stands.
void Http1Exchange::Connected(absl::StatusOr<int> fd) {
  if (!fd.ok()) return End(fd.status());
  connection_ = std::make_unique<Connection>(shared_->loop, *fd, KeyOf(url_, endpoint_), this);
  if (!url_.https) return BeginExchange();
  absl::StatusOr<std::unique_ptr<TlsSession>> session =
      shared_->tls.NewSession(url_, endpoint_.ca_file, *fd);
  if (!session.ok()) return End(session.status());
  connection_->UseTls(*std::move(session));
  state_ = State::kShakesHands;
  SetTimer(connect_by_, &Http1Exchange::HandshakeTimedOut);
  ShakeHands();
}

void Http1Exchange::ShakeHands() {
  switch (connection_->Handshake()) {
    case Io::kSome:
      return BeginExchange();
    case Io::kBlocked:
      return connection_->Watch();
    case Io::kEnd:
    case Io::kFailed:
      return End(connection_->tls()->HandshakeError(url_.Peer()));
  }
}

void Http1Exchange::BeginExchange() {
  CancelTimer();
  state_ = State::kExchanges;
  sent_ = true;
  sent_at_ = shared_->loop->now();
  written_ = 0;
  write_failed_ = false;
  parser_ = std::make_unique<ResponseParser>(request_.method == "HEAD");
  Send();
  connection_->Watch();
}

void Http1Exchange::Send() {
  const size_t all = head_text_.size() + request_.body.size();
  while (written_ < all) {
    size_t written = 0;
    const Io io = connection_->Write(head_text_, request_.body, written_, &written);
    if (io == Io::kBlocked) return;
    // The answer may be there all the same: a 413 before the request is whole.
    write_failed_ = io != Io::kSome;
    if (write_failed_) return;
    written_ += written;
  }
}

void Http1Exchange::Ready(Connection*) {
  if (state_ == State::kShakesHands) return ShakeHands();
  if (!write_failed_) Send();
  Receive();
}

void Http1Exchange::Receive() {
  Decode();
  if (state_ == State::kEnded) return;
  size_t of_turn = 0;
  while (body_.size() < kMaxUnread) {
    if (of_turn >= kMaxOfTurn) return ReceiveNextTurn();
    size_t got = 0;
    switch (connection_->Read(shared_->buffer, sizeof shared_->buffer, &got)) {
      case Io::kSome:
        of_turn += got;
        if (!TakeBytes({shared_->buffer, got})) return;
        // Less than was asked for is all there is: the loop tells of more.
        if (connection_->tls() == nullptr && got < sizeof shared_->buffer &&
            body_.size() < kMaxUnread) {
          return connection_->Watch();
        }
        break;
      case Io::kBlocked:
        return connection_->Watch();
      case Io::kEnd:
        return TakeEnd("");
      case Io::kFailed:
        return TakeEnd(ErrnoText(connection_->error()));
    }
  }
  rests_ = true;
  connection_->Rest();
}

// What TLS has read already the loop does not tell of.
void Http1Exchange::ReceiveNextTurn() {
  if (connection_->tls() == nullptr || !connection_->tls()->holds_bytes()) {
    return connection_->Watch();
  }
  connection_->Rest();
  SetTimer(shared_->loop->now(), &Http1Exchange::Receive);
}

absl::Status Http1Exchange::Malformed(const char* problem) const {
  return MakeError(ErrorClass::kMalformed,
                   absl::StrCat(url_.Peer(), " does not answer as it should: ", problem));
}

// False where nothing more may come of this connection.
bool Http1Exchange::TakeBytes(absl::string_view bytes) {
  const bool head_before = parser_->head_complete();
  const bool taken = parser_->Take(bytes, decoder_ == nullptr ? &body_ : decoder_->input());
  if (parser_->head_complete() && !head_before) {
    const absl::string_view encodings = FindHeader(parser_->head().headers, "content-encoding");
    if (IsEncoded(encodings)) {
      decoder_ = std::make_unique<ContentDecoder>(encodings);
      decoder_->input()->swap(body_);
    }
    changed_.Notify();
  }
  Decode();
  if (!taken && state_ != State::kEnded) End(Malformed(parser_->problem()));
  return state_ != State::kEnded;
}

// As much as there is room for. With all of it the exchange is at its end.
void Http1Exchange::Decode() {
  if (decoder_ != nullptr && !decoder_->Decode(kMaxUnread, &body_)) {
    return End(Malformed(decoder_->problem()));
  }
  if (!body_.empty()) changed_.Notify();
  const bool pending = decoder_ != nullptr && decoder_->pending();
  if (!pending && parser_->complete()) Complete();
}

void Http1Exchange::TakeEnd(const std::string& how) {
  if (how.empty() && parser_->TakeEnd()) {
    if (decoder_ == nullptr || decoder_->complete()) return Complete();
    return End(Cut(how));
  }
  // A kept connection that ends without a byte was most likely closed as the request went out: once
  // more, on a new one (row 41 of spec/resilience.md §4.3).
  if (kept_ && !parser_->begun() && shared_->loop->now() < sent_at_ + kStale) {
    connection_.reset();
    return Connect();
  }
  End(Cut(how));
}

absl::Status Http1Exchange::Cut(const std::string& how) const {
  if (!how.empty()) {
    return MakeError(ErrorClass::kReset,
                     absl::StrCat("the connection to ", url_.Peer(), " broke: ", how));
  }
  const absl::string_view text = parser_->begun()
                                     ? " closed the connection before its answer was whole"
                                     : " closed the connection without an answer";
  return MakeError(ErrorClass::kReset, absl::StrCat(url_.Peer(), text));
}

void Http1Exchange::Complete() {
  if (decoder_ != nullptr && !decoder_->complete()) {
    return End(Malformed("the end of its compressed answer is missing"));
  }
  const bool whole_request = written_ == head_text_.size() + request_.body.size();
  std::unique_ptr<Connection> connection = std::move(connection_);
  End(absl::OkStatus());
  if (parser_->keep_alive() && whole_request) shared_->pool.Put(std::move(connection));
}

void Http1Exchange::End(absl::Status failure) {
  CancelTimer();
  state_ = State::kEnded;
  connection_.reset();
  failure_ = std::move(failure);
  changed_.Notify();
}

Task<absl::StatusOr<const HttpHead*>> Http1Exchange::Head(Instant until,
                                                          Cancellation* cancellation) {
  while ((parser_ == nullptr || !parser_->head_complete()) && state_ != State::kEnded) {
    MG_CO_RETURN_IF_ERROR(WakeStatus(co_await changed_.Wait(until, cancellation), cancellation));
  }
  if (parser_ == nullptr || !parser_->head_complete()) co_return failure_;
  co_return &parser_->head();
}

Task<absl::StatusOr<std::string>> Http1Exchange::Read(Instant until, Cancellation* cancellation) {
  if (cancellation != nullptr && cancellation->cancelled()) co_return cancellation->status();
  while (body_.empty() && state_ != State::kEnded) {
    MG_CO_RETURN_IF_ERROR(WakeStatus(co_await changed_.Wait(until, cancellation), cancellation));
  }
  if (!body_.empty()) {
    std::string bytes = std::exchange(body_, std::string());
    if (std::exchange(rests_, false) && state_ == State::kExchanges) Receive();
    co_return bytes;
  }
  if (!failure_.ok()) co_return failure_;
  co_return std::string();
}

}  // namespace mg
