// What is wrong with a configuration: collected over the whole file, told at once. No value that
// could be a secret gets into a problem. Values; used at load, by one thread.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace mg {

// The lines of the texts that a configuration is laid together from, counted through as if they
// stood behind each other: a line is then one number wherever it comes from.
class SourceLines {
 public:
  // Appends a text; what it returns is to be added to the text's own lines (from 1; 0: the text as
  // a whole).
  int Add(std::string name, absl::string_view text);

  struct Place {
    std::string file;
    int line = 0;  // the text's own; 0: none is to blame
  };
  Place At(int line) const;

 private:
  struct Source {
    std::string name;
    int begin = 0;
  };
  std::vector<Source> sources_;
  int end_ = 0;
};

struct Problem {
  std::string file;     // the file's name, "MODEL_GATEWAY_CONFIG"; empty: none is to blame
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
  // `lines` must outlive the log.
  explicit ProblemLog(const SourceLines* lines) : lines_(*lines) {}

  // `line` as `lines` counts.
  void Add(int line, absl::string_view path, absl::string_view message,
           absl::string_view nearest = "");
  // Whether a problem is known at `path` or beneath it: what follows from it is not worth telling.
  bool Has(absl::string_view path) const;
  bool empty() const { return problems_.empty(); }
  // No more are kept, and Take says so.
  bool full() const { return problems_.size() >= kMaxProblems; }

  // In the order of lines, each with those of its own file.
  std::vector<Problem> Take();

 private:
  static constexpr size_t kMaxProblems = 500;

  const SourceLines& lines_;
  std::vector<Problem> problems_;  // with lines as lines_ counts, and without files
};

// `text` as a problem may show it: quoted; a long one, which may be a secret at the wrong place,
// only by its length.
std::string Shown(absl::string_view text);

}  // namespace mg
