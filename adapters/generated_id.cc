#include "adapters/generated_id.h"

#include <algorithm>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "base/hash.h"

namespace mg {

namespace {

constexpr absl::string_view kLetters =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

}  // namespace

std::string GeneratedCallId(absl::BitGenRef random) {
  std::string id = "call_";
  for (int i = 0; i < 24; ++i) id.push_back(kLetters[absl::Uniform(random, 0u, kLetters.size())]);
  return id;
}

std::string ShortCallId(absl::string_view id) {
  constexpr size_t kLength = 9;
  const bool fits = id.size() == kLength && std::all_of(id.begin(), id.end(), [](char c) {
                      return absl::ascii_isalnum(static_cast<unsigned char>(c));
                    });
  if (fits) return std::string(id);
  std::string out;
  for (uint64_t hash = StableHash(id); out.size() < kLength; hash /= kLetters.size()) {
    out.push_back(kLetters[hash % kLetters.size()]);
  }
  return out;
}

}  // namespace mg
