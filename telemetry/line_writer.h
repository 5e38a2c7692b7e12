// Writes lines to a descriptor from a thread of its own: a bounded queue that never makes the
// caller wait. Several whole lines may go in one write, at most as many bytes as a pipe takes at
// once, so that no line is torn. The owner ignores SIGPIPE.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace mg {

class LineWriter {
 public:
  LineWriter(int fd, size_t max_lines, size_t max_bytes);
  // Writes what is queued, but does not wait longer than a second for a reader that has stopped.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // `line` ends with a newline. Dropped and counted where the queue is full.
  void Write(std::string line);
  void Flush(absl::Duration timeout);
  uint64_t dropped() const;

 private:
  void Run();
  // False: the descriptor takes nothing more.
  bool WriteOut(absl::string_view bytes);
  // Waits until the descriptor takes bytes; false when it is closed, or nobody reads and the end
  // has come.
  bool Writable();

  const int fd_;
  const size_t max_lines_;
  const size_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable queued_;
  std::condition_variable written_;
  std::deque<std::string> lines_;  // guarded by mutex_, as all that follows
  size_t bytes_ = 0;
  uint64_t dropped_ = 0;
  uint64_t accepted_ = 0;  // lines, since the start
  uint64_t done_ = 0;      // of these: written or given up
  bool idle_ = false;      // the thread waits for the first line
  bool hurry_ = false;     // somebody waits for it
  bool stopping_ = false;
  absl::Time give_up_;  // when stopping
  std::thread thread_;
};

}  // namespace mg
