#include "daemon/attempt.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/error.h"

namespace mg {
namespace {

// How long a transfer whose answer is complete may go on by itself, so that its connection can
// serve again.
constexpr absl::Duration kDrainTime = absl::Milliseconds(250);

// The clocks of one attempt (spec/resilience.md §2.6): before the commit time to first token and
// the attempt's own limit; after it the silence between any bytes, and between contents; once every
// choice has its finish, a short silence completes.
class Clocks {
 public:
  Clocks(const Call& call, const Timeouts& timeouts, const AttemptLimits& limits)
      : timeouts_(timeouts), limits_(limits), started_(call.loop->now()) {
    heard_ = progressed_ = started_;
    first_content_ = call.stream ? started_ + limits.first_content : kNever;
  }

  void Heard(Instant now) { heard_ = now; }
  absl::Duration Silence(Instant now) const { return now - heard_; }
  void Progressed(Instant now) { progressed_ = now; }

  Instant Until(Answer::State state, bool committed) const {
    if (state == Answer::State::kFinished) return heard_ + timeouts_.stream_end;
    if (committed) return std::min(heard_ + timeouts_.stream_idle, ProgressEnd());
    return std::min(started_ + limits_.whole, first_content_);
  }

  // What it means that Until came; never asked in state kFinished.
  absl::Status Error(bool committed) const {
    if (committed && ProgressEnd() < heard_ + timeouts_.stream_idle) {
      return Said(ErrorClass::kInterrupted, "the provider's stream brought no content for",
                  "timeouts.stream_progress", timeouts_.stream_progress);
    }
    if (committed) {
      return Said(ErrorClass::kInterrupted, "the provider's stream fell silent for",
                  "timeouts.stream_idle", timeouts_.stream_idle);
    }
    if (first_content_ < started_ + limits_.whole) {
      return Said(ErrorClass::kTimeout, "no content from the provider within", "timeouts.ttft",
                  limits_.first_content);
    }
    return Said(ErrorClass::kTimeout, "no answer from the provider within",
                limits_.shared ? "its share of the deadline" : "timeouts.attempt", limits_.whole);
  }
  // Whether that was no configured clock, but the share that leaves others their time.
  bool ByShare() const { return limits_.shared && started_ + limits_.whole <= first_content_; }

 private:
  static absl::Status Said(ErrorClass error_class, absl::string_view what, absl::string_view key,
                           absl::Duration limit) {
    return MakeError(error_class,
                     absl::StrCat(what, " ", key, " (", absl::FormatDuration(limit), ")"));
  }
  Instant ProgressEnd() const {
    const bool off = timeouts_.stream_progress == absl::ZeroDuration();
    return off ? kNever : progressed_ + timeouts_.stream_progress;
  }

