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

// Decodes one body of one encoding, piece by piece and no faster than it is taken. Owned by one
// exchange.
class ContentDecoder {
 public:
  // Of the Content-Encoding: "deflate" is also taken without zlib's frame, as some servers send it,
  // and gzip in several members (RFC 1952 §2.2).
  explicit ContentDecoder(absl::string_view encodings);
  ContentDecoder(const ContentDecoder&) = delete;
  ContentDecoder& operator=(const ContentDecoder&) = delete;
  ~ContentDecoder();

  // What has come and is not decoded yet: pieces are appended here.
  std::string* input() { return &input_; }
  // Decodes the input until `body`, to which it appends, has `room` bytes (or some KiB more).
  // False: it is not of that encoding, or a bomb; problem() says which, and no more may come.
  bool Decode(size_t room, std::string* body);
  // Whether Decode has more to append without more input.
  bool pending() const { return started_ && (holds_more_ || !input_.empty()); }
  // Whether the compressed stream is at its end; nothing at all counts as such.
  bool complete() const { return input_.empty() && (ended_ || used_ == 0); }
  const char* problem() const { return problem_; }

 private:
  bool Start();
  bool NextMember();
  bool Inflate(std::string* body);
  bool Refuse(const char* problem);
  bool IsBomb() const { return made_ > kBombBytes && made_ / kBombRatio > used_; }

  const bool is_deflate_;
  std::string input_;
  z_stream stream_{};
  size_t used_ = 0;
  size_t made_ = 0;
  bool started_ = false;
  bool holds_more_ = false;
  bool ended_ = false;
  const char* problem_ = "";
};

}  // namespace mg
