// Legacy prompts: every text is at least one message, and what is in the messages stands in the
// text, in the same order. Input: the format's number as a digit; the prompt.
#include "absl/strings/str_split.h"
#include "adapters/legacy_prompt.h"
#include "base/check.h"
#include "base/utf8.h"
#include "tests/fuzz/pieces.h"

namespace mg {
namespace {

const v1::Part& TextPart(const v1::Message& message) {
  MG_CHECK(message.parts_size() == 1, "a message has one part");
  const v1::Part& part = message.parts(0);
  if (message.role() != v1::ROLE_TOOL) return part;
  MG_CHECK(part.has_tool_result() && part.tool_result().parts_size() == 1, "a tool's result");
  return part.tool_result().parts(0);
}

// Line by line: two turns of the human are joined by an empty line that is not in the prompt.
void TakeInOrder(absl::string_view text, absl::string_view* prompt) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const size_t at = prompt->find(line);
    MG_CHECK(at != absl::string_view::npos, "nothing is added and nothing changes its place");
    prompt->remove_prefix(at + line.size());
  }
}

void Check(absl::string_view input) {
  v1::LegacyPrompt prompt;
  const int format = TakeByte(&input) & 7;
  prompt.set_format(static_cast<v1::LegacyPrompt::Format>(format));
  prompt.set_text(std::string(input));
  const auto messages = MessagesOf(prompt);
  MG_CHECK(!messages.empty(), "at least one message");
  const bool valid = IsValidUtf8(input);
  absl::string_view rest = input;
  for (const v1::Message& message : messages) {
    MG_CHECK(message.role() != v1::ROLE_UNSPECIFIED, "a known role");
    const v1::Part& part = TextPart(message);
    MG_CHECK(part.has_text(), "a text");
    const std::string& name =
        message.role() == v1::ROLE_TOOL ? message.parts(0).tool_result().name() : message.name();
    MG_CHECK(!valid || (IsValidUtf8(part.text()) && IsValidUtf8(name)), "no character is cut");
    TakeInOrder(name, &rest);
    TakeInOrder(part.text(), &rest);
  }
  if (format == v1::LegacyPrompt::FORMAT_UNSPECIFIED || format == v1::LegacyPrompt::FORMAT_PLAIN) {
    MG_CHECK(messages.size() == 1 && messages[0].parts(0).text() == input, "plain is plain");
  }
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