  const Timeouts& timeouts_;
  const AttemptLimits limits_;
  const Instant started_;
  Instant first_content_;
  Instant heard_;       // the last bytes
  Instant progressed_;  // the last content
};

// A clock of ours came first: the waiting operation says so with a plain status, without detail or
// class.
bool IsClock(const absl::Status& status) {
  return status.code() == absl::StatusCode::kDeadlineExceeded &&
         ClassOf(status) == ErrorClass::kBug;
}

void FillStarted(const Call& call, const Candidate& candidate, v1::ChatEvent::Started* started) {
  if (started->id().empty()) started->set_id(absl::StrCat("chat-", call.record.request_id));
  if (started->model().empty()) started->set_model(candidate.model);
  if (!started->has_created() || started->created().seconds() == 0) {
    started->mutable_created()->set_seconds(absl::ToUnixSeconds(call.loop->WallTime()));
  }
  started->set_provider(candidate.provider);
  started->set_request_id(call.record.request_id);
}

void NoteOutcome(const AskOutcome& outcome, AttemptRecord* row) {
  row->http_status = outcome.http_status;
  row->provider_request_id = outcome.provider_request_id;
  row->usage = outcome.usage;
}

void CompleteRecord(Call& call, const Answer& answer, const v1::Usage& usage, AttemptRecord* row) {
  NoteOutcome(answer.outcome(), row);
  row->ended = call.loop->Measure();
  row->stage = "done";
  row->usage = usage;
  call.record.usage = usage;
  call.record.provider = row->provider;
  call.record.model = row->model;
  for (const v1::Warning& warning : answer.outcome().warnings) {
    call.record.warnings.push_back(warning);
  }
}

void NoteGap(absl::Duration gap, AttemptRecord* row) {
  row->longest_gap = std::max(row->longest_gap.value_or(absl::ZeroDuration()), gap);
}

// The breakers hear of a stream's success as soon as it has content.
void NoteCommit(const Call& call, Permits& permits) {
  std::vector<BreakerEvent> events;
  permits.Commit(call.loop->now(), &events);
  call.Tell(events);
}

// Hands one event on. The answer's last one carries the report, so the record is closed before it
// goes.
absl::Status Pass(Call& call, const Candidate& candidate, const Answer& answer, v1::ChatEvent event,
                  Permits& permits, Sink& sink) {
  AttemptRecord* const row = &call.record.attempts.back();
  const Instant now = call.loop->Measure();
  const bool content = BearsContent(event);
  if (event.has_started()) FillStarted(call, candidate, event.mutable_started());
  if (content && call.stream && !row->time_to_first_token.has_value()) {
    row->time_to_first_token = now - row->started;
    row->stage = "stream";
    if (!call.record.first_content.has_value()) call.record.first_content = now;
  }
  if (event.has_delta()) ++call.record.output_events;
  if (event.has_completed()) {
    CompleteRecord(call, answer, event.completed().usage(), row);
    *event.mutable_completed()->mutable_report() = ReportOf(call.record, now);
  }
  const bool committed = sink.committed();
  absl::Status taken = sink.Take(std::move(event));
  if (call.stream && !committed && sink.committed()) NoteCommit(call, permits);
  return taken;
}

// Follows the answer to its end.
Task<absl::Status> Follow(Call& call, const Candidate& candidate, Answer& answer, Clocks& clocks,
                          Permits& permits, Sink& sink) {
  std::vector<v1::ChatEvent> events;
  events.reserve(4);  // a whole answer mostly has so many
  Answer::State state = Answer::State::kMore;
  while (state != Answer::State::kDone) {
    events.clear();
    absl::StatusOr<Answer::State> next =
        co_await answer.Next(clocks.Until(state, sink.committed()), call.cancellation, &events);
    if (call.stream && sink.committed() && state == Answer::State::kMore) {
      NoteGap(clocks.Silence(call.loop->now()), &call.record.attempts.back());
    }
    absl::Status ended;
    if (next.ok()) {
      state = *next;
      clocks.Heard(call.loop->now());
    } else if (!IsClock(next.status())) {
      ended = next.status();
    } else if (state == Answer::State::kFinished) {
      ended = answer.End(&events);
      state = Answer::State::kDone;
    } else {
      ended = clocks.Error(sink.committed());
      call.record.attempts.back().by_share = !sink.committed() && clocks.ByShare();
    }
    if (answer.outcome().connected &&
        !call.record.attempts.back().time_to_first_token.has_value()) {
      call.record.attempts.back().stage = "first_token";
    }
    // What came before an error was said all the same.
    for (v1::ChatEvent& event : events) {
      if (BearsContent(event)) clocks.Progressed(call.loop->now());
      MG_CO_RETURN_IF_ERROR(Pass(call, candidate, answer, std::move(event), permits, sink));
    }
    MG_CO_RETURN_IF_ERROR(ended);
  }
  if (std::unique_ptr<google::protobuf::Message> whole = answer.TakeWhole(); whole != nullptr) {
    CompleteRecord(call, answer, answer.outcome().usage, &call.record.attempts.back());
    sink.TakeWhole(std::move(whole));
  }
  co_return absl::OkStatus();
}

// Lost connections and missing ends mean one thing before the commit and another after it
// (spec/resilience.md §3.4).
absl::Status InItsPlace(absl::Status status, bool committed) {
  const ErrorClass error_class = ClassOf(status);
  const bool lost = error_class == ErrorClass::kReset || error_class == ErrorClass::kEmpty ||
                    error_class == ErrorClass::kTimeout || error_class == ErrorClass::kInterrupted;
  if (!lost) return status;
  if (committed && error_class != ErrorClass::kInterrupted) {
    return MakeError(ErrorClass::kInterrupted, status.message());
  }
  if (!committed && error_class == ErrorClass::kInterrupted) {
    return MakeError(ErrorClass::kReset, status.message());
  }
  return status;
}

Task<void> DrainAnswer(Loop* loop, std::unique_ptr<Answer> answer) {
  co_await answer->Drain(loop->now() + kDrainTime);
}

}  // namespace

Task<absl::Status> Attempt(Call& call, const Candidate& candidate, std::unique_ptr<Answer> answer,
                           const AttemptLimits& limits, absl::Duration waited, Permits& permits,
                           Sink& sink) {
  {
    AttemptRecord& row = call.record.attempts.emplace_back();
    row.candidate = candidate.id;
    row.provider = candidate.provider;
    row.model = candidate.model;
    row.tier = candidate.tier;
    row.started = call.loop->Measure();
    row.waited = waited;
    if (permits.half_open()) row.breaker = "half_open";
  }
  Clocks clocks(call, candidate.timeouts, limits);
  absl::Status status = co_await Follow(call, candidate, *answer, clocks, permits, sink);
  if (status.ok()) {
    Spawn(DrainAnswer(call.loop, std::move(answer)));
    co_return status;
  }
  AttemptRecord& row = call.record.attempts.back();
  NoteOutcome(answer->outcome(), &row);
  call.repair = answer->TakeRepair();
  row.ended = call.loop->Measure();
  status = InItsPlace(std::move(status), sink.committed());
  v1::ErrorDetail detail = DetailOf(status);
  detail.set_provider(candidate.provider);
  if (detail.http_status() == 0) detail.set_http_status(row.http_status);
  SetDetail(detail, &status);
  status = call.keys.Judged(candidate.provider, std::move(status));
  row.status = status;
  co_return status;
}

}  // namespace mg
