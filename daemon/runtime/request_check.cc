#include "daemon/runtime/request_check.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace mg {
namespace {

bool ValidHeader(const HttpHeader& header) {
  const auto token = [](unsigned char c) {
    return absl::ascii_isalnum(c) || (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
  };
  const auto text = [](unsigned char c) { return c == '\t' || !absl::ascii_iscntrl(c); };
  return !header.name.empty() && std::all_of(header.name.begin(), header.name.end(), token) &&
         std::all_of(header.value.begin(), header.value.end(), text);
}

}  // namespace

absl::StatusOr<UpstreamUrl> CheckRequest(const HttpRequest& request) {
  absl::StatusOr<UpstreamUrl> url = ParseUpstreamUrl(request.url);
  if (!url.ok()) {
    return MakeError(ErrorClass::kConnectFinal,
                     absl::StrCat("the provider's URL is refused: ", url.status().message()));
  }
  for (const HttpHeader& header : request.headers) {
    if (ValidHeader(header)) continue;
    return MakeError(ErrorClass::kConnectFinal,
                     absl::StrCat("a header for ", url->Peer(),
                                  " cannot be sent: it has no name, "
                                  "or a character that HTTP does not allow"));
  }
  return url;
}

}  // namespace mg
