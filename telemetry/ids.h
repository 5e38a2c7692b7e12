// The names of a call: its request id, the caller's correlation id, the trace it belongs to. Any
// thread.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace mg {

// A UUID of version 7: in the order of time, to the millisecond.
std::string NewRequestId(absl::Time wall_now);

// May a caller's correlation id be written into logs and headers as it is? 1 to 128 of
// [A-Za-z0-9._:-].
bool IsCorrelationId(absl::string_view text);

// W3C Trace Context, level 1.
struct Traceparent {
  std::string trace_id;   // 32 lower-case hex digits, not all zero
  std::string parent_id;  // 16 of them
  bool sampled = false;
};
std::optional<Traceparent> ParseTraceparent(absl::string_view header);
std::string FormatTraceparent(const Traceparent& traceparent);

// Of a valid traceparent its trace id, else a new one.
std::string TraceIdOf(absl::string_view traceparent);
std::string NewTraceId();
std::string NewSpanId();

}  // namespace mg
