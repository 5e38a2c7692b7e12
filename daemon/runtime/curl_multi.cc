#include "daemon/runtime/curl_multi.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace mg {
namespace {

constexpr long kNameCacheSeconds = 60;
// Load balancers close what idles for 60 s or more; a connection that is about to go is not worth a
// try.
constexpr long kMaxIdleSeconds = 55;
constexpr long kMaxIdleConnections = 1024;

// A connection of the pool that has bytes nobody asked for, or its end, is shut down: libcurl 7.88
// would take the bytes for the answer to the next request; as sending fails now, it turns to a new
// connection. Whether it was.
bool ShutDownUnclean(curl_socket_t fd) {
  char byte = 0;
  if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN) return false;
  shutdown(fd, SHUT_RDWR);
  return true;
}

bool Rests(CURL* curl) {
  char* easy = nullptr;
  curl_easy_getinfo(curl, CURLINFO_PRIVATE, &easy);
  return easy != nullptr && reinterpret_cast<CurlEasy*>(easy)->rests();
}

CurlTransfer* OwnerOf(void* easy) { return static_cast<CurlEasy*>(easy)->owner(); }

size_t OnHeader(char* bytes, size_t size, size_t count, void* easy) {
  return OwnerOf(easy)->HeaderLine({bytes, size * count}) ? size * count : 0;
}

size_t OnBody(char* bytes, size_t size, size_t count, void* easy) {
  switch (OwnerOf(easy)->Body({bytes, size * count})) {
    case Taken::kAll:
      return size * count;
    case Taken::kNotYet:
      static_cast<CurlEasy*>(easy)->set_rests(true);
      return CURL_WRITEFUNC_PAUSE;
    case Taken::kRefused:
      break;
  }
  return 0;
}

int OnResolverStart(void*, void*, void* easy) { return OwnerOf(easy)->MayResolve() ? 0 : 1; }

int OnConnected(void* easy, char*, char*, int, int) {
  OwnerOf(easy)->Connected();
  return CURL_PREREQFUNC_OK;
}

template <typename T>
void Set(CURL* curl, CURLoption option, T value) {
  const CURLcode code = curl_easy_setopt(curl, option, value);
  MG_CHECK(code == CURLE_OK, curl_easy_strerror(code));
}

curl_socket_t OnOpenSocket(void* easy, curlsocktype, curl_sockaddr* address) {
  return static_cast<CurlEasy*>(easy)->OpenSocket(*address);
}

int OnCloseSocket(void* multi, curl_socket_t fd) {
  static_cast<CurlMulti*>(multi)->CloseSocket(fd);
  return 0;
}

}  // namespace

std::string SystemCaFile() {
  const char* path = curl_version_info(CURLVERSION_NOW)->cainfo;
  return path == nullptr ? "/etc/ssl/certs/ca-certificates.crt" : path;
}

