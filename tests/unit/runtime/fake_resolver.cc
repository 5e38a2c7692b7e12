#include "tests/unit/runtime/fake_resolver.h"

#include <dlfcn.h>
#include <netdb.h>

#include <algorithm>
#include <atomic>
#include <ctime>

#include "absl/strings/match.h"

namespace mg {
namespace {

struct Counts {
  std::mutex mutex;
  std::condition_variable changed;
  int calls = 0;
  int now = 0;
  int most = 0;
  Gate gate;
  std::string moving;
};

std::atomic<time_t> passed_seconds = 0;

Counts& TheCounts() {
  static Counts* const kCounts = new Counts;  // resolver threads may outlive main
  return *kCounts;
}

class Visit {
 public:
  Visit() {
    const std::lock_guard lock(TheCounts().mutex);
    ++TheCounts().calls;
    TheCounts().most = std::max(TheCounts().most, ++TheCounts().now);
  }
  ~Visit() {
    const std::lock_guard lock(TheCounts().mutex);
    --TheCounts().now;
    TheCounts().changed.notify_all();
  }
};

std::string MovingAddress() {
  const std::lock_guard lock(TheCounts().mutex);
  return TheCounts().moving;
}

void WaitForGate() {
  Gate gate = FakeResolver::gate();
  gate.Reach([] {});
  (void)gate.WaitOpen();
}

}  // namespace

FakeResolver::FakeResolver() {
  const std::lock_guard lock(TheCounts().mutex);
  TheCounts().calls = TheCounts().most = 0;
  TheCounts().gate = Gate();
  TheCounts().moving.clear();
}

FakeResolver::~FakeResolver() {
  passed_seconds = 0;
  gate().Open();
  WaitIdle();
}

Gate& FakeResolver::gate() { return TheCounts().gate; }

int FakeResolver::calls() {
  const std::lock_guard lock(TheCounts().mutex);
  return TheCounts().calls;
}

int FakeResolver::most_at_once() {
  const std::lock_guard lock(TheCounts().mutex);
  return TheCounts().most;
}

void FakeResolver::Move(const std::string& address) {
  const std::lock_guard lock(TheCounts().mutex);
  TheCounts().moving = address;
}

void FakeResolver::PassSeconds(int seconds) { passed_seconds += seconds; }

void FakeResolver::WaitIdle() {
  std::unique_lock lock(TheCounts().mutex);
  TheCounts().changed.wait(lock, [] { return TheCounts().now == 0; });
}

}  // namespace mg

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto kReal = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  const absl::string_view name = node == nullptr ? absl::string_view() : node;
  if (!absl::EndsWith(name, ".fake")) return kReal(node, service, hints, result);
  const mg::Visit visit;
  const std::string moving = name == "moving.fake" ? mg::MovingAddress() : "";
  if (!moving.empty()) return kReal(moving.c_str(), service, hints, result);
  if (absl::EndsWith(name, "slow.fake")) mg::WaitForGate();
  if (!absl::EndsWith(name, "slow.fake") && !absl::EndsWith(name, "ok.fake")) return EAI_NONAME;
  const int found = kReal("127.0.0.1", service, hints, result);
  if (found != 0 || !absl::StartsWith(name, "half-")) return found;
  addrinfo* dead = nullptr;
  if (kReal("127.0.0.2", service, hints, &dead) != 0) return EAI_AGAIN;
  dead->ai_next = *result;
  *result = dead;
  return 0;
}

extern "C" time_t time(time_t* into) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const time_t seconds = now.tv_sec + mg::passed_seconds;
  if (into != nullptr) *into = seconds;
  return seconds;
}
