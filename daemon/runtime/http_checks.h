// What an HTTP/1.1 request must fulfil before anybody looks at what it wants: the rules against
// request smuggling and against web pages that talk to a loopback address. Pure functions over
// bytes and values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/http_message.h"

namespace mg {

inline constexpr size_t kMaxRequestHead = 64 << 10;

// Why a request gets no service. The connection is closed after it: what follows may be part of the
// trick.
struct HttpRefusal {
  int status = 0;
  const char* text = "";
};

struct HttpRequestHead {
  std::string method;
  std::string target;
  int version = 11;  // 10 or 11
  bool keep_alive = true;
  HttpHeaders headers;
};

// Looks at the raw bytes of a head as they arrive, before a parser makes something nicer of them.
class HeadScan {
 public:
  // `bytes` is all there is so far. A refusal for what no correct client sends: bare CR or LF,
  // other control characters, a folded header, more than kMaxRequestHead.
  std::optional<HttpRefusal> Continue(absl::string_view bytes);
  // Bytes of the head, its empty line included; 0: not yet whole.
  size_t end() const { return end_; }

 private:
  size_t next_ = 0;
  size_t end_ = 0;
};

struct HttpHostPolicy {
  bool check = true;
  std::vector<std::string> allowed = {};  // beside localhost, 127.0.0.1 and [::1]; without port
};

// `max_body`: of a POST, which must be application/json; 0: there are GET and HEAD alone.
std::optional<HttpRefusal> CheckRequest(const HttpRequestHead& head, const HttpHostPolicy& hosts,
                                        size_t max_body = 0);

}  // namespace mg
