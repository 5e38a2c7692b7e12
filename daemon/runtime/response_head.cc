#include "daemon/runtime/response_head.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "daemon/runtime/content_encoding.h"

namespace mg {

bool ResponseHead::AddLine(absl::string_view line) {
  if (complete()) return true;  // a trailer
  bytes_ += line.size();
  if (bytes_ > kMaxBytes) return Refuse("the head of its answer is larger than 64 KiB");
  absl::ConsumeSuffix(&line, "\n");
  absl::ConsumeSuffix(&line, "\r");
  if (expects_ == Expects::kStatusLine) return StatusLine(line);
  return line.empty() ? EndOfHead() : Field(line);
}

bool ResponseHead::StatusLine(absl::string_view line) {
  const size_t space = line.find(' ');
  const absl::string_view code =
      space == absl::string_view::npos ? absl::string_view() : line.substr(space + 1, 3);
  if (!absl::StartsWith(line, "HTTP/") || code.size() != 3 ||
      !std::all_of(code.begin(), code.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(code, &head_.status) || head_.status < 100) {
    return Refuse("its answer has no status line");
  }
  head_.headers.clear();
  expects_ = Expects::kFields;
  return true;
}

bool ResponseHead::Field(absl::string_view line) {
  if (line[0] == ' ' || line[0] == '\t') {  // obs-fold goes on with the field before it
    if (head_.headers.empty()) return Refuse("its answer has a malformed header");
    absl::StrAppend(&head_.headers.back().value, " ", absl::StripAsciiWhitespace(line));
    return true;
  }
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos) return Refuse("its answer has a malformed header");
  const absl::string_view name = absl::StripAsciiWhitespace(line.substr(0, colon));
  const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
  if (absl::EqualsIgnoreCase(name, "content-encoding") && !EncodingsAllowed(value)) {
    return Refuse("its answer has a content-encoding that was not asked for");
  }
  if (absl::EqualsIgnoreCase(name, "transfer-encoding") &&
      !absl::EqualsIgnoreCase(value, "chunked") && !absl::EqualsIgnoreCase(value, "identity")) {
    return Refuse("its answer has a transfer-encoding that was not asked for");
  }
  head_.headers.push_back({std::string(name), std::string(value)});
  return true;
}

bool ResponseHead::EndOfHead() {
  if (head_.status == 101) return Refuse("it switches to another protocol, unasked");
  if (head_.status >= 200) {
    expects_ = Expects::kNothing;
    return true;
  }
  if (++informational_ > kMaxInformational) return Refuse("it sends informational heads only");
  expects_ = Expects::kStatusLine;
  return true;
}

}  // namespace mg
