// `serve --ephemeral`: a gateway for as long as somebody needs one, beside others and out of their
// way.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace mg {

// The private folder of its sockets and its admin token; with everything in it, it goes with this.
class EphemeralFolder {
 public:
  EphemeralFolder() = default;
  EphemeralFolder(const EphemeralFolder&) = delete;
  EphemeralFolder& operator=(const EphemeralFolder&) = delete;
  ~EphemeralFolder();

  // In $TMPDIR, else /tmp. The message names the place and the cause.
  absl::Status Make();
  const std::string& path() const { return path_; }

 private:
  std::string path_;  // empty: none was made
};

}  // namespace mg
