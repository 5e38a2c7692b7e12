// From a configuration that was loaded without problems to the snapshot that calls are served by.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "daemon/config/load.h"
#include "daemon/snapshot.h"
#include "routing/rotation.h"

namespace mg {

// `rotations` keeps the positions of round robin groups over reloads.
absl::StatusOr<std::shared_ptr<const Snapshot>> BuildSnapshot(
    const LoadedConfig& loaded, const std::shared_ptr<Rotations>& rotations);

}  // namespace mg
