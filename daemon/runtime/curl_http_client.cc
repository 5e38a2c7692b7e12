#include "daemon/runtime/curl_http_client.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"
#include "daemon/runtime/curl_errors.h"
#include "daemon/runtime/curl_multi.h"
#include "daemon/runtime/response_head.h"
#include "daemon/runtime/upstream_url.h"

namespace mg {
namespace {

// Of a body, decompressed, that nobody takes: beyond it the provider has to wait. libcurl reads a
// quick one for as long as there is something.
constexpr size_t kMaxUnread = 256 << 10;
// Of a compressed one more: when it rests, libcurl keeps the rest of what it has decompressed, and
// copies all of that each time it goes on.
constexpr size_t kMaxUnreadDecompressed = 4 << 20;
// A bomb: from that size on no answer of any use is compressed that well.
constexpr size_t kBombBytes = 8 << 20;
constexpr size_t kBombRatio = 200;
constexpr size_t kMaxResolutions = 64;
constexpr size_t kMaxSpareHandles = 256;

class Exchange;

// Looks one name up for all exchanges that wait for it, by a transfer that ends before it connects:
// libcurl's cache has the addresses then. It goes on when those who wanted it are gone, so that no
// more than kMaxResolutions threads hang in a resolver that hangs.
class Resolution final : public CurlTransfer {
 public:
  Resolution(class Client* client, std::string key) : client_(client), key_(std::move(key)) {}
  ~Resolution() override;

  void Begin(const Exchange& first);

  bool MayResolve() override { return true; }
  bool MayConnect() override {
    resolved_ = true;
    return false;
  }
  void Connected() override {}
  bool HeaderLine(absl::string_view) override { return false; }
  Taken Body(absl::string_view) override { return Taken::kRefused; }
  void Done(CURLcode code) override;

  const std::string& key() const { return key_; }
  std::vector<Exchange*>& waiting() { return waiting_; }

 private:
  Client* const client_;
  const std::string key_;
  std::vector<Exchange*> waiting_;
  std::unique_ptr<CurlEasy> easy_;  // while it runs
  std::string peer_;
  bool resolved_ = false;
};

class Client final : public CurlHttpClient {
 public:
  Client(EpollLoop* loop, ProxyEnvironment proxies)
      : loop_(loop), proxies_(std::move(proxies)), multi_(loop) {}
  ~Client() override { MG_CHECK(in_flight_ == 0, "the HTTP client goes before its exchanges"); }

  std::unique_ptr<HttpExchange> Start(HttpRequest request, const HttpEndpoint& endpoint,
                                      absl::Duration connect_timeout) override;
  Counters counters() const override { return {multi_.connections_opened(), in_flight_}; }

  EpollLoop* loop() { return loop_; }
  CurlMulti& multi() { return multi_; }
  void SetProxy(const UpstreamUrl& url, const HttpEndpoint& endpoint, CurlEasy* easy) const;

  std::unique_ptr<CurlEasy> TakeHandle();
  void GiveBack(std::unique_ptr<CurlEasy> easy);

  // The exchange's NameResolved is called once the name it needs is in the cache, or there is none.
  void AwaitName(Exchange* exchange);
  void ForgetName(Exchange* exchange);
  void Resolved(Resolution* resolution, const absl::Status& status);

 private:
  void BeginResolutions();

  EpollLoop* const loop_;
  const ProxyEnvironment proxies_;
  int64_t in_flight_ = 0;
  CurlMulti multi_;
  std::vector<std::unique_ptr<CurlEasy>> spare_;
  absl::flat_hash_map<std::string, std::unique_ptr<Resolution>> resolutions_;
  std::deque<Resolution*> queue_;  // of those that wait for room
  size_t resolving_ = 0;
};

class Exchange final : public HttpExchange, public CurlTransfer {
 public:
  Exchange(Client* client, HttpRequest request, const HttpEndpoint& endpoint,
           absl::Duration connect_timeout)
      : client_(client),
        request_(std::move(request)),
        endpoint_(endpoint),
        connect_timeout_(connect_timeout),
        changed_(client->loop()) {}
  ~Exchange() override { Stop(); }

  void Begin();
  void NameResolved(const absl::Status& status);

