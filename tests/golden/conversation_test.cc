// A conversation that changes provider at each turn: every one of the five dialects in every order,
// with an image, tool calls and their results, reasoning and blocks of each provider's own on the
// way. Each must take the history that the others have left (the strict checks of
// tests/support/strict), and what it cannot read is left out with a warning.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/chat_codec.h"
#include "tests/golden/decode_support.h"
#include "tests/golden/golden_files.h"
#include "tests/golden/strict_faults.h"
#include "tests/support/frames.h"

namespace mg {
namespace {

struct Speaker {
  DialectContext context;
  std::string answer;  // under decode/, whole and as a stream
  std::string stream;  // the stream's ending
};

const std::array<Speaker, 5>& Speakers() {
  static const auto& speakers = *new std::array<Speaker, 5>{{
      {{.provider = "openai", .model = "gpt-5.2"}, "pairs/rich", ".sse"},
      {{.provider = "anthropic", .model = "claude-sonnet-4-5"}, "anthropic_pairs/rich", ".sse"},
      {{.provider = "gemini", .model = "gemini-3-pro-preview"}, "gemini_pairs/rich", ".sse"},
      {{.provider = "bedrock", .model = "anthropic.claude-sonnet-4-5-20250929-v1:0"},
       "bedrock_pairs/rich",
       ".frames"},
      {{.provider = "cohere", .model = "command-a-reasoning-08-2025"},
       "cohere_pairs/calls",
       ".sse"},
  }};
  return speakers;
}

class Talk {
 public:
  explicit Talk(bool stream) : stream_(stream) {
    Say(v1::ROLE_SYSTEM)->set_text("Be brief.");
    v1::Media* image = Say(v1::ROLE_USER)->mutable_image();
    image->set_data("\x89PNG\r\n\x1a\n1");
    image->set_media_type("image/png");
    request_.mutable_messages(1)->add_parts()->set_text("What is this?");
    for (const char* name : {"f", "g"}) {
      v1::Tool* tool = request_.add_tools();
      tool->set_name(name);
      tool->set_parameters_schema_json(
          R"({"type":"object","properties":{"a":{"type":"integer"}}})");
    }
    request_.mutable_reasoning()->set_effort("low");
  }

  // The next turn is asked of this one, and its answer, with what its tools said, is part of the
  // history from then on.
  void Ask(const Speaker& speaker) {
    SCOPED_TRACE(speaker.context.provider);
    ChatCodec codec(*AdapterOf(speaker.context).dialect, request_, speaker.context, stream_);
    const auto encoded = codec.Encode();
    ASSERT_TRUE(encoded.ok()) << encoded.status();
    const auto faults = FaultsOf(speaker.context, encoded->http);
    ASSERT_TRUE(faults.has_value());
    EXPECT_EQ(absl::StrJoin(*faults, "\n"), "") << encoded->http.body;
    ExpectWarnings(speaker.context.provider, encoded->warnings);
    Answer(speaker);
  }

 private:
  v1::Part* Say(v1::Role role) {
    v1::Message* message = request_.add_messages();
    message->set_role(role);
    speakers_.emplace_back();
    return message->add_parts();
  }

  // One for every part that only another can read, and none for those of its own (OpenAI's chat API
  // takes no reasoning back).
  void ExpectWarnings(const std::string& provider, const std::vector<v1::Warning>& warnings) {
    for (int i = 0; i < request_.messages_size(); ++i) {
      const v1::Message& message = request_.messages(i);
      for (int j = 0; j < message.parts_size(); ++j) {
        const v1::Part& part = message.parts(j);
        if (!part.has_provider_state() && !part.has_provider_part()) continue;
        const std::string field = absl::StrCat("messages[", i, "].parts[", j, "].");
        const bool said = std::any_of(warnings.begin(), warnings.end(), [&](const auto& warning) {
          return absl::StartsWith(warning.field(), field) && warning.code() == "dropped" &&
                 !absl::EndsWith(warning.field(), "citations");
        });
        const bool own = speakers_[static_cast<size_t>(i)] == provider &&
                         !(provider == "openai" && part.has_reasoning());
        EXPECT_EQ(said, !own) << field << " of " << speakers_[static_cast<size_t>(i)] << ": "
                              << part.ShortDebugString();
      }
    }
  }

  void Answer(const Speaker& speaker) {
    const std::string stem = absl::StrCat(GoldenDir(), "/decode/", speaker.answer);
    std::string body = ReadFile(stem + (stream_ ? speaker.stream : ".json"));
    std::string type = stream_ ? "text/event-stream" : "application/json";
    if (stream_ && speaker.stream == ".frames") {
      body = FramesOf(body);
      type = "application/vnd.amazon.eventstream";
    }
    const Decoded decoded = Decode(speaker.context, HeadOf(type), body);
    ASSERT_TRUE(decoded.status.ok()) << decoded.status;
    v1::Message answer = decoded.answer.choices(0).message();
    std::vector<std::string> ids;
    for (v1::Part& part : *answer.mutable_parts()) {
      if (!part.has_tool_call()) continue;
      // Those that the gateway made were made alike for the comparison of answers.
      if (part.tool_call().id() == "generated") {
        part.mutable_tool_call()->set_id(absl::StrCat("call_", ++made_));
      }
      ids.push_back(part.tool_call().id());
    }
    EXPECT_FALSE(ids.empty()) << "a turn without a tool call";
    *request_.add_messages() = std::move(answer);
    speakers_.push_back(speaker.context.provider);
    for (const std::string& id : ids) {
      v1::ToolResult* result = Say(v1::ROLE_TOOL)->mutable_tool_result();
      result->set_tool_call_id(id);
      result->add_parts()->set_text("42");
    }
    Say(v1::ROLE_USER)->set_text("And then?");
  }

  const bool stream_;
  v1::ChatRequest request_;
  std::vector<std::string> speakers_;  // of each message; empty: the caller
  int made_ = 0;
};

void RunAllOrders(bool stream) {
  std::array<size_t, 5> order = {0, 1, 2, 3, 4};
  size_t orders = 0;
  do {
    SCOPED_TRACE(absl::StrJoin(order, " "));
    Talk talk(stream);
    for (const size_t each : order) talk.Ask(Speakers().at(each));
    // The first one again: what it said is in the history, behind what the others did.
    talk.Ask(Speakers().at(order[0]));
    ++orders;
  } while (std::next_permutation(order.begin(), order.end()) && !testing::Test::HasFailure());
  std::printf("conversations%s: orders run %zu\n", stream ? " (streams)" : "", orders);
}

TEST(Conversation, AnswersWholeInEveryOrder) { RunAllOrders(false); }
TEST(Conversation, StreamsInEveryOrder) { RunAllOrders(true); }

}  // namespace
}  // namespace mg
