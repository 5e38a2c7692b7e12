// What a circuit breaker did, as metrics and the log tell it.
#pragma once

#include <string>

namespace mg {

struct BreakerRecord {
  std::string provider;
  std::string model;        // empty: the breaker of the whole endpoint
  const char* from = "";    // a change of state: "closed", "open", "half_open", "isolated"
  const char* to = "";      // empty: it has not changed
  const char* reason = "";  // of the change: "consecutive"
  const char* probe = "";   // the verdict of a probe: "success"; empty: it was none
  bool stale = false;       // a verdict that came too late to count
  std::string actor;        // the operator's doing: who asked for it; else empty
};

}  // namespace mg
