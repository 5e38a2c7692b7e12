// What a provider of the chaos test does to a request, and what the daemon may say that it did.
#pragma once

#include "absl/types/span.h"
#include "base/error.h"
#include "tests/support/fake_upstream.h"

namespace mg::e2e {

enum class Fault {
  kNone,
  kTrickle,      // a good answer, a few bytes at a time
  kRateLimited,  // 429 with Retry-After
  kInternal,     // 500
  kUnavailable,  // 503
  kOverloaded,   // 529
  kResetAtOnce,  // before a byte
  kResetInHead,  // in the middle of it
  kCut,          // closed in the body, or in the stream behind its first content
  kSilent,       // nothing comes
  kFallsSilent,  // nothing more comes, in the body or behind the first content
  kMalformed,    // no JSON
  kWrongType,    // a picture
  kHtml,         // a page
  kEmpty,        // 200, and nothing in it
  kToldInBody,   // an error in the body, or in the stream behind its first content
};
inline constexpr int kFaults = 16;  // kNone among them

Script ScriptOf(Fault fault, bool stream);

// Do these requests, in the order in which they came, explain how these attempts of one call ended
// (ERROR_KIND_UNSPECIFIED: well)? A request that was reset before its answer may have been
// repeated, once, for free; an attempt that took too long may have met anything, or have reached
// nobody.
bool Explain(absl::Span<const Fault> requests, bool stream,
             absl::Span<const v1::ErrorKind> attempts);

}  // namespace mg::e2e
