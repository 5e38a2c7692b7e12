// How much memory the process' cgroup allows, as Kubernetes and systemd set it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace mg {

// In bytes: the least of the limits of the cgroup and those that hold it, version 2 or 1
// (cgroups(7), the kernel's admin-guide/cgroup-v2); nullopt: none, or it cannot be read. `root`:
// where /proc and /sys are, "/".
std::optional<uint64_t> CgroupMemoryLimit(const std::string& root = "/");

}  // namespace mg
