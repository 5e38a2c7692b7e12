// How many attempts of the last while went well and how many failed (spec/resilience.md §3.2): a
// ring of ten buckets, so that old outcomes leave a tenth of the width at a time. A plain value of
// its breaker, which guards it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "base/time.h"

namespace mg {

class OutcomeWindow {
 public:
  struct Counts {
    int ok = 0;
    int failed = 0;
  };
  // Where a success was counted, so that it can be taken back; by default nowhere.
  struct Mark {
    uint64_t filling = 0;
    int64_t bucket = 0;
  };

  // `width`: at least 10 ns.
  explicit OutcomeWindow(absl::Duration width) : width_(width) {}

  // Empty, and of this width from now on.
  void Clear(absl::Duration width);
  Mark AddSuccess(Instant now);
  void AddFailure(Instant now);
  // The success at `mark` was none after all: without effect where its bucket is gone.
  void Retract(Mark mark);
  // Those of the width that ends now.
  Counts At(Instant now) const;

 private:
  static constexpr size_t kBuckets = 10;
  struct Bucket {
    int64_t number = INT64_MIN;
    Counts counts;
  };

  int64_t NumberAt(Instant now) const;
  // Emptied first where it still holds what is older than the width.
  Bucket& BucketAt(int64_t number);

  absl::Duration width_;
  uint64_t filling_ = 1;  // counts the clearings: a mark of an earlier filling leads nowhere
  std::array<Bucket, kBuckets> buckets_;
};

}  // namespace mg
