#include "tests/golden/decode_support.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "adapters/fold.h"
#include "tests/golden/golden_files.h"

namespace mg {
namespace {

void CheckEvents(const std::vector<v1::ChatEvent>& events, bool completed) {
  std::set<std::pair<int, int>> named;
  std::set<std::pair<int, int>> identified;
  std::set<std::pair<int, int>> states;
  std::set<int> finished;
  for (size_t i = 0; i < events.size(); ++i) {
    const v1::ChatEvent& event = events[i];
    EXPECT_LE(event.ByteSizeLong(), 1u << 20);
    EXPECT_EQ(event.has_started(), i == 0);
    EXPECT_EQ(event.has_completed(), completed && i + 1 == events.size());
    if (event.has_finished()) {
      EXPECT_TRUE(finished.insert(event.finished().choice_index()).second);
      EXPECT_NE(event.finished().finish().reason(), v1::FINISH_REASON_UNSPECIFIED);
    }
    if (!event.has_delta()) continue;
    EXPECT_TRUE(finished.empty()) << "a delta behind a finish";
    const v1::Part& part = event.delta().part();
    const std::pair<int, int> place = {event.delta().choice_index(), event.delta().part_index()};
    if (!part.tool_call().name().empty()) EXPECT_TRUE(named.insert(place).second);
    if (!part.tool_call().id().empty()) EXPECT_TRUE(identified.insert(place).second);
    if (part.has_provider_state()) EXPECT_TRUE(states.insert(place).second);
  }
}

void MakeGeneratedAlike(absl::string_view body, v1::ChatResponse* answer) {
  if (!absl::StrContains(body, answer->id())) answer->set_id("generated");
  for (v1::Choice& choice : *answer->mutable_choices()) {
    for (v1::Part& part : *choice.mutable_message()->mutable_parts()) {
      if (!part.has_tool_call()) continue;
      std::string* id = part.mutable_tool_call()->mutable_id();
      if (!absl::StrContains(body, *id) && absl::StartsWith(*id, "call_")) *id = "generated";
    }
  }
}

}  // namespace

const Adapter& AdapterOf(const DialectContext& context) {
  if (absl::StartsWith(context.provider, "azure")) return *FindAdapter("azure_openai");
  for (const char* kind : {"anthropic", "gemini", "vertex", "cohere", "bedrock"}) {
    if (!context.compatible && absl::StartsWith(context.provider, kind)) return *FindAdapter(kind);
  }
  return *FindAdapter(context.compatible ? "openai_compatible" : "openai");
}

bool ApplyContextWord(absl::string_view word, DialectContext* context) {
  if (word == "compatible") return context->compatible = true;
  if (word == "refuse") return context->refuse_unsupported = true;
  if (word == "beta") return context->beta = true;
  const std::vector<std::pair<absl::string_view, std::string*>> names = {
      {"preset=", &context->preset},       {"deployment=", &context->deployment},
      {"version=", &context->api_version}, {"model=", &context->model},
      {"provider=", &context->provider},
  };
  for (const auto& [name, value] : names) {
    if (!absl::ConsumePrefix(&word, name)) continue;
    *value = std::string(word);
    return true;
  }
  return false;
}

HttpHead HeadOf(absl::string_view content_type) {
  HttpHead head;
  head.status = 200;
  if (!content_type.empty()) head.headers.push_back({"Content-Type", std::string(content_type)});
  return head;
}

std::string Bytes(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.SetSerializationDeterministic(true);
  EXPECT_TRUE(message.SerializeToCodedStream(&out));
  out.Trim();
  return bytes;
}

Decoded Decode(const DialectContext& context, const HttpHead& head, absl::string_view body,
               const std::vector<size_t>& cuts, bool clean, const v1::ChatRequest& request) {
  auto decoder = AdapterOf(context).dialect->NewChatDecoder(request, context, head);
  if (decoder.ok()) return Decode(**decoder, body, cuts, clean);
  Decoded decoded;
  decoded.status = decoder.status();
  return decoded;
}

Decoded Decode(Decoder& decoder, absl::string_view body, const std::vector<size_t>& cuts,
               bool clean) {
  Decoded decoded;
  std::vector<v1::ChatEvent> events;
  size_t at = 0;
  for (size_t i = 0; i <= cuts.size() && decoded.status.ok(); ++i) {
    const size_t end = i < cuts.size() ? cuts[i] : body.size();
    // A copy of its own, so that the sanitizer sees any byte read beyond it.
    const std::string piece(body.substr(at, end - at));
    decoded.status = decoder.Feed(piece, &events);
    at = end;
  }
  decoded.done_at_marker = decoded.status.ok() && decoder.done();
  if (decoded.status.ok()) decoded.status = decoder.Finish(clean, &events);
  EXPECT_EQ(decoded.status.ok(), decoder.done());
  CheckEvents(events, decoded.status.ok());
  decoded.events = events.size();
  ChatFold fold;
  for (v1::ChatEvent& event : events) fold.Add(std::move(event));
  decoded.answer = fold.Take();
  MakeGeneratedAlike(body, &decoded.answer);
  return decoded;
}

void ExpectSameAtEverySplit(const DialectContext& context, const HttpHead& head,
                            absl::string_view body, const Decoded& whole) {
  const std::string expected = Bytes(whole.answer);
  for (const size_t at : SplitPoints(body.size())) {
    const Decoded split = Decode(context, head, body, {at});
    ASSERT_EQ(split.status, whole.status) << "split at " << at;
    if (Bytes(split.answer) == expected) continue;
    FAIL() << "split at " << at << ": " << ToTextproto(split.answer)
           << "\nunsplit: " << ToTextproto(whole.answer);
  }
  // Byte by byte, where that is affordable.
  if (body.size() > 64 * 1024) return;
  std::vector<size_t> all;
  for (size_t at = 1; at < body.size(); ++at) all.push_back(at);
  EXPECT_EQ(Bytes(Decode(context, head, body, all).answer), expected);
}

}  // namespace mg
