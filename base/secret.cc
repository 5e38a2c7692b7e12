#include "base/secret.h"

#include <string.h>

namespace mg {

// Moved, a short value would be left behind in the other string's own bytes: so it is copied and
// wiped.
Secret::Secret(Secret&& other) noexcept {
  value_ = other.value_;
  other.Wipe();
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe();
    value_ = other.value_;
    other.Wipe();
  }
  return *this;
}

void Secret::Wipe() {
  explicit_bzero(value_.data(), value_.size());
  value_.clear();
}

}  // namespace mg
