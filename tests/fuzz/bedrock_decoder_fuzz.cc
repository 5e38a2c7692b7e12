// Answers in Converse's shape, whole or as frames. Input: a letter from '@' on, whose low bits
// choose (kWhole and so on; with kLines the body is read as lines, "EVENT JSON", and put into sound
// frames); seed of the cuts; the body.
#include "absl/strings/str_split.h"
#include "tests/fuzz/decoder_check.h"
#include "tests/support/frames.h"

namespace {

constexpr unsigned kLines = 32;  // a small letter

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const mg::DialectContext kContext = {.provider = "bedrock", .model = "m-1"};
  absl::string_view input(reinterpret_cast<const char*>(data), size);
  const unsigned choice = mg::TakeByte(&input);
  const uint8_t seed = mg::TakeByte(&input);
  const std::string body = (choice & kLines) != 0 ? mg::FramesOf(input) : std::string(input);
  mg::CheckDecoder(*mg::FindAdapter("bedrock")->dialect, kContext, choice, seed, body);
  return 0;
}
