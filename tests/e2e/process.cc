#include "tests/e2e/process.h"

#include <poll.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/script.h"

namespace mg::e2e {
namespace {

constexpr int kAskAgainMs = 10;

// A line of /proc/PID/status, "VmRSS:     12345 kB".
size_t StatusBytes(const Daemon& daemon, const std::string& key) {
  std::ifstream status(absl::StrCat("/proc/", daemon.pid(), "/status"));
  std::string word;
  size_t kilobytes = 0;
  while (status >> word) {
    if (word == key && status >> kilobytes) return kilobytes << 10;
  }
  return 0;
}

}  // namespace

size_t ResidentBytes(const Daemon& daemon) { return StatusBytes(daemon, "VmRSS:"); }
size_t PeakBytes(const Daemon& daemon) { return StatusBytes(daemon, "VmHWM:"); }

int Descriptors(const Daemon& daemon) {
  int count = 0;
  std::error_code error;
  const std::filesystem::directory_iterator list(absl::StrCat("/proc/", daemon.pid(), "/fd"),
                                                 error);
  for (const auto& entry : list) count += entry.path().empty() ? 0 : 1;
  return count;
}

double Metric(const Daemon& daemon, const std::string& name) {
  const std::string page = Get(daemon.admin(), "/metrics").text;
  bool found = false;
  double sum = 0;
  for (absl::string_view line : absl::StrSplit(page, '\n')) {
    if (!absl::StartsWith(line, name + "{") && !absl::StartsWith(line, name + " ")) continue;
    double value = 0;
    if (!absl::SimpleAtod(line.substr(line.rfind(' ') + 1), &value)) continue;
    found = true;
    sum += value;
  }
  return found ? sum : -1;
}

bool Until(const std::function<bool()>& reached) {
  const auto end = std::chrono::steady_clock::now() + kTestPatience;
  while (!reached()) {
    if (std::chrono::steady_clock::now() > end) return false;
    poll(nullptr, 0, kAskAgainMs);
  }
  return true;
}

bool UntilIdle(const Daemon& daemon) {
  return Until([&] {
    return Metric(daemon, "modelgateway_inflight_requests") == 0 &&
           Metric(daemon, "modelgateway_stream_active") <= 0;  // absent before the first
  });
}

}  // namespace mg::e2e
