#include "daemon/runtime/http_server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "daemon/runtime/http_server_codec.h"

namespace mg {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr absl::Duration kLinger = absl::Seconds(1);
constexpr size_t kLingerBytes = 256 << 10;
constexpr absl::Duration kAcceptPause = absl::Milliseconds(100);

std::string ErrorText() {
  char text[128];
  return strerror_r(errno, text, sizeof text);
}

std::string AddressText(const sockaddr_storage& address) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), sizeof address, host, sizeof host,
                  port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  return address.ss_family == AF_INET6 ? absl::StrCat("[", host, "]:", port)
                                       : absl::StrCat(host, ":", port);
}

absl::Status ListenError(const std::string& address, absl::string_view cause) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", cause));
}

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

// Numeric addresses and localhost only: a name that must be asked for could be anything.
AddressList ParseAddress(const std::string& address) {
  const size_t colon = address.rfind(':');
  addrinfo* found = nullptr;
  if (colon != std::string::npos) {
    std::string host = address.substr(0, colon);
    if (host == "localhost") host = "127.0.0.1";
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
      host = host.substr(1, host.size() - 2);
    }
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    const std::string port = address.substr(colon + 1);
    int number = -1;
    if (host.empty() || !absl::SimpleAtoi(port, &number) || number < 0 || number > 65535 ||
        getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) {
      found = nullptr;
    }
  }
  return {found, &freeaddrinfo};
}

// What a body may come to.
size_t LargestBody(const HttpRequestHead& head, size_t max_body) {
  size_t length = 0;
  const absl::string_view told = FindHeader(head.headers, "content-length");
  return absl::SimpleAtoi(told, &length) ? length : max_body;
}

}  // namespace

struct HttpServer::Connection {
  Connection(EpollLoop* the_loop, int the_fd) : loop(the_loop), fd(the_fd), ready(the_loop) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    if (watched) loop->Unwatch(fd);
    close(fd);
  }

  EpollLoop* const loop;
  const int fd;
  bool watched = false;
  bool waits = true;    // for (the rest of) a request, or only for the peer's end: may be closed
  Instant since;        // when that began
  bool served = false;  // a request before
  std::string in;       // read and not yet served
  Signal ready;
  Cancellation cancellation;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Listen(EpollLoop* loop,
                                                               HttpServerOptions options,
                                                               HttpHandler* handler) {
  const AddressList address = ParseAddress(options.address);
  if (address == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cannot listen on \"", options.address,
        "\": it must be an IP address or localhost, a colon and a port, as in 127.0.0.1:9464"));
  }
  const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return ListenError(options.address, ErrorText());
  absl::Cleanup close_fd = [fd] { close(fd); };
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // not REUSEPORT: a port has one owner
  if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
    return ListenError(options.address,
                       errno == EADDRINUSE
                           ? "address in use: another process listens there, stop it or choose "
                             "another port"
                           : ErrorText());
  }
  std::move(close_fd).Cancel();
  return std::unique_ptr<HttpServer>(new HttpServer(loop, std::move(options), handler, fd));
}

HttpServer::HttpServer(EpollLoop* loop, HttpServerOptions options, HttpHandler* handler,
                       int listener)
    : loop_(loop),
      options_(std::move(options)),
      handler_(handler),
      listener_(listener),
      connection_gone_(loop) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  bound_address_ = AddressText(address);
  loop_->Watch(listener_, EpollLoop::kReadable, [this](uint32_t) { Accept(); });
}

HttpServer::~HttpServer() {
  MG_CHECK(connections_.empty(), "an HTTP server goes before it was stopped");
  CloseListener();
}

void HttpServer::CloseListener() {
  if (listener_ < 0) return;
  loop_->CancelTimer(accept_again_);
  loop_->Unwatch(listener_);
  close(listener_);
  listener_ = -1;
}

void HttpServer::Accept() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ECONNABORTED || errno == EINTR)
        return;
      // No descriptors left, say: asked again at once it would be the same.
      loop_->Modify(listener_, 0);
      accept_again_ = loop_->CallAt(loop_->now() + kAcceptPause,
                                    [this] { loop_->Modify(listener_, EpollLoop::kReadable); });
      return;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto connection = std::make_unique<Connection>(loop_, fd);
    connection->since = loop_->now();
    if (!MakeRoom()) continue;  // all are busy: the new one goes
    connections_.push_back(std::move(connection));
    Spawn(Serve(connections_.back().get()));
  }
}

