#include "adapters/fold.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace mg {
namespace {

v1::ChatEvent Event(const std::string& text) {
  v1::ChatEvent event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &event)) << text;
  return event;
}

TEST(Fold, AppendsWhatIsAppendedAndKeepsTheRest) {
  ChatFold fold;
  for (
      const char* text :
      {R"(started { id: "i" model: "m" created { seconds: 7 } provider: "p" })",
       R"(delta { choice_index: 1 part_index: 1 part { text: "b" } })",
       R"(delta { choice_index: 1 part { reasoning { text: "r1" } } })",
       R"(delta { choice_index: 1 part_index: 1 part { text: "c" } logprobs { token: "c" } })",
       R"(delta { choice_index: 1 part { reasoning { text: "r2" redacted: true } provider_state { origin: "o" } } })",
       R"(delta { choice_index: 0 part { tool_call { arguments_json: "{" } } })",
       R"(delta { choice_index: 0 part { tool_call { id: "1" name: "f" arguments_json: "}" } } })",
       R"(delta { choice_index: 0 part { provider_state { origin: "x" } } })",
       R"(delta { choice_index: 1 part_index: 1 part { citations { uri: "u" } } })",
       R"(delta { choice_index: 1 part_index: 2 part { audio { data: "a" media_type: "audio/wav" } } })",
       R"(delta { choice_index: 1 part_index: 2 part { audio { data: "b" transcript: "t" } } })",
       R"(delta { choice_index: 1 part_index: 2 part { audio { transcript: "u" } } })",
       R"(finished { choice_index: 1 finish { reason: FINISH_REASON_STOP } })",
       R"(finished { choice_index: 0 finish { reason: FINISH_REASON_TOOL_CALLS } })",
       R"(completed { usage { input_tokens: 3 } report { request_id: "r" } provider_metadata { } })"}) {
    fold.Add(Event(text));
  }
  v1::ChatResponse expected;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(id: "i" model: "m" created { seconds: 7 }
         choices { message { role: ROLE_ASSISTANT
             parts { tool_call { id: "1" name: "f" arguments_json: "{}" } provider_state { origin: "x" } } }
           finish { reason: FINISH_REASON_TOOL_CALLS } }
         choices { index: 1 message { role: ROLE_ASSISTANT
             parts { reasoning { text: "r1r2" redacted: true } provider_state { origin: "o" } }
             parts { text: "bc" citations { uri: "u" } }
             parts { audio { data: "ab" media_type: "audio/wav" transcript: "tu" } } }
           finish { reason: FINISH_REASON_STOP } logprobs { token: "c" } }
         usage { input_tokens: 3 } report { request_id: "r" } provider_metadata { })",
      &expected));
  EXPECT_EQ(fold.Take().DebugString(), expected.DebugString());
  EXPECT_EQ(fold.Take().DebugString(), "");
}

TEST(Fold, IsLinear) {
  ChatFold fold;
  const std::string piece(16, 'x');
  for (int i = 0; i < 500000; ++i) {
    v1::ChatEvent event;
    event.mutable_delta()->mutable_part()->set_text(piece);
    fold.Add(std::move(event));
  }
  EXPECT_EQ(fold.Take().choices(0).message().parts(0).text().size(), 8000000u);
}

}  // namespace
}  // namespace mg
