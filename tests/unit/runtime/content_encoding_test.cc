#include "daemon/runtime/content_encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "tests/support/script.h"

namespace mg {
namespace {

// As zlib deflates it; negative window bits leave its frame out.
std::string Deflated(const std::string& text, int window_bits) {
  z_stream stream{};
  const int begun = deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  MG_CHECK(begun == Z_OK, "zlib does not start");
  std::string out(text.size() + 100, '\0');
  stream.next_in = reinterpret_cast<const Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

bool Take(ContentDecoder* decoder, absl::string_view bytes, std::string* body) {
  decoder->input()->append(bytes.data(), bytes.size());
  return decoder->Decode(std::string::npos, body);
}

TEST(ContentEncodingTest, OnlyWhatWasAskedForIsAllowed) {
  for (const char* good : {"", "identity", "gzip", "GZip", "x-gzip", "deflate", "identity, gzip"}) {
    EXPECT_TRUE(EncodingsAllowed(good)) << good;
  }
  for (const char* bad : {"br", "zstd", "gzip, br", "gzip, gzip", "compress", "gzipp"}) {
    EXPECT_FALSE(EncodingsAllowed(bad)) << bad;
  }
  EXPECT_FALSE(IsEncoded(""));
  EXPECT_FALSE(IsEncoded("identity"));
  EXPECT_TRUE(IsEncoded("identity, gzip"));
}

TEST(ContentEncodingTest, ABodyIsTheSameWhereverItIsCut) {
  const std::string text = std::string(3000, 'a') + "hello" + std::string(40000, 'b');
  const std::pair<const char*, std::string> bodies[] = {
      {"gzip", Gzipped(text)},
      {"deflate", Deflated(text, MAX_WBITS)},
      {"deflate", Deflated(text, -MAX_WBITS)},
      {"gzip", Gzipped(text.substr(0, 3000)) + Gzipped("") + Gzipped(text.substr(3000))},
  };
  for (const auto& [encoding, bytes] : bodies) {
    for (size_t cut = 1; cut <= bytes.size(); ++cut) {
      ContentDecoder decoder(encoding);
      std::string body;
      ASSERT_TRUE(Take(&decoder, absl::string_view(bytes).substr(0, cut), &body));
      ASSERT_FALSE(decoder.pending());
      ASSERT_TRUE(Take(&decoder, absl::string_view(bytes).substr(cut), &body));
      ASSERT_TRUE(decoder.complete());
      ASSERT_EQ(body, text);
    }
  }
}

TEST(ContentEncodingTest, NoMoreIsDecodedThanThereIsRoomFor) {
  const std::string text(1 << 20, 'a');
  ContentDecoder decoder("gzip");
  *decoder.input() = Gzipped(text);
  std::string body;
  size_t taken = 0;
  do {
    ASSERT_TRUE(decoder.Decode(1000, &body));
    ASSERT_LE(body.size(), 1000u + (16u << 10));
    ASSERT_GT(body.size(), 0u);
    taken += body.size();
    body.clear();
  } while (decoder.pending());
  EXPECT_EQ(taken, text.size());
  EXPECT_TRUE(decoder.complete());
}

TEST(ContentEncodingTest, PaddingBehindTheEndIsLeftOut) {
  ContentDecoder decoder("gzip");
  std::string body;
  ASSERT_TRUE(Take(&decoder, Gzipped("hello") + std::string(9, '\0'), &body));
  ASSERT_TRUE(Take(&decoder, std::string(9, '\0'), &body));
  EXPECT_EQ(body, "hello");
  EXPECT_TRUE(decoder.complete());
}

TEST(ContentEncodingTest, WhatIsNotOfTheEncodingIsRefused) {
  for (const char* encoding : {"gzip", "deflate"}) {
    ContentDecoder decoder(encoding);
    std::string body;
    EXPECT_FALSE(Take(&decoder, "\xff\xff no such thing", &body));
    EXPECT_STRNE(decoder.problem(), "");
  }
  ContentDecoder gzip("gzip");
  std::string body;
  EXPECT_FALSE(Take(&gzip, Deflated("raw", -MAX_WBITS), &body)) << "raw is deflate's only";
}

TEST(ContentEncodingTest, NothingAtAllIsABodyAndItsHalfIsNone) {
  ContentDecoder decoder("gzip");
  EXPECT_TRUE(decoder.complete());
  std::string body;
  ASSERT_TRUE(Take(&decoder, Gzipped("hello").substr(0, 12), &body));
  EXPECT_FALSE(decoder.complete());
}

}  // namespace
}  // namespace mg
