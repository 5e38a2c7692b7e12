#include "tests/support/script.h"

#include <zlib.h>

#include <limits>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace mg {
namespace {

// One gzip stream, handed out in flushed pieces.
class GzipWriter {
 public:
  GzipWriter() {
    MG_CHECK(deflateInit2(&stream_, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
                          Z_DEFAULT_STRATEGY) == Z_OK,
             "no zlib");
  }
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;
  ~GzipWriter() { deflateEnd(&stream_); }

  std::string Piece(absl::string_view bytes, int flush) {
    std::string in(bytes);
    stream_.next_in = reinterpret_cast<Bytef*>(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
    std::string out;
    char buffer[16384];
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer);
      stream_.avail_out = sizeof buffer;
      deflate(&stream_, flush);
      out.append(buffer, sizeof buffer - stream_.avail_out);
    } while (stream_.avail_out == 0);
    return out;
  }

 private:
  z_stream stream_{};
};

}  // namespace

void Gate::Open() {
  std::vector<std::function<void()>> wakes;
  {
    const std::lock_guard lock(state_->mutex);
    state_->open = true;
    wakes.swap(state_->wakes);
    state_->changed.notify_all();
  }
  for (const auto& wake : wakes) wake();
}

bool Gate::open() const {
  const std::lock_guard lock(state_->mutex);
  return state_->open;
}

bool Gate::WaitReached(int count) const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, kTestPatience, [&] { return state_->reached >= count; });
}

bool Gate::WaitOpen() const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, kTestPatience, [&] { return state_->open; });
}

void Gate::Reach(std::function<void()> wake) {
  const std::lock_guard lock(state_->mutex);
  ++state_->reached;
  if (!state_->open) state_->wakes.push_back(std::move(wake));
  state_->changed.notify_all();
}

Script& Script::Status(int status) {
  status_ = status;
  return *this;
}

Script& Script::Header(absl::string_view name, absl::string_view value) {
  headers_.push_back({std::string(name), std::string(value)});
  return *this;
}

Script& Script::Chunked() {
  framing_ = Framing::kChunked;
  return *this;
}

Script& Script::UntilClose() {
  framing_ = Framing::kUntilClose;
  return *this;
}

Script& Script::ContentLength(size_t wrong) {
  wrong_length_ = static_cast<long>(wrong);
  return *this;
}

Script& Script::Informational(int count) {
  informational_ = count;
  return *this;
}

Script& Script::Raw(absl::string_view bytes) {
  raw_ = true;
  framing_ = Framing::kUntilClose;
  absl::StrAppend(&raw_head_, bytes);
  return *this;
}

Script& Script::Gzip() {
  gzip_ = true;
  return Header("content-encoding", "gzip");
}

Script& Script::GzipBomb(size_t bytes) {
  // One compressed megabyte again and again: the whole would take seconds to compress. The check
  // sum at the end is missing, as nobody should come so far.
  const std::string zeros(1 << 20, '\0');
  GzipWriter writer;
  std::string bomb = writer.Piece(zeros, Z_FULL_FLUSH);
  const std::string again = writer.Piece(zeros, Z_FULL_FLUSH);
  for (size_t size = zeros.size(); size < bytes; size += zeros.size()) bomb += again;
  Header("content-encoding", "gzip");
  return Body(bomb);
}

Script& Script::Body(absl::string_view bytes) {
  steps_.push_back({.kind = Step::Kind::kBody, .bytes = std::string(bytes)});
  return *this;
}

Script& Script::Event(absl::string_view data) { return Body(absl::StrCat("data: ", data, "\n\n")); }

Script& Script::Repeat(absl::string_view bytes, size_t times) {
  steps_.push_back({.kind = Step::Kind::kRepeat, .bytes = std::string(bytes), .times = times});
  return *this;
}

Script& Script::Endless(absl::string_view bytes) {
  return Repeat(bytes, std::numeric_limits<size_t>::max());
}

