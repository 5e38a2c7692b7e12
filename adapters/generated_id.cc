#include "adapters/generated_id.h"

#include "absl/random/random.h"
#include "absl/strings/string_view.h"

namespace mg {

std::string GeneratedCallId(absl::BitGenRef random) {
  constexpr absl::string_view kLetters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string id = "call_";
  for (int i = 0; i < 24; ++i) id.push_back(kLetters[absl::Uniform(random, 0u, kLetters.size())]);
  return id;
}

}  // namespace mg
