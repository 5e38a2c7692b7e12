// Running a decoder over a body that is cut in pieces, and what holds of every run.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/dialect.h"

namespace mg {

// Of the kind that the context stands for: a provider whose name begins with that of another
// dialect speaks it, else OpenAI or a server like it.
const Adapter& AdapterOf(const DialectContext& context);

// Sets what a word of ContextWords says of the context ("model=gpt-4.1", "compatible"). False: it
// says something else.
bool ApplyContextWord(absl::string_view word, DialectContext* context);

struct Decoded {
  v1::ChatResponse answer;  // the fold of the events, ids that were generated made alike
  absl::Status status;
  bool done_at_marker = false;  // before the body's end
  size_t events = 0;
};

// Feeds `body` in pieces that end at `cuts` (sorted) and finishes. Fails the test where the events
// break the contract: Started first, Completed last, one finish a choice, names and ids once,
// nothing over 1 MiB.
Decoded Decode(const DialectContext& context, const HttpHead& head, absl::string_view body,
               const std::vector<size_t>& cuts = {}, bool clean = true,
               const v1::ChatRequest& request = {});

// The same with a decoder of the test's own.
Decoded Decode(Decoder& decoder, absl::string_view body, const std::vector<size_t>& cuts = {},
               bool clean = true);

// The same body at each of SplitPoints must give the same answer and status.
void ExpectSameAtEverySplit(const DialectContext& context, const HttpHead& head,
                            absl::string_view body, const Decoded& whole);

HttpHead HeadOf(absl::string_view content_type);
std::string Bytes(const google::protobuf::Message& message);  // deterministic

}  // namespace mg
