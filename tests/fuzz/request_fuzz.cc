// Requests of HTTP/1.1 as the server takes them: scanned, parsed, checked, and the same body, or
// the same refusal, however its bytes arrive. Input: seed of the cuts; the bytes of the connection.
#include <optional>
#include <string>

#include "base/check.h"
#include "daemon/runtime/http_checks.h"
#include "daemon/runtime/http_server_codec.h"
#include "tests/fuzz/pieces.h"

namespace mg {
namespace {

constexpr size_t kMaxBody = 256;

struct Read {
  bool done = false;
  int refused = 0;  // the status
  std::string body;
  size_t used = 0;
};

// What the parser has not taken stands in front of what follows.
Read ReadBody(absl::string_view head, absl::string_view bytes, std::optional<uint8_t> seed) {
  BodyParser parser(head, kMaxBody);
  Read read;
  std::string waiting;
  const auto take = [&](const std::string& piece) {
    waiting += piece;
    while (!parser.done() && !parser.refusal().has_value() && !waiting.empty()) {
      const size_t taken = parser.Take(waiting);
      MG_CHECK(taken <= waiting.size(), "no more than there was");
      read.used += taken;
      waiting.erase(0, taken);
      if (taken == 0) break;
    }
  };
  if (seed.has_value()) {
    Pieces pieces(bytes, *seed);
    for (std::string piece; pieces.Next(&piece);) take(piece);
  } else {
    take(std::string(bytes));
  }
  read.done = parser.done() && !parser.refusal().has_value();
  if (parser.refusal().has_value()) read.refused = parser.refusal()->status;
  if (read.done) read.body = parser.TakeBody();
  return read;
}

void Check(absl::string_view input) {
  const uint8_t seed = TakeByte(&input);
  HeadScan scan;
  if (scan.Continue(input).has_value() || scan.end() == 0) return;
  const absl::string_view bytes = input.substr(0, scan.end());
  HttpRequestHead head;
  if (ParseRequestHead(bytes, &head).has_value()) return;
  MG_CHECK(!head.method.empty() && !head.target.empty(), "a request");
  if (CheckRequest(head, HttpHostPolicy{}, kMaxBody).has_value()) return;

  const Read whole = ReadBody(bytes, input.substr(scan.end()), std::nullopt);
  const Read cut = ReadBody(bytes, input.substr(scan.end()), seed);
  MG_CHECK(whole.body.size() <= kMaxBody, "a body within its limit");
  MG_CHECK(whole.done == cut.done, "the same end");
  MG_CHECK(whole.body == cut.body, "the same body");
  MG_CHECK(!whole.done || whole.used == cut.used, "the same rest");
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
