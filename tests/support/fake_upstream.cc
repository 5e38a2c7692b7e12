#include "tests/support/fake_upstream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "tests/support/upstream_state.h"

namespace mg {
namespace {

SSL_CTX* NewTlsContext(const FakeUpstream::Options& options) {
  if (options.tls == nullptr) return nullptr;
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  BIO* bio = BIO_new_mem_buf(options.tls->certificate_pem.data(), -1);
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  bio = BIO_new_mem_buf(options.tls->key_pem.data(), -1);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  MG_CHECK(SSL_CTX_use_certificate(context, certificate) == 1, "the server's certificate");
  MG_CHECK(SSL_CTX_use_PrivateKey(context, key) == 1, "the server's key");
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (options.only_tls_1_1) {
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
  }
  return context;
}

}  // namespace

// The thread that accepts, and that sees peers go.
class UpstreamAcceptor {
 public:
  static void Run(const std::shared_ptr<UpstreamState>& state);

 private:
  static void Accept(const std::shared_ptr<UpstreamState>& state);
  static void PeerGone(UpstreamState* state, int number);
};

UpstreamState::UpstreamState(FakeUpstream::Options the_options)
    : options(std::move(the_options)),
      tls(NewTlsContext(options)),
      listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      epoll(epoll_create1(EPOLL_CLOEXEC)),
      wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  MG_CHECK(bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0, "no free port");
  MG_CHECK(listen(listener, 1024) == 0, "no listening socket");
  MG_CHECK(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0, "no port");
  port = ntohs(address.sin_port);
  for (const int fd : {listener, wake}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = -fd;  // connections are told by their number
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

UpstreamState::~UpstreamState() {
  if (listener >= 0) close(listener);
  close(epoll);
  close(wake);
  SSL_CTX_free(tls);
}

Script UpstreamState::FindScript(const UpstreamRequest& request, bool consume) {
  FakeUpstream::Rule* found = &otherwise;
  for (FakeUpstream::Rule& rule : rules) {
    if ((rule.replies_.empty() && !rule.choose_) || !rule.matches_(request)) continue;
    found = &rule;
    break;
  }
  if (found->choose_) return consume ? found->choose_(request) : Script();
  if (found->replies_.empty()) return Script().Status(404);
  const size_t hit = std::min(found->next_, found->replies_.size() - 1);
  if (consume) ++found->next_;
  return found->replies_[hit];
}

void UpstreamAcceptor::Run(const std::shared_ptr<UpstreamState>& state) {
  while (true) {
    epoll_event events[64];
    const int count = epoll_wait(state->epoll, events, 64, -1);
    for (int i = 0; i < count; ++i) {
      const int number = events[i].data.fd;
      if (number > 0) {
        PeerGone(state.get(), number);
      } else if (number == -state->wake) {
        uint64_t ignored = 0;
        (void)!read(state->wake, &ignored, sizeof ignored);
      } else {
        Accept(state);
      }
    }
    const std::lock_guard lock(state->mutex);
    if (state->stopped) break;
    if (state->stop_listening && state->listener >= 0) {
      close(state->listener);
      state->listener = -1;
      state->changed.notify_all();
    }
  }
  const std::lock_guard lock(state->mutex);
  --state->threads;
  state->changed.notify_all();
}

void UpstreamAcceptor::Accept(const std::shared_ptr<UpstreamState>& state) {
  for (Gate& gate : state->options.accept_gates) {
    gate.Reach([state] {
      const std::lock_guard lock(state->mutex);
      state->changed.notify_all();
    });
    std::unique_lock lock(state->mutex);
    state->changed.wait(lock, [&] { return state->stopped || gate.open(); });
  }
  const int fd = accept4(state->listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const std::lock_guard lock(state->mutex);
  if (state->stopped) {
    close(fd);
    return;
  }
  const int number = ++state->accepted;
  UpstreamState::Connection& connection = state->open[number];
  connection.fd = fd;
  ++state->threads;
  epoll_event event{};
  event.events = EPOLLRDHUP | EPOLLET;
  event.data.fd = number;
  epoll_ctl(state->epoll, EPOLL_CTL_ADD, fd, &event);
  std::thread(&UpstreamConnection::Serve, state, number, connection).detach();
  state->changed.notify_all();
}

void UpstreamAcceptor::PeerGone(UpstreamState* state, int number) {
  const std::lock_guard lock(state->mutex);
  const auto found = state->open.find(number);
  if (found == state->open.end() || found->second.peer_gone) return;
  found->second.peer_gone = true;
  found->second.gone_at = std::chrono::steady_clock::now();
  found->second.wake->notify_all();
}

FakeUpstream::Rule& FakeUpstream::Rule::Reply(Script script) {
  const std::lock_guard lock(state_->mutex);
  replies_.push_back(std::move(script));
  return *this;
}

FakeUpstream::Rule& FakeUpstream::Rule::ReplyBy(
    std::function<Script(const UpstreamRequest&)> choose) {
  const std::lock_guard lock(state_->mutex);
  choose_ = std::move(choose);
  return *this;
}

FakeUpstream::FakeUpstream(Options options)
    : state_(std::make_shared<UpstreamState>(std::move(options))) {
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): OpenSSL writes without MSG_NOSIGNAL
  state_->otherwise.state_ = state_;
  state_->threads = 1;
  std::thread(&UpstreamAcceptor::Run, state_).detach();
}

FakeUpstream::~FakeUpstream() {
  std::unique_lock lock(state_->mutex);
  state_->stopped = true;
  for (auto& [number, connection] : state_->open) {
    shutdown(connection.fd, SHUT_RDWR);
    connection.wake->notify_all();
  }
  const uint64_t one = 1;
  (void)!write(state_->wake, &one, sizeof one);
  state_->changed.notify_all();
  state_->changed.wait(lock, [this] { return state_->threads == 0; });
  // Rules hold the state, and so do the gates that somebody waited at.
  state_->rules.clear();
  state_->otherwise = {};
  state_->options = {};
}

FakeUpstream::Rule& FakeUpstream::When(absl::string_view path) {
  return When([wanted = std::string(path)](const UpstreamRequest& request) {
    return request.path() == wanted;
  });
}

FakeUpstream::Rule& FakeUpstream::When(std::function<bool(const UpstreamRequest&)> matches) {
  const std::lock_guard lock(state_->mutex);
  Rule& rule = state_->rules.emplace_back();
  rule.state_ = state_;
  rule.matches_ = std::move(matches);
  return rule;
}

FakeUpstream::Rule& FakeUpstream::Otherwise() { return state_->otherwise; }

int FakeUpstream::port() const { return state_->port; }

std::string FakeUpstream::Url(absl::string_view path) const {
  return absl::StrCat(state_->tls == nullptr ? "http" : "https", "://127.0.0.1:", port(), path);
}

void FakeUpstream::StopListening() {
  std::unique_lock lock(state_->mutex);
  state_->stop_listening = true;
  const uint64_t one = 1;
  (void)!write(state_->wake, &one, sizeof one);
  state_->changed.wait(lock, [this] { return state_->listener < 0; });
}

void FakeUpstream::CloseIdle() {
  const std::lock_guard lock(state_->mutex);
  for (auto& [number, connection] : state_->open) {
    connection.close_when_idle = true;
    if (connection.idle) shutdown(connection.fd, SHUT_RDWR);
  }
}

int FakeUpstream::hits(absl::string_view path) const {
  const std::lock_guard lock(state_->mutex);
  return static_cast<int>(
      std::count_if(state_->requests.begin(), state_->requests.end(),
                    [&](const auto& request) { return path.empty() || request.path() == path; }));
}

std::vector<UpstreamRequest> FakeUpstream::requests() const {
  const std::lock_guard lock(state_->mutex);
  return state_->requests;
}

std::vector<UpstreamAbort> FakeUpstream::aborts() const {
  const std::lock_guard lock(state_->mutex);
  return state_->aborts;
}

std::vector<std::string> FakeUpstream::faults() const {
  const std::lock_guard lock(state_->mutex);
  return state_->faults;
}

int FakeUpstream::connections() const {
  const std::lock_guard lock(state_->mutex);
  return state_->accepted;
}

int FakeUpstream::max_concurrent() const {
  const std::lock_guard lock(state_->mutex);
  return state_->max_concurrent;
}

bool FakeUpstream::WaitUntil(const std::function<bool()>& reached) const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, kTestPatience, reached);
}

bool FakeUpstream::WaitForHits(int count) const {
  return WaitUntil([&] { return static_cast<int>(state_->requests.size()) >= count; });
}

bool FakeUpstream::WaitForAborts(int count) const {
  return WaitUntil([&] { return static_cast<int>(state_->aborts.size()) >= count; });
}

bool FakeUpstream::WaitForConnections(int count) const {
  return WaitUntil([&] { return state_->accepted >= count; });
}

bool FakeUpstream::WaitForOpenConnections(int count) const {
  return WaitUntil([&] { return static_cast<int>(state_->open.size()) == count; });
}

}  // namespace mg
