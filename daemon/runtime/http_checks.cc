#include "daemon/runtime/http_checks.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace mg {
namespace {

// The values of all headers of that name.
std::vector<absl::string_view> ValuesOf(const HttpHeaders& headers, absl::string_view name) {
  std::vector<absl::string_view> values;
  for (const HttpHeader& header : headers) {
    if (absl::EqualsIgnoreCase(header.name, name)) values.emplace_back(header.value);
  }
  return values;
}

bool AllDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// "localhost:80" and "[::1]:80" without their ports; nothing where that is no host.
std::optional<absl::string_view> HostOf(absl::string_view authority) {
  const size_t host_end = absl::StartsWith(authority, "[") ? authority.find(']') : 0;
  if (host_end == absl::string_view::npos) return std::nullopt;
  const size_t colon = authority.find(':', host_end);
  if (colon == absl::string_view::npos) return authority;
  if (!AllDigits(authority.substr(colon + 1))) return std::nullopt;
  return authority.substr(0, colon);
}

bool HostAllowed(absl::string_view authority, const HttpHostPolicy& hosts) {
  const std::optional<absl::string_view> host = HostOf(authority);
  if (!host.has_value()) return false;
  for (const absl::string_view loopback : {"localhost", "127.0.0.1", "[::1]"}) {
    if (absl::EqualsIgnoreCase(*host, loopback)) return true;
  }
  return std::any_of(hosts.allowed.begin(), hosts.allowed.end(), [&](const std::string& allowed) {
    return absl::EqualsIgnoreCase(*host, allowed);
  });
}

std::optional<HttpRefusal> CheckLength(const HttpRequestHead& head) {
  const std::vector<absl::string_view> lengths = ValuesOf(head.headers, "content-length");
  const std::vector<absl::string_view> encodings = ValuesOf(head.headers, "transfer-encoding");
  if (lengths.size() > 1 || (!lengths.empty() && !AllDigits(lengths[0]))) {
    return HttpRefusal{400, "content-length must be given once, in digits"};
  }
  if (encodings.empty()) return std::nullopt;
  if (!lengths.empty()) return HttpRefusal{400, "content-length and transfer-encoding together"};
  if (head.version < 11) return HttpRefusal{400, "transfer-encoding is of HTTP/1.1"};
  if (encodings.size() > 1 || !absl::EqualsIgnoreCase(encodings[0], "chunked")) {
    return HttpRefusal{501, "the only transfer-encoding is chunked"};
  }
  return std::nullopt;
}

std::optional<HttpRefusal> CheckOrigin(const HttpRequestHead& head, absl::string_view host,
                                       const HttpHostPolicy& hosts) {
  if (!hosts.check) return std::nullopt;
  if (!HostAllowed(host, hosts)) {
    return HttpRefusal{403, "this Host is not served here: use localhost, 127.0.0.1 or [::1]"};
  }
  for (absl::string_view origin : ValuesOf(head.headers, "origin")) {
    if ((!absl::ConsumePrefix(&origin, "http://") && !absl::ConsumePrefix(&origin, "https://")) ||
        !HostAllowed(origin, hosts)) {
      return HttpRefusal{403, "requests of other web pages are refused (Origin)"};
    }
  }
  for (const absl::string_view site : ValuesOf(head.headers, "sec-fetch-site")) {
    if (site != "same-origin" && site != "none") {
      return HttpRefusal{403, "requests of other web pages are refused (Sec-Fetch-Site)"};
    }
  }
  return std::nullopt;
}

// A web page of elsewhere can send neither another media type than those of forms, unasked, nor
// read what it gets.
std::optional<HttpRefusal> CheckBody(const HttpRequestHead& head, size_t max_body) {
  const absl::string_view type = FindHeader(head.headers, "content-type");
  const absl::string_view media = absl::StripAsciiWhitespace(type.substr(0, type.find(';')));
  if (!absl::EqualsIgnoreCase(media, "application/json")) {
    return HttpRefusal{415, "a POST must have the content-type application/json"};
  }
  const absl::string_view encoding = FindHeader(head.headers, "content-encoding");
  if (!encoding.empty() && !absl::EqualsIgnoreCase(encoding, "identity")) {
    return HttpRefusal{415, "a body with a content-encoding is not taken"};
  }
  const absl::string_view length = FindHeader(head.headers, "content-length");
  uint64_t bytes = 0;
  if (!length.empty() && (!absl::SimpleAtoi(length, &bytes) || bytes > max_body)) {
    return HttpRefusal{413, "the body of the request is too large"};
  }
  return std::nullopt;
}

std::optional<HttpRefusal> CheckMethod(const HttpRequestHead& head, size_t max_body) {
  if (head.method == "POST" && max_body > 0) return CheckBody(head, max_body);
  if (head.method != "GET" && head.method != "HEAD") {
    return HttpRefusal{405, max_body > 0 ? "only GET, HEAD and POST are served here"
                                         : "only GET and HEAD are served here"};
  }
  const absl::string_view length = FindHeader(head.headers, "content-length");
  if (length.find_first_not_of('0') != absl::string_view::npos ||
      !FindHeader(head.headers, "transfer-encoding").empty()) {
    return HttpRefusal{413, "a GET or HEAD has no body here"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<HttpRefusal> HeadScan::Continue(absl::string_view bytes) {
  while (end_ == 0 && next_ < bytes.size()) {
    const auto byte = static_cast<unsigned char>(bytes[next_]);
    if (byte == '\n' || (absl::ascii_iscntrl(byte) && byte != '\r' && byte != '\t')) {
      return HttpRefusal{400,
                         "the head of the request has a control character or a bare line feed"};
    }
    if (byte != '\r') {
      ++next_;
      continue;
    }
    // A line end is looked at once the byte behind it is there, which may belong to the line before
    // it.
    if (next_ + 1 < bytes.size() && bytes[next_ + 1] != '\n') {
      return HttpRefusal{400, "the head of the request has a bare carriage return"};
    }
    if (next_ + 2 >= bytes.size()) break;
    if (bytes[next_ + 2] == ' ' || bytes[next_ + 2] == '\t') {
      return HttpRefusal{400, "the head of the request has a folded header"};
    }
    if (absl::StartsWith(bytes.substr(next_), "\r\n\r\n")) {
      end_ = next_ + 4;
    } else if (bytes[next_ + 2] == '\r' && next_ + 3 >= bytes.size()) {
      break;
    } else {
      next_ += 2;
    }
  }
  if (end_ > kMaxRequestHead || (end_ == 0 && bytes.size() > kMaxRequestHead)) {
    return HttpRefusal{431, "the head of the request is larger than 64 KiB"};
  }
  return std::nullopt;
}

std::optional<HttpRefusal> CheckRequest(const HttpRequestHead& head, const HttpHostPolicy& hosts,
                                        size_t max_body) {
  const std::vector<absl::string_view> host = ValuesOf(head.headers, "host");
  if (host.size() != 1) return HttpRefusal{400, "the request must have exactly one Host"};
  if (const auto refusal = CheckLength(head)) return refusal;
  if (const auto refusal = CheckOrigin(head, host[0], hosts)) return refusal;
  if (const auto refusal = CheckMethod(head, max_body)) return refusal;
  if (!absl::StartsWith(head.target, "/")) {
    return HttpRefusal{400, "the request must name a path that begins with /"};
  }
  return std::nullopt;
}

}  // namespace mg