bool HttpServer::MakeRoom() {
  const auto open = std::count_if(connections_.begin(), connections_.end(),
                                  [](const auto& each) { return !each->cancellation.cancelled(); });
  if (static_cast<size_t>(open) < options_.max_connections) return true;
  Connection* oldest = nullptr;
  for (const auto& each : connections_) {
    if (!each->waits || each->cancellation.cancelled()) continue;
    if (oldest == nullptr || each->since < oldest->since) oldest = each.get();
  }
  if (oldest == nullptr) return false;
  oldest->cancellation.Cancel(absl::UnavailableError("another needs its room"));
  return true;
}

Task<void> HttpServer::Serve(Connection* connection) {
  while (co_await ServeOne(connection)) {
  }
  connections_.remove_if([&](const auto& each) { return each.get() == connection; });
  connection_gone_.Notify();
}

Task<bool> HttpServer::ServeOne(Connection* connection) {
  HeadScan scan;
  std::optional<HttpRefusal> refusal;
  const Got got = co_await ReadHead(connection, &scan, &refusal);
  if (got == Got::kTimeout && !connection->in.empty()) {
    refusal = HttpRefusal{408, "the head of the request takes too long"};
  } else if (got != Got::kBytes) {
    co_return false;
  }
  HttpRequestHead head;
  if (!refusal.has_value()) {
    refusal = ParseRequestHead(absl::string_view(connection->in).substr(0, scan.end()), &head);
  }
  if (!refusal.has_value()) refusal = CheckRequest(head, options_.hosts, options_.max_body);
  HttpServerRequest request;
  if (!refusal.has_value() && head.method == "POST") {
    const Got whole = co_await ReadBody(connection, head, scan.end(), &request.body, &refusal);
    if (whole != Got::kBytes) co_return false;
  } else if (!refusal.has_value()) {
    connection->in.erase(0, scan.end());
  }
  connection->waits = false;
  if (refusal.has_value()) {
    co_await Refuse(connection, *refusal);
    co_return false;
  }

  request.method = std::move(head.method);
  request.target = std::move(head.target);
  request.headers = std::move(head.headers);
  const HttpReply reply = co_await handler_->Handle(request);
  const bool keep = head.keep_alive && head.version == 11 && !stopping_;
  if (!co_await Write(connection, SerializeReply(reply, request.method == "HEAD", keep))) {
    co_return false;
  }
  connection->served = true;
  if (!keep) co_await Linger(connection);
  co_return keep;
}

Task<HttpServer::Got> HttpServer::ReadHead(Connection* connection, HeadScan* scan,
                                           std::optional<HttpRefusal>* refusal) {
  connection->waits = true;
  connection->since = loop_->now();
  const bool idle = connection->served && connection->in.empty();
  Instant until = loop_->now() + (idle ? options_.idle_timeout : options_.head_timeout);
  while (true) {
    *refusal = scan->Continue(connection->in);
    if (refusal->has_value() || scan->end() != 0) co_return Got::kBytes;
    const bool first = connection->in.empty();
    const Got got = co_await ReadMore(connection, until);
    if (got != Got::kBytes) co_return got;
    if (idle && first) until = loop_->now() + options_.head_timeout;
  }
}

Task<HttpServer::Got> HttpServer::ReadBody(Connection* connection, const HttpRequestHead& head,
                                           size_t head_size, std::string* body,
                                           std::optional<HttpRefusal>* refusal) {
  const size_t room = LargestBody(head, options_.max_body);
  if (bodies_ + room > options_.max_bodies) {
    *refusal = HttpRefusal{503, "too many requests with bodies at once: try again"};
    co_return Got::kBytes;
  }
  bodies_ += room;
  const absl::Cleanup give_back = [this, room] { bodies_ -= room; };
  if (absl::EqualsIgnoreCase(FindHeader(head.headers, "expect"), "100-continue") &&
      !co_await Write(connection, "HTTP/1.1 100 Continue\r\n\r\n")) {
    co_return Got::kEnd;
  }
  BodyParser parser(absl::string_view(connection->in).substr(0, head_size), options_.max_body);
  connection->in.erase(0, head_size);
  const Instant until = loop_->now() + options_.body_timeout;
  while (true) {
    if (!parser.done()) connection->in.erase(0, parser.Take(connection->in));
    *refusal = parser.refusal();
    if (refusal->has_value()) co_return Got::kBytes;
    if (parser.done()) break;
    const Got got = co_await ReadMore(connection, until);
    if (got == Got::kTimeout) {
      *refusal = HttpRefusal{408, "the body of the request takes too long"};
      co_return Got::kBytes;
    }
    if (got != Got::kBytes) co_return got;
  }
  *body = parser.TakeBody();
  co_return Got::kBytes;
}

