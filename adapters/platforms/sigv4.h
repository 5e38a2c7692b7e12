// AWS's Signature Version 4 (spec/providers.md §1.9). Pure functions, any thread.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "adapters/dialect.h"
#include "base/http_message.h"

namespace mg {

// What is signed of a request. Values of headers may have white space around and within them.
struct SigV4Request {
  absl::string_view method;
  absl::string_view path;   // as it goes over the wire; it is encoded once more
  absl::string_view query;  // behind the question mark
  const HttpHeaders& headers;
  absl::string_view body_sha256;  // in hex
  bool normalise = true;          // the path's dots and empty segments
};

struct SigV4Scope {
  absl::string_view region;
  absl::string_view service;
  absl::Time now;
};

// `signed_headers`: their names, "host;x-amz-date".
std::string SigV4CanonicalRequest(const SigV4Request& request, std::string* signed_headers);
std::string SigV4StringToSign(const SigV4Scope& scope, absl::string_view canonical_request);
// The value of the header Authorization.
std::string SigV4Authorization(const AwsKeys& keys, const SigV4Scope& scope,
                               absl::string_view canonical_request,
                               absl::string_view signed_headers);

std::string Sha256Hex(absl::string_view bytes);

// Puts x-amz-date, x-amz-content-sha256, x-amz-security-token and Authorization to a request whose
// URL is whole and to which nothing is added any more. Signed are these, host and content-type.
void SignSigV4(const AwsKeys& keys, const SigV4Scope& scope, HttpRequest* request);

// By how much AWS's clock is before ours, where `error`, of an answer with this head, says that the
// time of a signature was not believed; nullopt: it says nothing of the kind.
std::optional<absl::Duration> SigV4ClockOffset(const HttpHead& head, const absl::Status& error,
                                               absl::Time wall_now);

}  // namespace mg
