#include "daemon/config/footprint.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/hash.h"

namespace mg {
namespace {

// What cannot be read is a state of its own.
uint64_t HashOf(const absl::StatusOr<FileContent>& content) {
  return content.ok() ? StableHash(content->text) : StableHash(content.status().message(), 1);
}

uint64_t HashOf(absl::StatusOr<std::vector<std::string>> names) {
  if (!names.ok()) return StableHash(names.status().message(), 1);
  std::sort(names->begin(), names->end());
  return StableHash(absl::StrJoin(*names, "/"));
}

}  // namespace

Outside Footprint::Noting(const Outside& outside) {
  Outside noting;
  noting.variable = outside.variable;
  noting.file = [this, file = outside.file](const std::string& path, size_t max_bytes) {
    absl::StatusOr<FileContent> content = file(path, max_bytes);
    traces_[path] = {false, max_bytes, HashOf(content)};
    return content;
  };
  noting.folder = [this, folder = outside.folder](const std::string& path) {
    absl::StatusOr<std::vector<std::string>> names = folder(path);
    traces_[path] = {true, 0, HashOf(names)};
    return names;
  };
  return noting;
}

Footprint Footprint::Again(const Outside& outside) const {
  Footprint again;
  const Outside noting = again.Noting(outside);
  for (const auto& [path, trace] : traces_) {
    if (trace.folder) {
      (void)noting.folder(path);
    } else {
      (void)noting.file(path, trace.max_bytes);
    }
  }
  return again;
}

std::set<std::string> Footprint::files() const {
  std::set<std::string> paths;
  for (const auto& [path, trace] : traces_) {
    if (!trace.folder) paths.insert(path);
  }
  return paths;
}

std::set<std::string> Footprint::folders() const {
  std::set<std::string> paths;
  for (const auto& [path, trace] : traces_) {
    if (trace.folder) paths.insert(path);
  }
  return paths;
}

}  // namespace mg