  Task<absl::StatusOr<const HttpHead*>> Head(Instant until, Cancellation* cancellation) override;
  Task<absl::StatusOr<std::string>> Read(Instant until, Cancellation* cancellation) override;
  bool sent() const override { return sent_; }

  bool MayResolve() override;
  bool MayConnect() override;
  void Connected() override;
  bool HeaderLine(absl::string_view line) override;
  Taken Body(absl::string_view bytes) override;
  void Done(CURLcode code) override;

  const UpstreamUrl& url() const { return url_; }
  const HttpEndpoint& endpoint() const { return endpoint_; }

 private:
  enum class State { kTransfer, kAwaitsName, kEnded };

  absl::Status CheckRequest();
  void SetConnectTimer();
  void CancelConnectTimer();
  void ConnectTimedOut();
  // Out of libcurl and of all lists.
  void Stop();
  void End(absl::Status failure);

  Client* const client_;
  const HttpRequest request_;
  const HttpEndpoint& endpoint_;
  const absl::Duration connect_timeout_;
  UpstreamUrl url_;
  std::unique_ptr<CurlEasy> easy_;  // until kEnded
  Loop::TimerId connect_timer_{kNever, 0};
  State state_ = State::kEnded;
  bool sent_ = false;
  bool name_missing_ = false;
  bool name_resolved_ = false;