Task<HttpServer::Got> HttpServer::ReadMore(Connection* connection, Instant until) {
  while (!connection->cancellation.cancelled()) {
    char bytes[16 << 10];
    const ssize_t count = recv(connection->fd, bytes, sizeof bytes, 0);
    if (count > 0) {
      connection->in.append(bytes, static_cast<size_t>(count));
      co_return Got::kBytes;
    }
    if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) break;
    WatchFor(connection, EpollLoop::kReadable);
    if (co_await connection->ready.Wait(until, &connection->cancellation) == Wake::kTimeout) {
      co_return Got::kTimeout;
    }
  }
  co_return Got::kEnd;
}

Task<bool> HttpServer::Write(Connection* connection, const std::string& bytes) {
  absl::string_view left = bytes;
  Instant until = loop_->now() + options_.write_timeout;
  while (!left.empty()) {
    const ssize_t count = send(connection->fd, left.data(), left.size(), MSG_NOSIGNAL);
    if (count > 0) {
      left.remove_prefix(static_cast<size_t>(count));
      until = loop_->now() + options_.write_timeout;
      continue;
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) co_return false;
    WatchFor(connection, EpollLoop::kWritable);
    if (co_await connection->ready.Wait(until, &connection->cancellation) != Wake::kNotified) {
      co_return false;
    }
  }
  co_return true;
}

Task<void> HttpServer::Refuse(Connection* connection, const HttpRefusal& refusal) {
  HttpReply reply;
  reply.status = refusal.status;
  reply.body = absl::StrCat(refusal.text, "\n");
  if (refusal.status == 405) {
    reply.headers.push_back({"allow", options_.max_body > 0 ? "GET, HEAD, POST" : "GET, HEAD"});
  }
  if (co_await Write(connection,
                     SerializeReply(reply, /*head_only=*/false, /*keep_alive=*/false))) {
    co_await Linger(connection);
  }
}

Task<void> HttpServer::Linger(Connection* connection) {
  connection->waits = true;
  connection->since = loop_->now();
  shutdown(connection->fd, SHUT_WR);
  const Instant until = loop_->now() + kLinger;
  for (size_t taken = 0; taken < kLingerBytes; taken += connection->in.size()) {
    connection->in.clear();
    if (co_await ReadMore(connection, until) != Got::kBytes) co_return;
  }
}

void HttpServer::WatchFor(Connection* connection, uint32_t events) {
  if (connection->watched) {
    loop_->Modify(connection->fd, events);
    return;
  }
  connection->watched = true;
  // It tells once and is then silent until it is asked again; a peer that is gone would go on
  // telling.
  loop_->Watch(connection->fd, events, [this, connection](uint32_t ready) {
    if ((ready & ~(EpollLoop::kReadable | EpollLoop::kWritable)) != 0) {
      connection->watched = false;
      loop_->Unwatch(connection->fd);
    } else {
      loop_->Modify(connection->fd, 0);
    }
    connection->ready.Notify();
  });
}

Task<void> HttpServer::Stop(Instant until) {
  stopping_ = true;
  CloseListener();
  for (const auto& each : connections_) {
    if (each->waits) each->cancellation.Cancel(absl::UnavailableError("the server stops"));
  }
  while (!connections_.empty()) {
    if (co_await connection_gone_.Wait(until, nullptr) == Wake::kNotified) continue;
    until = kNever;
    for (const auto& each : connections_) {
      each->cancellation.Cancel(absl::UnavailableError("the server stops"));
    }
  }
}

}  // namespace mg
