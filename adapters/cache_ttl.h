// How long a prompt is kept, for providers that keep it for five minutes or an hour. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/encode_notes.h"

namespace mg {

// "5m" or "1h" in place of what was asked for; empty where nothing was. kInvalidRequest for a
// negative one; `field` is the breakpoint's place.
absl::Status CacheTtl(const v1::CacheBreakpoint& breakpoint, const std::string& field,
                      EncodeNotes* notes, absl::string_view* ttl);

}  // namespace mg
