#include "daemon/runtime/content_encoding.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "base/check.h"

namespace mg {
namespace {

constexpr int kGzipOrZlib = MAX_WBITS + 32;  // zlib sees which of the two it is
constexpr int kRaw = -MAX_WBITS;
constexpr unsigned char kGzipMagic = 0x1F;

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
    : is_deflate_(absl::StrContains(absl::AsciiStrToLower(encodings), "deflate")) {
  MG_CHECK(inflateInit2(&stream_, kGzipOrZlib) == Z_OK, "zlib does not start");
}

ContentDecoder::~ContentDecoder() { inflateEnd(&stream_); }

bool ContentDecoder::Refuse(const char* problem) {
  problem_ = problem;
  return false;
}

bool ContentDecoder::Decode(size_t room, std::string* body) {
  if (!started_ && !Start()) return true;
  stream_.next_in = reinterpret_cast<const Bytef*>(input_.data());
  stream_.avail_in = static_cast<uInt>(input_.size());
  bool good = true;
  while (good && body->size() < room && (stream_.avail_in > 0 || holds_more_)) {
    if (ended_ && !NextMember()) break;
    good = Inflate(body);
  }
  input_.erase(0, input_.size() - stream_.avail_in);
  return good;
}

// The first two bytes tell whether a frame is there (RFC 1950 §2.2).
bool ContentDecoder::Start() {
  if (input_.size() < 2) return false;
  const unsigned first = static_cast<unsigned char>(input_[0]);
  const unsigned second = static_cast<unsigned char>(input_[1]);
  const bool zlib = (first & 0x0F) == Z_DEFLATED && (first << 8 | second) % 31 == 0;
  const bool gzip = first == kGzipMagic && second == 0x8B;
  if (is_deflate_ && !zlib && !gzip) inflateReset2(&stream_, kRaw);
  return started_ = true;
}

// Another member of gzip may follow; anything else is padding, which HTTP's own framing has
// counted.
bool ContentDecoder::NextMember() {
  if (*stream_.next_in != kGzipMagic) {
    stream_.avail_in = 0;
    return false;
  }
  inflateReset(&stream_);
  ended_ = false;
  return true;
}

bool ContentDecoder::Inflate(std::string* body) {
  Bytef out[16 << 10];
  stream_.next_out = out;
  stream_.avail_out = sizeof out;
  const uInt before = stream_.avail_in;
  const int result = inflate(&stream_, Z_SYNC_FLUSH);
  if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
    return Refuse("it is not of its content-encoding");
  }
  const size_t made = sizeof out - stream_.avail_out;
  used_ += before - stream_.avail_in;
  made_ += made;
  if (IsBomb()) return Refuse("its answer is a decompression bomb");
  body->append(reinterpret_cast<const char*>(out), made);
  ended_ = result == Z_STREAM_END;
  holds_more_ = !ended_ && stream_.avail_out == 0;
  return true;
}

}  // namespace mg
