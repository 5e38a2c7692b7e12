#include "base/same_bytes.h"

#include <openssl/crypto.h>

namespace mg {

bool SameBytes(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace mg
