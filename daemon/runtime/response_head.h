// The head of an upstream answer, line by line as libcurl hands it over: skips informational heads
// and trailers, keeps the limits, and refuses the encodings that libcurl would decode though nobody
// asked for them.
#pragma once

#include "absl/strings/string_view.h"
#include "base/http_message.h"

namespace mg {

class ResponseHead {
 public:
  // All heads of an answer together, informational ones included.
  static constexpr size_t kMaxBytes = 64 << 10;
  static constexpr int kMaxInformational = 100;

  // Takes the next line, line end included. False: the answer is none, problem() says why, and no
  // more may come.
  bool AddLine(absl::string_view line);

  bool complete() const { return expects_ == Expects::kNothing; }
  const HttpHead& head() const { return head_; }
  const char* problem() const { return problem_; }

 private:
  enum class Expects { kStatusLine, kFields, kNothing };

  bool StatusLine(absl::string_view line);
  bool Field(absl::string_view line);
  bool EndOfHead();
  bool Refuse(const char* problem) {
    problem_ = problem;
    return false;
  }

  Expects expects_ = Expects::kStatusLine;
  HttpHead head_;
  size_t bytes_ = 0;
  int informational_ = 0;
  const char* problem_ = "";
};

}  // namespace mg
