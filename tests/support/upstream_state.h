// The inside of FakeUpstream: what its threads share, and the thread of one connection.
#pragma once

#include <openssl/ssl.h>

#include <condition_variable>
#include <list>
#include <map>
#include <memory>
#include <mutex>

#include "tests/support/fake_upstream.h"

namespace mg {

struct UpstreamState {
  struct Connection {
    int fd = -1;
    bool idle = false;  // waits for a request
    bool close_when_idle = false;
    bool peer_gone = false;
    std::chrono::steady_clock::time_point gone_at{};
    // Its thread waits here, not with those who ask: with a thousand connections each change would
    // wake a thousand threads.
    std::shared_ptr<std::condition_variable> wake = std::make_shared<std::condition_variable>();
  };

  explicit UpstreamState(FakeUpstream::Options the_options);
  UpstreamState(const UpstreamState&) = delete;
  UpstreamState& operator=(const UpstreamState&) = delete;
  ~UpstreamState();

  // Under the mutex.
  Script FindScript(const UpstreamRequest& request, bool consume);

  FakeUpstream::Options options;
  SSL_CTX* const tls;
  int listener;
  const int epoll;
  const int wake;
  int port = 0;

  // Everything from here on is the mutex's.
  std::mutex mutex;
  std::condition_variable changed;  // for those who ask
  bool stopped = false;
  bool stop_listening = false;
  int threads = 0;
  std::list<FakeUpstream::Rule> rules;
  FakeUpstream::Rule otherwise;
  std::map<int, Connection> open;
  std::vector<UpstreamRequest> requests;
  std::vector<UpstreamAbort> aborts;
  std::vector<std::string> faults;
  int accepted = 0;
  int concurrent = 0;
  int max_concurrent = 0;
};

class UpstreamConnection {
 public:
  // The whole life of a connection, on a thread of its own.
  static void Serve(const std::shared_ptr<UpstreamState>& state, int number,
                    const UpstreamState::Connection& connection);

 private:
  enum class Outcome { kKeep, kCloseOnNext, kClose, kReset, kPeerGone };

  UpstreamConnection(std::shared_ptr<UpstreamState> state, int number, int fd,
                     std::shared_ptr<std::condition_variable> wake);

  void Run();
  bool Handshake();
  bool RepliesBeforeBody(const UpstreamRequest& request);
  // False at the connection's end.
  bool ReadMore();
  bool ReadHead(UpstreamRequest* request);
  bool ReadBody(UpstreamRequest* request);
  bool ReadExactly(size_t count, std::string* into);
  bool ReadLine(std::string* line);

  Outcome Reply(const Script& script, const std::string& path, bool head_only);
  Outcome Play(const Script& script, bool head_only);
  Outcome PlayStep(const Script& script, const Script::Step& step, const std::string& wire);
  // kKeep where all went out.
  Outcome Send(const Script& script, absl::string_view bytes);
  bool SendAll(absl::string_view bytes);
  // False where the peer went, or the server stops, before.
  bool Wait(Gate* gate);
  bool Wait(std::chrono::milliseconds delay);
  bool Gone();  // under the mutex
  void SetIdle(bool idle);
  void Close(Outcome outcome);

  const std::shared_ptr<UpstreamState> state_;
  const int number_;
  const int fd_;
  const std::shared_ptr<std::condition_variable> wake_;
  SSL* ssl_ = nullptr;
  std::string buffer_;
  size_t sent_ = 0;  // of this reply
};

}  // namespace mg
