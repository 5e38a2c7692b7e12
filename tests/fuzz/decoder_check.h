// What holds of every decoder of answers (adapters/dialect.h), for its fuzz target: whatever comes,
// the events keep their contract and are the same however the body is cut.
#pragma once

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

// Low bits of a target's first byte.
inline constexpr unsigned kWhole = 1;
inline constexpr unsigned kCutOff = 8;  // the connection was reset
inline constexpr unsigned kUntyped = 16;

struct Decoded {
  std::vector<v1::ChatEvent> events;
  absl::Status status;
};

inline HttpHead HeadOf(unsigned choice) {
  HttpHead head;
  head.status = 200;
  if (choice & kUntyped) return head;
  head.headers.push_back(
      {"Content-Type", choice & kWhole ? "application/json" : "text/event-stream"});
  return head;
}

inline void CheckEvents(const Decoded& decoded) {
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
inline Decoded Decode(const Dialect& dialect, const DialectContext& context, unsigned choice,
                      absl::string_view body, bool cut, uint8_t seed) {
  static const v1::ChatRequest kRequest;
  auto decoder = dialect.NewChatDecoder(kRequest, context, HeadOf(choice));
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
inline std::string Comparable(v1::ChatEvent event) {
  if (event.has_started() && absl::StartsWith(event.started().id(), "gen-")) {
    event.mutable_started()->clear_id();
  }
  if (event.has_delta() && event.delta().part().has_tool_call()) {
    v1::ToolCall* call = event.mutable_delta()->mutable_part()->mutable_tool_call();
    if (absl::StartsWith(call->id(), "call_")) call->clear_id();
  }
  return event.ShortDebugString();
}

inline void CheckDecoder(const Dialect& dialect, const DialectContext& context, unsigned choice,
                         uint8_t seed, absl::string_view body) {
  const Decoded whole = Decode(dialect, context, choice, body, false, seed);
  const Decoded cut = Decode(dialect, context, choice, body, true, seed);
  MG_CHECK(whole.status == cut.status, "the same end, however the body is cut");
  MG_CHECK(whole.events.size() == cut.events.size(), "as many events");
  for (size_t i = 0; i < whole.events.size(); ++i) {
    MG_CHECK(Comparable(whole.events[i]) == Comparable(cut.events[i]), "the same events");
  }
}

}  // namespace mg
