// Hints of when to ask again, in every form that providers have: whatever they send is no hint, or
// a wait that can be kept. Input: 'd' for resets of exhausted dimensions; headers, an empty line,
// the body.
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_split.h"
#include "adapters/retry_after.h"
#include "base/check.h"
#include "tests/fuzz/pieces.h"

namespace mg {
namespace {

const absl::Time kWallNow = absl::FromUnixSeconds(1'800'000'000);
constexpr absl::Duration kLongest = absl::Seconds(1'000'000'000);

HttpHeaders TakeHeaders(absl::string_view* input) {
  HttpHeaders headers;
  while (!input->empty()) {
    const size_t end = input->find('\n');
    const absl::string_view line = input->substr(0, end);
    *input = end == absl::string_view::npos ? absl::string_view() : input->substr(end + 1);
    if (line.empty()) break;
    const std::pair<std::string, std::string> header =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    headers.push_back({header.first, header.second});
  }
  return headers;
}

void Check(absl::string_view input) {
  const bool dimensions = TakeByte(&input) == 'd';
  HttpHeaders headers = TakeHeaders(&input);
  JsonDocument json;
  ParseJson(input, &json).IgnoreError();  // null, as for a body that is none

  const std::optional<absl::Duration> hint = RetryAfter(headers, json, kWallNow, dimensions);
  if (hint.has_value()) {
    MG_CHECK(*hint >= absl::ZeroDuration() && *hint <= kLongest, "a wait is no past and no age");
  }
  if (!dimensions) {
    const std::optional<absl::Duration> with = RetryAfter(headers, json, kWallNow, true);
    MG_CHECK(!hint.has_value() || hint == with, "the dimensions are the last source");
  }
  // The first source holds over all others, and of its values the largest.
  headers.push_back({"Retry-After-Ms", "1000000000000"});
  MG_CHECK(RetryAfter(headers, json, kWallNow, dimensions) == kLongest, "the first source");
  headers.back().value = "nan";
  MG_CHECK(RetryAfter(headers, json, kWallNow, dimensions) == hint, "what says nothing");
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
