#include "adapters/sse.h"

#include <cstdint>
#include <limits>

#include "absl/strings/str_cat.h"

namespace mg {
namespace {

constexpr absl::string_view kBom = "\xEF\xBB\xBF";
constexpr size_t kNoBom = std::numeric_limits<size_t>::max();
constexpr size_t kKeptCapacity = 64 << 10;

// Emptied for what comes next. One large event must not keep its room until the stream's end.
void Empty(std::string* text) {
  if (text->capacity() > kKeptCapacity) std::string().swap(*text);
  text->clear();
}

bool EndsLine(char c) { return c == '\n' || c == '\r'; }

// Where the first line ends. Sixteen bytes are looked at together, without a way out among them, so
// that the compiler makes one step of them.
size_t LineEnd(absl::string_view bytes) {
  size_t at = 0;
  for (; at + 16 <= bytes.size(); at += 16) {
    const char* const block = bytes.data() + at;
    uint8_t ends = 0;
    for (size_t i = 0; i < 16; ++i) {
      ends |= static_cast<uint8_t>((block[i] == '\n') | (block[i] == '\r'));
    }
    if (ends != 0) break;
  }
  while (at < bytes.size() && !EndsLine(bytes[at])) ++at;
  return at < bytes.size() ? at : absl::string_view::npos;
}

}  // namespace

// The mark may be cut too: what turns out to be none of it is given back by way of line_.
absl::string_view SseParser::WithoutBom(absl::string_view bytes) {
  while (bom_seen_ < kBom.size() && !bytes.empty()) {
    if (bytes[0] != kBom[bom_seen_]) {
      line_.append(kBom.data(), bom_seen_);
      bom_seen_ = kNoBom;
      return bytes;
    }
    bytes.remove_prefix(1);
    if (++bom_seen_ == kBom.size()) bom_seen_ = kNoBom;
  }
  return bytes;
}

absl::Status SseParser::Feed(absl::string_view bytes, Visitor visit) {
  if (bom_seen_ != kNoBom) bytes = WithoutBom(bytes);
  while (!bytes.empty()) {
    if (after_cr_ && bytes[0] == '\n') bytes.remove_prefix(1);
    after_cr_ = false;
    const size_t end = LineEnd(bytes);
    const absl::string_view piece = bytes.substr(0, end);
    event_bytes_ += piece.size();
    if (event_bytes_ > max_event_bytes_) {
      return absl::ResourceExhaustedError(
          absl::StrCat("an event of the stream is larger than ", max_event_bytes_, " bytes"));
    }
    if (end == absl::string_view::npos) {
      line_.append(piece.data(), piece.size());
      return absl::OkStatus();
    }
    after_cr_ = bytes[end] == '\r';
    absl::Status status;
    if (line_.empty()) {
      status = EndLine(piece, visit);
    } else {
      line_.append(piece.data(), piece.size());
      status = EndLine(line_, visit);
      Empty(&line_);
    }
    if (!status.ok()) return status;
    bytes.remove_prefix(end + 1);
  }
  return absl::OkStatus();
}

absl::Status SseParser::EndLine(absl::string_view line, Visitor visit) {
  if (line.empty()) return Dispatch(visit);
  if (line[0] == ':') {
    // A comment is over with its line: keep-alives of an hour are no large event.
    if (!has_data_ && name_.empty()) event_bytes_ = 0;
    return absl::OkStatus();
  }
  const size_t colon = line.find(':');
  const absl::string_view field = line.substr(0, colon);
  absl::string_view value;
  if (colon != absl::string_view::npos) value = line.substr(colon + 1);
  if (!value.empty() && value[0] == ' ') value.remove_prefix(1);
  // No field begins with a bracket, but an error that a server puts between the events does.
  bare_ = bare_ || (!has_data_ && (line[0] == '{' || line[0] == '['));
  if (bare_ && field == "data") {
    if (auto status = Dispatch(visit); !status.ok()) return status;
    event_bytes_ = line.size();
  }
  if (bare_) {
    data_.append(line.data(), line.size());
    has_data_ = true;
  } else if (field == "data") {
    if (has_data_) data_.push_back('\n');
    data_.append(value.data(), value.size());
    has_data_ = true;
  } else if (field == "event") {
    name_.assign(value.data(), value.size());
  }
  return absl::OkStatus();
}

absl::Status SseParser::Dispatch(Visitor visit) {
  absl::Status status;
  if (has_data_) status = visit(SseEvent{name_, data_, bare_});
  has_data_ = false;
  bare_ = false;
  Empty(&data_);
  name_.clear();
  event_bytes_ = 0;
  return status;
}

absl::Status SseParser::Finish(Visitor visit) {
  if (!line_.empty()) {
    std::string line;
    line.swap(line_);
    if (auto status = EndLine(line, visit); !status.ok()) return status;
  }
  return Dispatch(visit);
}

}  // namespace mg
