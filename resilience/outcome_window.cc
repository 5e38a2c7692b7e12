#include "resilience/outcome_window.h"

namespace mg {

void OutcomeWindow::Clear(absl::Duration width) {
  width_ = width;
  ++filling_;
  buckets_ = {};
}

OutcomeWindow::Mark OutcomeWindow::AddSuccess(Instant now) {
  Bucket& bucket = BucketAt(NumberAt(now));
  ++bucket.counts.ok;
  return {filling_, bucket.number};
}

void OutcomeWindow::AddFailure(Instant now) { ++BucketAt(NumberAt(now)).counts.failed; }

void OutcomeWindow::Retract(Mark mark) {
  if (mark.filling != filling_) return;
  for (Bucket& bucket : buckets_) {
    if (bucket.number == mark.bucket) --bucket.counts.ok;
  }
}

OutcomeWindow::Counts OutcomeWindow::At(Instant now) const {
  const int64_t newest = NumberAt(now);
  Counts sum;
  for (const Bucket& bucket : buckets_) {
    if (bucket.number <= newest - static_cast<int64_t>(kBuckets)) continue;
    sum.ok += bucket.counts.ok;
    sum.failed += bucket.counts.failed;
  }
  return sum;
}

int64_t OutcomeWindow::NumberAt(Instant now) const {
  return absl::ToUnixNanos(now) / absl::ToInt64Nanoseconds(width_ / kBuckets);
}

OutcomeWindow::Bucket& OutcomeWindow::BucketAt(int64_t number) {
  Bucket& bucket = buckets_[static_cast<uint64_t>(number) % kBuckets];
  if (bucket.number != number) bucket = {number, {}};
  return bucket;
}

}  // namespace mg
