// What is wrong with a configuration: collected over the whole file, told at once. No value that
// could be a secret gets into a problem. Values; used at load, by one thread.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace mg {

struct Problem {
  std::string file;     // the file's name, or "MODEL_GATEWAY_CONFIG"
  int line = 0;         // from 1; 0: no line is to blame
  std::string path;     // "groups.support.candidates[1].weight"; empty: the file as a whole
  std::string message;  // what is wrong, and what to do
  std::string nearest;  // the valid name that was probably meant; empty: none is near
};

// `gateway.yaml:12: groups.a.retry.jiter: is not a key (did you mean "jitter"?)`, one line.
std::string ToText(const Problem& problem);
// All of them, a line each.
std::string ToText(absl::Span<const Problem> problems);

// Collects problems, up to a bound: of a file of garbage nobody reads more.
class ProblemLog {
 public:
  explicit ProblemLog(std::string file) : file_(std::move(file)) {}

  void Add(int line, absl::string_view path, absl::string_view message,
           absl::string_view nearest = "");
  // Whether a problem is known at `path` or beneath it: what follows from it is not worth telling.
  bool Has(absl::string_view path) const;
  bool empty() const { return problems_.empty(); }
  // No more are kept, and Take says so.
  bool full() const { return problems_.size() >= kMaxProblems; }

  // In the order of lines.
  std::vector<Problem> Take();

 private:
  static constexpr size_t kMaxProblems = 500;

  std::string file_;
  std::vector<Problem> problems_;
};

// `text` as a problem may show it: quoted; a long one, which may be a secret at the wrong place,
// only by its length.
std::string Shown(absl::string_view text);

}  // namespace mg
