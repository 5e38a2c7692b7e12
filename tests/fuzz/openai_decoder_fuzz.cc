// Answers in OpenAI's shapes: whatever comes, the decoder's events keep their contract
// (adapters/dialect.h) and are the same however the body is cut.
// Input: a letter from '@' on, whose low bits choose (kWhole and so on); seed of the cuts; the
// body.
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "adapters/dialect.h"
#include "adapters/fold.h"
#include "base/check.h"
#include "base/error.h"
#include "tests/fuzz/pieces.h"

namespace mg {
namespace {

constexpr unsigned kWhole = 1;
constexpr unsigned kCompatible = 2;
constexpr unsigned kGoogle = 4;
constexpr unsigned kCutOff = 8;  // the connection was reset
constexpr unsigned kUntyped = 16;

struct Decoded {
  std::vector<v1::ChatEvent> events;
  absl::Status status;
};

const DialectContext& ContextOf(unsigned choice) {
  static const auto* const kContexts = [] {
    auto* contexts = new std::vector<DialectContext>(4);
    for (unsigned i = 0; i < 4; ++i) {
      (*contexts)[i].provider = "acme";
      (*contexts)[i].model = "m-1";
      (*contexts)[i].compatible = (i & 1) != 0;
      (*contexts)[i].google_compatible = (i & 2) != 0;
    }
    return contexts;
  }();
  return (*kContexts)[(choice & kCompatible ? 1u : 0u) | (choice & kGoogle ? 2u : 0u)];
}

HttpHead HeadOf(unsigned choice) {
  HttpHead head;
  head.status = 200;
  if (choice & kUntyped) return head;
  head.headers.push_back(
      {"Content-Type", choice & kWhole ? "application/json" : "text/event-stream"});
  return head;
}

void CheckEvents(const Decoded& decoded) {
  std::set<int> finished;
  const std::vector<v1::ChatEvent>& events = decoded.events;
  for (size_t i = 0; i < events.size(); ++i) {
    const v1::ChatEvent& event = events[i];
    MG_CHECK(event.has_started() == (i == 0), "Started is the first event");
    MG_CHECK(event.has_completed() == (decoded.status.ok() && i + 1 == events.size()),
             "Completed is the last event of a good answer and of no other");
    MG_CHECK(!event.has_delta() || finished.empty(), "no delta behind a finish");
    if (event.has_finished()) {
      MG_CHECK(finished.insert(event.finished().choice_index()).second, "one finish a choice");
      MG_CHECK(event.finished().finish().reason() != v1::FINISH_REASON_UNSPECIFIED, "a reason");
    }
    // Protobuf's parser refuses strings that are not UTF-8.
    v1::ChatEvent again;
    MG_CHECK(again.ParseFromString(event.SerializeAsString()), "an event has valid UTF-8");
  }
  MG_CHECK(!decoded.status.ok() || events.size() >= 2, "a good answer starts and completes");
  ChatFold fold;
  for (v1::ChatEvent event : events) fold.Add(std::move(event));
  const v1::ChatResponse answer = fold.Take();
  MG_CHECK(!decoded.status.ok() || answer.choices_size() == static_cast<int>(finished.size()),
           "the fold has every choice that ended");
}

// `cut`: by the pieces of `seed`.
Decoded Decode(unsigned choice, absl::string_view body, bool cut, uint8_t seed) {
  static const v1::ChatRequest kRequest;
  const DialectContext& context = ContextOf(choice);
  const Dialect* dialect =
      FindAdapter(context.compatible ? "openai_compatible" : "openai")->dialect;
  auto decoder = dialect->NewChatDecoder(kRequest, context, HeadOf(choice));
  MG_CHECK(decoder.ok(), "these media types have a decoder");
  Decoded decoded;
  if (cut) {
    Pieces pieces(body, seed);
    for (std::string piece; decoded.status.ok() && pieces.Next(&piece);) {
      decoded.status = (*decoder)->Feed(piece, &decoded.events);
    }
  } else {
    decoded.status = (*decoder)->Feed(body, &decoded.events);
  }
  if (decoded.status.ok()) {
    decoded.status = (*decoder)->Finish((choice & kCutOff) == 0, &decoded.events);
  }
  MG_CHECK(decoded.status.ok() == (*decoder)->done(), "done is a good end, and no other end is");
  MG_CHECK(decoded.status.ok() || ClassOf(decoded.status) != ErrorClass::kBug, "a class");
  CheckEvents(decoded);
  return decoded;
}

// Without what the decoder made up at random.
std::string Comparable(v1::ChatEvent event) {
  if (event.has_started() && absl::StartsWith(event.started().id(), "gen-")) {
    event.mutable_started()->clear_id();
  }
  if (event.has_delta() && event.delta().part().has_tool_call()) {
    v1::ToolCall* call = event.mutable_delta()->mutable_part()->mutable_tool_call();
    if (absl::StartsWith(call->id(), "call_")) call->clear_id();
  }
  return event.ShortDebugString();
}

void Check(absl::string_view input) {
  const unsigned choice = TakeByte(&input);
  const uint8_t seed = TakeByte(&input);
  const Decoded whole = Decode(choice, input, false, seed);
  const Decoded cut = Decode(choice, input, true, seed);
  MG_CHECK(whole.status == cut.status, "the same end, however the body is cut");
  MG_CHECK(whole.events.size() == cut.events.size(), "as many events");
  for (size_t i = 0; i < whole.events.size(); ++i) {
    MG_CHECK(Comparable(whole.events[i]) == Comparable(cut.events[i]), "the same events");
  }
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
