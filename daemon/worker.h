// What one thread of the daemon has: its loop, its HTTP client, its random numbers, and the
// configuration that new calls start with. There is one worker in this version; nothing relies on
// that.
#pragma once

#include <memory>

#include "absl/random/random.h"
#include "daemon/byte_budget.h"
#include "daemon/runtime/http_client.h"
#include "daemon/runtime/loop.h"
#include "daemon/snapshot.h"
#include "telemetry/telemetry.h"

namespace mg {

struct Worker {
  Loop* loop = nullptr;
  HttpClient* http = nullptr;
  Telemetry* telemetry = nullptr;
  ByteBudget* budget = nullptr;
  std::shared_ptr<const Snapshot> snapshot;

  // U[0,1)
  struct Uniform {
    mutable absl::BitGen bits;
    double operator()() const { return absl::Uniform(bits, 0.0, 1.0); }
  };
  Uniform random;
};

}  // namespace mg
