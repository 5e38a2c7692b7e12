// The ready file of `serve --ready-file F`: where the daemon listens, as JSON. Written by rename
// once all listeners answer, so that whoever waits for it never reads half of one; removed at the
// end.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace mg {

struct Listeners {
  std::vector<std::string> grpc;
  std::vector<std::string> admin;
  std::vector<std::string> admin_grpc;
  std::vector<std::string> health;
  std::vector<std::string> metrics;
  std::string admin_token_file;  // empty: there is none
};

class ReadyFile {
 public:
  // No file for an empty path.
  explicit ReadyFile(std::string path) : path_(std::move(path)) {}
  ~ReadyFile();
  ReadyFile(const ReadyFile&) = delete;
  ReadyFile& operator=(const ReadyFile&) = delete;

  // The message names the path and the cause.
  absl::Status Write(const Listeners& listeners);

 private:
  const std::string path_;
  bool written_ = false;
};

}  // namespace mg
