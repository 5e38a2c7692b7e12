#include "adapters/platforms/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "adapters/retry_after.h"
#include "base/check.h"

namespace mg {
namespace {

constexpr absl::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr absl::string_view kLast = "aws4_request";

using Digest = std::array<unsigned char, 32>;

absl::string_view BytesOf(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Digest HmacSha256(absl::string_view key, absl::string_view text) {
  Digest digest;
  unsigned length = 0;
  const unsigned char* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                                   reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                                   digest.data(), &length);
  MG_CHECK(made != nullptr && length == digest.size(), "HMAC-SHA256 cannot fail");
  return digest;
}

void AppendEncoded(absl::string_view text, bool slash, std::string* out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~' ||
        (slash && c == '/')) {
      out->push_back(c);
    } else {
      out->append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
}

// Without "." and "..", and without empty segments but for one at the end.
std::string Normalised(absl::string_view path) {
  std::vector<absl::string_view> kept;
  bool slash = false;  // at the end
  for (absl::string_view segment : absl::StrSplit(path, '/')) {
    slash = segment.empty() || segment == "." || segment == "..";
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!slash) kept.push_back(segment);
  }
  return absl::StrCat("/", absl::StrJoin(kept, "/"), slash && !kept.empty() ? "/" : "");
}

// What is encoded already is decoded first, so that each part is encoded exactly once.
std::string EncodedOnce(absl::string_view part) {
  std::string plain;
  for (size_t i = 0; i < part.size(); ++i) {
    const bool escape = part[i] == '%' && i + 2 < part.size() &&
                        absl::ascii_isxdigit(static_cast<unsigned char>(part[i + 1])) &&
                        absl::ascii_isxdigit(static_cast<unsigned char>(part[i + 2]));
    if (!escape) {
      plain.push_back(part[i]);
      continue;
    }
    plain.append(absl::HexStringToBytes(part.substr(i + 1, 2)));
    i += 2;
  }
  std::string out;
  AppendEncoded(plain, false, &out);
  return out;
}

std::string CanonicalQuery(absl::string_view query) {
  std::vector<std::pair<std::string, std::string>> parts;
  for (absl::string_view part : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> both =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    parts.emplace_back(EncodedOnce(both.first), EncodedOnce(both.second));
  }
  std::sort(parts.begin(), parts.end());
  return absl::StrJoin(parts, "&", absl::PairFormatter("="));
}

// The value without white space around it, and with one blank for each run of it.
std::string Collapsed(absl::string_view value) {
  std::string out(value);
  absl::RemoveExtraAsciiWhitespace(&out);
  for (char& c : out) {
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) c = ' ';
  }
  return out;
}

std::string Day(absl::Time now) { return absl::FormatTime("%Y%m%d", now, absl::UTCTimeZone()); }

std::string Stamp(absl::Time now) {
  return absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone());
}

std::string ScopeText(const SigV4Scope& scope) {
  return absl::StrCat(Day(scope.now), "/", scope.region, "/", scope.service, "/", kLast);
}

// The host as the client says it, the path and the query of an absolute URL.
struct UrlParts {
  std::string host;
  absl::string_view path;
  absl::string_view query;
};

UrlParts PartsOf(absl::string_view url) {
  UrlParts parts;
  const bool https = absl::StartsWithIgnoreCase(url, "https://");
  const size_t scheme = url.find("://");
  if (scheme != absl::string_view::npos) url.remove_prefix(scheme + 3);
  const size_t end = std::min(url.find_first_of("/?"), url.size());
  absl::string_view host = url.substr(0, end);
  absl::ConsumeSuffix(&host, https ? ":443" : ":80");
  parts.host = absl::AsciiStrToLower(host);
  url.remove_prefix(end);
  const size_t question = std::min(url.find('?'), url.size());
  parts.path = url.substr(0, question);
  if (question < url.size()) parts.query = url.substr(question + 1);
  return parts;
}

}  // namespace

std::string Sha256Hex(absl::string_view bytes) {
  Digest digest;
  unsigned length = 0;
  const int made =
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  MG_CHECK(made == 1 && length == digest.size(), "SHA-256 cannot fail");
  return absl::BytesToHexString(BytesOf(digest));
}

