#include "daemon/candidates.h"

#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "resilience/attempt_limits.h"
#include "resilience/refusal.h"
#include "telemetry/telemetry.h"

namespace mg {
namespace {

// How long the provider asked to be left alone.
std::optional<absl::Duration> HintOf(const absl::Status& status) {
  const v1::ErrorDetail detail = DetailOf(status);
  if (!detail.has_retry_after()) return std::nullopt;
  return absl::Seconds(detail.retry_after().seconds()) +
         absl::Nanoseconds(detail.retry_after().nanos());
}

bool EndedEarly(const AttemptRecord& row, const Timeouts& timeouts, bool stream) {
  const ErrorClass error_class = ClassOf(row.status);
  const bool by_deadline = error_class == ErrorClass::kDeadline || row.by_share;
  return by_deadline && row.ended - row.started < BlameAfter(timeouts, stream);
}

}  // namespace

Reached ReachedBy(const Call& call, const Candidate& candidate) {
  const Snapshot::State* configured = call.snapshot->FindState(candidate.provider);
  MG_CHECK(configured != nullptr, "a candidate of a provider without state");
  const Instant now = call.loop->now();
  Reached reached;
  reached.state = *configured;
  if (configured->sessions != nullptr && !call.record.mock_session.empty()) {
    reached.state = configured->sessions->For(call.record.mock_session, now);
  }
  const bool callers = call.keys.For(candidate.provider) != nullptr;
  reached.target = (callers ? reached.state.callers : reached.state.own)
                       ->TargetOf(candidate.model, call.asked.count != nullptr, now);
  return reached;
}

Standing StandingNow(const Call& call, const Candidate& candidate) {
  const Reached reached = ReachedBy(call, candidate);
  const Instant now = call.loop->now();
  return {.selectable = AvailabilityOf(*reached.target, now, false).selectable(),
          .ramp = RampOf(*reached.target, now)};
}

Candidates::Candidates(Call* call) : call_(call), entries_(call->plan.order.size()) {}

Target& Candidates::TargetAt(int i) const {
  const Entry& entry = EntryAt(i);
  if (entry.reached.target == nullptr) entry.reached = ReachedBy(*call_, At(i));
  return *entry.reached.target;
}

Availability Candidates::AvailabilityAt(int i) const {
  return AvailabilityOf(TargetAt(i), call_->loop->now(), sole_);
}

bool Candidates::Selectable(int i) const {
  const Entry& entry = EntryAt(i);
  return entry.excluded == nullptr && !entry.refused && AvailabilityAt(i).selectable();
}

Instant Candidates::RepeatableFrom(int i) const {
  if (EntryAt(i).excluded != nullptr) return kNever;
  return mg::RepeatableFrom(TargetAt(i), call_->loop->now());
}

bool Candidates::Pay(int i, int tokens) {
  return TargetAt(i).credential->endpoint().budget.Take(tokens, call_->loop->now());
}

void Candidates::Exclude(int i, const char* reason) {
  Entry& entry = EntryAt(i);
  entry.excluded = reason;
  if (entry.asked || std::exchange(entry.noted, true)) return;
  v1::Skipped& skipped = call_->record.skipped.emplace_back();
  skipped.set_candidate(At(i).id);
  skipped.set_reason(reason);
}

void Candidates::ExcludeWindowsUpTo(int i) {
  for (int other = 0; other < size(); ++other) {
    const bool larger = At(other).context_window > At(i).context_window;
    if (other != i && !larger && EntryAt(other).excluded == nullptr) {
      Exclude(other, "context_window");
    }
  }
}

void Candidates::ProbeIfNothingElse() {
  bool breakers = false;
  for (int i = 0; i < size(); ++i) {
    const Availability availability = AvailabilityAt(i);
    if (availability.selectable()) return;
    breakers |= availability.blocked_by == BlockedBy::kBreaker;
  }
  sole_ = breakers;
}

std::optional<int> Candidates::FirstFull(std::optional<int> only) const {
  for (int i = 0; i < size(); ++i) {
    const Entry& entry = EntryAt(i);
    if (entry.excluded != nullptr || (only.has_value() && *only != i)) continue;
    if (AvailabilityAt(i).blocked_by == BlockedBy::kLimiter) return i;
  }
  return std::nullopt;
}

std::optional<Permits> Candidates::Admit(int i, std::optional<Limiter::Slot> kept) {
  TargetAt(i);
  Entry& entry = EntryAt(i);
  std::vector<BreakerEvent> events;
  std::optional<Permits> permits =
      Permits::Take(entry.reached.target, call_->loop->now(), sole_, std::move(kept), &events);
  call_->Tell(events);
  entry.refused = !permits.has_value();
  if (!permits.has_value()) return permits;
  NoteSkipped(i);
  for (Entry& other : entries_) other.refused = false;
  return permits;
}

void Candidates::Ended(int i, Permits* permits, const AttemptRecord& row, bool first) {
  const Instant now = call_->loop->now();
  EntryAt(i).asked = true;
  AttemptEnd end;
  end.status = row.status;
  end.answered = row.http_status != 0;
  end.early = EndedEarly(row, At(i).timeouts, call_->stream);
  if (!row.status.ok()) end.hint = HintOf(row.status);
  std::vector<BreakerEvent> events;
  permits->End(end, now, call_->random, &events);
  call_->Tell(events);
  Target& target = TargetAt(i);
  if (!row.status.ok()) {
    // What can be mended is no fault of the credential or the model.
    if (call_->repair == nullptr) Cool(i, row.status);
    return;
  }
  EntryAt(i).limited = false;
  target.cooldown.Success(now);
  target.credential->cooldown().Success(now);
  if (first && !call_->is_retry) target.credential->endpoint().budget.FirstAttemptSucceeded(now);
}

// A caller's own key cools nothing down: what it was refused for holds for that call alone.
void Candidates::Cool(int i, const absl::Status& status) {
  Target& target = TargetAt(i);
  const CooldownScope scope = RuleOf(ClassOf(status)).cooldown;
  if (scope == CooldownScope::kNone || target.credential->of_callers()) return;
  const std::optional<absl::Duration> hint = HintOf(status);
  EntryAt(i).limited = scope == CooldownScope::kRate && !hint.has_value();
  if (EntryAt(i).limited) return;
  const bool of_model = scope == CooldownScope::kRate || scope == CooldownScope::kModel;
  Cooldown& cooldown = of_model ? target.cooldown : target.credential->cooldown();
  cooldown.Start(scope, hint, call_->loop->now(), call_->random);
}

void Candidates::Left(int i) {
  if (!std::exchange(EntryAt(i).limited, false)) return;
  TargetAt(i).cooldown.Start(CooldownScope::kRate, std::nullopt, call_->loop->now(), call_->random);
}

void Candidates::NoteSkipped(std::optional<int> chosen) {
  for (int i = 0; i < chosen.value_or(size()); ++i) {
    Entry& entry = EntryAt(i);
    if (entry.asked || entry.noted || entry.excluded != nullptr) continue;
    const Availability availability = AvailabilityAt(i);
    if (availability.selectable()) continue;
    entry.noted = true;
    v1::Skipped& skipped = call_->record.skipped.emplace_back();
    skipped.set_candidate(At(i).id);
    skipped.set_reason(BlockedByName(availability.blocked_by));
  }
}

absl::Status Candidates::Refusal() const {
  std::vector<BlockedCandidate> blocked;
  for (int i = 0; i < size(); ++i) {
    if (EntryAt(i).excluded == nullptr) blocked.push_back({At(i).id, AvailabilityAt(i)});
  }
  return mg::Refusal(call_->plan.route->group, blocked, call_->loop->now(), call_->random);
}

}  // namespace mg
