// Answers of HTTP/1.1: the same answer, or the same refusal, however its bytes arrive, and its body
// through the decoder of its encoding. Input: seed of the cuts; 1 where the request was HEAD; the
// bytes of the connection.
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "daemon/runtime/content_encoding.h"
#include "daemon/runtime/response_parser.h"
#include "tests/fuzz/pieces.h"

namespace mg {
namespace {

struct Read {
  bool ok = true;
  bool complete = false;
  HttpHead head;
  std::string body;
};

void Take(ResponseParser* parser, absl::string_view piece, Read* read) {
  // A copy without spare room, so that the sanitizer sees a byte read beyond it.
  const std::vector<char> exact(piece.begin(), piece.end());
  read->ok = read->ok && parser->Take({exact.data(), exact.size()}, &read->body);
}

void End(ResponseParser* parser, Read* read) {
  MG_CHECK(read->ok == (*parser->problem() == '\0'), "a refusal says why");
  read->complete = read->ok && parser->TakeEnd();
  if (parser->head_complete()) read->head = parser->head();
}

void CheckSame(const Read& whole, const Read& cut) {
  if (!whole.ok || !cut.ok) {
    // A head in pieces is looked at once it is whole: until then it may pass for one that is cut.
    MG_CHECK(!whole.complete && !cut.complete, "no answer, however it arrives");
    return;
  }
  MG_CHECK(whole.complete == cut.complete, "the same end");
  MG_CHECK(whole.body == cut.body, "the same body");
  MG_CHECK(whole.head.status == cut.head.status, "the same status");
  MG_CHECK(whole.head.headers.size() == cut.head.headers.size(), "the same headers");
}

void CheckHead(const HttpHead& head) {
  MG_CHECK(head.status >= 200 && head.status <= 999, "a status that ends");
  for (const HttpHeader& header : head.headers) {
    MG_CHECK(!header.name.empty(), "a name");
    MG_CHECK(header.value.find_first_of("\r\n") == std::string::npos, "one line");
  }
}

void Check(absl::string_view input) {
  const uint8_t seed = TakeByte(&input);
  const bool answers_head = TakeByte(&input) == 1;
  Read whole;
  ResponseParser parser(answers_head);
  Take(&parser, input, &whole);
  End(&parser, &whole);

  Read cut;
  ResponseParser by_pieces(answers_head);
  Pieces pieces(input, seed);
  for (std::string piece; pieces.Next(&piece);) Take(&by_pieces, piece, &cut);
  End(&by_pieces, &cut);
  CheckSame(whole, cut);

  if (!whole.ok || !parser.head_complete()) return;
  CheckHead(whole.head);
  const absl::string_view encodings = FindHeader(whole.head.headers, "content-encoding");
  if (!IsEncoded(encodings)) return;
  ContentDecoder decoder(encodings);
  std::string decoded;
  *decoder.input() = whole.body;
  while (decoder.Decode(decoded.size() + 1 + seed, &decoded) && decoder.pending()) {
  }
  MG_CHECK(decoded.size() <= kBombBytes + kBombRatio * (whole.body.size() + 1), "no bomb");
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
