#include "adapters/call_id.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/hash.h"

namespace mg {

std::string PlainCallId(absl::string_view id, size_t longest) {
  std::string out(id);
  for (char& c : out) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-') c = '_';
  }
  if (out == id && out.size() <= longest) return out;
  constexpr size_t kMark = 9;  // an underscore and eight digits
  out.resize(std::min(out.size(), longest - kMark));
  return absl::StrCat(out, "_", absl::Hex(StableHash(id) & 0xFFFFFFFF, absl::kZeroPad8));
}

std::string ShortCallId(absl::string_view id) {
  constexpr size_t kLength = 9;
  constexpr absl::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  const bool fits = id.size() == kLength && std::all_of(id.begin(), id.end(), [](char c) {
                      return absl::ascii_isalnum(static_cast<unsigned char>(c));
                    });
  if (fits) return std::string(id);
  std::string out;
  for (uint64_t hash = StableHash(id); out.size() < kLength; hash /= kDigits.size()) {
    out.push_back(kDigits[hash % kDigits.size()]);
  }
  return out;
}

}  // namespace mg
