// The HTTP/1.1 server of every HTTP listener: GET, HEAD and, where bodies are taken, POST, on the
// worker's loop. What a request
// must fulfil before its handler sees it is in http_checks.h. Belongs to the loop's thread; Stop it
// before it goes.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/http_message.h"
#include "daemon/runtime/epoll_loop.h"
#include "daemon/runtime/http_checks.h"
#include "daemon/runtime/signal.h"
#include "daemon/runtime/task.h"

namespace mg {

struct HttpServerRequest {
  // "GET", "HEAD" or "POST"; the server leaves the body of the reply away for HEAD.
  std::string method;
  std::string target;  // path and query, as they came
  HttpHeaders headers;
  std::string body = {};  // of a POST

  absl::string_view path() const { return absl::string_view(target).substr(0, target.find('?')); }
};

struct HttpReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  HttpHeaders headers;  // beside those that every reply has; the same name replaces
  std::string body;
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // `request` lives until the reply is there.
  virtual Task<HttpReply> Handle(const HttpServerRequest& request) = 0;
};

struct HttpServerOptions {
  std::string address;  // "127.0.0.1:9464", "[::1]:0", "localhost:9464"; port 0: any that is free
  // For listeners beyond loopback, whose names nobody can know, `check` is off.
  HttpHostPolicy hosts = {};
  absl::Duration head_timeout =
      absl::Seconds(10);  // from its first byte, or the connection's start
  absl::Duration body_timeout = absl::Seconds(30);  // for all of it
  size_t max_body = 0;                              // of a POST; 0: GET and HEAD alone
  size_t max_bodies = 64 << 20;  // that are being read, together; beyond it POSTs are refused
  absl::Duration idle_timeout = absl::Seconds(60);   // of a kept connection
  absl::Duration write_timeout = absl::Seconds(10);  // without progress
  size_t max_connections = 256;  // beyond it those that wait longest for a request go first
};

class HttpServer {
 public:
  // Binds and listens. An error names address and cause. `handler` outlives the server.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Listen(EpollLoop* loop,
                                                            HttpServerOptions options,
                                                            HttpHandler* handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  // With the port that it got: "127.0.0.1:40123".
  const std::string& bound_address() const { return bound_address_; }
  size_t connections() const { return connections_.size(); }

  // Accepts no more, closes what waits for a request, lets replies under way go out until `until`
  // (handlers are always waited for).
  Task<void> Stop(Instant until);

 private:
  struct Connection;
  enum class Got { kBytes, kEnd, kTimeout };

  HttpServer(EpollLoop* loop, HttpServerOptions options, HttpHandler* handler, int listener);

  void Accept();
  // Whether there is room for another connection; one that waits for a request may go for it.
  bool MakeRoom();
  void CloseListener();

  Task<void> Serve(Connection* connection);
  // One request and its reply; whether the connection may have another.
  Task<bool> ServeOne(Connection* connection);
  Task<Got> ReadHead(Connection* connection, HeadScan* scan, std::optional<HttpRefusal>* refusal);
  // Of a POST, whose head of `head_size` bytes is what was read first; takes both off what was
  // read.
  Task<Got> ReadBody(Connection* connection, const HttpRequestHead& head, size_t head_size,
                     std::string* body, std::optional<HttpRefusal>* refusal);
  Task<Got> ReadMore(Connection* connection, Instant until);
  Task<bool> Write(Connection* connection, const std::string& bytes);
  Task<void> Refuse(Connection* connection, const HttpRefusal& refusal);
  // Takes what the peer still sends, for a moment: closed at once it might not see the reply.
  Task<void> Linger(Connection* connection);
  void WatchFor(Connection* connection, uint32_t events);

  EpollLoop* const loop_;
  const HttpServerOptions options_;
  HttpHandler* const handler_;
  int listener_;
  std::string bound_address_;
  Loop::TimerId accept_again_{kNever, 0};
  bool stopping_ = false;
  size_t bodies_ = 0;                                   // bytes of those that are being read
  std::list<std::unique_ptr<Connection>> connections_;  // in the order of their accept
  Signal connection_gone_;
};

}  // namespace mg
