#include "adapters/schema/schema_decoder.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/fold.h"
#include "adapters/part_place.h"
#include "adapters/provider_errors.h"
#include "adapters/schema/emulation.h"
#include "base/utf8.h"

namespace mg {
namespace {

constexpr size_t kMaxKept = 64 << 20;
constexpr size_t kMaxPiece = 512 * 1024;  // of an event
constexpr size_t kMostViolations = 5;

// What the caller began of the answer itself: a last message of the assistant is continued.
std::string PrefillOf(const v1::ChatRequest& request) {
  const int last = request.messages_size() - 1;
  if (last < 0 || request.messages(last).role() != v1::ROLE_ASSISTANT) return "";
  return TextOf(request.messages(last));
}

std::unique_ptr<v1::ChatRequest> RepairOf(const v1::ChatRequest& asked, const std::string& answer,
                                          const std::vector<SchemaViolation>& violations) {
  auto repair = std::make_unique<v1::ChatRequest>(asked);
  if (!IsBlank(answer)) {
    v1::Message* said = repair->add_messages();
    said->set_role(v1::ROLE_ASSISTANT);
    said->add_parts()->set_text(answer);
  }
  std::string text = "This answer does not fit the JSON Schema that was asked for:\n";
  for (const SchemaViolation& violation : violations) {
    absl::StrAppend(&text, "- ", ToSentence(violation), "\n");
  }
  text.append("Give the whole JSON value again, corrected, and nothing else.");
  v1::Message* user = repair->add_messages();
  user->set_role(v1::ROLE_USER);
  user->add_parts()->set_text(text);
  return repair;
}

// What of a part may be long, and is put together by appending.
std::string* LongText(v1::Part::KindCase kind, v1::Part* part) {
  switch (kind) {
    case v1::Part::kText:
      return part->mutable_text();
    case v1::Part::kReasoning:
      return part->mutable_reasoning()->mutable_text();
    case v1::Part::kToolCall:
      return part->mutable_tool_call()->mutable_arguments_json();
    default:
      return nullptr;
  }
}

class SchemaDecoder final : public Decoder {
 public:
  SchemaDecoder(std::unique_ptr<Decoder> inner, SchemaTask task, SchemaFailure* failure)
      : inner_(std::move(inner)), task_(std::move(task)), failure_(*failure) {}

  absl::Status Feed(absl::string_view bytes, std::vector<v1::ChatEvent>* events) override {
    fresh_.clear();
    return Take(inner_->Feed(bytes, &fresh_), events);
  }
  absl::Status Finish(bool clean, std::vector<v1::ChatEvent>* events) override {
    fresh_.clear();
    return Take(inner_->Finish(clean, &fresh_), events);
  }
  bool done() const override { return done_; }
  bool finished() const override { return inner_->finished(); }
  size_t kept_bytes() const override { return inner_->kept_bytes() + kept_; }

 private:
  absl::Status Take(const absl::Status& status, std::vector<v1::ChatEvent>* events);
  absl::Status TakeNative(v1::ChatEvent event, std::vector<v1::ChatEvent>* events);
  absl::Status TakeEmulated(v1::ChatEvent event, std::vector<v1::ChatEvent>* events);
  // The verdict over one choice.
  absl::Status Check(const std::string& text, const v1::Finish& finish);
  absl::Status Keep(size_t bytes);
  void Give(v1::Choice* choice, std::vector<v1::ChatEvent>* events);

  const std::unique_ptr<Decoder> inner_;
  const SchemaTask task_;
  SchemaFailure& failure_;
  std::vector<v1::ChatEvent> fresh_;
  size_t kept_ = 0;
  bool done_ = false;

