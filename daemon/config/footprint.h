// What a configuration was read from: every file and folder that was asked for, secrets' included,
// and a fingerprint of what was there. Two equal footprints gave the same configuration, since the
// environment of a process stands still. Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "daemon/config/load.h"

namespace mg {

class Footprint {
 public:
  // `outside`, and what it is asked is noted here: this must outlive what is returned.
  Outside Noting(const Outside& outside);
  // What the same files and folders hold now.
  Footprint Again(const Outside& outside) const;

  std::set<std::string> files() const;
  std::set<std::string> folders() const;  // whose list of files matters

  bool operator==(const Footprint&) const = default;

 private:
  struct Trace {
    bool folder = false;
    size_t max_bytes = 0;
    uint64_t hash = 0;
    bool operator==(const Trace&) const = default;
  };
  std::map<std::string, Trace> traces_;  // by path
};

}  // namespace mg
