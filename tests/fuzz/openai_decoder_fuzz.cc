// Answers in OpenAI's shapes. Input: a letter from '@' on, whose low bits choose (kWhole and so
// on); seed of the cuts; the body.
#include "tests/fuzz/decoder_check.h"

namespace mg {
namespace {

constexpr unsigned kCompatible = 2;
constexpr unsigned kGoogle = 4;

const DialectContext& ContextOf(unsigned choice) {
  static const auto* const kContexts = [] {
    auto* contexts = new std::vector<DialectContext>(4);
    for (unsigned i = 0; i < 4; ++i) {
      (*contexts)[i].provider = "acme";
      (*contexts)[i].model = "m-1";
      (*contexts)[i].compatible = (i & 1) != 0;
      (*contexts)[i].google_compatible = (i & 2) != 0;
    }
    return contexts;
  }();
  return (*kContexts)[(choice & kCompatible ? 1u : 0u) | (choice & kGoogle ? 2u : 0u)];
}

void Check(absl::string_view input) {
  const unsigned choice = TakeByte(&input);
  const uint8_t seed = TakeByte(&input);
  const DialectContext& context = ContextOf(choice);
  const char* kind = context.compatible ? "openai_compatible" : "openai";
  CheckDecoder(*FindAdapter(kind)->dialect, context, choice, seed, input);
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
