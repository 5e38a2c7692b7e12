#include "daemon/runtime/content_encoding.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "base/check.h"

namespace mg {
namespace {

constexpr int kGzipOrZlib = MAX_WBITS + 32;  // zlib sees which of the two it is
constexpr int kRaw = -MAX_WBITS;

bool IsIdentity(absl::string_view encoding) {
  return encoding.empty() || absl::EqualsIgnoreCase(encoding, "identity");
}

}  // namespace

// zstd and brotli stay out: a frame header of a few bytes makes their decoders take 128 MiB.
bool EncodingsAllowed(absl::string_view encodings) {
  int encoded = 0;
  for (absl::string_view encoding : absl::StrSplit(encodings, ',')) {
    encoding = absl::StripAsciiWhitespace(encoding);
    if (IsIdentity(encoding)) continue;
    ++encoded;
    if (!absl::EqualsIgnoreCase(encoding, "gzip") && !absl::EqualsIgnoreCase(encoding, "x-gzip") &&
        !absl::EqualsIgnoreCase(encoding, "deflate")) {
      return false;
    }
  }
  return encoded <= 1;
}

bool IsEncoded(absl::string_view encodings) {
  for (const absl::string_view encoding : absl::StrSplit(encodings, ',')) {
    if (!IsIdentity(absl::StripAsciiWhitespace(encoding))) return true;
  }
  return false;
}

ContentDecoder::ContentDecoder(absl::string_view encodings)
    : may_be_raw_(absl::StrContains(absl::AsciiStrToLower(encodings), "deflate")) {
  MG_CHECK(inflateInit2(&stream_, kGzipOrZlib) == Z_OK, "zlib does not start");
}

ContentDecoder::~ContentDecoder() { inflateEnd(&stream_); }

bool ContentDecoder::Refuse(const char* problem) {
  problem_ = problem;
  return false;
}

bool ContentDecoder::Take(absl::string_view bytes, std::string* body) {
  if (ended_) return true;  // padding, which HTTP's own framing has counted
  const bool first = received_ == 0;
  received_ += bytes.size();
  SetInput(bytes);
  do {
    Bytef out[16 << 10];
    stream_.next_out = out;
    stream_.avail_out = sizeof out;
    const int result = inflate(&stream_, Z_SYNC_FLUSH);
    if (result == Z_DATA_ERROR && first && std::exchange(may_be_raw_, false)) {
      inflateReset2(&stream_, kRaw);
      SetInput(bytes);
      continue;
    }
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      return Refuse("it is not of its content-encoding");
    }
    const size_t made = sizeof out - stream_.avail_out;
    made_ += made;
    if (IsBomb()) return Refuse("its answer is a decompression bomb");
    body->append(reinterpret_cast<const char*>(out), made);
    ended_ = result == Z_STREAM_END;
  } while (!ended_ && (stream_.avail_in > 0 || stream_.avail_out == 0));
  return true;
}

void ContentDecoder::SetInput(absl::string_view bytes) {
  stream_.next_in = reinterpret_cast<const Bytef*>(bytes.data());
  stream_.avail_in = static_cast<uInt>(bytes.size());
}

}  // namespace mg
