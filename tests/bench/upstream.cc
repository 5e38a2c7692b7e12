// The upstream of the benchmark: an HTTP/1.1 server with keep-alive, one thread, one epoll. It
// prints its port and ends with its standard input. /v1: whole answers at once, streams with 5 ms
// between two chunks; /burst/v1: streams without a pause; /slow/v1: whole answers after 4 s. Each
// chunk is one write.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/bench/answer.h"

namespace mg::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPace{5};
constexpr std::chrono::milliseconds kSlow{4000};
constexpr char kLength[] = "Content-Length: ";
// The third line keeps nginx from holding events back.
constexpr char kStreamHead[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    "Transfer-Encoding: chunked\r\n"
    "X-Accel-Buffering: no\r\n\r\n";

std::string HttpChunk(const std::string& data) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return size + data + "\r\n";
}

struct Connection {
  std::string in;
  std::string out;      // what the socket did not take yet
  int next_chunk = -1;  // of the stream under way; -1: whole answer
  std::chrono::milliseconds pace{0};
  bool blocked = false;  // the socket said so
};

class Upstream {
 public:
  Upstream() {
    const std::string body = Answer();
    whole_ = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n\r\n" + body;
    for (int i = 0; i < kChunks; ++i) chunks_.push_back(HttpChunk(StreamChunk(i)));
    chunks_.push_back(HttpChunk(kStreamEnd) + "0\r\n\r\n");
  }

  int Run() {
    if (!Listen()) return 1;
    while (true) {
      epoll_event events[256];
      const int count = epoll_wait(epoll_, events, 256, WaitMs());
      for (int i = 0; i < count; ++i) {
        const int fd = events[i].data.fd;
        if (fd == STDIN_FILENO) return 0;
        if (fd == listener_) {
          Accept();
        } else if ((events[i].events & EPOLLOUT) == 0 || Flush(fd)) {
          if ((events[i].events & ~EPOLLOUT) != 0) Read(fd);
        }
      }
      AnswerDue();
    }
  }

 private:
  bool Listen() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        listen(listener_, 4096) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      std::perror("upstream: listen");
      return false;
    }
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    Watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
    Watch(STDIN_FILENO, EPOLLIN, EPOLL_CTL_ADD);
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    return true;
  }

  void Watch(int fd, unsigned events, int operation) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    epoll_ctl(epoll_, operation, fd, &event);
  }

  int WaitMs() const {
    if (due_.empty()) return -1;
    const auto wait =
        std::chrono::ceil<std::chrono::milliseconds>(due_.begin()->first - Clock::now());
    return wait.count() < 0 ? 0 : static_cast<int>(wait.count());
  }

  void Accept() {
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connections_[fd];
      Watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void Read(int fd) {
    char buffer[16384];
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return Close(fd);
    std::string& in = connections_[fd].in;
    in.append(buffer, static_cast<size_t>(got));
    const size_t head = in.find("\r\n\r\n");
    if (head == std::string::npos) return;
    const size_t length = in.find(kLength);
    if (length > head) return Close(fd);
    const size_t end =
        head + 4 + std::strtoul(in.c_str() + length + sizeof kLength - 1, nullptr, 10);
    if (in.size() < end) return;
    const std::string request = in.substr(0, end);
    in.erase(0, end);
    Begin(fd, request);
  }

  void Begin(int fd, const std::string& request) {
    Connection& connection = connections_[fd];
    connection.next_chunk = -1;
    if (request.find("\"stream\":true") != std::string::npos) {
      connection.pace = request.starts_with("POST /burst/") ? std::chrono::milliseconds(0) : kPace;
      connection.next_chunk = 0;
      if (Write(fd, kStreamHead)) due_.emplace(Clock::now(), fd);
    } else if (request.starts_with("POST /slow/")) {
      due_.emplace(Clock::now() + kSlow, fd);
    } else {
      Write(fd, whole_);
    }
  }

  // One chunk of each stream that is due; those without a pace are due again in the next turn.
  void AnswerDue() {
    const Clock::time_point now = Clock::now();
    std::vector<int> ready;
    for (auto it = due_.begin(); it != due_.end() && it->first <= now; it = due_.erase(it)) {
      ready.push_back(it->second);
    }
    for (const int fd : ready) {
      Connection& connection = connections_[fd];
      if (connection.next_chunk < 0) {
        Write(fd, whole_);
        continue;
      }
      if (connection.out.empty()) {
        const size_t chunk = static_cast<size_t>(connection.next_chunk++);
        if (!Write(fd, chunks_[chunk]) || chunk + 1 == chunks_.size()) continue;
      }
      due_.emplace(now + connection.pace, fd);
    }
  }

  // False if the connection is gone.
  bool Write(int fd, const std::string& data) {
    connections_[fd].out += data;
    return Flush(fd);
  }

  bool Flush(int fd) {
    Connection& connection = connections_[fd];
    const ssize_t sent = send(fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
      Close(fd);
      return false;
    }
    if (sent > 0) connection.out.erase(0, static_cast<size_t>(sent));
    const bool blocked = !connection.out.empty();
    if (blocked != connection.blocked)
      Watch(fd, EPOLLIN | (blocked ? EPOLLOUT : 0u), EPOLL_CTL_MOD);
    connection.blocked = blocked;
    return true;
  }

  void Close(int fd) {
    std::erase_if(due_, [fd](const auto& entry) { return entry.second == fd; });
    connections_.erase(fd);
    close(fd);
  }

  std::string whole_;
  std::vector<std::string> chunks_;
  int listener_ = -1;
  int epoll_ = -1;
  std::unordered_map<int, Connection> connections_;
  std::multimap<Clock::time_point, int> due_;
};

}  // namespace
}  // namespace mg::bench

int main() { return mg::bench::Upstream().Run(); }
