#include "adapters/fold.h"

#include <utility>

namespace mg {
namespace {

using v1::Part;

// Appended where both have text; taken over where there is none yet.
void Append(std::string* from, std::string* to) {
  if (to->empty()) {
    to->swap(*from);
  } else {
    to->append(*from);
  }
}

// A field that comes once.
void Once(std::string* from, std::string* to) {
  if (!from->empty()) to->swap(*from);
}

void AddMedia(v1::Media* from, v1::Media* to) {
  if (from->has_data()) Append(from->mutable_data(), to->mutable_data());
  if (from->has_uri()) Once(from->mutable_uri(), to->mutable_uri());
  if (from->has_file_id()) Once(from->mutable_file_id(), to->mutable_file_id());
  Once(from->mutable_media_type(), to->mutable_media_type());
  Once(from->mutable_name(), to->mutable_name());
  Once(from->mutable_detail(), to->mutable_detail());
  Append(from->mutable_transcript(), to->mutable_transcript());
}

void AddKind(Part* from, Part* to) {
  switch (from->kind_case()) {
    case Part::kText:
      return Append(from->mutable_text(), to->mutable_text());
    case Part::kRefusal:
      return Append(from->mutable_refusal(), to->mutable_refusal());
    case Part::kReasoning:
      Append(from->mutable_reasoning()->mutable_text(), to->mutable_reasoning()->mutable_text());
      if (from->reasoning().redacted()) to->mutable_reasoning()->set_redacted(true);
      return;
    case Part::kToolCall: {
      v1::ToolCall* call = to->mutable_tool_call();
      Once(from->mutable_tool_call()->mutable_id(), call->mutable_id());
      Once(from->mutable_tool_call()->mutable_name(), call->mutable_name());
      return Append(from->mutable_tool_call()->mutable_arguments_json(),
                    call->mutable_arguments_json());
    }
    case Part::kImage:
      return AddMedia(from->mutable_image(), to->mutable_image());
    case Part::kAudio:
      return AddMedia(from->mutable_audio(), to->mutable_audio());
    case Part::kVideo:
      return AddMedia(from->mutable_video(), to->mutable_video());
    case Part::kDocument:
      return AddMedia(from->mutable_document(), to->mutable_document());
    case Part::kToolResult:
      return to->mutable_tool_result()->MergeFrom(from->tool_result());
    case Part::kProviderPart:
      *to->mutable_provider_part() = std::move(*from->mutable_provider_part());
      return;
    case Part::KIND_NOT_SET:
      return;
  }
}

void AddPart(Part* from, Part* to) {
  AddKind(from, to);
  for (auto& citation : *from->mutable_citations()) *to->add_citations() = std::move(citation);
  if (from->has_cache_breakpoint()) *to->mutable_cache_breakpoint() = from->cache_breakpoint();
  for (auto& [key, options] : *from->mutable_provider_options()) {
    (*to->mutable_provider_options())[key] = std::move(options);
  }
  if (from->has_provider_state()) {
    *to->mutable_provider_state() = std::move(*from->mutable_provider_state());
  }
}

}  // namespace

void ChatFold::Add(v1::ChatEvent&& event) {
  switch (event.kind_case()) {
    case v1::ChatEvent::kStarted: {
      auto* started = event.mutable_started();
      response_.mutable_id()->swap(*started->mutable_id());
      response_.mutable_model()->swap(*started->mutable_model());
      if (started->has_created()) *response_.mutable_created() = started->created();
      return;
    }
    case v1::ChatEvent::kDelta: {
      auto* delta = event.mutable_delta();
      Choice& choice = choices_[delta->choice_index()];
      if (delta->has_part()) AddPart(delta->mutable_part(), &choice.parts[delta->part_index()]);
      for (auto& token : *delta->mutable_logprobs()) {
        *choice.rest.add_logprobs() = std::move(token);
      }
      return;
    }
    case v1::ChatEvent::kFinished:
      *choices_[event.finished().choice_index()].rest.mutable_finish() =
          std::move(*event.mutable_finished()->mutable_finish());
      return;
    case v1::ChatEvent::kCompleted: {
      auto* completed = event.mutable_completed();
      if (completed->has_usage()) response_.mutable_usage()->Swap(completed->mutable_usage());
      if (completed->has_report()) response_.mutable_report()->Swap(completed->mutable_report());
      if (completed->has_provider_metadata()) {
        response_.mutable_provider_metadata()->Swap(completed->mutable_provider_metadata());
      }
      return;
    }
    case v1::ChatEvent::KIND_NOT_SET:
      return;
  }
}

v1::ChatResponse ChatFold::Take() {
  for (auto& [index, choice] : choices_) {
    choice.rest.set_index(index);
    v1::Message* message = choice.rest.mutable_message();
    message->set_role(v1::ROLE_ASSISTANT);
    for (auto& [part_index, part] : choice.parts) *message->add_parts() = std::move(part);
    *response_.add_choices() = std::move(choice.rest);
  }
  choices_.clear();
  v1::ChatResponse taken;
  taken.Swap(&response_);
  return taken;
}

}  // namespace mg