  // Native: the texts so far, by choice, and the events of the end.
  std::map<int, std::string> texts_;
  std::vector<v1::ChatEvent> end_;
  // Emulated: everything so far.
  ChatFold fold_;
};

absl::Status SchemaDecoder::Take(const absl::Status& status, std::vector<v1::ChatEvent>* events) {
  for (v1::ChatEvent& event : fresh_) {
    auto taken = task_.native ? TakeNative(std::move(event), events)
                              : TakeEmulated(std::move(event), events);
    if (!taken.ok()) return taken;
  }
  return status;
}

absl::Status SchemaDecoder::Keep(size_t bytes) {
  kept_ += bytes;
  if (kept_ <= kMaxKept) return absl::OkStatus();
  return MalformedAnswer(*task_.context, absl::StrCat("larger than ", kMaxKept, " bytes"));
}

absl::Status SchemaDecoder::TakeNative(v1::ChatEvent event, std::vector<v1::ChatEvent>* events) {
  if (event.has_finished()) {
    end_.push_back(std::move(event));
    return absl::OkStatus();
  }
  if (event.has_completed()) {
    failure_.usage = event.completed().usage();
    for (v1::ChatEvent& held : end_) {
      auto status = Check(texts_[held.finished().choice_index()], held.finished().finish());
      if (!status.ok()) return status;
    }
    for (v1::ChatEvent& held : end_) events->push_back(std::move(held));
    done_ = true;
  } else if (event.has_delta() && event.delta().part().has_text()) {
    const std::string& text = event.delta().part().text();
    if (auto status = Keep(text.size()); !status.ok()) return status;
    texts_[event.delta().choice_index()].append(text);
  }
  events->push_back(std::move(event));
  return absl::OkStatus();
}

absl::Status SchemaDecoder::TakeEmulated(v1::ChatEvent event, std::vector<v1::ChatEvent>* events) {
  if (event.has_started()) {
    events->push_back(std::move(event));
    return absl::OkStatus();
  }
  if (!event.has_completed()) {
    if (auto status = Keep(event.ByteSizeLong()); !status.ok()) return status;
    fold_.Add(std::move(event));
    return absl::OkStatus();
  }
  failure_.usage = event.completed().usage();
  v1::ChatResponse answer = fold_.Take();
  for (v1::Choice& choice : *answer.mutable_choices()) {
    RestoreAnswer(task_.tool, &choice);
    auto status = Check(TextOf(choice.message()), choice.finish());
    if (!status.ok()) return status;
  }
  for (v1::Choice& choice : *answer.mutable_choices()) Give(&choice, events);
  for (v1::Choice& choice : *answer.mutable_choices()) {
    v1::ChatEvent::ChoiceFinished* finished = events->emplace_back().mutable_finished();
    finished->set_choice_index(choice.index());
    finished->mutable_finish()->Swap(choice.mutable_finish());
  }
  events->push_back(std::move(event));
  kept_ = 0;
  done_ = true;
  return absl::OkStatus();
}

absl::Status SchemaDecoder::Check(const std::string& text, const v1::Finish& finish) {
  if (finish.reason() != v1::FINISH_REASON_STOP) return absl::OkStatus();
  const std::vector<SchemaViolation> violations = task_.schema->Check(text, kMostViolations);
  if (violations.empty()) return absl::OkStatus();
  const std::string prefill = PrefillOf(*task_.asked);
  if (!prefill.empty() && task_.schema->Check(absl::StrCat(prefill, text), 1).empty()) {
    return absl::OkStatus();
  }
  if (task_.asked->sampling().choices() <= 1) {
    failure_.repair = RepairOf(*task_.asked, text, violations);
  }
  std::string said =
      absl::StrCat(task_.context->provider, "'s answer does not fit response_format.json_schema");
  for (const SchemaViolation& violation : violations) {
    absl::StrAppend(&said, &violation == violations.data() ? ": " : "; ", ToSentence(violation));
  }
  v1::ErrorDetail detail;
  detail.set_provider(task_.context->provider);
  detail.set_http_status(200);
  return MakeError(ErrorClass::kSchema, std::move(detail), said);
}

// Each part as a delta, and what is too long for one as several.
void SchemaDecoder::Give(v1::Choice* choice, std::vector<v1::ChatEvent>* events) {
  const auto next = [&](int index) {
    v1::ChatEvent::Delta* delta = events->emplace_back().mutable_delta();
    delta->set_choice_index(choice->index());
    delta->set_part_index(index);
    return delta;
  };
  const int parts = choice->message().parts_size();
  for (int i = 0; i < parts; ++i) {
    v1::Part& part = *choice->mutable_message()->mutable_parts(i);
    const v1::Part::KindCase kind = part.kind_case();
    std::string whole;
    size_t given = 0;
    if (std::string* text = LongText(kind, &part); text != nullptr && text->size() > kMaxPiece) {
      whole.swap(*text);
      *text = std::string(CutUtf8(whole, kMaxPiece));
      given = text->size();
    }
    next(i)->mutable_part()->Swap(&part);
    while (given < whole.size()) {
      const absl::string_view piece = CutUtf8(absl::string_view(whole).substr(given), kMaxPiece);
      *LongText(kind, next(i)->mutable_part()) = std::string(piece);
      given += piece.size();
    }
  }
  size_t bytes = kMaxPiece;
  for (v1::TokenLogprob& token : *choice->mutable_logprobs()) {
    if (bytes >= kMaxPiece) {
      next(std::max(parts - 1, 0));
      bytes = 0;
    }
    bytes += token.ByteSizeLong();
    *events->back().mutable_delta()->add_logprobs() = std::move(token);
  }
}

}  // namespace

std::unique_ptr<Decoder> NewSchemaDecoder(std::unique_ptr<Decoder> inner, SchemaTask task,
                                          SchemaFailure* failure) {
  return std::make_unique<SchemaDecoder>(std::move(inner), std::move(task), failure);
}

}  // namespace mg