std::string SigV4CanonicalRequest(const SigV4Request& request, std::string* signed_headers) {
  std::string out = absl::StrCat(request.method, "\n");
  if (request.normalise) {
    AppendEncoded(Normalised(request.path), true, &out);
  } else {
    AppendEncoded(request.path.empty() ? absl::string_view("/") : request.path, true, &out);
  }
  absl::StrAppend(&out, "\n", CanonicalQuery(request.query), "\n");
  std::vector<std::pair<std::string, std::string>> headers;
  for (const HttpHeader& header : request.headers) {
    headers.emplace_back(absl::AsciiStrToLower(header.name), Collapsed(header.value));
  }
  std::sort(headers.begin(), headers.end());
  signed_headers->clear();
  for (const auto& [name, value] : headers) {
    absl::StrAppend(&out, name, ":", value, "\n");
    absl::StrAppend(signed_headers, signed_headers->empty() ? "" : ";", name);
  }
  absl::StrAppend(&out, "\n", *signed_headers, "\n", request.body_sha256);
  return out;
}

std::string SigV4StringToSign(const SigV4Scope& scope, absl::string_view canonical_request) {
  return absl::StrCat(kAlgorithm, "\n", Stamp(scope.now), "\n", ScopeText(scope), "\n",
                      Sha256Hex(canonical_request));
}

std::string SigV4Authorization(const AwsKeys& keys, const SigV4Scope& scope,
                               absl::string_view canonical_request,
                               absl::string_view signed_headers) {
  // A key in the process' memory like the secret it is made of: wiped when freed.
  const Secret first(absl::StrCat("AWS4", keys.secret_access_key.Reveal()));
  Digest key = HmacSha256(first.Reveal(), Day(scope.now));
  for (absl::string_view step : {scope.region, scope.service, kLast}) {
    key = HmacSha256(BytesOf(key), step);
  }
  const Digest signature = HmacSha256(BytesOf(key), SigV4StringToSign(scope, canonical_request));
  return absl::StrCat(kAlgorithm, " Credential=", keys.access_key_id.Reveal(), "/",
                      ScopeText(scope), ", SignedHeaders=", signed_headers,
                      ", Signature=", absl::BytesToHexString(BytesOf(signature)));
}

void SignSigV4(const AwsKeys& keys, const SigV4Scope& scope, HttpRequest* request) {
  const UrlParts url = PartsOf(request->url);
  const std::string body_sha256 = Sha256Hex(request->body);
  HttpHeaders added = {{"x-amz-date", Stamp(scope.now)}, {"x-amz-content-sha256", body_sha256}};
  if (!keys.session_token.empty()) {
    added.push_back({"x-amz-security-token", std::string(keys.session_token.Reveal())});
  }
  HttpHeaders to_sign = added;
  to_sign.push_back({"host", url.host});
  const absl::string_view type = FindHeader(request->headers, "content-type");
  if (!type.empty()) to_sign.push_back({"content-type", std::string(type)});
  std::string signed_headers;
  const std::string canonical = SigV4CanonicalRequest(
      {request->method, url.path, url.query, to_sign, body_sha256}, &signed_headers);
  added.push_back({"Authorization", SigV4Authorization(keys, scope, canonical, signed_headers)});
  request->headers.insert(request->headers.end(), added.begin(), added.end());
}

std::optional<absl::Duration> SigV4ClockOffset(const HttpHead& head, const absl::Status& error,
                                               absl::Time wall_now) {
  // A signature that is wrong, and one that is too old, may both be those of a wrong time.
  constexpr absl::string_view kOfTime[] = {"InvalidSignature", "SignatureDoesNotMatch",
                                           "RequestExpired", "RequestTimeTooSkewed"};
  const v1::ErrorDetail detail = DetailOf(error);
  const bool of_time = std::any_of(
      std::begin(kOfTime), std::end(kOfTime),
      [&](absl::string_view word) { return absl::StartsWith(detail.provider_code(), word); });
  const auto date = HttpDate(FindHeader(head.headers, "date"));
  if (!of_time || !date.has_value()) return std::nullopt;
  return *date - wall_now;
}

}  // namespace mg
