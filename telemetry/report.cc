#include "telemetry/report.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/utf8.h"

namespace mg {
namespace {

// What is left at each step: entries of the lists, and bytes of a text.
struct Room {
  int attempts;
  int skipped;
  int warnings;
  size_t message;  // the provider's
  size_t text;     // every other
};
constexpr std::array<Room, 7> kSteps = {{
    {16, 32, 32, 2048, 512},
    {12, 16, 8, 1536, 256},
    {10, 8, 4, 1024, 160},
    {6, 4, 2, 768, 128},
    {4, 2, 1, 512, 96},
    {2, 1, 0, 256, 64},
    {0, 0, 0, 64, 40},
}};

void Cut(std::string* text, size_t max_bytes) {
  if (text->size() > max_bytes) text->resize(CutUtf8(*text, max_bytes).size());
}

void CutTexts(const Room& room, v1::ErrorDetail* detail) {
  for (std::string* text :
       {detail->mutable_reason(), detail->mutable_fault(), detail->mutable_field(),
        detail->mutable_provider(), detail->mutable_provider_code()}) {
    Cut(text, room.text);
  }
  Cut(detail->mutable_provider_message(), room.message);
  if (!detail->has_report()) return;
  v1::CallReport* report = detail->mutable_report();
  for (std::string* text :
       {report->mutable_request_id(), report->mutable_correlation_id(), report->mutable_trace_id(),
        report->mutable_requested_model(), report->mutable_group(), report->mutable_strategy(),
        report->mutable_route_reason(), report->mutable_provider(), report->mutable_model()}) {
    Cut(text, room.text);
  }
  for (v1::Attempt& attempt : *report->mutable_attempts()) {
    for (std::string* text :
         {attempt.mutable_candidate(), attempt.mutable_provider(), attempt.mutable_model(),
          attempt.mutable_provider_request_id(), attempt.mutable_breaker(), attempt.mutable_stage(),
          attempt.mutable_reason(), attempt.mutable_usage()->mutable_service_tier()}) {
      Cut(text, room.text);
    }
    if (attempt.usage().ByteSizeLong() == 0) attempt.clear_usage();
  }
  for (v1::Skipped& skipped : *report->mutable_skipped()) {
    Cut(skipped.mutable_candidate(), room.text);
    Cut(skipped.mutable_reason(), room.text);
  }
  for (v1::Warning& warning : *report->mutable_warnings()) {
    Cut(warning.mutable_code(), room.text);
    Cut(warning.mutable_field(), room.text);
    Cut(warning.mutable_message(), room.text);
  }
}

// Leaves `keep` entries of `list`, the first and as many of the last ones as there is room for.
template <typename List>
int KeepEnds(int keep, List* list) {
  const int missing = list->size() - keep;
  if (missing <= 0) return 0;
  const int head = std::min(1, keep);
  list->DeleteSubrange(head, missing);
  return missing;
}

template <typename List>
int KeepFirst(int keep, List* list) {
  const int missing = list->size() - keep;
  if (missing <= 0) return 0;
  list->DeleteSubrange(keep, missing);
  return missing;
}

void CutLists(const Room& room, v1::CallReport* report) {
  const int attempts = KeepEnds(room.attempts, report->mutable_attempts());
  const int skipped = KeepFirst(room.skipped, report->mutable_skipped());
  const int warnings = KeepFirst(room.warnings, report->mutable_warnings());
  const auto tell = [report](int missing, absl::string_view list) {
    if (missing == 0) return;
    v1::Warning* warning = report->add_warnings();
    warning->set_code("cut");
    warning->set_field(absl::StrCat("report.", list));
    warning->set_message(absl::StrCat(missing, " left out"));
  };
  tell(attempts, "attempts");
  tell(skipped, "skipped");
  tell(warnings, "warnings");
}

}  // namespace

void CutToFit(v1::ErrorDetail* detail, size_t max_bytes) {
  if (detail->ByteSizeLong() <= max_bytes) return;
  const v1::ErrorDetail whole = *detail;
  for (const Room& room : kSteps) {
    *detail = whole;
    if (detail->has_report()) CutLists(room, detail->mutable_report());
    CutTexts(room, detail);
    if (detail->ByteSizeLong() <= max_bytes) return;
  }
  detail->Clear();
  detail->set_kind(whole.kind());
  detail->set_http_status(whole.http_status());
}

}  // namespace mg