CurlEasy::CurlEasy(CurlMulti* multi) : curl_(curl_easy_init()), multi_(multi) {
  MG_CHECK(curl_ != nullptr, "no libcurl handle");
  // Without it libcurl 7.88 joins the thread that resolves a name where a transfer ends before: on
  // the loop.
  Set(curl_, CURLOPT_QUICK_EXIT, 1L);
  Set(curl_, CURLOPT_NOSIGNAL, 1L);
  Set(curl_, CURLOPT_PRIVATE, this);
  Set(curl_, CURLOPT_ERRORBUFFER, error_);

  // Else it asks the environment, where proxies are that SetProxy did not name.
  Set(curl_, CURLOPT_PROXY, "");
  Set(curl_, CURLOPT_NOPROXY, "");
  Set(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
  Set(curl_, CURLOPT_FOLLOWLOCATION, 0L);
  Set(curl_, CURLOPT_PATH_AS_IS, 1L);
  Set(curl_, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  Set(curl_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  Set(curl_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  Set(curl_, CURLOPT_HTTP09_ALLOWED, 0L);
  Set(curl_, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  // A proxy sees neither the headers meant for the provider nor do we take its own for the
  // provider's.
  Set(curl_, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  Set(curl_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);

  Set(curl_, CURLOPT_SSL_VERIFYPEER, 1L);
  Set(curl_, CURLOPT_SSL_VERIFYHOST, 2L);
  Set(curl_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // libcurl keeps the parsed certificates from one connection to the next only where there is no
  // folder of them.
  Set(curl_, CURLOPT_CAPATH, static_cast<char*>(nullptr));

  Set(curl_, CURLOPT_TCP_NODELAY, 1L);
  Set(curl_, CURLOPT_TCP_KEEPALIVE,
      1L);  // a model may think for minutes: middleboxes forget silent connections
  Set(curl_, CURLOPT_TCP_KEEPIDLE, 30L);
  Set(curl_, CURLOPT_TCP_KEEPINTVL, 15L);
  Set(curl_, CURLOPT_DNS_CACHE_TIMEOUT, kNameCacheSeconds);
  Set(curl_, CURLOPT_MAXAGE_CONN, kMaxIdleSeconds);

  Set(curl_, CURLOPT_HEADERFUNCTION, &OnHeader);
  Set(curl_, CURLOPT_HEADERDATA, this);
  Set(curl_, CURLOPT_WRITEFUNCTION, &OnBody);
  Set(curl_, CURLOPT_WRITEDATA, this);
  Set(curl_, CURLOPT_RESOLVER_START_FUNCTION, &OnResolverStart);
  Set(curl_, CURLOPT_RESOLVER_START_DATA, this);
  Set(curl_, CURLOPT_PREREQFUNCTION, &OnConnected);
  Set(curl_, CURLOPT_PREREQDATA, this);
  Set(curl_, CURLOPT_OPENSOCKETFUNCTION, &OnOpenSocket);
  Set(curl_, CURLOPT_OPENSOCKETDATA, this);
  Set(curl_, CURLOPT_CLOSESOCKETFUNCTION, &OnCloseSocket);
  Set(curl_, CURLOPT_CLOSESOCKETDATA, multi);  // a connection outlives the handle that opened it
}

void CurlEasy::SetTransfer(CurlTransfer* owner, absl::Duration connect_timeout) {
  owner_ = owner;
  rests_ = false;
  error_[0] = '\0';
  if (std::exchange(connect_only_, false)) Set(curl_, CURLOPT_CONNECT_ONLY, 0L);
  // libcurl shares this time out among the addresses of a host; zero would mean its own default.
  const int64_t ms = std::clamp<int64_t>(absl::ToInt64Milliseconds(connect_timeout), 1, 3'600'000);
  Set(curl_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(ms));
}

void CurlEasy::SetRequest(const HttpRequest& request) {
  Set(curl_, CURLOPT_URL, request.url.c_str());
  Set(curl_, CURLOPT_HTTPGET, 1L);
  Set(curl_, CURLOPT_CUSTOMREQUEST, static_cast<char*>(nullptr));
  const bool has_body = request.method == "POST" || !request.body.empty();
  if (has_body) {
    Set(curl_, CURLOPT_POST, 1L);
    Set(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    Set(curl_, CURLOPT_POSTFIELDS, request.body.data());
  }
  if (request.method == "HEAD") {
    Set(curl_, CURLOPT_NOBODY, 1L);
  } else if (request.method != (has_body ? "POST" : "GET")) {
    Set(curl_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  SetHeaders(request);
}

void CurlEasy::SetHeaders(const HttpRequest& request) {
  header_text_.clear();
  std::vector<size_t> starts;
  const auto add = [&](absl::string_view name, absl::string_view separator,
                       absl::string_view value) {
    starts.push_back(header_text_.size());
    absl::StrAppend(&header_text_, name, separator, value, absl::string_view("\0", 1));
  };
  for (const HttpHeader& header : request.headers) {
    // "name;" is how libcurl is asked for a header without a value; "name:" takes its own away.
    add(header.name, header.value.empty() ? ";" : ": ", header.value);
  }
  add("Expect", ":", "");
  if (FindHeader(request.headers, "content-type").empty()) add("Content-Type", ":", "");

  header_nodes_.resize(starts.size());
  for (size_t i = 0; i < starts.size(); ++i) {
    header_nodes_[i].data = header_text_.data() + starts[i];
    header_nodes_[i].next = i + 1 < starts.size() ? &header_nodes_[i + 1] : nullptr;
  }
  Set(curl_, CURLOPT_HTTPHEADER, header_nodes_.data());
}

void CurlEasy::SetCaFile(const std::string& ca_file) {
  if (ca_file_ == ca_file) return;
  ca_file_ = ca_file;
  Set(curl_, CURLOPT_CAINFO, ca_file.empty() ? SystemCaFile().c_str() : ca_file.c_str());
}

void CurlEasy::SetProxy(const std::string& proxy, const std::string& no_proxy) {
  if (proxy_ != proxy) Set(curl_, CURLOPT_PROXY, proxy.c_str());
  if (no_proxy_ != no_proxy) Set(curl_, CURLOPT_NOPROXY, no_proxy.c_str());
  proxy_ = proxy;
  no_proxy_ = no_proxy;
}

void CurlEasy::ForgetName(const std::string& peer) {
  forgotten_text_ = absl::StrCat("-", peer);
  forgotten_.data = forgotten_text_.data();
  Set(curl_, CURLOPT_RESOLVE, &forgotten_);
}

void CurlEasy::SetConnectOnly(const std::string& peer) {
  connect_only_ = true;
  Set(curl_, CURLOPT_CONNECT_ONLY, 1L);
  Set(curl_, CURLOPT_HTTPGET, 1L);
  Set(curl_, CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  Set(curl_, CURLOPT_URL, absl::StrCat("http://", peer, "/").c_str());
}

curl_socket_t CurlEasy::OpenSocket(const curl_sockaddr& address) {
  return owner_->MayConnect() ? multi_->OpenSocket(address) : CURL_SOCKET_BAD;
}

CurlMulti::CurlMulti(EpollLoop* loop) : loop_(loop) {
  MG_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "libcurl does not start");
  multi_ = curl_multi_init();
  MG_CHECK(multi_ != nullptr, "no libcurl multi handle");
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxIdleConnections);
}

CurlMulti::~CurlMulti() {
  curl_multi_cleanup(multi_);
  loop_->CancelTimer(timer_);
  curl_global_cleanup();
}

void CurlMulti::Add(CurlEasy* easy) {
  const CURLMcode code = curl_multi_add_handle(multi_, easy->curl());
  MG_CHECK(code == CURLM_OK, curl_multi_strerror(code));
}

void CurlMulti::Remove(CurlEasy* easy) {
  const CURLMcode code = curl_multi_remove_handle(multi_, easy->curl());
  MG_CHECK(code == CURLM_OK, curl_multi_strerror(code));
}

curl_socket_t CurlMulti::OpenSocket(const curl_sockaddr& address) {
  const int fd = socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  ++connections_opened_;
  sockets_[fd].ours = true;
  return fd;
}

void CurlMulti::CloseSocket(curl_socket_t fd) {
  const auto found = sockets_.find(fd);
  if (found != sockets_.end()) {
    const bool kept = found->second.kept;
    if (found->second.watched) loop_->Unwatch(fd);
    sockets_.erase(found);
    if (kept) return;
  }
  close(fd);
}

int CurlMulti::OnSocket(CURL* curl, curl_socket_t fd, int what, void* self, void*) {
  auto* multi = static_cast<CurlMulti*>(self);
  Socket& socket = multi->sockets_[fd];
  socket.wanted = what != CURL_POLL_REMOVE;
  if (!socket.wanted) {
    if (Rests(curl)) {
      multi->loop_->Unwatch(fd);  // its end would be told again and again
      socket.watched = false;
      return 0;
    }
    // A connection that goes into the pool is watched on, which spares its next exchange calls of
    // the kernel. The sockets of the resolver are closed without a word.
    if (socket.ours) {
      ShutDownUnclean(fd);
      return 0;
    }
    if (socket.watched) multi->loop_->Unwatch(fd);
    multi->sockets_.erase(fd);
    return 0;
  }
  const uint32_t events =
      ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  if (socket.watched) {
    multi->loop_->Modify(fd, events);
  } else {
    multi->loop_->Watch(fd, events, [multi, fd](uint32_t ready) { multi->SocketReady(fd, ready); });
    socket.watched = true;
  }
  return 0;
}

void CurlMulti::SocketReady(curl_socket_t fd, uint32_t events) {
  Socket& socket = sockets_.at(fd);
  if (!socket.wanted) {  // in the pool
    if (ShutDownUnclean(fd)) {
      loop_->Unwatch(fd);
      socket.watched = false;
    } else {
      loop_->Modify(fd, EPOLLIN);  // an event from before it went there
    }
    return;
  }
  // Errors show on reading; told as such libcurl would not read what came before them.
  Act(fd, ((events & ~EPOLLOUT) != 0 ? CURL_CSELECT_IN : 0) |
              ((events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0));
}

void CurlMulti::Resume(CurlEasy* easy) {
  easy->set_rests(false);
  // A failure is told again by the next action, as the end of the transfer.
  (void)curl_easy_pause(easy->curl(), CURLPAUSE_CONT);
}

int CurlMulti::OnTimer(CURLM*, long timeout_ms, void* self) {
  auto* multi = static_cast<CurlMulti*>(self);
  Loop* const loop = multi->loop_;
  loop->CancelTimer(multi->timer_);
  multi->timer_ = {kNever, 0};
  if (timeout_ms < 0) return 0;
  multi->timer_ = loop->CallAt(loop->now() + absl::Milliseconds(timeout_ms), [multi] {
    multi->timer_ = {kNever, 0};
    multi->Act(CURL_SOCKET_TIMEOUT, 0);
  });
  return 0;
}

void CurlMulti::Act(curl_socket_t fd, int events) {
  int running = 0;
  const CURLMcode code = curl_multi_socket_action(multi_, fd, events, &running);
  MG_CHECK(code == CURLM_OK, curl_multi_strerror(code));
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    CURL* const curl = message->easy_handle;
    const CURLcode result = message->data.result;
    Ended(curl, result);
  }
}

void CurlMulti::Ended(CURL* curl, CURLcode result) {
  char* pointer = nullptr;
  curl_easy_getinfo(curl, CURLINFO_PRIVATE, &pointer);
  auto* const easy = reinterpret_cast<CurlEasy*>(pointer);
  if (easy->connect_only() && result == CURLE_OK) easy->set_socket(KeepSocket(curl));
  curl_multi_remove_handle(multi_, curl);
  easy->owner()->Done(result);
}

curl_socket_t CurlMulti::KeepSocket(CURL* curl) {
  curl_socket_t fd = CURL_SOCKET_BAD;
  curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd);
  MG_CHECK(fd != CURL_SOCKET_BAD, "libcurl has connected without a socket");
  sockets_[fd].kept = true;
  return fd;
}

}  // namespace mg