  Signal changed_;
  ResponseHead head_;
  std::string body_;
  size_t max_unread_ = kMaxUnread;
  bool rests_ = false;        // the connection: body_ is full
  size_t body_bytes_ = 0;     // of the whole body so far
  const char* problem_ = "";  // why we ended it in a callback
  absl::Status failure_;
};

std::unique_ptr<HttpExchange> Client::Start(HttpRequest request, const HttpEndpoint& endpoint,
                                            absl::Duration connect_timeout) {
  auto exchange = std::make_unique<Exchange>(this, std::move(request), endpoint, connect_timeout);
  exchange->Begin();
  return exchange;
}

void Client::SetProxy(const UpstreamUrl& url, const HttpEndpoint& endpoint, CurlEasy* easy) const {
  const std::string none;
  if (IsLoopback(url.host)) {
    easy->SetProxy(none, none);
  } else if (endpoint.proxy.has_value()) {
    easy->SetProxy(*endpoint.proxy, none);
  } else {
    easy->SetProxy(url.https ? proxies_.https_proxy : proxies_.http_proxy, proxies_.no_proxy);
  }
}

std::unique_ptr<CurlEasy> Client::TakeHandle() {
  ++in_flight_;
  if (spare_.empty()) return std::make_unique<CurlEasy>(&multi_);
  std::unique_ptr<CurlEasy> easy = std::move(spare_.back());
  spare_.pop_back();
  return easy;
}

void Client::GiveBack(std::unique_ptr<CurlEasy> easy) {
  --in_flight_;
  if (spare_.size() < kMaxSpareHandles) spare_.push_back(std::move(easy));
}

std::string NameKey(const Exchange& exchange) {
  return absl::StrCat(exchange.url().Peer(), " ", exchange.endpoint().proxy.value_or(""));
}

void Client::AwaitName(Exchange* exchange) {
  const std::string key = NameKey(*exchange);
  std::unique_ptr<Resolution>& resolution = resolutions_[key];
  if (resolution == nullptr) {
    resolution = std::make_unique<Resolution>(this, key);
    queue_.push_back(resolution.get());
  }
  resolution->waiting().push_back(exchange);
  BeginResolutions();
}

void Client::ForgetName(Exchange* exchange) {
  std::vector<Exchange*>& waiting = resolutions_.at(NameKey(*exchange))->waiting();
  waiting.erase(std::find(waiting.begin(), waiting.end(), exchange));
}

void Client::BeginResolutions() {
  while (resolving_ < kMaxResolutions && !queue_.empty()) {
    Resolution* const next = queue_.front();
    queue_.pop_front();
    if (next->waiting().empty()) {
      resolutions_.erase(next->key());
      continue;
    }
    ++resolving_;
    next->Begin(*next->waiting().front());
  }
}

void Client::Resolved(Resolution* resolution, const absl::Status& status) {
  --resolving_;
  const auto own = resolutions_.extract(resolution->key());
  for (Exchange* exchange : own.mapped()->waiting()) exchange->NameResolved(status);
  BeginResolutions();
}

Resolution::~Resolution() {
  if (easy_ != nullptr) client_->multi().Remove(easy_.get());
}

void Resolution::Begin(const Exchange& first) {
  peer_ = first.url().Peer();
  easy_ = std::make_unique<CurlEasy>(&client_->multi());
  easy_->SetTransfer(this, absl::Minutes(5));
  curl_easy_setopt(easy_->curl(), CURLOPT_FRESH_CONNECT, 1L);
  HttpRequest request;
  request.method = "GET";
  request.url = absl::StrCat(first.url().https ? "https://" : "http://", peer_, "/");
  easy_->SetRequest(request);
  client_->SetProxy(first.url(), first.endpoint(), easy_.get());
  client_->multi().Add(easy_.get());
}

void Resolution::Done(CURLcode code) {
  const std::unique_ptr<CurlEasy> done = std::move(easy_);
  CurlFailure failure;
  failure.code = code;
  failure.peer = peer_;
  client_->Resolved(this, resolved_ ? absl::OkStatus() : CurlError(failure));
}

bool ValidHeader(const HttpHeader& header) {
  const auto token = [](unsigned char c) {
    return absl::ascii_isalnum(c) || (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
  };
  const auto text = [](unsigned char c) { return c == '\t' || !absl::ascii_iscntrl(c); };
  return !header.name.empty() && std::all_of(header.name.begin(), header.name.end(), token) &&
         std::all_of(header.value.begin(), header.value.end(), text);
}

absl::Status Exchange::CheckRequest() {
  absl::StatusOr<UpstreamUrl> url = ParseUpstreamUrl(request_.url);
  if (!url.ok()) {
    return MakeError(ErrorClass::kConnectFinal,
                     absl::StrCat("the provider's URL is refused: ", url.status().message()));
  }
  url_ = *std::move(url);
  for (const HttpHeader& header : request_.headers) {
    if (ValidHeader(header)) continue;
    return MakeError(ErrorClass::kConnectFinal,
                     absl::StrCat("a header for ", url_.Peer(),
                                  " cannot be sent: it has no name, "
                                  "or a character that HTTP does not allow"));
  }
  return absl::OkStatus();
}

void Exchange::Begin() {
  failure_ = CheckRequest();
  if (!failure_.ok()) return;
  easy_ = client_->TakeHandle();
  easy_->SetTransfer(this, connect_timeout_);
  easy_->SetRequest(request_);
  easy_->SetCaFile(endpoint_.ca_file);
  client_->SetProxy(url_, endpoint_, easy_.get());
  SetConnectTimer();
  state_ = State::kTransfer;
  client_->multi().Add(easy_.get());
}

void Exchange::SetConnectTimer() {
  if (connect_timer_.second != 0) return;
  connect_timer_ = client_->loop()->CallAt(client_->loop()->now() + connect_timeout_, [this] {
    connect_timer_ = {kNever, 0};
    ConnectTimedOut();
  });
}

void Exchange::CancelConnectTimer() {
  client_->loop()->CancelTimer(connect_timer_);
  connect_timer_ = {kNever, 0};
}

void Exchange::ConnectTimedOut() {
  Stop();
  CurlFailure failure;
  failure.code = CURLE_OPERATION_TIMEDOUT;
  failure.peer = url_.Peer();
  End(CurlError(failure));
}

bool Exchange::MayResolve() {
  SetConnectTimer();  // anew where a kept connection was dead
  if (name_resolved_) return true;
  name_missing_ = true;
  return false;
}

bool Exchange::MayConnect() {
  SetConnectTimer();
  return true;
}

void Exchange::Connected() {
  sent_ = true;
  CancelConnectTimer();
}

bool Exchange::HeaderLine(absl::string_view line) {
  const bool complete_before = head_.complete();
  if (!head_.AddLine(line)) {
    problem_ = head_.problem();
    return false;
  }
  if (head_.complete() && !complete_before) {
    const bool compressed = !FindHeader(head_.head().headers, "content-encoding").empty();
    if (compressed) max_unread_ = kMaxUnreadDecompressed;
    changed_.Notify();
  }
  return true;
}

Taken Exchange::Body(absl::string_view bytes) {
  if (body_.size() >= max_unread_) {
    rests_ = true;
    return Taken::kNotYet;
  }
  body_bytes_ += bytes.size();
  if (body_bytes_ > kBombBytes) {
    curl_off_t received = 0;
    curl_easy_getinfo(easy_->curl(), CURLINFO_SIZE_DOWNLOAD_T, &received);
    if (body_bytes_ / kBombRatio > static_cast<size_t>(received)) {
      problem_ = "its answer is a decompression bomb";
      return Taken::kRefused;
    }
  }
  absl::StrAppend(&body_, bytes);
  changed_.Notify();
  return Taken::kAll;
}

void Exchange::NameResolved(const absl::Status& status) {
  if (!status.ok()) return End(status);
  name_resolved_ = true;
  state_ = State::kTransfer;
  client_->multi().Add(easy_.get());
}

void Exchange::Done(CURLcode code) {
  if (std::exchange(name_missing_, false)) {
    state_ = State::kAwaitsName;
    return client_->AwaitName(this);
  }
  if (*problem_ != '\0') {
    return End(MakeError(ErrorClass::kMalformed,
                         absl::StrCat(url_.Peer(), " does not answer as it should: ", problem_)));
  }
  // A connection that is closed within the head is fine with libcurl.
  if (code == CURLE_OK && !head_.complete()) code = CURLE_PARTIAL_FILE;
  if (code != CURLE_OK) {
    CurlFailure failure;
    failure.code = code;
    failure.message = easy_->error();
    curl_easy_getinfo(easy_->curl(), CURLINFO_OS_ERRNO, &failure.os_errno);
    failure.sent = sent_;
    failure.peer = url_.Peer();
    return End(CurlError(failure));
  }
  End(absl::OkStatus());
}

void Exchange::Stop() {
  if (state_ == State::kEnded) return;
  CancelConnectTimer();
  if (state_ == State::kTransfer) client_->multi().Remove(easy_.get());
  if (state_ == State::kAwaitsName) client_->ForgetName(this);
  client_->GiveBack(std::move(easy_));
  state_ = State::kEnded;
}

void Exchange::End(absl::Status failure) {
  CancelConnectTimer();
  if (easy_ != nullptr) client_->GiveBack(std::move(easy_));
  state_ = State::kEnded;
  failure_ = std::move(failure);
  changed_.Notify();
}

// Why a wait ended without what was waited for; OK where there is something new to look at.
absl::Status WakeStatus(Wake wake, const Cancellation* cancellation) {
  if (wake == Wake::kCancelled) return cancellation->status();
  if (wake == Wake::kTimeout) return absl::DeadlineExceededError("the provider is too slow");
  return absl::OkStatus();
}

Task<absl::StatusOr<const HttpHead*>> Exchange::Head(Instant until, Cancellation* cancellation) {
  while (!head_.complete() && state_ != State::kEnded) {
    MG_CO_RETURN_IF_ERROR(WakeStatus(co_await changed_.Wait(until, cancellation), cancellation));
  }
  if (!head_.complete()) co_return failure_;
  co_return &head_.head();
}

Task<absl::StatusOr<std::string>> Exchange::Read(Instant until, Cancellation* cancellation) {
  if (cancellation != nullptr && cancellation->cancelled()) co_return cancellation->status();
  while (body_.empty() && state_ != State::kEnded) {
    MG_CO_RETURN_IF_ERROR(WakeStatus(co_await changed_.Wait(until, cancellation), cancellation));
  }
  if (!body_.empty()) {
    std::string bytes = std::exchange(body_, std::string());
    if (std::exchange(rests_, false)) client_->multi().Resume(easy_.get());
    co_return bytes;
  }
  if (!failure_.ok()) co_return failure_;
  co_return std::string();
}

std::string Environment(const char* lower, const char* upper) {
  const char* value = std::getenv(lower);
  if (value == nullptr) value = std::getenv(upper);
  return value == nullptr ? "" : value;
}

}  // namespace

ProxyEnvironment ProxyEnvironment::OfProcess() {
  return {Environment("https_proxy", "HTTPS_PROXY"), Environment("http_proxy", "HTTP_PROXY"),
          Environment("no_proxy", "NO_PROXY")};
}

std::unique_ptr<CurlHttpClient> CurlHttpClient::New(EpollLoop* loop, ProxyEnvironment proxies) {
  return std::make_unique<Client>(loop, std::move(proxies));
}

}  // namespace mg
