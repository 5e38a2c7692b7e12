// What a provider said about a failure, made fit for the caller's eyes: no key, no URL, no control
// character. Pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mg {

inline constexpr size_t kMaxProviderMessage = 2048;

// Valid UTF-8 of at most kMaxProviderMessage bytes; empty for HTML.
std::string SanitizeProviderMessage(absl::string_view text);
// The same of whatever came, HTML too.
std::string SanitizeText(absl::string_view text);
// A machine-readable word: at most 128 bytes of printable ASCII without white space; empty where it
// is none, or looks like a secret.
std::string SanitizeProviderCode(absl::string_view code);

}  // namespace mg
