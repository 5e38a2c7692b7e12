// The canonical request of Signature Version 4. Input: path, query and the value of a header, a
// line each.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "adapters/platforms/sigv4.h"
#include "base/check.h"

namespace mg {
namespace {

bool IsPlain(absl::string_view text, absl::string_view beside) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("-._~%", absl::string_view(&c, 1)) ||
           absl::StrContains(beside, absl::string_view(&c, 1));
  });
}

void Check(absl::string_view input) {
  const std::vector<absl::string_view> lines = absl::StrSplit(input, absl::MaxSplits('\n', 2));
  if (lines.size() < 3) return;
  const HttpHeaders headers = {{"Host", "h"}, {"X-A", std::string(lines[2])}};
  for (const bool normalise : {false, true}) {
    std::string names;
    const std::string canonical =
        SigV4CanonicalRequest({"GET", lines[0], lines[1], headers, "sha", normalise}, &names);
    const std::vector<absl::string_view> parts = absl::StrSplit(canonical, '\n');
    MG_CHECK(parts.size() == 8, "no line break of the request goes through");
    MG_CHECK(IsPlain(parts[1], "/"), "the path is encoded");
    MG_CHECK(!normalise || absl::StartsWith(parts[1], "/"), "the path begins at the root");
    MG_CHECK(!normalise || !absl::StrContains(parts[1], "//"), "no segment is empty");
    MG_CHECK(IsPlain(parts[2], "=&"), "the query is encoded");
    MG_CHECK(names == "host;x-a" && parts[6] == names && parts[7] == "sha", "what is signed");
    MG_CHECK(parts[4].substr(0, 4) == "x-a:" && !absl::StrContains(parts[4], "  "), "one blank");
    // The canonical query is its own canonical form.
    std::string again_names;
    const std::string again =
        SigV4CanonicalRequest({"GET", lines[0], parts[2], headers, "sha", normalise}, &again_names);
    MG_CHECK(again == canonical, "encoded once, however often");
  }
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
