#include "telemetry/process_stats.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace mg {
namespace {

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

int64_t CountDescriptors() {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  int64_t count = -1;  // the folder's own
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] != '.') ++count;
  }
  ::closedir(folder);
  return count;
}

// Seconds since 1970 at which the machine started.
int64_t BootTime() {
  for (const absl::string_view line : absl::StrSplit(ReadFile("/proc/stat"), '\n')) {
    int64_t seconds = 0;
    if (line.substr(0, 6) == "btime " && absl::SimpleAtoi(line.substr(6), &seconds)) return seconds;
  }
  return 0;
}

}  // namespace

ProcessStats ReadProcessStats() {
  ProcessStats stats;
  rusage usage = {};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    stats.cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  }
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    stats.max_descriptors = static_cast<int64_t>(limit.rlim_cur);
  }
  stats.open_descriptors = CountDescriptors();
  // proc(5): behind the name in brackets, which may hold anything, the 22nd, 23rd and 24th field.
  const std::string text = ReadFile("/proc/self/stat");
  const size_t bracket = text.rfind(')');
  if (bracket == std::string::npos) return stats;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(text).substr(bracket + 1), ' ', absl::SkipEmpty());
  int64_t ticks = 0;
  int64_t pages = 0;
  if (fields.size() > 21 && absl::SimpleAtoi(fields[19], &ticks) &&
      absl::SimpleAtoi(fields[20], &stats.virtual_bytes) && absl::SimpleAtoi(fields[21], &pages)) {
    stats.resident_bytes = pages * ::sysconf(_SC_PAGESIZE);
    stats.started =
        absl::FromUnixSeconds(BootTime()) +
        absl::Seconds(static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK)));
  }
  return stats;
}

}  // namespace mg
