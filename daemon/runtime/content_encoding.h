// Bodies that come compressed, gzip or deflate as we ask for them, and what a decompression bomb
// is.
#pragma once

#define ZLIB_CONST  // zlib does not change what it reads
#include <zlib.h>

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace mg {

// Whether a Content-Encoding is one that was asked for (RFC 9110 §8.4.1): gzip, deflate, identity.
bool EncodingsAllowed(absl::string_view encodings);
// Whether a body with it must be decoded: it has more than identity.
bool IsEncoded(absl::string_view encodings);

// A bomb: from that size on no answer of any use is compressed that well.
constexpr size_t kBombBytes = 8 << 20;
constexpr size_t kBombRatio = 200;

// Decodes one body of one encoding, piece by piece. Owned by one exchange.
class ContentDecoder {
 public:
  // Of the Content-Encoding: "deflate" is also taken without zlib's frame, as some servers send it.
  explicit ContentDecoder(absl::string_view encodings);
  ContentDecoder(const ContentDecoder&) = delete;
  ContentDecoder& operator=(const ContentDecoder&) = delete;
  ~ContentDecoder();

  // Appends what `bytes` hold. False: they are not of that encoding, or a bomb; problem() says
  // which, and no more may come.
  bool Take(absl::string_view bytes, std::string* body);
  // Whether the compressed stream is at its end; nothing at all counts as such.
  bool complete() const { return ended_ || received_ == 0; }
  const char* problem() const { return problem_; }

 private:
  void SetInput(absl::string_view bytes);
  bool Refuse(const char* problem);
  bool IsBomb() const { return made_ > kBombBytes && made_ / kBombRatio > received_; }

  z_stream stream_{};
  size_t received_ = 0;
  size_t made_ = 0;
  bool may_be_raw_;
  bool ended_ = false;
  const char* problem_ = "";
};

}  // namespace mg
