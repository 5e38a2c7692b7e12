#include "base/nearest.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"

namespace mg {
namespace {

// The edit distance of `a` and `b` where it is less than `limit`, else `limit`.
size_t DistanceBelow(size_t limit, absl::string_view a, absl::string_view b) {
  const size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference >= limit) return limit;
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    size_t least = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
      least = std::min(least, row[j]);
    }
    if (least > limit) return limit;  // by more than one: a swap reaches back over a row
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return std::min(limit, last[b.size()]);
}

}  // namespace

std::string Nearest(absl::string_view word, absl::Span<const std::string> candidates) {
  const std::string wanted = absl::AsciiStrToLower(word);
  const std::string* nearest = nullptr;
  size_t limit = (wanted.size() + 1) / 2 + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = DistanceBelow(limit, wanted, absl::AsciiStrToLower(candidate));
    if (distance >= limit) continue;
    limit = distance;
    nearest = &candidate;
  }
  return nearest == nullptr ? std::string() : *nearest;
}

}  // namespace mg
