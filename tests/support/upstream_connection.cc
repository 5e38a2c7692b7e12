#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/json.h"
#include "tests/support/upstream_state.h"

namespace mg {
namespace {

std::string ErrorOf(absl::string_view message) {
  std::string body = R"({"error":{"message":)";
  AppendJsonString(message, &body);
  return body + "}}";
}

}  // namespace

UpstreamConnection::UpstreamConnection(std::shared_ptr<UpstreamState> state, int number, int fd,
                                       std::shared_ptr<std::condition_variable> wake)
    : state_(std::move(state)), number_(number), fd_(fd), wake_(std::move(wake)) {}

void UpstreamConnection::Serve(const std::shared_ptr<UpstreamState>& state, int number,
                               const UpstreamState::Connection& connection) {
  UpstreamConnection(state, number, connection.fd, connection.wake).Run();
  const std::lock_guard lock(state->mutex);
  --state->threads;
  state->changed.notify_all();
}

void UpstreamConnection::Run() {
  Outcome outcome = Handshake() ? Outcome::kKeep : Outcome::kClose;
  while (outcome == Outcome::kKeep || outcome == Outcome::kCloseOnNext) {
    UpstreamRequest request;
    request.connection = number_;
    if (outcome == Outcome::kCloseOnNext) {
      ReadMore();
      break;
    }
    if (!ReadHead(&request)) break;
    const bool early = RepliesBeforeBody(request);
    if (!early && !ReadBody(&request)) break;
    const std::string path = request.path();
    const bool head_only = request.method == "HEAD";
    const auto& check = state_->options.check;
    const std::string fault = check ? check(request) : "";
    Script script;
    {
      const std::lock_guard lock(state_->mutex);
      if (fault.empty()) {
        script = state_->FindScript(request, /*consume=*/true);
      } else {
        state_->faults.push_back(fault);
        script.Status(400).Header("content-type", "application/json").Body(ErrorOf(fault));
      }
      request.time = std::chrono::steady_clock::now();
      if (state_->options.remember) state_->requests.push_back(std::move(request));
      state_->changed.notify_all();
    }
    outcome = Reply(script, path, head_only);
    if (early && outcome == Outcome::kKeep) outcome = Outcome::kClose;
  }
  Close(outcome);
}

bool UpstreamConnection::RepliesBeforeBody(const UpstreamRequest& request) {
  const std::lock_guard lock(state_->mutex);
  return state_->FindScript(request, /*consume=*/false).before_request_body_;
}

bool UpstreamConnection::Handshake() {
  for (Gate& gate : state_->options.tls_gates) {
    if (!Wait(&gate)) return false;
  }
  if (state_->tls == nullptr) return true;
  ssl_ = SSL_new(state_->tls);
  SSL_set_fd(ssl_, fd_);
  return SSL_accept(ssl_) == 1;
}

bool UpstreamConnection::ReadMore() {
  char bytes[16384];
  const long count =
      ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes) : recv(fd_, bytes, sizeof bytes, 0);
  if (count <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(count));
  return true;
}

bool UpstreamConnection::ReadLine(std::string* line) {
  size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!ReadMore()) return false;
  }
  *line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return true;
}

bool UpstreamConnection::ReadExactly(size_t count, std::string* into) {
  while (buffer_.size() < count) {
    if (!ReadMore()) return false;
  }
  into->append(buffer_, 0, count);
  buffer_.erase(0, count);
  return true;
}

bool UpstreamConnection::ReadHead(UpstreamRequest* request) {
  SetIdle(true);
  if (buffer_.empty() && !ReadMore()) return false;
  SetIdle(false);
  if (!absl::ascii_isupper(static_cast<unsigned char>(buffer_[0]))) return false;  // TLS, say
  std::string line;
  if (!ReadLine(&line)) return false;
  const std::vector<std::string> parts = absl::StrSplit(line, ' ');
  if (parts.size() != 3) return false;
  request->method = parts[0];
  request->target = parts[1];
  while (ReadLine(&line) && !line.empty()) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) return false;
    request->headers.push_back(
        {line.substr(0, colon),
         std::string(absl::StripAsciiWhitespace(absl::string_view(line).substr(colon + 1)))});
  }
  return line.empty();
}

bool UpstreamConnection::ReadBody(UpstreamRequest* request) {
  size_t length = 0;
  if (absl::SimpleAtoi(FindHeader(request->headers, "content-length"), &length)) {
    return ReadExactly(length, &request->body);
  }
  if (FindHeader(request->headers, "transfer-encoding").empty()) return true;
  std::string line;
  while (ReadLine(&line)) {
    length = std::stoul(line, nullptr, 16);
    if (!ReadExactly(length, &request->body) || !ReadLine(&line)) return false;
    if (length == 0) return true;
  }
  return false;
}

UpstreamConnection::Outcome UpstreamConnection::Reply(const Script& script, const std::string& path,
                                                      bool head_only) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->max_concurrent = std::max(state_->max_concurrent, ++state_->concurrent);
  }
  sent_ = 0;
  const Outcome outcome = Play(script, head_only);
  const std::lock_guard lock(state_->mutex);
  --state_->concurrent;
  if (outcome == Outcome::kPeerGone && !state_->stopped && state_->options.remember) {
    const UpstreamState::Connection& connection = state_->open[number_];
    // A send may fail before the other thread has seen the peer go.
    const auto time = connection.peer_gone ? connection.gone_at : std::chrono::steady_clock::now();
    state_->aborts.push_back({path, time, sent_});
    state_->changed.notify_all();
  }
  return outcome;
}

