#include "daemon/count_tokens_method.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/tokens/estimate.h"
#include "base/error.h"
#include "base/utf8.h"
#include "daemon/chat_method.h"
#include "daemon/check_request.h"
#include "daemon/execute.h"
#include "daemon/served_call.h"
#include "daemon/sink.h"

namespace mg {
namespace {

// A text of its own, or the chat's prompt in one of its two forms; nothing is empty text.
absl::Status Check(v1::CountTokensRequest* request, const Snapshot& snapshot) {
  if (request->has_text()) {
    if (request->chat().messages_size() == 0 && !request->chat().has_legacy_prompt()) {
      return absl::OkStatus();
    }
    return FieldError(ErrorClass::kInvalidRequest, "text",
                      "text stands instead of chat's messages; send one of them");
  }
  if (absl::Status status = TakeLegacyPrompt(request->mutable_chat()); !status.ok()) return status;
  if (request->chat().messages_size() == 0) {
    request->set_text("");
    return absl::OkStatus();
  }
  return CheckChat(request->chat(), snapshot);
}

// Does the provider of the candidate that would serve a chat like this count itself? Of an empty
// text there is nothing to ask.
bool ProviderCounts(const Call& call) {
  const v1::CountTokensRequest& request = *call.asked.count;
  if (request.has_text() && request.text().empty()) return false;
  const Candidate& candidate = *call.plan.order.front();
  const Provider& provider = *call.snapshot->FindProvider(candidate.provider);
  const auto words = call.snapshot->CapabilitiesOf(provider, candidate.model);
  return std::find(words.begin(), words.end(), "count_tokens") != words.end();
}

// No attempt is made for an estimate, but the report says whose count it would be.
v1::CountTokensResponse Estimate(Call& call) {
  const Candidate& candidate = *call.plan.order.front();
  call.record.provider = candidate.provider;
  call.record.model = candidate.model;
  v1::CountTokensResponse response = EstimateTokens(*call.asked.count);
  for (const v1::Warning& warning : response.report().warnings()) {
    call.record.warnings.push_back(warning);
  }
  return response;
}

// May an estimate stand for the count that failed, or that its provider is not asked for now? Not
// where the caller is to blame or went away.
bool MayEstimate(const absl::Status& status) {
  const ErrorClass error_class = ClassOf(status);
  return RuleOf(error_class).fault == absl::string_view("provider") ||
         error_class == ErrorClass::kUnsupportedField || error_class == ErrorClass::kNoCandidate;
}

// What the caller gets where the provider does not count: an estimate, and why it is one.
v1::CountTokensResponse EstimateInstead(Call& call, const absl::Status& why) {
  v1::CountTokensResponse response = Estimate(call);
  v1::Warning& warning = call.record.warnings.emplace_back();
  warning.set_code("emulated");
  warning.set_message(
      absl::StrCat("estimated, since the provider did not count: ", CutUtf8(why.message(), 512)));
  return response;
}

Task<absl::Status> Run(Call& call, Rpc& rpc) {
  MG_CO_RETURN_IF_ERROR(PlanCall(call, rpc, call.asked.count->chat().model()));
  DeadlineTimer timer(call.loop, call.deadline, call.cancellation);
  v1::CountTokensResponse response;
  if (ProviderCounts(call)) {
    WholeSink sink;
    absl::Status status = co_await Execute(call, sink);
    if (!status.ok() && !MayEstimate(status)) co_return status;
    if (status.ok()) {
      response.Swap(static_cast<v1::CountTokensResponse*>(sink.answer()));
    } else {
      response = EstimateInstead(call, status);
    }
  } else {
    response = Estimate(call);
  }
  *response.mutable_report() = ReportOf(call.record, call.loop->Measure());
  rpc.Send(response);
  co_return absl::OkStatus();
}

}  // namespace

std::unique_ptr<google::protobuf::Message> CountTokensMethod::NewRequest() const {
  return std::make_unique<v1::CountTokensRequest>();
}

Task<absl::Status> CountTokensMethod::Serve(
    Rpc& rpc, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) {
  Call call = BeginCall(*worker_, rpc, "count_tokens", false);
  absl::Status status = request.status();
  if (request.ok()) {
    auto* count = static_cast<v1::CountTokensRequest*>(request->get());
    call.asked.count = count;
    call.record.requested_model = count->chat().model();
    // The prompt goes to no vendor but the one that a chat would ask first, nor does another's
    // count stand for that one's (spec/tokens.md §6.1).
    count->mutable_chat()->mutable_context()->set_disable_fallback(true);
    status = Check(count, *call.snapshot);
    if (status.ok()) status = co_await Run(call, rpc);
  }
  co_return EndCall(*worker_, call, std::move(status));
}

}  // namespace mg
