// Refusals of providers: status, headers and body of whatever kind become an error that the caller
// may see. Input: the status on a line of its own, headers, an empty line, the body.
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "adapters/dialect.h"
#include "adapters/sanitize.h"
#include "base/check.h"
#include "base/utf8.h"

namespace mg {
namespace {

constexpr int64_t kLongestWait = 1'000'000'000;  // seconds

void CheckDetail(const v1::ErrorDetail& detail) {
  MG_CHECK(IsValidUtf8(detail.provider_message()), "UTF-8");
  MG_CHECK(detail.provider_message().size() <= kMaxProviderMessage, "a short message");
  MG_CHECK(SanitizeProviderMessage(detail.provider_message()) == detail.provider_message(),
           "nothing is left that has to go");
  MG_CHECK(detail.provider_code().size() <= 128, "a short code");
  for (const char c : detail.provider_code()) MG_CHECK(c > ' ' && c < 0x7f, "a code is one word");
  MG_CHECK(detail.provider() == "acme", "whose error it is");
  if (!detail.has_retry_after()) return;
  const google::protobuf::Duration& wait = detail.retry_after();
  MG_CHECK(wait.seconds() >= 0 && wait.seconds() <= kLongestWait, "a wait is no past and no age");
  MG_CHECK(wait.nanos() >= 0 && wait.nanos() < 1'000'000'000, "nanoseconds of one second");
}

void Check(absl::string_view input) {
  DialectContext context;
  context.provider = "acme";
  context.model = "m-1";
  HttpHead head;
  bool first = true;
  while (!input.empty()) {
    const size_t end = input.find('\n');
    const absl::string_view line = input.substr(0, end);
    input = end == absl::string_view::npos ? absl::string_view() : input.substr(end + 1);
    if (line.empty()) break;
    if (first && !absl::SimpleAtoi(line, &head.status)) return;
    const std::pair<std::string, std::string> header =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (!first) head.headers.push_back({header.first, header.second});
    first = false;
  }
  // The HTTP client reads nothing else.
  if (head.status < 100 || head.status > 999 || head.status / 100 == 2) return;
  const Adapter* adapter = FindAdapter("openai_compatible");
  const absl::Status status =
      adapter->dialect->DecodeError(context, head, input, absl::FromUnixSeconds(1'800'000'000));
  MG_CHECK(!status.ok() && ClassOf(status) != ErrorClass::kBug, "an error of a class");
  MG_CHECK(IsValidUtf8(status.message()), "UTF-8");
  MG_CHECK(status.message().size() <= 1024, "fits into a trailer");
  const v1::ErrorDetail detail = DetailOf(status);
  MG_CHECK(detail.http_status() == head.status, "the status that came");
  CheckDetail(detail);
  v1::ErrorDetail again;
  MG_CHECK(again.ParseFromString(detail.SerializeAsString()), "every string is UTF-8");
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