Script& Script::Delay(std::chrono::milliseconds delay) {
  steps_.push_back({.kind = Step::Kind::kDelay, .delay = delay});
  return *this;
}

Script& Script::Hold(Gate gate) {
  steps_.push_back({.kind = Step::Kind::kHold, .gate = std::move(gate)});
  return *this;
}

Script& Script::Stall() {
  steps_.push_back({.kind = Step::Kind::kStall});
  return *this;
}

Script& Script::Reset() {
  steps_.push_back({.kind = Step::Kind::kReset});
  return *this;
}

Script& Script::Close() {
  steps_.push_back({.kind = Step::Kind::kClose});
  return *this;
}

Script& Script::HalfClose() {
  steps_.push_back({.kind = Step::Kind::kHalfClose});
  return *this;
}

Script& Script::DelayHead(std::chrono::milliseconds delay) {
  head_delay_ = delay;
  return *this;
}

Script& Script::HoldHead(Gate gate) {
  head_gates_.push_back(std::move(gate));
  return *this;
}

Script& Script::DelayEach(std::chrono::milliseconds delay) {
  each_delay_ = delay;
  return *this;
}

Script& Script::ResetAtByte(size_t k) {
  cut_ = End::kReset;
  cut_at_ = k;
  return *this;
}

Script& Script::CloseAtByte(size_t k) {
  cut_ = End::kClose;
  cut_at_ = k;
  return *this;
}

Script& Script::Trickle(size_t bytes, std::chrono::milliseconds pause) {
  piece_ = bytes;
  piece_pause_ = pause;
  return *this;
}

Script& Script::BeforeRequestBody() {
  before_request_body_ = true;
  return *this;
}

Script& Script::ThenClose() {
  then_close_ = true;
  return *this;
}

Script& Script::ThenCloseOnNextRequest() {
  close_on_next_ = true;
  return *this;
}

std::vector<std::string> Script::WireBodies() const {
  std::vector<std::string> bodies;
  size_t left = 0;
  for (const Step& step : steps_) left += step.kind == Step::Kind::kBody ? 1 : 0;
  GzipWriter gzip;
  for (const Step& step : steps_) {
    if (step.kind != Step::Kind::kBody) continue;
    std::string bytes =
        gzip_ ? gzip.Piece(step.bytes, --left == 0 ? Z_FINISH : Z_SYNC_FLUSH) : step.bytes;
    if (framing_ == Framing::kChunked) {
      bytes = bytes.empty() ? "" : absl::StrCat(absl::Hex(bytes.size()), "\r\n", bytes, "\r\n");
    }
    bodies.push_back(std::move(bytes));
  }
  return bodies;
}

std::string Script::HeadBytes(const std::vector<std::string>& bodies) const {
  if (raw_) return raw_head_;
  std::string head;
  for (int i = 0; i < informational_; ++i) absl::StrAppend(&head, "HTTP/1.1 100 Continue\r\n\r\n");
  absl::StrAppend(&head, "HTTP/1.1 ", status_, " Scripted\r\n");
  for (const HttpHeader& header : headers_) {
    absl::StrAppend(&head, header.name, ": ", header.value, "\r\n");
  }
  if (framing_ == Framing::kChunked) absl::StrAppend(&head, "transfer-encoding: chunked\r\n");
  if (framing_ == Framing::kLength || wrong_length_ >= 0) {
    size_t length = 0;
    for (const std::string& body : bodies) length += body.size();
    if (wrong_length_ >= 0) length = static_cast<size_t>(wrong_length_);
    absl::StrAppend(&head, "content-length: ", length, "\r\n");
  }
  absl::StrAppend(&head, "\r\n");
  return head;
}

size_t Script::WireSize() const {
  const std::vector<std::string> bodies = WireBodies();
  size_t size = HeadBytes(bodies).size() + (framing_ == Framing::kChunked ? 5 : 0);
  for (const std::string& body : bodies) size += body.size();
  return size;
}

std::string Gzipped(absl::string_view bytes) { return GzipWriter().Piece(bytes, Z_FINISH); }

}  // namespace mg
