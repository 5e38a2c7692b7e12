#include "daemon/runtime/curl_errors.h"

#include <curl/curl.h>

#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "daemon/runtime/http_client.h"

namespace mg {

absl::Status NoConnectionInTime(const std::string& peer) {
  return MakeError(ErrorClass::kConnect, absl::StrCat("no connection to ", peer, " in time"));
}

namespace {

std::string Cause(const CurlFailure& failure) {
  if (absl::StartsWith(failure.message, "CONNECT tunnel failed")) {  // with the proxy's status
    return absl::StrCat("the proxy leads nowhere: ", failure.message);
  }
  if (failure.os_errno != 0) {
    char text[128];
    return strerror_r(static_cast<int>(failure.os_errno), text, sizeof text);
  }
  return curl_easy_strerror(static_cast<CURLcode>(failure.code));
}

absl::Status BeforeSending(const CurlFailure& failure) {
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return MakeError(ErrorClass::kConnectFinal,
                       absl::StrCat("no address is known for ", failure.peer,
                                    ": check the host in base_url and the resolver"));
    case CURLE_COULDNT_RESOLVE_PROXY:
      return MakeError(ErrorClass::kConnectFinal,
                       absl::StrCat("no address is known for the proxy that leads to ",
                                    failure.peer, ": check proxy or HTTPS_PROXY, HTTP_PROXY"));
    case CURLE_PEER_FAILED_VERIFICATION:
      // libcurl's message names the certificate's fault and at most the host.
      return MakeError(ErrorClass::kConnectFinal,
                       absl::StrCat("the certificate of ", failure.peer, " is refused: ",
                                    failure.message, " (a CA of your own is named by ca_file)"));
    case CURLE_SSL_CACERT_BADFILE:
      return MakeError(
          ErrorClass::kConnectFinal,
          absl::StrCat("the certificates to check ", failure.peer,
                       " with cannot be read: check ca_file, or install ca-certificates"));
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return MakeError(ErrorClass::kConnectFinal,
                       absl::StrCat("the URL or the proxy for ", failure.peer, " is no URL"));
    case CURLE_OPERATION_TIMEDOUT:
      return NoConnectionInTime(failure.peer);
    case CURLE_SSL_CONNECT_ERROR:
      return MakeError(ErrorClass::kConnect,
                       absl::StrCat("the TLS handshake with ", failure.peer, " failed"));
    default:
      return MakeError(ErrorClass::kConnect,
                       absl::StrCat("no connection to ", failure.peer, ": ", Cause(failure)));
  }
}

bool Malformed(const CurlFailure& failure) {
  switch (failure.code) {
    case CURLE_UNSUPPORTED_PROTOCOL:  // HTTP/0.9
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR:    // a decoder's
    case CURLE_OUT_OF_MEMORY:  // a line of the head over libcurl's own limit
    case CURLE_FILESIZE_EXCEEDED:
      return true;
    case CURLE_RECV_ERROR:
      return absl::StrContains(failure.message, "chunk");
    default:
      return false;
  }
}

bool OfConnecting(int code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_OPERATION_TIMEDOUT:
      return true;  // where the request was sent before: on a kept connection that turned out to be
                    // dead
    default:
      return false;
  }
}

ConnectStep StepOf(int code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return ConnectStep::kName;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
      return ConnectStep::kTls;
    default:
      return ConnectStep::kConnection;
  }
}

}  // namespace

absl::Status CurlError(const CurlFailure& failure) {
  if (!failure.sent || OfConnecting(failure.code)) {
    absl::Status status = BeforeSending(failure);
    SetConnectStep(StepOf(failure.code), &status);
    return status;
  }
  if (Malformed(failure)) {
    return MakeError(ErrorClass::kMalformed,
                     absl::StrCat("the answer of ", failure.peer, " is no valid HTTP: ",
                                  curl_easy_strerror(static_cast<CURLcode>(failure.code))));
  }
  if (failure.code == CURLE_PARTIAL_FILE) {
    return MakeError(
        ErrorClass::kReset,
        absl::StrCat(failure.peer, " closed the connection before its answer was whole"));
  }
  if (failure.code == CURLE_GOT_NOTHING) {
    return MakeError(ErrorClass::kReset,
                     absl::StrCat(failure.peer, " closed the connection without an answer"));
  }
  return MakeError(ErrorClass::kReset,
                   absl::StrCat("the connection to ", failure.peer, " broke: ", Cause(failure)));
}

}  // namespace mg
