// From a configuration that was loaded without problems to the snapshot that calls are served by.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "base/time.h"
#include "daemon/config/load.h"
#include "daemon/snapshot.h"
#include "resilience/live_state.h"
#include "routing/rotation.h"

namespace mg {

class MockSessions;

// What goes on over reloads.
struct Lasting {
  explicit Lasting(uint64_t seed) : salt(seed), rotations(std::make_shared<Rotations>(seed)) {}

  const uint64_t salt;  // random in each process
  const std::shared_ptr<Rotations> rotations;
  LiveState live;
  MockSessions* mock_sessions = nullptr;  // what controls the mocks; null: nobody does
  // What BuildSnapshot has done to breakers, for whoever called it to tell and to clear.
  std::vector<BreakerEvent> events;
};

absl::StatusOr<std::shared_ptr<const Snapshot>> BuildSnapshot(const LoadedConfig& loaded,
                                                              Lasting* lasting, Instant now);

}  // namespace mg
