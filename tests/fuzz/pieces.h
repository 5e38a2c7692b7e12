// Cuts the bytes of a fuzzer's input the way a network might: what a target is fed piece by piece,
// to compare with the same fed whole. Each piece is a copy of its own, so that the sanitizer sees a
// byte read beyond it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#include "absl/strings/string_view.h"

namespace mg {

class Pieces {
 public:
  // The same seed cuts the same bytes alike; every fourth seed gives single bytes.
  Pieces(absl::string_view bytes, uint8_t seed) : rest_(bytes), random_(seed) {
    constexpr size_t kLongest[] = {1, 3, 16, 256};
    longest_ = kLongest[seed % 4];
  }

  bool Next(std::string* piece) {
    if (rest_.empty()) return false;
    *piece = std::string(rest_.substr(0, 1 + random_() % longest_));
    rest_.remove_prefix(piece->size());
    return true;
  }

 private:
  absl::string_view rest_;
  std::minstd_rand random_;
  size_t longest_ = 1;
};

// Takes the first byte of an input, by which a target chooses; 0 where there is none.
inline uint8_t TakeByte(absl::string_view* input) {
  if (input->empty()) return 0;
  const auto byte = static_cast<uint8_t>((*input)[0]);
  input->remove_prefix(1);
  return byte;
}

}  // namespace mg
