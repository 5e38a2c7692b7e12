#include "daemon/execute.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "daemon/attempt.h"
#include "daemon/candidates.h"
#include "daemon/slot_queue.h"
#include "resilience/attempt_limits.h"
#include "resilience/permits.h"
#include "resilience/retry.h"

namespace mg {
namespace {

std::vector<RetryPolicy> PoliciesOf(const Plan& plan) {
  std::vector<RetryPolicy> policies;
  policies.reserve(plan.order.size());
  for (const Candidate* candidate : plan.order) policies.push_back(candidate->retry);
  return policies;
}

// A caller may lower the number of attempts.
int MaxAttemptsOf(const Call& call) {
  const int configured = call.plan.route->max_attempts;
  const int asked = call.asked.context().max_attempts();
  return asked > 0 ? std::min(configured, asked) : configured;
}

// `repair`: what is mended of the call's own request; null: nothing.
Ask AskOf(const Call& call, const Candidate& candidate, const Repair* repair) {
  Ask ask;
  ask.loop = call.loop;
  ask.http = call.http;
  ask.budget = call.budget;
  ask.logger = call.logger;
  ask.asked = call.asked;
  ask.repair = repair;
  if (repair != nullptr && repair->request != nullptr) ask.asked.chat = repair->request.get();
  ask.candidate = &candidate;
  ask.keys = &call.keys;
  ask.record = &call.record;
  ask.stream = call.stream;
  ask.refuse_unsupported = call.snapshot->refuse_unsupported;
  ask.connect_timeout = candidate.timeouts.connect;
  return ask;
}

absl::StatusOr<std::unique_ptr<Answer>> Begin(const Call& call, const Candidate& candidate,
                                              const Repair* repair) {
  const Provider* provider = call.snapshot->FindProvider(candidate.provider);
  if (provider == nullptr) {
    return MakeError(ErrorClass::kBug, "a candidate of the route has no provider");
  }
  return provider->Start(AskOf(call, candidate, repair));
}

bool LacksCapability(ErrorClass error_class) {
  return error_class == ErrorClass::kUnsupportedField ||
         error_class == ErrorClass::kUnsupportedMethod;
}

bool IsCallersFault(ErrorClass error_class) {
  return error_class == ErrorClass::kCaller || error_class == ErrorClass::kInvalidRequest ||
         error_class == ErrorClass::kContext || error_class == ErrorClass::kPolicy;
}

// Which of several failures the caller gets: its own fault before anything else; "limited" only if
// every attempt was; else what ended the call.
absl::Status Chosen(const CallRecord& record, const absl::Status& last) {
  int limited = 0;
  int quota = 0;
  const AttemptRecord* rate = nullptr;
  for (const AttemptRecord& attempt : record.attempts) {
    const ErrorClass error_class = ClassOf(attempt.status);
    // A provider's refusal ends the call, unless what it refused was left out.
    const bool mended = error_class == ErrorClass::kCaller && &attempt != &record.attempts.back();
    if (IsCallersFault(error_class) && !mended) return attempt.status;
    if (error_class == ErrorClass::kRate) rate = &attempt;
    if (error_class == ErrorClass::kQuota) ++quota;
    if (error_class == ErrorClass::kRate || error_class == ErrorClass::kQuota) ++limited;
  }
  const bool all_limited = limited > 0 && limited == static_cast<int>(record.attempts.size());
  if (all_limited && quota < limited) return rate->status;
  return last;
}

// What the caller gets where attempts were made and none follows.
absl::Status Final(const CallRecord& record, absl::Status last) {
  v1::ErrorDetail detail = DetailOf(last);
  if (record.attempts.back().by_share) {
    // Its share of the time was all that was left of it.
    detail.set_kind(v1::ERROR_KIND_DEADLINE);
    last = MakeError(ErrorClass::kDeadline, detail, last.message());
  } else if (record.attempts.back().budget_denied && detail.reason().empty()) {
    detail.set_reason("retry_budget");
    SetDetail(detail, &last);
  }
  return Chosen(record, last);
}

// Nothing may be asked, and none was: why, and when again. Those that could not serve the request
// either if they were well do not count (§3.9); where only such are left, `unable` says why, or
// what the last of them says.
absl::Status Refused(const Call& call, Candidates& candidates, absl::Status unable) {
  bool any = false;
  for (int i = 0; i < candidates.size(); ++i) {
    if (!candidates.Counts(i)) continue;
    const Candidate& candidate = candidates.At(i);
    const Provider* provider = call.snapshot->FindProvider(candidate.provider);
    absl::Status serves =
        provider == nullptr ? absl::OkStatus() : provider->Serves(AskOf(call, candidate, nullptr));
    if (LacksCapability(ClassOf(serves))) {
      candidates.Exclude(i, "capability");
      unable = std::move(serves);
    } else {
      any = true;
    }
  }
  candidates.NoteSkipped(std::nullopt);
  return any ? candidates.Refusal() : unable;
}

// A candidate that may be asked, with what an attempt must hold.
struct Turn {
  int candidate;
  Permits permits;
};

// The turn of `due`, or of another that may be asked; where all that is missing is a slot, after a
// wait for one. nullopt of `due`: the call begins. No turn: nobody may be asked.
Task<absl::StatusOr<std::optional<Turn>>> Admit(Call& call, const RetryState& retry,
                                                Candidates& candidates, std::optional<int> due) {
  const auto selectable = [&candidates](int i) { return candidates.Selectable(i); };
  const std::optional<int> again = due;
  std::optional<Limiter::Slot> slot;
  for (bool queued = false;; queued = true) {
    if (!again.has_value() && !due.has_value()) due = retry.First(selectable);
    while (due.has_value()) {
      std::optional<Permits> permits = candidates.Admit(*due, std::exchange(slot, std::nullopt));
      if (permits.has_value()) co_return Turn{*due, *std::move(permits)};
      due = again.has_value() ? retry.OtherLeft(*due, selectable) : retry.First(selectable);
    }
    due = candidates.FirstFull(again);
    if (queued || !due.has_value()) co_return std::nullopt;
    const Candidate& candidate = candidates.At(*due);
    absl::StatusOr<Limiter::Slot> free =
        co_await WaitForSlot(call, *candidates.TargetAt(*due).credential->endpoint().limiter,
                             call.snapshot->FindState(candidate.provider)->queue_timeout,
                             candidate.timeouts.min_attempt);
    if (!free.ok()) co_return free.status();
    slot = *std::move(free);
  }
}

}  // namespace

Task<absl::Status> Execute(Call& call, Sink& sink) {
  const int max_attempts = MaxAttemptsOf(call);
  RetryState retry(max_attempts, PoliciesOf(call.plan), call.plan.may_change_candidate);
  Candidates candidates(&call);
  const auto selectable = [&candidates](int i) { return candidates.Selectable(i); };
  const auto pay = [&candidates](int i, int tokens) { return candidates.Pay(i, tokens); };

  absl::Status status;     // of the last attempt, or why no candidate could serve the call
  std::optional<int> due;  // who is next; nullopt: the first that may be asked
  absl::Duration waited;
  std::unique_ptr<Repair> repair;  // what is asked instead, of the candidate that is due
  candidates.ProbeIfNothingElse();
  while (true) {
    absl::StatusOr<std::optional<Turn>> turn = co_await Admit(call, retry, candidates, due);
    if (!turn.ok() || !turn->has_value()) {
      const bool refused =
          turn.ok() && call.record.attempts.empty() && !call.cancellation->cancelled();
      if (refused) co_return Refused(call, candidates, std::move(status));
      candidates.NoteSkipped(std::nullopt);
      if (call.cancellation->cancelled()) co_return call.cancellation->status();
      if (!call.record.attempts.empty()) break;
      co_return turn.status();
    }
    const int asked = (*turn)->candidate;
    const Candidate& candidate = candidates.At(asked);
    std::optional<Permits> permits = std::move((*turn)->permits);
    if (due != asked) repair.reset();
    absl::StatusOr<std::unique_ptr<Answer>> answer = Begin(call, candidate, repair.get());
    if (!answer.ok()) {
      // It cannot carry this request (or not the mended one: then the answer that missed remains):
      // passed over, and the next one is looked for.
      if (repair == nullptr && !LacksCapability(ClassOf(answer.status())))
        co_return answer.status();
      candidates.Exclude(asked, "capability");
      if (call.record.attempts.empty()) status = answer.status();
      if (!call.record.attempts.empty()) due = asked;
      continue;
    }
    const AttemptLimits limits =
        LimitsOf(candidate.timeouts, call.deadline - call.loop->now(),
                 retry.OthersLeft(asked, selectable), max_attempts - retry.attempts() - 1);
    status = co_await Attempt(call, candidate, *std::move(answer), limits, waited, *permits, sink);
    candidates.Ended(asked, &*permits, call.record.attempts.back(), retry.attempts() == 0);
    permits.reset();
    if (status.ok() || sink.committed()) {
      candidates.Left(asked);
      co_return status;
    }
    if (call.cancellation->cancelled()) co_return call.cancellation->status();

    const Instant now = call.loop->now();
    const Instant not_after = call.deadline - candidate.timeouts.min_attempt;
    due = asked;
    if (call.repair != nullptr && retry.MayRepair(asked, now, not_after)) {
      sink.Reset();
      repair = std::move(call.repair);
      waited = absl::ZeroDuration();
      continue;
    }
    if (ClassOf(status) == ErrorClass::kContext) candidates.ExcludeWindowsUpTo(asked);
    const Outlook outlook = {selectable, candidates.RepeatableFrom(asked), pay};
    const RetryDecision next = retry.After(status, asked, now, not_after, outlook, call.random);
    call.record.attempts.back().budget_denied = next.budget_denied;
    if (next.kind != RetryDecision::Kind::kSame) candidates.Left(asked);
    if (next.kind == RetryDecision::Kind::kStop) break;
    if (next.kind == RetryDecision::Kind::kNext) repair.reset();
    sink.Reset();
    MG_CO_RETURN_IF_ERROR(co_await SleepUntil(call.loop, next.at, call.cancellation));
    waited = call.loop->now() - now;
    due = next.candidate;
  }
  co_return Final(call.record, std::move(status));
}

}  // namespace mg
