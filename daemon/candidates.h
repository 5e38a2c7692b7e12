// The candidates of one call and how they stand: which cannot serve it, which may not be asked now,
// and what each attempt must hold and leaves behind. Between the plan (routing/), which knows no
// state, and the state (resilience/), which knows no call. The call's loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/call.h"
#include "resilience/availability.h"
#include "resilience/permits.h"
#include "routing/order.h"

namespace mg {

// The live state of a candidate for one call: its own, or that of all keys that callers bring, or
// that of the call's session at a mock.
struct Reached {
  ProviderState state;  // keeps alive what the target refers to
  std::shared_ptr<Target> target;
};
Reached ReachedBy(const Call& call, const Candidate& candidate);

// How `candidate` stands for the order of a plan.
Standing StandingNow(const Call& call, const Candidate& candidate);

class Candidates {
 public:
  // `call` must outlive this; its plan has been made.
  explicit Candidates(Call* call);

  int size() const { return static_cast<int>(entries_.size()); }
  const Candidate& At(int i) const { return *call_->plan.order[static_cast<size_t>(i)]; }
  Target& TargetAt(int i) const;

  // May be asked now.
  bool Selectable(int i) const;
  // From when the one that has just failed may be asked again: as Outlook::again_from.
  Instant RepeatableFrom(int i) const;
  // Takes tokens of its endpoint's retry budget.
  bool Pay(int i, int tokens);

  // It cannot serve this call, whatever its state: "capability", "context_window".
  void Exclude(int i, const char* reason);
  // Whether it is one that could serve this call, as far as is known.
  bool Counts(int i) const { return EntryAt(i).excluded == nullptr; }
  // After an answer that the prompt is too long for `i`: only candidates that are known to hold
  // more are left.
  void ExcludeWindowsUpTo(int i);

  // Where nothing may be asked and breakers are the reason, they let a probe through earlier
  // (spec/resilience.md §3.9). To be asked once, before the first attempt.
  void ProbeIfNothingElse();
  // The first (or `only` that one) that lacks a slot and nothing else; nullopt: none.
  std::optional<int> FirstFull(std::optional<int> only) const;
  // What an attempt must hold; nullopt: it may not be asked after all, and is not selectable until
  // the next attempt has been made. `kept`: as Permits::Take.
  std::optional<Permits> Admit(int i, std::optional<Limiter::Slot> kept);

  // What the end of its attempt says: breakers, cooldowns, budget. `first`: of the call.
  void Ended(int i, Permits* permits, const AttemptRecord& row, bool first);
  // The call goes on without it: a limit that it told without saying until when begins to cool.
  void Left(int i);

  // Notes those that were passed over for `chosen` (all: nullopt) in the record, once each.
  void NoteSkipped(std::optional<int> chosen);
  // Nothing may be asked, and none was: why, and when again. At least one counts.
  absl::Status Refusal() const;

 private:
  struct Entry {
    mutable Reached reached;  // found when first needed
    const char* excluded = nullptr;
    bool refused = false;  // by Admit, since the last attempt
    bool asked = false;
    bool noted = false;    // in the record's `skipped`
    bool limited = false;  // its last answer was a 429 without a hint
  };
  Entry& EntryAt(int i) { return entries_[static_cast<size_t>(i)]; }
  const Entry& EntryAt(int i) const { return entries_[static_cast<size_t>(i)]; }
  Availability AvailabilityAt(int i) const;
  void Cool(int i, const absl::Status& status);

  Call* const call_;
  std::vector<Entry> entries_;
  bool sole_ = false;
};

}  // namespace mg