UpstreamConnection::Outcome UpstreamConnection::Play(const Script& script, bool head_only) {
  if (!Wait(script.head_delay_)) return Outcome::kPeerGone;
  for (Gate gate : script.head_gates_) {
    if (!Wait(&gate)) return Outcome::kPeerGone;
  }
  const std::vector<std::string> bodies = script.WireBodies();
  Outcome outcome = Send(script, script.HeadBytes(bodies));
  if (head_only) return outcome;
  auto body = bodies.begin();
  for (const Script::Step& step : script.steps_) {
    if (outcome != Outcome::kKeep) return outcome;
    const bool has_bytes = step.kind == Script::Step::Kind::kBody;
    outcome = PlayStep(script, step, has_bytes ? *body++ : std::string());
  }
  if (outcome != Outcome::kKeep) return outcome;
  if (script.framing_ == Script::Framing::kChunked) outcome = Send(script, "0\r\n\r\n");
  if (outcome != Outcome::kKeep) return outcome;
  if (script.then_close_ || script.framing_ == Script::Framing::kUntilClose) {
    return Outcome::kClose;
  }
  return script.close_on_next_ ? Outcome::kCloseOnNext : Outcome::kKeep;
}

UpstreamConnection::Outcome UpstreamConnection::PlayStep(const Script& script,
                                                         const Script::Step& step,
                                                         const std::string& wire) {
  using Kind = Script::Step::Kind;
  switch (step.kind) {
    case Kind::kBody:
      if (!Wait(script.each_delay_)) return Outcome::kPeerGone;
      return Send(script, wire);
    case Kind::kRepeat: {
      Outcome outcome = Outcome::kKeep;
      for (size_t i = 0; i < step.times && outcome == Outcome::kKeep; ++i) {
        outcome = Send(script, step.bytes);
      }
      return outcome;
    }
    case Kind::kDelay:
      return Wait(step.delay) ? Outcome::kKeep : Outcome::kPeerGone;
    case Kind::kHold:
    case Kind::kStall: {  // the gate of a stall is nobody's, and never opens
      Gate gate = step.gate;
      return Wait(&gate) ? Outcome::kKeep : Outcome::kPeerGone;
    }
    case Kind::kReset:
      return Outcome::kReset;
    case Kind::kClose:
      return Outcome::kClose;
    case Kind::kHalfClose:
      shutdown(fd_, SHUT_WR);
      return Outcome::kKeep;
  }
  return Outcome::kClose;
}

UpstreamConnection::Outcome UpstreamConnection::Send(const Script& script,
                                                     absl::string_view bytes) {
  const bool cut = script.cut_ != Script::End::kNone && sent_ + bytes.size() >= script.cut_at_;
  if (cut) bytes = bytes.substr(0, script.cut_at_ - sent_);
  while (!bytes.empty()) {
    const absl::string_view piece =
        bytes.substr(0, script.piece_ == 0 ? bytes.size() : script.piece_);
    bytes.remove_prefix(piece.size());
    if (!SendAll(piece)) return Outcome::kPeerGone;
    if (!bytes.empty() && !Wait(script.piece_pause_)) return Outcome::kPeerGone;
  }
  if (!cut) return Outcome::kKeep;
  return script.cut_ == Script::End::kReset ? Outcome::kReset : Outcome::kClose;
}

bool UpstreamConnection::SendAll(absl::string_view bytes) {
  {
    const std::lock_guard lock(state_->mutex);
    if (Gone()) return false;
  }
  while (!bytes.empty()) {
    const long count = ssl_ != nullptr
                           ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                           : send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    sent_ += static_cast<size_t>(count);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

bool UpstreamConnection::Gone() { return state_->stopped || state_->open[number_].peer_gone; }

bool UpstreamConnection::Wait(Gate* gate) {
  gate->Reach([state = state_, wake = wake_] {
    const std::lock_guard lock(state->mutex);
    wake->notify_all();
  });
  std::unique_lock lock(state_->mutex);
  wake_->wait(lock, [&] { return Gone() || gate->open(); });
  return !Gone();
}

bool UpstreamConnection::Wait(std::chrono::milliseconds delay) {
  if (delay.count() == 0) return true;
  std::unique_lock lock(state_->mutex);
  return !wake_->wait_for(lock, delay, [this] { return Gone(); });
}

void UpstreamConnection::SetIdle(bool idle) {
  const std::lock_guard lock(state_->mutex);
  UpstreamState::Connection& connection = state_->open[number_];
  connection.idle = idle;
  if (idle && connection.close_when_idle) shutdown(fd_, SHUT_RDWR);
}

void UpstreamConnection::Close(Outcome outcome) {
  if (outcome == Outcome::kReset) {
    const linger at_once{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  } else if (ssl_ != nullptr && outcome == Outcome::kClose) {
    SSL_shutdown(ssl_);
  }
  SSL_free(ssl_);
  const std::lock_guard lock(state_->mutex);
  state_->open.erase(number_);
  close(fd_);
  state_->changed.notify_all();
}

}  // namespace mg
