#include "daemon/runtime/curl_connector.h"

#include "daemon/runtime/curl_errors.h"

namespace mg {

void CurlConnector::Connect(const UpstreamUrl& url) {
  CurlRoute route;
  route.url = url;
  route.url.https = false;  // TLS comes later: two ports of one host are told apart by number
  Prepare(std::move(route))->SetConnectOnly(url.Peer());
  Begin();
}

void CurlConnector::Ended(CURLcode code, CurlEasy& easy) {
  if (code == CURLE_OK) return done_(easy.TakeSocket());
  CurlFailure failure;
  failure.code = code;
  failure.message = easy.error();
  curl_easy_getinfo(easy.curl(), CURLINFO_OS_ERRNO, &failure.os_errno);
  failure.peer = route().url.Peer();
  done_(CurlError(failure));
}

}  // namespace mg
