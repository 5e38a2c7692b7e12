#include "adapters/cache_ttl.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace mg {

absl::Status CacheTtl(const v1::CacheBreakpoint& breakpoint, const std::string& field,
                      EncodeNotes* notes, absl::string_view* ttl) {
  if (!breakpoint.has_ttl()) return absl::OkStatus();
  const absl::Duration asked =
      absl::Seconds(breakpoint.ttl().seconds()) + absl::Nanoseconds(breakpoint.ttl().nanos());
  if (asked < absl::ZeroDuration()) return Invalid(absl::StrCat(field, ".ttl"), "negative");
  *ttl = asked <= absl::Minutes(5) ? "5m" : "1h";
  if (asked != absl::Minutes(5) && asked != absl::Hours(1)) {
    notes->Tell("changed", absl::StrCat(field, ".ttl"),
                absl::StrCat("the provider keeps prompts for 5m or 1h: ", *ttl, " is sent"));
  }
  return absl::OkStatus();
}

}  // namespace mg
