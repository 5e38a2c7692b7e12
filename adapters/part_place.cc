#include "adapters/part_place.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace mg {

std::string PartPlace::Field(absl::string_view member) const {
  std::string field = absl::StrCat("messages[", message, "].parts[", part, "]");
  if (inner >= 0) absl::StrAppend(&field, ".tool_result.parts[", inner, "]");
  if (!member.empty()) absl::StrAppend(&field, ".", member);
  return field;
}

bool IsBlank(absl::string_view text) { return absl::StripAsciiWhitespace(text).empty(); }

}  // namespace mg
