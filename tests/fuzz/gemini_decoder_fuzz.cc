// Answers in Gemini's shape. Input: a letter from '@' on, whose low bits choose (kWhole and so on);
// seed of the cuts; the body.
#include "tests/fuzz/decoder_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const mg::DialectContext kContext = {.provider = "gemini", .model = "gemini-3-x"};
  absl::string_view input(reinterpret_cast<const char*>(data), size);
  const unsigned choice = mg::TakeByte(&input);
  const uint8_t seed = mg::TakeByte(&input);
  mg::CheckDecoder(*mg::FindAdapter("gemini")->dialect, kContext, choice, seed, input);
  return 0;
}
