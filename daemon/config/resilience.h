// The policies of breakers, cooldowns, retry budget and limits, as the configuration has them
// (global < provider), and the memory that buffers may take. Pure functions; used at load.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "daemon/config/load.h"
#include "modelgateway/v1/config.pb.h"
#include "resilience/live_state.h"

namespace mg {

// `scoped`: of the provider; nullptr: it has none.
ResiliencePolicy ResilienceOf(const v1::Config& config, const v1::ScopedProviderConfig* scoped);
absl::Duration QueueTimeoutOf(const v1::Config& config, const v1::ScopedProviderConfig* scoped);

// limits.buffered_bytes; absent: 40 % of `memory_limit`, the cgroup's in bytes, but at least 64
// MiB; without one 512 MiB.
size_t BufferedBytesOf(const v1::Config& config, std::optional<uint64_t> memory_limit);

// What the configuration says of where the secrets of a provider are, and a number that stands for
// their values: neither tells a value. `salt`: of the process.
std::string SecretReferenceOf(const v1::ProviderConfig& provider);
uint64_t SecretFingerprintOf(const LoadedConfig& loaded, absl::string_view provider, uint64_t salt);

}  // namespace mg
