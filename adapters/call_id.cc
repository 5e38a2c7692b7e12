#include "adapters/call_id.h"

#include <algorithm>

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

}  // namespace mg
