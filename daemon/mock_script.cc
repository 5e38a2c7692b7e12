#include "daemon/mock_script.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "daemon/config/effective.h"
#include "daemon/mock_rules.h"

namespace mg {
namespace {

constexpr int kMinStatus = 300;
constexpr int kMaxStatus = 599;
constexpr int kMaxPieces = 1'000'000;

absl::Status Wrong(absl::string_view field, absl::string_view what) {
  return FieldError(ErrorClass::kInvalidRequest, field, absl::StrCat(field, " ", what));
}

absl::Status CheckCount(int count, const std::string& field) {
  if (count >= 0 && count <= kMaxPieces) return absl::OkStatus();
  return Wrong(field, absl::StrCat("is ", count, ", not 0 to ", kMaxPieces));
}

absl::Status CheckFault(const v1::MockFault& fault, const std::string& field) {
  switch (fault.kind_case()) {
    case v1::MockFault::kStatus:
      if (fault.status() >= kMinStatus && fault.status() <= kMaxStatus) return absl::OkStatus();
      return Wrong(field + ".status",
                   absl::StrCat("is ", fault.status(), ", not ", kMinStatus, " to ", kMaxStatus));
    case v1::MockFault::kResetAfter:
      return CheckCount(fault.reset_after(), field + ".reset_after");
    case v1::MockFault::kStallAfter:
      return CheckCount(fault.stall_after(), field + ".stall_after");
    case v1::MockFault::kTruncateAfter:
      return CheckCount(fault.truncate_after(), field + ".truncate_after");
    case v1::MockFault::kMalformed:
      if (fault.malformed()) return absl::OkStatus();
      return Wrong(field + ".malformed", "can only be true: leave the fault out for none");
    case v1::MockFault::KIND_NOT_SET:
      return Wrong(field,
                   "names no fault: status, reset_after, stall_after, truncate_after or "
                   "malformed");
  }
  return absl::OkStatus();
}

absl::Status CheckWait(const google::protobuf::Duration& wait, absl::Duration max,
                       const std::string& field) {
  const absl::Duration duration = ToDuration(wait);
  if (duration >= absl::ZeroDuration() && duration <= max) return absl::OkStatus();
  return Wrong(field, absl::StrCat("is ", absl::FormatDuration(duration), ", not 0s to ",
                                   absl::FormatDuration(max)));
}

absl::Status CheckLatency(const v1::MockLatency& latency, const std::string& field) {
  if (absl::Status status = CheckWait(latency.first(), absl::Hours(1), field + ".first");
      !status.ok()) {
    return status;
  }
  return CheckWait(latency.token(), absl::Minutes(10), field + ".token");
}

absl::Status CheckRule(const v1::MockRule& rule, const std::string& field) {
  if (!rule.has_reply() && !rule.has_fault()) return Wrong(field, "needs a reply, a fault or both");
  if (rule.has_reply() && rule.reply().kind_case() == v1::MockReply::KIND_NOT_SET) {
    return Wrong(field + ".reply", "is empty: text or echo");
  }
  if (rule.reply().has_echo() && !rule.reply().echo()) {
    return Wrong(field + ".reply.echo", "can only be true: write text for another reply");
  }
  return rule.has_fault() ? CheckFault(rule.fault(), field + ".fault") : absl::OkStatus();
}

absl::Status CheckHeaders(const v1::ScriptedAnswer& answer, const std::string& field) {
  for (const auto& [name, value] : answer.headers()) {
    const bool token = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
    });
    const bool line = std::none_of(value.begin(), value.end(), [](char c) {
      return absl::ascii_iscntrl(static_cast<unsigned char>(c));
    });
    if (!token || !line) {
      return Wrong(field, "must be names of letters, digits, '-' and '_' with values of one line");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckEvents(const v1::ScriptedEvents& events, const std::string& field) {
  for (int i = 0; i < events.events_size(); ++i) {
    const v1::ChatEvent& event = events.events(i);
    const bool last = i + 1 == events.events_size();
    const std::string at = absl::StrCat(field, ".events[", i, "]");
    if (event.kind_case() == v1::ChatEvent::KIND_NOT_SET) return Wrong(at, "is empty");
    if (event.has_started() && i > 0) return Wrong(at, "is a started that is not the first");
    if (event.has_completed() != last) {
      return Wrong(at,
                   "must be completed as the last, and only there; fault.truncate_after is "
                   "an answer without its end");
    }
  }
  return events.events_size() > 0 ? absl::OkStatus() : Wrong(field, "has no events");
}

absl::Status CheckAnswer(const v1::ScriptedAnswer& answer, const std::string& field) {
  const bool empty = answer.kind_case() == v1::ScriptedAnswer::KIND_NOT_SET;
  if (empty && !answer.has_fault()) {
    return Wrong(field, "needs text, chat, events, embed, count or a fault");
  }
  absl::Status status;
  if (answer.has_chat() && answer.chat().choices().empty()) {
    status = Wrong(field + ".chat", "has no choices");
  }
  if (answer.has_events()) status = CheckEvents(answer.events(), field + ".events");
  if (status.ok() && answer.has_fault()) status = CheckFault(answer.fault(), field + ".fault");
  if (status.ok()) status = CheckLatency(answer.latency(), field + ".latency");
  if (status.ok()) status = CheckHeaders(answer, field + ".headers");
  return status;
}

v1::Finish FinishOf(const v1::Choice& choice) {
  v1::Finish finish = choice.finish();
  if (finish.reason() != v1::FINISH_REASON_UNSPECIFIED) return finish;
  finish.set_reason(v1::FINISH_REASON_STOP);
  for (const v1::Part& part : choice.message().parts()) {
    if (part.has_tool_call()) finish.set_reason(v1::FINISH_REASON_TOOL_CALLS);
  }
  return finish;
}

// A whole answer as the events of which it is the fold.
std::vector<v1::ChatEvent> EventsOf(const v1::ChatResponse& response) {
  std::vector<v1::ChatEvent> events(1);
  v1::ChatEvent::Started* started = events[0].mutable_started();
  started->set_id(response.id());
  started->set_model(response.model());
  if (response.has_created()) *started->mutable_created() = response.created();
  for (int i = 0; i < response.choices_size(); ++i) {
    const v1::Choice& choice = response.choices(i);
    for (int j = 0; j < choice.message().parts_size(); ++j) {
      v1::ChatEvent::Delta* delta = events.emplace_back().mutable_delta();
      delta->set_choice_index(i);
      delta->set_part_index(j);
      *delta->mutable_part() = choice.message().parts(j);
      if (j == 0) *delta->mutable_logprobs() = choice.logprobs();
    }
  }
  for (int i = 0; i < response.choices_size(); ++i) {
    v1::ChatEvent::ChoiceFinished* finished = events.emplace_back().mutable_finished();
    finished->set_choice_index(i);
    *finished->mutable_finish() = FinishOf(response.choices(i));
  }
  v1::ChatEvent::Completed* completed = events.emplace_back().mutable_completed();
  if (response.has_usage()) *completed->mutable_usage() = response.usage();
  if (response.has_provider_metadata()) {
    *completed->mutable_provider_metadata() = response.provider_metadata();
  }
  return events;
}

MockManner MannerOf(const v1::ScriptedAnswer& scripted, MockPace pace) {
  MockManner manner;
  manner.fault = scripted.fault();
  manner.pace = scripted.has_latency() ? PaceOf(scripted.latency()) : pace;
  for (const auto& [name, value] : scripted.headers()) manner.headers.push_back({name, value});
  return manner;
}

// A fault alone: what it would break, were it one that lets something through.
std::unique_ptr<Answer> NewFault(const Ask& ask, MockManner manner) {
  if (ask.asked.chat != nullptr) return NewMockChat(ask, "", std::move(manner));
  std::unique_ptr<google::protobuf::Message> none;
  return NewMockWhole(ask, std::move(none), v1::Usage(), std::move(manner));
}

}  // namespace

absl::Status CheckPutMock(const v1::PutMockRequest& request) {
  absl::Status status;
  for (int i = 0; status.ok() && i < request.rules_size(); ++i) {
    status = CheckRule(request.rules(i), absl::StrCat("rules[", i, "]"));
  }
  if (status.ok()) status = CheckLatency(request.latency(), "latency");
  if (status.ok() && request.has_fault()) status = CheckFault(request.fault(), "fault");
  return status;
}

absl::Status CheckScript(const v1::ScriptRequest& request) {
  for (int i = 0; i < request.answers_size(); ++i) {
    absl::Status status = CheckAnswer(request.answers(i), absl::StrCat("answers[", i, "]"));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

std::unique_ptr<Answer> NewScripted(const Ask& ask, const v1::ScriptedAnswer& scripted,
                                    MockPace pace) {
  MockManner manner = MannerOf(scripted, pace);
  switch (scripted.kind_case()) {
    case v1::ScriptedAnswer::kText:
      return NewMockChat(ask, scripted.text(), std::move(manner));
    case v1::ScriptedAnswer::kChat:
      return NewMockEvents(ask, EventsOf(scripted.chat()), std::move(manner));
    case v1::ScriptedAnswer::kEvents:
      return NewMockEvents(ask,
                           {scripted.events().events().begin(), scripted.events().events().end()},
                           std::move(manner));
    case v1::ScriptedAnswer::kEmbed:
      return NewMockWhole(ask, std::make_unique<v1::EmbedResponse>(scripted.embed()),
                          scripted.embed().usage(), std::move(manner));
    case v1::ScriptedAnswer::kCount:
      return NewMockWhole(ask, std::make_unique<v1::CountTokensResponse>(scripted.count()),
                          v1::Usage(), std::move(manner));
    case v1::ScriptedAnswer::KIND_NOT_SET:
      return NewFault(ask, std::move(manner));
  }
  return NewFault(ask, std::move(manner));
}

}  // namespace mg
