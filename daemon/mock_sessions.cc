#include "daemon/mock_sessions.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "telemetry/call_record.h"

namespace mg {
namespace {

constexpr char kAnyModel[] = "*";
constexpr int kDefaultPage = 100;
constexpr size_t kPageBytes = size_t{3} << 20;
// What is counted by name in a session; the names come from callers.
constexpr size_t kMaxCounted = 10'000;

std::string ModelOf(const v1::MockTarget& target) {
  return target.model().empty() ? kAnyModel : target.model();
}

bool Matches(const v1::MockTarget& wanted, const std::string& provider, const std::string& model) {
  if (!wanted.provider().empty() && wanted.provider() != provider) return false;
  const std::string any = ModelOf(wanted);
  return any == kAnyModel || any == model;
}

bool Fits(const v1::ScriptedAnswer& answer, const Asked& asked) {
  switch (answer.kind_case()) {
    case v1::ScriptedAnswer::kText:
    case v1::ScriptedAnswer::kChat:
    case v1::ScriptedAnswer::kEvents:
      return asked.chat != nullptr;
    case v1::ScriptedAnswer::kEmbed:
      return asked.embed != nullptr;
    case v1::ScriptedAnswer::kCount:
      return asked.count != nullptr;
    case v1::ScriptedAnswer::KIND_NOT_SET:
      return true;
  }
  return false;
}

void SetInput(const Asked& asked, v1::MockCall* call) {
  if (asked.chat != nullptr) *call->mutable_chat() = *asked.chat;
  if (asked.embed != nullptr) *call->mutable_embed() = *asked.embed;
  if (asked.count != nullptr) *call->mutable_count() = *asked.count;
}

absl::Status Full(size_t bytes) {
  return MakeError(ErrorClass::kShed,
                   absl::StrCat("what was put into the mocks' sessions leaves no room (of ",
                                bytes >> 20, " MiB): Reset those that are done with"));
}

}  // namespace

MockSessions::Session& MockSessions::Use(const std::string& name, Instant now) {
  EndIdle(now);
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) {
    sessions_.splice(sessions_.end(), sessions_, found->second);
  } else {
    if (sessions_.size() >= limits_.sessions) Erase(sessions_.begin());
    sessions_.emplace_back().name = name;
    by_name_[name] = std::prev(sessions_.end());
  }
  sessions_.back().used = now;
  return sessions_.back();
}

void MockSessions::EndIdle(Instant now) {
  while (!sessions_.empty() && now - sessions_.front().used > limits_.idle) {
    Erase(sessions_.begin());
  }
}

void MockSessions::Erase(Sessions::iterator session) {
  bytes_ -= session->bytes;
  by_name_.erase(session->name);
  sessions_.erase(session);
}

void MockSessions::Charge(Session* session, size_t bytes) {
  session->bytes += bytes;
  bytes_ += bytes;
}

void MockSessions::Free(Session* session, size_t bytes) {
  session->bytes -= bytes;
  bytes_ -= bytes;
}

void MockSessions::DropCall(Session* session) {
  Free(session, session->calls.front().bytes);
  session->calls.pop_front();
}

bool MockSessions::MakeRoom(size_t more) {
  for (Session& session : sessions_) {
    while (bytes_ + more > limits_.bytes && !session.calls.empty()) DropCall(&session);
  }
  return bytes_ + more <= limits_.bytes;
}

bool MockSessions::Exchange(Session* session, size_t* held, size_t bytes) {
  Free(session, *held);
  const bool room = MakeRoom(bytes);
  if (room) *held = bytes;
  Charge(session, *held);
  return room;
}

absl::Status MockSessions::Put(const v1::MockTarget& target, std::shared_ptr<const MockRules> rules,
                               size_t bytes, Instant now) {
  absl::MutexLock lock(&mutex_);
  Session& session = Use(target.session(), now);
  Mock& mock = session.mocks[{target.provider(), ModelOf(target)}];
  if (!Exchange(&session, &mock.rules_bytes, bytes)) return Full(limits_.bytes);
  mock.rules = std::move(rules);
  return absl::OkStatus();
}

absl::Status MockSessions::Script(const v1::ScriptRequest& request, Instant now) {
  const size_t bytes = request.SpaceUsedLong();
  absl::MutexLock lock(&mutex_);
  Session& session = Use(request.target().session(), now);
  Mock& mock = session.mocks[{request.target().provider(), ModelOf(request.target())}];
  if (!Exchange(&session, &mock.script_bytes, bytes)) return Full(limits_.bytes);
  mock.script.assign(request.answers().begin(), request.answers().end());
  mock.repeat_last = request.repeat_last();
  return absl::OkStatus();
}

