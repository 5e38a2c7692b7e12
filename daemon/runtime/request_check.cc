#include "daemon/runtime/request_check.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace mg {
namespace {

// By byte: 1 a character of a token, and thereby of a name; 2 one that a value may have besides.
constexpr std::array<char, 256> Classes() {
  std::array<char, 256> classes{};
  for (size_t c = 0x20; c < classes.size(); ++c) classes[c] = c == 0x7f ? 0 : 2;
  classes['\t'] = 2;
  constexpr char kToken[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&'*+-.^_`|~";
  for (const char* c = kToken; *c != '\0'; ++c) classes[static_cast<unsigned char>(*c)] = 1;
  return classes;
}
constexpr std::array<char, 256> kClasses = Classes();

bool ValidHeader(const HttpHeader& header) {
  const auto class_of = [](char c) { return kClasses[static_cast<unsigned char>(c)]; };
  return !header.name.empty() && std::all_of(header.name.begin(), header.name.end(), [&](char c) {
    return class_of(c) == 1;
  }) && std::all_of(header.value.begin(), header.value.end(), [&](char c) {
    return class_of(c) != 0;
  });
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
