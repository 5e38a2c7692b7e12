// What the kernel and the metrics page say of a daemon that is under pressure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "tests/e2e/daemon.h"

namespace mg::e2e {

// Bounds of memory mean something in the plain build alone.
#if __has_feature(address_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
inline constexpr size_t kMiB = size_t{1} << 20;

size_t ResidentBytes(const Daemon& daemon);
size_t PeakBytes(const Daemon& daemon);  // the most that was resident since its start
int Descriptors(const Daemon& daemon);

// A gauge or counter of the metrics page, summed over its labels; -1 where the page has none.
double Metric(const Daemon& daemon, const std::string& name);

// Until the condition holds, asked again and again: for what nothing tells of. False after
// kTestPatience.
bool Until(const std::function<bool()>& reached);
// Until no call is under way by the daemon's own gauges.
bool UntilIdle(const Daemon& daemon);

}  // namespace mg::e2e
