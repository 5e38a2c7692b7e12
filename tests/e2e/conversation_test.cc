// A conversation that changes provider at each turn, through the real binary: each of the five
// dialects gets what the others have left of it, an image, reasoning, tool calls and their results
// among it. The upstream itself refuses what that provider would (tests/support/strict), and what a
// provider cannot read is left out with a warning. tests/golden/conversation_test.cc plays every
// order. MG_CONVERSATIONS=N has as many of them, one after the other.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/daemon.h"
#include "tests/support/frames.h"
#include "tests/support/strict/strict.h"

namespace mg::e2e {
namespace {

struct Speaker {
  std::string name;  // of the provider; its kind, too
  std::string model;
  std::string config;
  std::string base;    // what stands behind the upstream's address and the name
  std::string answer;  // under tests/golden/decode, whole and as a stream
  std::string stream;  // the stream's ending
  std::vector<std::string> (*faults)(const JsonValue& body, const StrictCase& of);
};

const std::array<Speaker, 5>& Speakers() {
  static const auto& speakers = *new std::array<Speaker, 5>{{
      {"openai", "gpt-5.2", "api_key: { env: KEY }", "/v1", "pairs/rich", ".sse", OpenAiFaults},
      {"anthropic", "claude-sonnet-4-5", "api_key: { env: KEY }", "", "anthropic_pairs/rich",
       ".sse", AnthropicFaults},
      {"gemini", "gemini-3-pro-preview", "api_key: { env: KEY }", "", "gemini_pairs/rich", ".sse",
       GeminiFaults},
      {"bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0",
       "region: us-east-1, api_key: { env: KEY }", "", "bedrock_pairs/rich", ".frames",
       BedrockFaults},
      {"cohere", "command-a-reasoning-08-2025", "api_key: { env: KEY }", "", "cohere_pairs/calls",
       ".sse", CohereFaults},
  }};
  return speakers;
}

int Conversations() {
  const char* count = std::getenv("MG_CONVERSATIONS");
  return count == nullptr ? 1 : std::atoi(count);
}

std::function<bool(const UpstreamRequest&)> IsAskedOf(const Speaker& speaker) {
  return [beginning = absl::StrCat("/", speaker.name, "/")](const UpstreamRequest& request) {
    return absl::StartsWith(request.target, beginning);
  };
}

std::string FaultsOf(const UpstreamRequest& request) {
  for (const Speaker& speaker : Speakers()) {
    if (!IsAskedOf(speaker)(request)) continue;
    JsonDocument body;
    if (absl::Status status = ParseJson(request.body, &body); !status.ok()) {
      return std::string(status.message());
    }
    return absl::StrJoin(speaker.faults(body, {.model = speaker.model}), "\n");
  }
  return absl::StrCat("asked of nobody: ", request.target);
}

Script AnswerOf(const Speaker& speaker, bool stream) {
  const std::string path = absl::StrCat(MG_SOURCE_DIR "/tests/golden/decode/", speaker.answer,
                                        stream ? speaker.stream : ".json");
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  if (!stream) return Json(text.str());
  if (speaker.stream != ".frames") return Sse().Body(text.str());
  return Script()
      .Header("content-type", "application/vnd.amazon.eventstream")
      .Body(FramesOf(text.str()));
}

class Conversation : public testing::TestWithParam<bool> {
 protected:
  void Begin() {
    request_.Clear();
    speakers_.clear();
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

  v1::Part* Say(v1::Role role) {
    v1::Message* message = request_.add_messages();
    message->set_role(role);
    speakers_.emplace_back();
    return message->add_parts();
  }

  void Ask(Caller& caller, const Speaker& speaker) {
    SCOPED_TRACE(speaker.name);
    request_.set_model(absl::StrCat(speaker.name, "/", speaker.model));
    const Reply reply = caller.Run(request_, GetParam());
    ASSERT_TRUE(reply.ok()) << reply.message;
    ExpectWarnings(speaker.name, reply.response.report());
    Take(speaker.name, reply.response.choices(0).message());
  }

  // One for every part that only another can read (OpenAI's chat API takes no reasoning back, not
  // even its own).
  void ExpectWarnings(const std::string& provider, const v1::CallReport& report) {
    for (int i = 0; i < request_.messages_size(); ++i) {
      for (int j = 0; j < request_.messages(i).parts_size(); ++j) {
        const v1::Part& part = request_.messages(i).parts(j);
        if (!part.has_provider_state() && !part.has_provider_part()) continue;
        const std::string field = absl::StrCat("messages[", i, "].parts[", j, "].");
        const bool said = std::any_of(
            report.warnings().begin(), report.warnings().end(), [&](const v1::Warning& warning) {
              return absl::StartsWith(warning.field(), field) && warning.code() == "dropped" &&
                     !absl::EndsWith(warning.field(), "citations");
            });
        const bool own = speakers_[static_cast<size_t>(i)] == provider &&
                         !(provider == "openai" && part.has_reasoning());
        EXPECT_EQ(said, !own) << field << " of " << speakers_[static_cast<size_t>(i)];
        if (said) ++left_out_;
      }
    }
  }

  // The answer and what its tools say become part of the conversation.
  void Take(const std::string& provider, const v1::Message& answer) {
    *request_.add_messages() = answer;
    speakers_.push_back(provider);
    int calls = 0;
    for (const v1::Part& part : answer.parts()) {
      if (!part.has_tool_call()) continue;
      ++calls;
      v1::ToolResult* result = Say(v1::ROLE_TOOL)->mutable_tool_result();
      result->set_tool_call_id(part.tool_call().id());
      result->add_parts()->set_text("42");
    }
    EXPECT_GT(calls, 0) << "a turn without a tool call";
    Say(v1::ROLE_USER)->set_text("And then?");
  }

  v1::ChatRequest request_;
  std::vector<std::string> speakers_;  // of each message; empty: the caller
  int left_out_ = 0;
};

TEST_P(Conversation, EachProviderTakesWhatTheOthersLeft) {
  FakeUpstream upstream({.check = FaultsOf});
  std::string config = Listening() + "providers:\n";
  for (const Speaker& speaker : Speakers()) {
    upstream.When(IsAskedOf(speaker)).Reply(AnswerOf(speaker, GetParam()));
    absl::StrAppend(&config, "  ", speaker.name, ": { ", speaker.name, ": { ", speaker.config,
                    ", base_url: \"", upstream.Url(absl::StrCat("/", speaker.name, speaker.base)),
                    "\" } }\n");
  }
  Daemon daemon({.config = config, .environment = {{"KEY", "sk-key-of-all-12345678"}}});
  Caller caller(daemon.tcp());
  for (int i = 0; i < Conversations(); ++i) {
    Begin();
    for (const Speaker& speaker : Speakers()) Ask(caller, speaker);
    // The first one again: what it said itself stands behind what the others did.
    Ask(caller, Speakers().front());
  }
  EXPECT_EQ(daemon.Stop(), 0) << daemon.Err();
  EXPECT_EQ(absl::StrJoin(upstream.faults(), "\n"), "");
  EXPECT_GT(left_out_, 0);
  const std::vector<UpstreamRequest> asked = upstream.requests();
  ASSERT_EQ(asked.size(), (Speakers().size() + 1) * static_cast<size_t>(Conversations()));
  for (size_t i = 0; i < Speakers().size(); ++i) EXPECT_TRUE(IsAskedOf(Speakers().at(i))(asked[i]));
}

INSTANTIATE_TEST_SUITE_P(WholeAndStreamed, Conversation, testing::Bool(),
                         [](const auto& info) { return info.param ? "Streamed" : "Whole"; });

}  // namespace
}  // namespace mg::e2e
