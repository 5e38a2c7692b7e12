// HTTP messages as values: what adapters write and read, and what the HTTP client carries.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace mg {

struct HttpHeader {
  std::string name;
  std::string value;
};
using HttpHeaders = std::vector<HttpHeader>;

// The first value of `name` (compared without case); empty if there is none.
inline absl::string_view FindHeader(const HttpHeaders& headers, absl::string_view name) {
  for (const HttpHeader& header : headers) {
    if (absl::EqualsIgnoreCase(header.name, name)) return header.value;
  }
  return {};
}

struct HttpRequest {
  std::string method = "POST";
  std::string url;  // a dialect writes the path ("/chat/completions"); the platform makes it whole
  HttpHeaders headers;
  std::string body;
};

struct HttpHead {
  int status = 0;
  HttpHeaders headers;
};

}  // namespace mg
