// HttpClient over libcurl's multi interface, driven by the worker's EpollLoop. Owns the
// connections, kept alive among its exchanges, and the cache of names. Everything belongs to the
// loop's thread; outlives its exchanges.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "daemon/runtime/epoll_loop.h"
#include "daemon/runtime/http_client.h"

namespace mg {

// What the environment says of proxies, lower-case names first.
struct ProxyEnvironment {
  std::string https_proxy;
  std::string http_proxy;
  std::string no_proxy;

  static ProxyEnvironment OfProcess();
};

class CurlHttpClient : public HttpClient {
 public:
  struct Counters {
    int64_t connections_opened = 0;
    int64_t exchanges_in_flight = 0;  // started and not yet at their end
  };

  static std::unique_ptr<CurlHttpClient> New(EpollLoop* loop, ProxyEnvironment proxies);

  virtual Counters counters() const = 0;
};

}  // namespace mg
