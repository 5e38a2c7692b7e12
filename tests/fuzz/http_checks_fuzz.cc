// Heads of HTTP/1.1 requests: the same verdict however they arrive, and what gets service is one
// plain GET or HEAD to a host that is ours. Input: seed of the cuts; the head.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/check.h"
#include "daemon/runtime/http_checks.h"
#include "tests/fuzz/pieces.h"

namespace mg {
namespace {

int StatusOf(const std::optional<HttpRefusal>& refusal) {
  return refusal.has_value() ? refusal->status : 0;
}

struct Verdict {
  int status = 0;
  size_t end = 0;
};

Verdict ScanCut(absl::string_view bytes, uint8_t seed) {
  HeadScan scan;
  Verdict verdict;
  std::string arrived;
  Pieces pieces(bytes, seed);
  for (std::string piece; verdict.status == 0 && scan.end() == 0 && pieces.Next(&piece);) {
    arrived += piece;
    // A copy without spare room, so that the sanitizer sees a byte read beyond it.
    const std::vector<char> exact(arrived.begin(), arrived.end());
    verdict.status = StatusOf(scan.Continue({exact.data(), exact.size()}));
  }
  verdict.end = scan.end();
  return verdict;
}

// As a lenient parser would read it.
HttpRequestHead Parse(absl::string_view text) {
  HttpRequestHead head;
  const std::vector<absl::string_view> lines = absl::StrSplit(text, "\r\n");
  const std::vector<absl::string_view> words = absl::StrSplit(lines[0], ' ');
  head.method = std::string(words[0]);
  if (words.size() > 1) head.target = std::string(words[1]);
  head.version = words.size() > 2 && words[2] == "HTTP/1.0" ? 10 : 11;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<absl::string_view, absl::string_view> header =
        absl::StrSplit(lines[i], absl::MaxSplits(':', 1));
    head.headers.push_back(
        {std::string(header.first), std::string(absl::StripAsciiWhitespace(header.second))});
  }
  return head;
}

std::vector<std::string> ValuesOf(const HttpRequestHead& head, absl::string_view name) {
  std::vector<std::string> values;
  for (const HttpHeader& header : head.headers) {
    if (absl::EqualsIgnoreCase(header.name, name)) values.push_back(header.value);
  }
  return values;
}

bool IsOurs(absl::string_view authority) {
  constexpr absl::string_view kOurs[] = {"localhost", "127.0.0.1", "[::1]", "gw.example"};
  const std::string host = absl::AsciiStrToLower(authority);
  return std::any_of(std::begin(kOurs), std::end(kOurs), [&](absl::string_view name) {
    absl::string_view rest = host;
    if (!absl::ConsumePrefix(&rest, name)) return false;
    if (rest.empty()) return true;
    return absl::ConsumePrefix(&rest, ":") &&
           rest.find_first_not_of("0123456789") == absl::string_view::npos;
  });
}

void CheckServed(const HttpRequestHead& head) {
  MG_CHECK(head.method == "GET" || head.method == "HEAD", "nothing is changed by a request");
  MG_CHECK(!head.target.empty() && head.target[0] == '/', "a path");
  MG_CHECK(ValuesOf(head, "transfer-encoding").empty(), "no body that could hide a request");
  for (const std::string& length : ValuesOf(head, "content-length")) {
    MG_CHECK(!length.empty() && length.find_first_not_of('0') == std::string::npos, "no body");
  }
  const std::vector<std::string> hosts = ValuesOf(head, "host");
  MG_CHECK(hosts.size() == 1, "one host");
  MG_CHECK(IsOurs(hosts[0]), "a host of ours");
  for (const std::string& origin : ValuesOf(head, "origin")) {
    const size_t scheme = origin.find("://");
    MG_CHECK(scheme != std::string::npos && IsOurs(origin.substr(scheme + 3)), "no other page");
  }
  for (const std::string& site : ValuesOf(head, "sec-fetch-site")) {
    MG_CHECK(site == "same-origin" || site == "none", "no other page");
  }
}

void Check(absl::string_view input) {
  const uint8_t seed = TakeByte(&input);
  if (input.size() > kMaxRequestHead) return;  // what is wrong first depends on the cuts
  HeadScan scan;
  const int status = StatusOf(scan.Continue(input));
  const Verdict cut = ScanCut(input, seed);
  MG_CHECK(status == cut.status && scan.end() == cut.end, "the same verdict, however it arrives");
  MG_CHECK(scan.end() <= input.size(), "an end within the bytes");
  if (status != 0 || scan.end() == 0) return;
  const absl::string_view text = input.substr(0, scan.end());
  MG_CHECK(text.find("\r\n\r\n") == text.size() - 4, "the first empty line is the end");
  const HttpRequestHead head = Parse(text.substr(0, text.size() - 4));
  const HttpHostPolicy hosts = {true, {"gw.example"}};
  if (!CheckRequest(head, hosts).has_value()) CheckServed(head);
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
