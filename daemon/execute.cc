#include "daemon/execute.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "base/error.h"
#include "daemon/attempt.h"
#include "resilience/retry.h"

namespace mg {
namespace {

// The candidates of this call that were found unable to serve it; the rest may be asked.
class Selectable {
 public:
  explicit Selectable(size_t count) : excluded_(count, false) {}
  bool operator()(int candidate) const { return !excluded_[static_cast<size_t>(candidate)]; }
  void Exclude(int candidate) { excluded_[static_cast<size_t>(candidate)] = true; }

 private:
  absl::InlinedVector<bool, 8> excluded_;
};

std::vector<BackoffPolicy> BackoffsOf(const Plan& plan) {
  std::vector<BackoffPolicy> backoffs;
  backoffs.reserve(plan.order.size());
  for (const Candidate* candidate : plan.order) backoffs.push_back(candidate->backoff);
  return backoffs;
}

// `repair`: asked in place of the call's own request; null: none.
absl::StatusOr<std::unique_ptr<Answer>> Begin(const Call& call, const Candidate& candidate,
                                              const v1::ChatRequest* repair) {
  const Provider* provider = call.snapshot->FindProvider(candidate.provider);
  if (provider == nullptr) {
    return MakeError(ErrorClass::kBug, "a candidate of the route has no provider");
  }
  Ask ask;
  ask.loop = call.loop;
  ask.http = call.http;
  ask.budget = call.budget;
  ask.logger = call.logger;
  ask.asked = call.asked;
  if (repair != nullptr) ask.asked.chat = repair;
  ask.candidate = &candidate;
  ask.keys = &call.keys;
  ask.stream = call.stream;
  ask.refuse_unsupported = call.snapshot->refuse_unsupported;
  ask.connect_timeout = candidate.timeouts.connect;
  return provider->Start(ask);
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
    if (IsCallersFault(error_class)) return attempt.status;
    if (error_class == ErrorClass::kRate) rate = &attempt;
    if (error_class == ErrorClass::kQuota) ++quota;
    if (error_class == ErrorClass::kRate || error_class == ErrorClass::kQuota) ++limited;
  }
  const bool all_limited = limited > 0 && limited == static_cast<int>(record.attempts.size());
  if (all_limited && quota < limited) return rate->status;
  return last;
}

void Skip(Call& call, const Candidate& candidate, const char* reason) {
  v1::Skipped& skipped = call.record.skipped.emplace_back();
  skipped.set_candidate(candidate.id);
  skipped.set_reason(reason);
}

}  // namespace

Task<absl::Status> Execute(Call& call, Sink& sink) {
  const Plan& plan = call.plan;
  Selectable selectable(plan.order.size());
  RetryPolicy policy = plan.route->retry;
  if (const int most = call.asked.context().max_attempts(); most > 0) {
    policy.max_attempts = std::min(policy.max_attempts, most);
  }
  RetryState retry(policy, BackoffsOf(plan), plan.may_change_candidate);

  absl::Status status;  // of the last attempt, or why no candidate could be asked
  std::optional<int> turn = retry.First(selectable);
  absl::Duration waited;
  std::unique_ptr<v1::ChatRequest> repair;  // what is asked instead, of this candidate
  while (turn.has_value()) {
    const Candidate& candidate = *plan.order[static_cast<size_t>(*turn)];
    absl::StatusOr<std::unique_ptr<Answer>> answer = Begin(call, candidate, repair.get());
    if (!answer.ok() && repair != nullptr) {
      // The mended conversation is not one that it takes: the answer that missed remains.
      repair.reset();
      selectable.Exclude(*turn);
      turn = retry.OtherLeft(*turn, selectable);
      continue;
    }
    if (!answer.ok()) {
      if (!LacksCapability(ClassOf(answer.status()))) co_return answer.status();
      // It cannot carry this request: passed over, and the next one is looked for.
      Skip(call, candidate, "capability");
      selectable.Exclude(*turn);
      if (call.record.attempts.empty()) status = answer.status();
      turn = retry.OtherLeft(*turn, selectable);
      continue;
    }
    const bool alternative = retry.attempts() + 1 < policy.max_attempts &&
                             retry.OtherLeft(*turn, selectable).has_value();
    status = co_await Attempt(call, candidate, *std::move(answer), alternative, waited, sink);
    if (status.ok() || sink.committed()) co_return status;
    if (call.cancellation->cancelled()) co_return call.cancellation->status();

    const Instant now = call.loop->now();
    const Instant not_after = call.deadline - candidate.timeouts.min_attempt;
    if (call.repair != nullptr && retry.MayRepair(*turn, now, not_after)) {
      sink.Reset();
      repair = std::move(call.repair);
      waited = absl::ZeroDuration();
      continue;
    }
    const RetryDecision next = retry.After(status, *turn, now, not_after, selectable, call.random);
    if (next.kind == RetryDecision::Kind::kStop) break;
    if (next.kind == RetryDecision::Kind::kNext) repair.reset();
    sink.Reset();
    MG_CO_RETURN_IF_ERROR(co_await SleepUntil(call.loop, next.at, call.cancellation));
    waited = call.loop->now() - now;
    turn = next.candidate;
  }
  co_return Chosen(call.record, status);
}

}  // namespace mg
