#include "adapters/url_path.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "adapters/encode_notes.h"

namespace mg {

absl::Status AppendModelPath(absl::string_view name, bool one_segment, std::string* out) {
  for (absl::string_view segment : absl::StrSplit(name, '/')) {
    if (segment.empty() || segment == "." || segment == "..") {
      return Invalid("model", "no name that could stand in the path of a URL");
    }
  }
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain || (c == '/' && !one_segment)) {
      out->push_back(c);
    } else {
      constexpr char kDigits[] = "0123456789ABCDEF";
      out->append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return absl::OkStatus();
}

}  // namespace mg