void MockSessions::Remove(const v1::MockTarget& target, Instant now) {
  absl::MutexLock lock(&mutex_);
  Session& session = Use(target.session(), now);
  const auto found = session.mocks.find({target.provider(), ModelOf(target)});
  if (found == session.mocks.end()) return;
  Free(&session, found->second.rules_bytes + found->second.script_bytes);
  session.mocks.erase(found);
}

v1::ListCallsResponse MockSessions::List(const v1::ListCallsRequest& request, Instant now) {
  const int limit = request.limit() > 0 ? request.limit() : kDefaultPage;
  const v1::MockTarget& target = request.target();
  v1::ListCallsResponse response;
  absl::MutexLock lock(&mutex_);
  const Session& session = Use(target.session(), now);
  for (const auto& [model, count] : session.counts) {
    if (Matches(target, model.first, model.second)) {
      response.set_total(response.total() + count);
    }
  }
  size_t bytes = 0;
  for (const Call& call : session.calls) {
    const v1::MockTarget& asked = call.told.target();
    if (call.told.number() <= request.after()) continue;
    if (!Matches(target, asked.provider(), asked.model())) continue;
    bytes += call.told.ByteSizeLong();
    const bool full = response.calls_size() == limit || bytes > kPageBytes;
    if (full && response.calls_size() > 0) {
      response.set_more(true);
      break;
    }
    *response.add_calls() = call.told;
  }
  return response;
}

void MockSessions::Reset(const v1::ResetRequest& request) {
  absl::MutexLock lock(&mutex_);
  if (request.all()) {
    sessions_.clear();
    by_name_.clear();
    bytes_ = 0;
    return;
  }
  const auto found = by_name_.find(request.session());
  if (found != by_name_.end()) Erase(found->second);
}

int64_t MockSessions::Begin(const Ask& ask) {
  Call call;
  call.told.set_request_id(ask.record->request_id);
  call.told.set_attempt(static_cast<int>(ask.record->attempts.size()) + 1);
  call.told.set_outcome("running");
  *call.told.mutable_at() = google::protobuf::util::TimeUtil::NanosecondsToTimestamp(
      absl::ToUnixNanos(ask.loop->WallTime()));
  v1::MockTarget* target = call.told.mutable_target();
  target->set_provider(ask.candidate->provider);
  target->set_model(ask.candidate->model);
  target->set_session(ask.record->mock_session);
  SetInput(ask.asked, &call.told);
  call.bytes = call.told.SpaceUsedLong() + sizeof call;

  absl::MutexLock lock(&mutex_);
  Session& session = Use(ask.record->mock_session, ask.loop->now());
  const Model model(ask.candidate->provider, ask.candidate->model);
  if (session.counts.size() < kMaxCounted || session.counts.count(model) > 0) {
    if (++session.counts[model] == 1) {
      Charge(&session, sizeof model + model.first.size() + model.second.size());
    }
  }
  call.told.set_number(++session.last_number);
  call.id = ++last_call_;
  if (session.calls.size() >= limits_.calls) DropCall(&session);
  if (!MakeRoom(call.bytes)) return call.id;
  Charge(&session, call.bytes);
  session.calls.push_back(std::move(call));
  return last_call_;
}

MockSessions::Turn MockSessions::Take(const Ask& ask) {
  absl::MutexLock lock(&mutex_);
  Session& session = Use(ask.record->mock_session, ask.loop->now());
  Turn turn;
  for (const std::string& model : {ask.candidate->model, std::string(kAnyModel)}) {
    const auto found = session.mocks.find({ask.candidate->provider, model});
    if (found == session.mocks.end()) continue;
    Mock& mock = found->second;
    if (turn.rules == nullptr) turn.rules = mock.rules;
    if (turn.answer.has_value()) break;
    const auto fits = [&](const v1::ScriptedAnswer& answer) { return Fits(answer, ask.asked); };
    const auto next = std::find_if(mock.script.begin(), mock.script.end(), fits);
    if (next == mock.script.end()) continue;
    turn.answer = *next;
    const bool last = std::none_of(std::next(next), mock.script.end(), fits);
    if (!last || !mock.repeat_last) mock.script.erase(next);
  }
  return turn;
}

void MockSessions::End(const std::string& session, int64_t call, absl::string_view outcome,
                       bool cancelled) {
  absl::MutexLock lock(&mutex_);
  const auto found = by_name_.find(session);
  if (found == by_name_.end()) return;
  std::deque<Call>& calls = found->second->calls;
  const auto kept = std::lower_bound(calls.begin(), calls.end(), call,
                                     [](const Call& each, int64_t id) { return each.id < id; });
  if (kept == calls.end() || kept->id != call) return;
  kept->told.set_outcome(std::string(outcome));
  kept->told.set_cancelled(cancelled);
}

}  // namespace mg
