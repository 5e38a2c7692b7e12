// Load over HTTP/1.1 for the benchmark, at the upstream itself or through nginx: one connection per
// caller, kept alive, one thread, one epoll. Every answer is compared with what the upstream sent,
// byte for byte.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/bench/answer.h"
#include "tests/bench/load.h"

namespace mg::bench {
namespace {

// The data of a whole body in chunks; what cannot be read ends it.
std::string Dechunk(const std::string& body) {
  std::string data;
  size_t at = 0;
  while (true) {
    const size_t size = std::strtoul(body.c_str() + at, nullptr, 16);
    const size_t line = body.find("\r\n", at);
    if (size == 0 || line == std::string::npos) return data;
    data.append(body, line + 2, size);
    at = line + 2 + size + 2;
    if (at >= body.size()) return data;
  }
}

struct Caller {
  int fd = -1;
  std::string in;
  Clock::time_point begun;
  Clock::time_point first;  // content of a stream
};

class HttpLoad {
 public:
  explicit HttpLoad(const LoadOptions& options) : options_(options), tally_(options) {
    const std::string body =
        std::string(R"({"model":"bench-model","messages":[{"role":"user","content":")") +
        kQuestion + R"("}])" +
        (options.stream ? R"(,"stream":true,"stream_options":{"include_usage":true})" : "") + "}";
    request_ = "POST " + options.model + " HTTP/1.1\r\nHost: " + options.address +
               "\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
               "Authorization: Bearer sk-bench-0123456789\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body;
    if (options.stream) {
      for (int i = 0; i < kChunks; ++i) wanted_ += StreamChunk(i);
      wanted_ += kStreamEnd;
    } else {
      wanted_ = Answer();
    }
  }

  int Run() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    callers_.resize(static_cast<size_t>(options_.in_flight));
    for (size_t i = 0; i < callers_.size(); ++i) {
      if (!Connect(i)) return 1;
    }
    for (size_t i = 0; i < callers_.size(); ++i) Call(i);
    while (busy_ > 0) {
      epoll_event events[256];
      const int count = epoll_wait(epoll_, events, 256, 30000);
      if (count <= 0) {
        tally_.Bad("no answer for 30 s");
        break;
      }
      for (int i = 0; i < count; ++i) Read(events[i].data.u64);
    }
    return tally_.Print();
  }

 private:
  bool Connect(size_t i) {
    const size_t colon = options_.address.find(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port =
        htons(static_cast<uint16_t>(std::atoi(options_.address.c_str() + colon + 1)));
    inet_pton(AF_INET, options_.address.substr(0, colon).c_str(), &address.sin_addr);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      std::perror("http_load: connect");
      return false;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    callers_[i].fd = fd;
    return true;
  }

  void Call(size_t i) {
    if (!tally_.Begin()) return;
    Caller& caller = callers_[i];
    caller.in.clear();
    caller.first = {};
    caller.begun = Clock::now();
    ++busy_;
    // Less than a socket's buffer: it goes out whole.
    if (send(caller.fd, request_.data(), request_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request_.size())) {
      End(i, "the connection takes no request");
    }
  }

  void Read(size_t i) {
    Caller& caller = callers_[i];
    char buffer[16384];
    const ssize_t got = recv(caller.fd, buffer, sizeof buffer, 0);
    if (got <= 0) {
      epoll_ctl(epoll_, EPOLL_CTL_DEL, caller.fd, nullptr);
      return End(i, "the connection was closed");
    }
    caller.in.append(buffer, static_cast<size_t>(got));
    const size_t head = caller.in.find("\r\n\r\n");
    if (head == std::string::npos) return;
    if (caller.first == Clock::time_point() &&
        caller.in.find("data: ", head) != std::string::npos) {
      caller.first = Clock::now();
    }
    const bool whole = options_.stream ? caller.in.ends_with("\r\n0\r\n\r\n")
                                       : caller.in.size() >= head + 4 + wanted_.size();
    if (!whole) return;
    const std::string body = caller.in.substr(head + 4);
    const bool right = caller.in.starts_with("HTTP/1.1 200 ") &&
                       (options_.stream ? Dechunk(body) : body) == wanted_;
    End(i, right ? "" : "not the answer: " + caller.in.substr(0, 300));
  }

  void End(size_t i, const std::string& failure) {
    --busy_;
    const Caller& caller = callers_[i];
    if (!failure.empty()) return tally_.Bad(failure);
    tally_.Good((options_.stream ? caller.first : Clock::now()) - caller.begun);
    poll(nullptr, 0, static_cast<int>(options_.pause.count()));
    Call(i);
  }

  const LoadOptions& options_;
  Tally tally_;
  std::string request_;
  std::string wanted_;
  int epoll_ = -1;
  int busy_ = 0;
  std::vector<Caller> callers_;
};

}  // namespace
}  // namespace mg::bench

int main(int argc, char** argv) {
  const mg::bench::LoadOptions options = mg::bench::ParseLoadOptions(argc, argv);
  return mg::bench::HttpLoad(options).Run();
}
