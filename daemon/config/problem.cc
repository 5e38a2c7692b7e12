#include "daemon/config/problem.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/utf8.h"

namespace mg {
namespace {

constexpr size_t kMaxShown = 24;  // keys of providers are longer
constexpr size_t kMaxPath = 300;

// Names come from the file: one line stays one line, of valid UTF-8, and no terminal is steered.
std::string OneLine(absl::string_view text) {
  std::string out;
  for (const char c : WithValidUtf8(text)) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += '?';
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

int SourceLines::Add(std::string name, absl::string_view text) {
  const int begin = end_;
  sources_.push_back({std::move(name), begin});
  end_ += static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 2;
  return begin;
}

SourceLines::Place SourceLines::At(int line) const {
  Place place;
  for (const Source& source : sources_) {
    if (source.begin > line) break;
    place = {source.name, line - source.begin};
  }
  return place;
}

std::string ToText(const Problem& problem) {
  std::string out = problem.file;
  if (problem.line > 0) absl::StrAppend(&out, ":", problem.line);
  if (!problem.path.empty()) absl::StrAppend(&out, ": ", problem.path);
  absl::StrAppend(&out, out.empty() ? "" : ": ", problem.message);
  if (!problem.nearest.empty()) absl::StrAppend(&out, " (did you mean \"", problem.nearest, "\"?)");
  return OneLine(out);
}

std::string ToText(absl::Span<const Problem> problems) {
  std::string out;
  for (const Problem& problem : problems) absl::StrAppend(&out, ToText(problem), "\n");
  return out;
}

void ProblemLog::Add(int line, absl::string_view path, absl::string_view message,
                     absl::string_view nearest) {
  if (full()) return;
  problems_.push_back(
      {"", line, std::string(CutUtf8(path, kMaxPath)), std::string(message), std::string(nearest)});
}

bool ProblemLog::Has(absl::string_view path) const {
  return std::any_of(problems_.begin(), problems_.end(), [path](const Problem& problem) {
    const absl::string_view at = problem.path;
    return absl::StartsWith(at, path) &&
           (at.size() == path.size() || at[path.size()] == '.' || at[path.size()] == '[');
  });
}

std::vector<Problem> ProblemLog::Take() {
  std::sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.path, a.message) < std::tie(b.line, b.path, b.message);
  });
  const bool cut = full();
  for (Problem& problem : problems_) {
    SourceLines::Place place = lines_.At(problem.line);
    problem.file = std::move(place.file);
    problem.line = place.line;
  }
  if (cut) {
    problems_.push_back(
        {lines_.At(0).file, 0, "", "perhaps more is wrong: these are the first problems", ""});
  }
  return std::move(problems_);
}

std::string Shown(absl::string_view text) {
  if (text.size() > kMaxShown) return absl::StrCat("a text of ", text.size(), " bytes");
  return absl::StrCat("\"", OneLine(text), "\"");
}

}  // namespace mg
