#include "telemetry/line_writer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "absl/time/clock.h"

namespace mg {
namespace {

constexpr int kPollMillis = 100;
// Between two writes lines gather, unless there are many: a wake-up for each would cost more than
// the line itself.
constexpr auto kGather = std::chrono::milliseconds(10);
constexpr size_t kMany = 64;

}  // namespace

LineWriter::LineWriter(int fd, size_t max_lines, size_t max_bytes)
    : fd_(fd), max_lines_(max_lines), max_bytes_(max_bytes), thread_([this] { Run(); }) {}

LineWriter::~LineWriter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    give_up_ = absl::Now() + absl::Seconds(1);
  }
  queued_.notify_all();
  thread_.join();
}

void LineWriter::Write(std::string line) {
  bool wake = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (lines_.size() >= max_lines_ || bytes_ + line.size() > max_bytes_) {
      ++dropped_;
      return;
    }
    bytes_ += line.size();
    ++accepted_;
    lines_.push_back(std::move(line));
    wake = idle_ || lines_.size() == kMany;
    idle_ = false;
  }
  if (wake) queued_.notify_one();
}

void LineWriter::Flush(absl::Duration timeout) {
  std::unique_lock<std::mutex> lock(mutex_);
  const uint64_t last = accepted_;
  hurry_ = true;
  queued_.notify_one();
  written_.wait_for(lock, absl::ToChronoNanoseconds(timeout), [&] { return done_ >= last; });
}

uint64_t LineWriter::dropped() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return dropped_;
}

void LineWriter::Run() {
  std::string batch;
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    idle_ = lines_.empty();
    queued_.wait(lock, [this] { return stopping_ || !lines_.empty(); });
    if (lines_.empty()) return;
    queued_.wait_for(lock, kGather,
                     [this] { return stopping_ || hurry_ || lines_.size() >= kMany; });
    batch.clear();
    uint64_t count = 0;
    while (!lines_.empty() && (count == 0 || batch.size() + lines_.front().size() <= PIPE_BUF)) {
      batch += lines_.front();
      bytes_ -= lines_.front().size();
      lines_.pop_front();
      ++count;
    }
    lock.unlock();
    const bool ok = WriteOut(batch);
    lock.lock();
    done_ += count;
    if (lines_.empty()) hurry_ = false;
    if (!ok) dropped_ += count;
    written_.notify_all();
  }
}

bool LineWriter::WriteOut(absl::string_view bytes) {
  while (!bytes.empty()) {
    if (!Writable()) return false;
    const ssize_t taken = ::write(fd_, bytes.data(), bytes.size());
    if (taken >= 0) {
      bytes.remove_prefix(static_cast<size_t>(taken));
    } else if (errno != EINTR && errno != EAGAIN) {
      return false;
    }
  }
  return true;
}

bool LineWriter::Writable() {
  while (true) {
    pollfd entry = {fd_, POLLOUT, 0};
    const int ready = ::poll(&entry, 1, kPollMillis);
    if (ready > 0) return (entry.revents & POLLOUT) != 0;
    if (ready < 0 && errno != EINTR) return false;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_ && absl::Now() > give_up_) return false;
  }
}

}  // namespace mg
