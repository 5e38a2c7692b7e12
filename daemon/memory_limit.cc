#include "daemon/memory_limit.h"

#include <algorithm>
#include <fstream>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace mg {
namespace {

// Version 1 writes "none" as the largest multiple of a page.
constexpr uint64_t kNone = uint64_t{1} << 60;

std::optional<uint64_t> ReadLimit(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  uint64_t limit = 0;
  if (!(file >> text) || !absl::SimpleAtoi(text, &limit) || limit >= kNone) return std::nullopt;
  return limit;
}

// From the cgroup up to the root of the tree, which has none itself.
std::optional<uint64_t> LeastLimit(const std::string& mount, std::string group,
                                   absl::string_view file) {
  std::optional<uint64_t> least;
  while (true) {
    const std::optional<uint64_t> limit = ReadLimit(absl::StrCat(mount, group, "/", file));
    if (limit.has_value()) least = std::min(least.value_or(*limit), *limit);
    if (group.empty() || group == "/") return least;
    group.resize(group.rfind('/'));
  }
}

}  // namespace

std::optional<uint64_t> CgroupMemoryLimit(const std::string& root) {
  // Lines of hierarchy:controllers:path; version 2 has the one with no controllers.
  std::ifstream groups(absl::StrCat(root, "proc/self/cgroup"));
  std::optional<uint64_t> least;
  for (std::string line; std::getline(groups, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3 || parts[2].empty() || parts[2][0] != '/') continue;
    std::optional<uint64_t> limit;
    if (parts[1].empty()) {
      limit = LeastLimit(absl::StrCat(root, "sys/fs/cgroup"), parts[2], "memory.max");
    } else if (absl::StrCat(",", parts[1], ",").find(",memory,") != std::string::npos) {
      limit =
          LeastLimit(absl::StrCat(root, "sys/fs/cgroup/memory"), parts[2], "memory.limit_in_bytes");
    }
    if (limit.has_value()) least = std::min(least.value_or(*limit), *limit);
  }
  return least;
}

}  // namespace mg
