// What a FakeUpstream answers to one request, step by step: a value, written fluently.
//
//   Script().Header("content-type",
//   "text/event-stream").Chunked().Event("{…}").Hold(gate).Event("[DONE]")
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/http_message.h"

namespace mg {

inline constexpr std::chrono::seconds kTestPatience(30);

// Holds a reply (or an accept, or a handshake) at a stage until the test says Open. Copies are the
// same gate.
class Gate {
 public:
  Gate() : state_(std::make_shared<State>()) {}

  void Open();
  bool open() const;
  // Until `count` holders have come to it; false after kTestPatience.
  bool WaitReached(int count = 1) const;
  // Until somebody has opened it; false after kTestPatience.
  bool WaitOpen() const;

  // For holders: says that one has come, and calls `wake` when the gate opens (at once where it is
  // open).
  void Reach(std::function<void()> wake);

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
    int reached = 0;
    std::vector<std::function<void()>> wakes;
  };
  std::shared_ptr<State> state_;
};

class Script {
 public:
  enum class Framing { kLength, kChunked, kUntilClose };
  enum class End { kNone, kReset, kClose };
  struct Step {
    enum class Kind { kBody, kRepeat, kDelay, kHold, kStall, kReset, kClose, kHalfClose };
    Kind kind;
    std::string bytes = {};
    size_t times = 1;
    std::chrono::milliseconds delay{0};
    Gate gate = {};
  };

  // The head. Without a framing of its own the body has its right content-length.
  Script& Status(int status);
  Script& Header(absl::string_view name, absl::string_view value);
  Script& Chunked();     // one chunk for each Body or Event
  Script& UntilClose();  // neither length nor chunks: the connection's end is the body's
  Script& ContentLength(size_t wrong);
  // `count` heads of status 100 before the real one.
  Script& Informational(int count);
  // These bytes instead of a head; Body goes out as it is, and the connection ends with the script.
  Script& Raw(absl::string_view bytes);
  // The body compressed, flushed after each Body or Event, with its content-encoding.
  Script& Gzip();
  // A gzip body of (at least) `bytes` zeros, without its end.
  Script& GzipBomb(size_t bytes);

  // The steps of the body, in order.
  Script& Body(absl::string_view bytes);
  Script& Event(absl::string_view data);  // "data: …\n\n"
  // So often, as they are: neither compressed nor chunked, nor counted in the length.
  Script& Repeat(absl::string_view bytes, size_t times);
  // Again and again, until the peer goes.
  Script& Endless(absl::string_view bytes);
  Script& Delay(std::chrono::milliseconds delay);
  Script& Hold(Gate gate);
  Script& Stall();      // nothing more, until the peer goes
  Script& Reset();      // RST
  Script& Close();      // FIN, though the answer is not over
  Script& HalfClose();  // FIN of our direction, the other stays open

  // What holds for the whole reply.
  Script& DelayHead(std::chrono::milliseconds delay);
  Script& HoldHead(Gate gate);
  Script& DelayEach(std::chrono::milliseconds delay);  // before each Body or Event
  // After k bytes of the reply, its head included.
  Script& ResetAtByte(size_t k);
  Script& CloseAtByte(size_t k);
  // Pieces of `bytes`, `pause` apart.
  Script& Trickle(size_t bytes, std::chrono::milliseconds pause);
  // Before the request's body is read; the connection ends with the reply.
  Script& BeforeRequestBody();
  // The connection is closed after the reply, without a word in its head.
  Script& ThenClose();
  // It is kept, and closed as the next request arrives on it.
  Script& ThenCloseOnNextRequest();

  // Of head and body, as they go over the wire.
  size_t WireSize() const;

 private:
  friend class UpstreamConnection;

  // Status line, headers and steps as they go over the wire.
  std::string HeadBytes(const std::vector<std::string>& bodies) const;
  // The bytes of each kBody step, encoded and framed.
  std::vector<std::string> WireBodies() const;

  int status_ = 200;
  HttpHeaders headers_;
  Framing framing_ = Framing::kLength;
  long wrong_length_ = -1;
  int informational_ = 0;
  bool raw_ = false;
  std::string raw_head_;
  bool gzip_ = false;
  std::vector<Step> steps_;
  std::chrono::milliseconds head_delay_{0};
  std::vector<Gate> head_gates_;
  std::chrono::milliseconds each_delay_{0};
  End cut_ = End::kNone;
  size_t cut_at_ = 0;
  size_t piece_ = 0;
  std::chrono::milliseconds piece_pause_{0};
  bool before_request_body_ = false;
  bool then_close_ = false;
  bool close_on_next_ = false;
};

// All of `bytes` as gzip.
std::string Gzipped(absl::string_view bytes);

}  // namespace mg
