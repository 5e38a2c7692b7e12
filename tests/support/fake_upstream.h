// A scriptable HTTP/1.1 server on a free port of 127.0.0.1, with threads of its own, that stands in
// for a provider: it answers by Script, misbehaves where told, and remembers what it was asked and
// how its connections ended.
//
//   FakeUpstream upstream;
//   upstream.When("/v1/chat/completions").Reply(Script().Status(503)).Reply(Script().Body("{…}"));
//
// All functions may be called from any thread, at any time. It ignores SIGPIPE for the whole
// process.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/script.h"
#include "tests/support/tls_identity.h"

namespace mg {

struct UpstreamRequest {
  std::string method;
  std::string target;  // path and query, as they came
  HttpHeaders headers;
  std::string body;
  int connection = 0;  // from 1, in the order of their accept
  std::chrono::steady_clock::time_point time;

  std::string path() const { return target.substr(0, target.find('?')); }
};

// A peer that went before its reply was over.
struct UpstreamAbort {
  std::string path;
  std::chrono::steady_clock::time_point time;
  size_t bytes_sent = 0;  // of the reply
};

struct UpstreamState;

class FakeUpstream {
 public:
  struct Options {
    const TlsIdentity* tls = nullptr;  // null: plain HTTP; outlives the server
    bool only_tls_1_1 = false;
    std::vector<Gate> accept_gates = {};  // hold every new connection before it is accepted …
    std::vector<Gate> tls_gates = {};     // … and after that, before the handshake
    bool remember = true;  // false: neither requests nor aborts are kept, however many there are
    // What is wrong with a request; "": nothing. Where something is, the reply is a 400 that says
    // so, whatever the rules are. Called by several threads at once.
    std::function<std::string(const UpstreamRequest&)> check = {};
  };

  // The replies to a kind of request: the first hit gets the first, and so on; the last stays.
  class Rule {
   public:
    Rule& Reply(Script script);
    // To every hit what this says of it instead. It runs under the server's lock, for one request
    // at a time.
    Rule& ReplyBy(std::function<Script(const UpstreamRequest&)> choose);

   private:
    friend class FakeUpstream;
    friend struct UpstreamState;
    std::shared_ptr<UpstreamState> state_;
    std::function<bool(const UpstreamRequest&)> matches_;
    std::vector<Script> replies_;
    std::function<Script(const UpstreamRequest&)> choose_;
    size_t next_ = 0;
  };

  FakeUpstream() : FakeUpstream(Options()) {}
  explicit FakeUpstream(Options options);
  FakeUpstream(const FakeUpstream&) = delete;
  FakeUpstream& operator=(const FakeUpstream&) = delete;
  ~FakeUpstream();

  // Rules are asked in their order; where none fits, Otherwise answers (404, unless told). A rule
  // without a reply fits nothing.
  Rule& When(absl::string_view path);
  Rule& When(std::function<bool(const UpstreamRequest&)> matches);
  Rule& Otherwise();

  int port() const;
  // "http://127.0.0.1:port" + path; https where it has TLS.
  std::string Url(absl::string_view path = "") const;

  // New connections are refused from now on; those that stand go on.
  void StopListening();
  // Closes the connections that wait for a request, and those that have one as soon as its reply is
  // over.
  void CloseIdle();

  int hits(absl::string_view path = "") const;  // "": of all paths
  std::vector<UpstreamRequest> requests() const;
  std::vector<UpstreamAbort> aborts() const;
  std::vector<std::string> faults() const;  // what Options::check found
  int connections() const;                  // accepted so far
  int max_concurrent() const;               // replies at one time

  // Until the count is at least (open connections: exactly) this; false after kTestPatience.
  bool WaitForHits(int count) const;
  bool WaitForAborts(int count) const;
  bool WaitForConnections(int count) const;
  bool WaitForOpenConnections(int count) const;

 private:
  bool WaitUntil(const std::function<bool()>& reached) const;

  std::shared_ptr<UpstreamState> state_;
};

}  // namespace mg
