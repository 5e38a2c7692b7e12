// The one door of JSON: whatever it lets in can be written, what was written comes in again and is
// the same, and a number is the nearest double.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "base/check.h"
#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::JsonDocument document;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  if (!mg::ParseJson(text, &document).ok()) return 0;
  double nearest = 0;
  MG_CHECK(
      !document.IsDouble() || (absl::SimpleAtod(text, &nearest) && document.GetDouble() == nearest),
      "a number is the nearest double");
  const std::string written = mg::ToJsonText(document);
  mg::JsonDocument again;
  MG_CHECK(mg::ParseJson(written, &again).ok(), "what was written is JSON");
  MG_CHECK(mg::ToJsonText(again) == written, "and the same");
  return 0;
}
