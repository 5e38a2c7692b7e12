// Server-sent events out of bytes that are cut anywhere (WHATWG's rules, and what servers do:
// spec/providers.md §1.7). Linear in the bytes fed. One per stream.
#pragma once

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mg {

struct SseEvent {
  absl::string_view name;  // of its `event:` line; empty: there was none
  absl::string_view data;  // valid during the call only
  bool bare = false;  // it stood there without `data:`: a JSON document, as Google's errors are
};

class SseParser {
 public:
  // Called for each event, in order; what it returns other than OK ends the parsing and is handed
  // on.
  using Visitor = absl::FunctionRef<absl::Status(const SseEvent&)>;

  explicit SseParser(size_t max_event_bytes = 16 << 20) : max_event_bytes_(max_event_bytes) {}

  // RESOURCE_EXHAUSTED (plain) where an event is larger than the cap.
  absl::Status Feed(absl::string_view bytes, Visitor visit);
  // The stream is over: gives out an event that no blank line ended. It may have been cut; the
  // visitor judges.
  absl::Status Finish(Visitor visit);
  // What of an event has come so far.
  size_t kept_bytes() const { return line_.size() + data_.size() + name_.size(); }

 private:
  absl::Status EndLine(absl::string_view line, Visitor visit);
  absl::Status Dispatch(Visitor visit);
  absl::string_view WithoutBom(absl::string_view bytes);

  const size_t max_event_bytes_;
  size_t bom_seen_ = 0;     // bytes of a byte order mark at the stream's head; kNoBom: past it
  bool after_cr_ = false;   // an LF right after it belongs to the same line end
  size_t event_bytes_ = 0;  // of the event so far, comments included
  std::string line_;        // what of the current line came in earlier feeds
  bool has_data_ = false;
  bool bare_ = false;  // of an event whose lines are JSON themselves
  std::string data_;
  std::string name_;
};

}  // namespace mg
