// Frames of AWS's event stream: cut anywhere they are the same frames, or broken at the same one.
// Input: seed of the cuts; the bytes.
#include "absl/strings/str_cat.h"
#include "adapters/event_stream.h"
#include "base/check.h"
#include "tests/fuzz/pieces.h"

namespace mg {
namespace {

std::string Parse(absl::string_view bytes, bool cut, uint8_t seed) {
  EventStreamParser parser;
  std::string seen;
  const auto visit = [&](const EventStreamFrame& frame) {
    for (const EventStreamHeader& header : frame.headers) {
      absl::StrAppend(&seen, header.name, ":", header.type, ":", header.value, "\n");
    }
    absl::StrAppend(&seen, frame.payload, "\n");
    MG_CHECK(frame.Text("").empty(), "no header is without a name");
    return absl::OkStatus();
  };
  absl::Status status;
  if (cut) {
    Pieces pieces(bytes, seed);
    for (std::string piece; status.ok() && pieces.Next(&piece);) status = parser.Feed(piece, visit);
  } else {
    status = parser.Feed(bytes, visit);
  }
  MG_CHECK(parser.kept_bytes() <= bytes.size(), "no more is kept than came");
  return absl::StrCat(seen, status.ToString());
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view input(reinterpret_cast<const char*>(data), size);
  const uint8_t seed = mg::TakeByte(&input);
  MG_CHECK(mg::Parse(input, false, seed) == mg::Parse(input, true, seed),
           "the same frames and the same end, however the bytes are cut");
  return 0;
}
