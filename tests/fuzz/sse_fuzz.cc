// Server-sent events: cut anywhere, a stream has the same events and the same end, and none of them
// is larger than the cap.
// Input: seed of the cuts; 's' for a small cap on events; the stream.
#include <string>
#include <vector>

#include "adapters/sse.h"
#include "base/check.h"
#include "tests/fuzz/pieces.h"

namespace mg {
namespace {

class Reading {
 public:
  explicit Reading(size_t cap) : cap_(cap), parser_(cap) {}

  void Feed(absl::string_view bytes) {
    if (status_.ok()) status_ = parser_.Feed(bytes, [this](const SseEvent& e) { return Keep(e); });
  }
  void Finish() {
    if (status_.ok()) status_ = parser_.Finish([this](const SseEvent& e) { return Keep(e); });
  }
  bool operator==(const Reading& other) const {
    return events_ == other.events_ && status_ == other.status_;
  }

 private:
  // A visitor that ends the parsing is heeded.
  absl::Status Keep(const SseEvent& event) {
    MG_CHECK(status_.ok(), "no event behind a failure");
    MG_CHECK(event.name.size() + event.data.size() <= cap_, "no event over the cap");
    events_.emplace_back(event.name);
    events_.emplace_back(event.data);
    return event.data == "stop" ? absl::AbortedError("stop") : absl::OkStatus();
  }

  const size_t cap_;
  SseParser parser_;
  std::vector<std::string> events_;
  absl::Status status_;
};

void Check(absl::string_view input) {
  const uint8_t seed = TakeByte(&input);
  const size_t cap = TakeByte(&input) == 's' ? size_t{24} : size_t{16} << 20;
  Reading whole(cap);
  whole.Feed(input);
  whole.Finish();
  Reading cut(cap);
  Pieces pieces(input, seed);
  for (std::string piece; pieces.Next(&piece);) cut.Feed(piece);
  cut.Finish();
  MG_CHECK(whole == cut, "the same events, however the stream is cut");
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
