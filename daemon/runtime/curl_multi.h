// libcurl's multi interface on an EpollLoop: its sockets become watches, its timer a timer of the
// loop, its callbacks calls of the CurlTransfer that owns the easy handle. Only curl_*.cc may
// include this (libcurl stays in its files).
//
// libcurl must not be called from its own callbacks: a CurlTransfer takes notes in them and acts in
// Done.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "base/http_message.h"
#include "daemon/runtime/epoll_loop.h"

namespace mg {

// What became of a piece of a body.
enum class Taken {
  kAll,
  kNotYet,   // the connection rests until CurlMulti::Resume, and the piece comes again then
  kRefused,  // ends the transfer
};

// The system's certificates, where this libcurl was built to look for them.
std::string SystemCaFile();

class CurlTransfer {
 public:
  virtual ~CurlTransfer() = default;
  // libcurl wants to look a name up, which its cache does not have. False ends the transfer.
  virtual bool MayResolve() = 0;
  // A new connection begins. False ends the transfer.
  virtual bool MayConnect() = 0;
  // A connection stands, new or kept: the request goes out now.
  virtual void Connected() = 0;
  // False ends the transfer.
  virtual bool HeaderLine(absl::string_view line) = 0;
  virtual Taken Body(absl::string_view bytes) = 0;
  // It is at its end and its handle out of the multi. Not within a callback.
  virtual void Done(CURLcode code) = 0;
};

class CurlMulti;

// An easy handle with all that never changes set once; what a transfer needs is set anew each time.
class CurlEasy {
 public:
  explicit CurlEasy(CurlMulti* multi);
  CurlEasy(const CurlEasy&) = delete;
  CurlEasy& operator=(const CurlEasy&) = delete;
  ~CurlEasy() { curl_easy_cleanup(curl_); }

  CURL* curl() { return curl_; }
  CurlTransfer* owner() { return owner_; }
  const char* error() const { return error_; }
  // A piece of the body was not taken, and the transfer goes on with CurlMulti::Resume.
  bool rests() const { return rests_; }
  void set_rests(bool rests) { rests_ = rests; }
  bool connect_only() const { return connect_only_; }
  void set_socket(curl_socket_t socket) { socket_ = socket; }

  void SetTransfer(CurlTransfer* owner, absl::Duration connect_timeout);
  // The body is not copied.
  void SetRequest(const HttpRequest& request);
  // Empty: the system's certificates.
  void SetCaFile(const std::string& ca_file);
  // Empty: none, whatever the environment says.
  void SetProxy(const std::string& proxy, const std::string& no_proxy);
  // What libcurl's cache has of a "host:port" is forgotten as the transfer begins.
  void ForgetName(const std::string& peer);
  // Connects to a host and port, and that is all: no TLS, no request.
  void SetConnectOnly(const std::string& peer);
  // The connected socket of such a transfer, in Done with CURLE_OK: the caller's from then on.
  curl_socket_t TakeSocket() { return std::exchange(socket_, CURL_SOCKET_BAD); }

  curl_socket_t OpenSocket(const curl_sockaddr& address);

 private:
  void SetHeaders(const HttpRequest& request);

  CURL* const curl_;
  CurlMulti* const multi_;
  CurlTransfer* owner_ = nullptr;
  bool rests_ = false;
  bool connect_only_ = false;
  curl_socket_t socket_ = CURL_SOCKET_BAD;
  char error_[CURL_ERROR_SIZE] = "";
  // libcurl's list of headers, its nodes in one vector and its texts in one string.
  std::string header_text_;
  std::vector<curl_slist> header_nodes_;
  std::string forgotten_text_;
  curl_slist forgotten_ = {};  // a list of one
  std::string ca_file_;
  std::string proxy_;
  std::string no_proxy_;
};

class CurlMulti {
 public:
  explicit CurlMulti(EpollLoop* loop);
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;
  ~CurlMulti();

  void Add(CurlEasy* easy);
  // Ends the transfer at once; its connection is closed unless it was at its end.
  void Remove(CurlEasy* easy);
  // Goes on after kNotYet; Body is called within.
  void Resume(CurlEasy* easy);

  int64_t connections_opened() const { return connections_opened_; }

  // For the callbacks of CurlEasy.
  curl_socket_t OpenSocket(const curl_sockaddr& address);
  void CloseSocket(curl_socket_t fd);

 private:
  struct Socket {
    bool wanted = false;   // by libcurl
    bool watched = false;  // by the loop
    bool ours = false;     // CloseSocket will tell of its end
    bool kept = false;     // by another, when libcurl is done with it
  };

  static int OnSocket(CURL* curl, curl_socket_t fd, int what, void* self, void*);
  static int OnTimer(CURLM*, long timeout_ms, void* self);
  void SocketReady(curl_socket_t fd, uint32_t events);
  void Act(curl_socket_t fd, int events);
  void Ended(CURL* curl, CURLcode result);
  // Libcurl will not close the socket of this transfer.
  curl_socket_t KeepSocket(CURL* curl);

  EpollLoop* const loop_;
  CURLM* multi_;
  Loop::TimerId timer_{kNever, 0};
  absl::flat_hash_map<curl_socket_t, Socket> sockets_;
  int64_t connections_opened_ = 0;
};

}  // namespace mg
