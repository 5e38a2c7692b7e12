#include "adapters/call_arguments.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/json_text.h"
#include "adapters/part_place.h"

namespace mg {

bool AppendArgumentsObject(absl::string_view arguments, std::string* out) {
  absl::string_view object;
  bool empty = false;
  if (IsBlank(arguments)) {
    out->append("{}");
    return true;
  }
  if (CheckJsonObject(arguments, &object, &empty).ok()) {
    absl::StrAppend(out, object);
    return true;
  }
  JsonDocument value;
  out->append("{\"input\":");
  if (ParseJson(arguments, &value).ok()) {
    absl::StrAppend(out, absl::StripAsciiWhitespace(arguments));
  } else {
    AppendJsonString(arguments, out);
  }
  out->push_back('}');
  return false;
}

}  // namespace mg
