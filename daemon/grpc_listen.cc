#include "daemon/grpc_listen.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace mg {
namespace {

constexpr absl::string_view kNoAddress = "is not HOST:PORT, [IPV6]:PORT or unix:/PATH";
constexpr absl::string_view kInUse = "address in use";

absl::Status Unavailable(absl::string_view what, int error) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(error)));
}

class Socket {
 public:
  explicit Socket(int family)
      : fd_(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

// HOST and PORT; false where the address has not both.
bool SplitHostPort(absl::string_view address, std::string* host, std::string* port) {
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return false;
  absl::string_view name = address.substr(0, colon);
  if (name.front() == '[') {
    if (name.back() != ']' || name.size() < 3) return false;
    name = name.substr(1, name.size() - 2);
  } else if (absl::StrContains(name, ":")) {
    return false;
  }
  int number = 0;
  const absl::string_view digits = address.substr(colon + 1);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit))
    return false;
  if (!absl::SimpleAtoi(digits, &number) || number > 65535) return false;
  *host = std::string(name);
  *port = absl::StrCat(number);
  return true;
}

absl::Status TryListen(const addrinfo& address) {
  Socket socket(address.ai_family);
  if (socket.fd() < 0) return Unavailable("cannot open a socket", errno);
  const int on = 1;
  setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(socket.fd(), address.ai_addr, address.ai_addrlen) != 0 || listen(socket.fd(), 1) != 0) {
    if (errno == EADDRINUSE) return absl::UnavailableError(kInUse);
    return Unavailable("cannot listen", errno);
  }
  return absl::OkStatus();
}

// Whether somebody listens on the socket at `path`.
absl::Status CheckNotLive(const std::string& path) {
  Socket socket(AF_UNIX);
  if (socket.fd() < 0) return Unavailable("cannot open a socket", errno);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EAGAIN) {
    return absl::UnavailableError(
        absl::StrCat(kInUse, ": another process serves this socket; stop it or name another path"));
  }
  if (errno == ECONNREFUSED || errno == ENOENT) return absl::OkStatus();
  return Unavailable("cannot tell whether the socket is in use", errno);
}

absl::Status CheckExisting(const std::string& path) {
  struct stat found{};
  if (lstat(path.c_str(), &found) != 0) {
    return errno == ENOENT ? absl::OkStatus() : Unavailable("cannot look at the path", errno);
  }
  constexpr absl::string_view kAdvice = "; remove it or name another path";
  if (S_ISLNK(found.st_mode)) {
    return absl::UnavailableError(absl::StrCat("the path is a symbolic link", kAdvice));
  }
  if (!S_ISSOCK(found.st_mode)) {
    return absl::UnavailableError(absl::StrCat("the path exists and is no socket", kAdvice));
  }
  if (found.st_uid != geteuid()) {
    return absl::UnavailableError(
        absl::StrCat("the socket belongs to another user (uid ", found.st_uid, ")", kAdvice));
  }
  return CheckNotLive(path);
}

absl::Status MakeDirectory(const std::string& directory) {
  if (mkdir(directory.c_str(), 0750) == 0) {
    // As it is meant, whatever the umask.
    if (chmod(directory.c_str(), 0750) == 0) return absl::OkStatus();
  } else if (errno == EEXIST) {
    return absl::OkStatus();
  }
  return Unavailable(absl::StrCat("cannot make the folder ", directory), errno);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ListenAddress>> ListenAddress::Prepare(absl::string_view address) {
  std::unique_ptr<ListenAddress> prepared(new ListenAddress);
  prepared->published_ = std::string(address);
  absl::string_view path = address;
  absl::Status status = absl::ConsumePrefix(&path, "unix:") ? prepared->PrepareSocket(path)
                                                            : prepared->PreparePort(address);
  if (!status.ok()) return status;
  return prepared;
}

absl::Status ListenAddress::PreparePort(absl::string_view address) {
  std::string port;
  if (!SplitHostPort(address, &host_, &port)) return absl::InvalidArgumentError(kNoAddress);
  to_bind_ = std::string(address);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host_.c_str(), port.c_str(), &hints, &found);
  if (error != 0) {
    return absl::UnavailableError(
        absl::StrCat("the host \"", host_, "\" has no address: ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  // A name may have addresses that this machine lacks (::1 without IPv6): one that works is enough,
  // one in use is not.
  absl::Status status = absl::UnavailableError("no address");
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    absl::Status tried = TryListen(*one);
    if (tried.message() == kInUse) return tried;
    if (!status.ok()) status = std::move(tried);
  }
  return status;
}

absl::Status ListenAddress::PrepareSocket(absl::string_view path) {
  const size_t slash = path.rfind('/');
  if (!absl::StartsWith(path, "/") || slash + 1 == path.size()) {
    return absl::InvalidArgumentError(kNoAddress);
  }
  const std::string directory(path.substr(0, slash));
  const std::string wanted(path);
  // Several servers of one process may start side by side.
  static std::atomic<int> count = 0;
  bound_path_ = absl::StrCat(directory, "/.", getpid(), ".", count++);
  if (std::max(wanted.size(), bound_path_.size()) >= sizeof(sockaddr_un::sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the path is longer than a Unix socket's may be (",
                     sizeof(sockaddr_un::sun_path) - 1 - (bound_path_.size() - directory.size()),
                     " bytes for its folder)"));
  }
  if (!directory.empty()) {
    if (absl::Status status = MakeDirectory(directory); !status.ok()) return status;
  }
  if (absl::Status status = CheckExisting(wanted); !status.ok()) return status;
  path_ = wanted;
  to_bind_ = absl::StrCat("unix:", bound_path_);
  return absl::OkStatus();
}

absl::Status ListenAddress::Publish(int port) {
  if (path_.empty()) {
    published_ = absl::StrCat(absl::StrContains(host_, ":") ? absl::StrCat("[", host_, "]") : host_,
                              ":", port);
    return absl::OkStatus();
  }
  struct stat bound{};
  if (lstat(bound_path_.c_str(), &bound) != 0 || rename(bound_path_.c_str(), path_.c_str()) != 0) {
    return Unavailable("cannot put the socket in its place", errno);
  }
  moved_ = true;
  device_ = bound.st_dev;
  inode_ = bound.st_ino;
  return absl::OkStatus();
}

ListenAddress::~ListenAddress() {
  struct stat found{};
  if (moved_ && lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ &&
      found.st_ino == inode_) {
    unlink(path_.c_str());
  }
}

ScopedUmask::ScopedUmask(mode_t mode) : before_(umask(~mode & 0777)) {}
ScopedUmask::~ScopedUmask() { umask(before_); }

}  // namespace mg
