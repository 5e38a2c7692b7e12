// The HTTP client of a worker, on its EpollLoop: connections of our own, kept alive among
// exchanges, or libcurl's where a proxy is in between. Everything belongs to the loop's thread;
// outlives its exchanges.
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

class UpstreamClient : public HttpClient {
 public:
  struct Counters {
    int64_t connections_opened = 0;
    int64_t exchanges_in_flight = 0;  // that have not been destroyed yet
  };

  static std::unique_ptr<UpstreamClient> New(EpollLoop* loop, ProxyEnvironment proxies);

  virtual Counters counters() const = 0;
};

}  // namespace mg
