// A secret: the one type in which keys live. It cannot be copied or printed by accident and is
// wiped when freed. Created at configuration load; read-only afterwards, so any thread may read it.
#pragma once

#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace mg {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { Wipe(); }

  bool empty() const { return value_.empty(); }
  // The value itself: for a header that goes to its provider and for scrubbing, nothing else.
  absl::string_view Reveal() const { return value_; }

 private:
  void Wipe();

  std::string value_;
};

// "[redacted]", for anything that prints.
inline absl::string_view Describe(const Secret&) { return "[redacted]"; }

}  // namespace mg
