// Frames of AWS's event stream (application/vnd.amazon.eventstream, spec/providers.md §1.8) out of
// bytes that are cut anywhere; both checksums of each are checked. Linear in the bytes fed. One per
// stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mg {

struct EventStreamHeader {
  static constexpr uint8_t kString = 7;

  absl::string_view name;
  uint8_t type = 0;         // 0 to 9
  absl::string_view value;  // its bytes, as they were sent; none for the types of true and false
};

// Valid during the visit only.
struct EventStreamFrame {
  std::vector<EventStreamHeader> headers;
  absl::string_view payload;

  // Of the header of this name, where it is a string; else empty.
  absl::string_view Text(absl::string_view name) const;
};

class EventStreamParser {
 public:
  // Called for each frame, in order; what it returns other than OK ends the parsing and is handed
  // on.
  using Visitor = absl::FunctionRef<absl::Status(const EventStreamFrame&)>;

  // INVALID_ARGUMENT (plain) for what is no frame: a wrong checksum, lengths that contradict each
  // other, a header cut off.
  absl::Status Feed(absl::string_view bytes, Visitor visit);
  // What of a frame has come so far.
  size_t kept_bytes() const { return kept_.size(); }

 private:
  std::string kept_;  // the beginning of a frame
};

}  // namespace mg
