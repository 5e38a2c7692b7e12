// Takes loaded secrets out of whatever is about to be written: whole ones, their first eight bytes
// and more, and their base64, URL-encoded and JSON-escaped forms. Immutable; any thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "base/secret.h"

namespace mg {

class Scrubber {
 public:
  Scrubber() = default;
  // Values of under four bytes are no secrets, and would tear holes into every text.
  explicit Scrubber(const std::vector<absl::string_view>& secrets);
  // The same with further secrets: those that it knows stay known, since a call that is under way
  // may still bring them up. Of more than two thousand forms only those of `secrets` are kept.
  Scrubber With(const std::vector<absl::string_view>& secrets) const;

  bool Knows(const std::vector<absl::string_view>& secrets) const;

  // Whether there is something to replace.
  bool Finds(absl::string_view text) const { return MayFind(text) && Find(text, 0).second != 0; }
  // Replaces in place by "[redacted]"; false if there was nothing to replace.
  bool Scrub(std::string* text) const;

 private:
  bool Has(absl::string_view form) const;
  void AddSecret(absl::string_view secret);
  void Add(absl::string_view form);
  // Whether to look for something at all: a quick look at a third of `text`.
  bool MayFind(absl::string_view text) const;
  // The next place and length of what belongs to a secret, from `at` on; of length 0: none.
  std::pair<size_t, size_t> Find(absl::string_view text, size_t at) const;
  // How many bytes at the head of `text` belong to a secret; 0: none.
  size_t Match(absl::string_view text) const;

  std::vector<Secret> needles_;
  // By its first two bytes: most places of most texts are passed over with one look.
  std::bitset<65536> begins_;
  // The pairs of bytes among the first four of each. What belongs to one begins with all four, and
  // wherever it stands, one place in three falls on a pair of them.
  std::bitset<65536> pairs_;
  absl::flat_hash_map<uint16_t, std::vector<size_t>> by_beginning_;
};

}  // namespace mg
