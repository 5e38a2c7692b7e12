#include "daemon/runtime/upstream_client.h"

#include <cstdlib>

#include "base/check.h"
#include "daemon/runtime/curl_exchange.h"
#include "daemon/runtime/http1_exchange.h"
#include "daemon/runtime/request_check.h"

namespace mg {
namespace {

// An exchange that is refused before it begins.
class RefusedExchange final : public HttpExchange {
 public:
  explicit RefusedExchange(absl::Status status) : status_(std::move(status)) {}

  Task<absl::StatusOr<const HttpHead*>> Head(Instant, Cancellation*) override { co_return status_; }
  Task<absl::StatusOr<std::string>> Read(Instant, Cancellation*) override { co_return status_; }
  bool sent() const override { return false; }

 private:
  const absl::Status status_;
};

// An exchange and its place among those in flight.
template <typename Exchange>
class Counted final : public Exchange {
 public:
  template <typename... Args>
  explicit Counted(int64_t* in_flight, Args&&... args)
      : Exchange(std::forward<Args>(args)...), in_flight_(in_flight) {
    ++*in_flight_;
  }
  ~Counted() override { --*in_flight_; }

 private:
  int64_t* const in_flight_;
};

class Client final : public UpstreamClient {
 public:
  Client(EpollLoop* loop, ProxyEnvironment proxies)
      : proxies_(std::move(proxies)), names_(loop), http1_(loop, &names_, SystemCaFile()) {}
  ~Client() override { MG_CHECK(in_flight_ == 0, "the HTTP client goes before its exchanges"); }

  std::unique_ptr<HttpExchange> Start(HttpRequest request, const HttpEndpoint& endpoint,
                                      absl::Duration connect_timeout) override;
  Counters counters() const override { return {names_.multi().connections_opened(), in_flight_}; }

 private:
  CurlRoute RouteTo(const UpstreamUrl& url, const HttpEndpoint& endpoint) const;

  const ProxyEnvironment proxies_;
  int64_t in_flight_ = 0;
  CurlNames names_;
  Http1Shared http1_;
};

CurlRoute Client::RouteTo(const UpstreamUrl& url, const HttpEndpoint& endpoint) const {
  if (IsLoopback(url.host)) return {url, "", ""};
  if (endpoint.proxy.has_value()) return {url, *endpoint.proxy, ""};
  return {url, url.https ? proxies_.https_proxy : proxies_.http_proxy, proxies_.no_proxy};
}

std::unique_ptr<HttpExchange> Client::Start(HttpRequest request, const HttpEndpoint& endpoint,
                                            absl::Duration connect_timeout) {
  absl::StatusOr<UpstreamUrl> url = CheckRequest(request);
  if (!url.ok()) return std::make_unique<RefusedExchange>(url.status());
  CurlRoute route = RouteTo(*url, endpoint);
  if (route.proxy.empty()) {
    auto exchange = std::make_unique<Counted<Http1Exchange>>(
        &in_flight_, &http1_, std::move(request), *std::move(url), endpoint, connect_timeout);
    exchange->Start();
    return exchange;
  }
  auto exchange = std::make_unique<Counted<CurlExchange>>(&in_flight_, &names_, std::move(request),
                                                          endpoint, connect_timeout);
  exchange->Start(std::move(route));
  return exchange;
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

std::unique_ptr<UpstreamClient> UpstreamClient::New(EpollLoop* loop, ProxyEnvironment proxies) {
  return std::make_unique<Client>(loop, std::move(proxies));
}

}  // namespace mg
