// Requests that other clients have sent, against what ours become: for every shape among the
// recordings a typed request whose encoding is the same JSON. LIST names the recordings;
// the exceptions below are all that may differ.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/golden/golden_files.h"
#include "tests/golden/json_shape.h"
#include "tests/golden/typed_shapes.h"

namespace mg {
namespace {

constexpr size_t kLeastListed = 60;
constexpr size_t kMostExceptions = 20;

// What may differ, in these files alone.
struct Exception {
  absl::string_view pattern;  // how the pointer begins, `*` for an index
  absl::string_view reason;   // §: of spec/providers.md
  std::vector<absl::string_view> files;
};

const std::vector<Exception>& Exceptions() {
  static const auto& exceptions = *new std::vector<Exception>{
      {"",
       "sent to be refused, as the gateway does itself: a model whose tokens Bedrock does not "
       "count; "
       "no dimensions, no format and a token instead of a list of them",
       {"bedrock/bedrock-count--bedrock-count-tokens-error",
        "openai/oai-embed--embeddings-bad-request"}},
      {"/messages",
       "a request without a message is not sent; neighbours of one role are one message (§5.2)",
       {"openai/oai-chat--no-messages", "bedrock/converse--guardrail-converse"}},
      {"/input", "inputs go out as a list, one too", {"azure/oai-embed--azure-openai-embeddings"}},
      {"/max_tokens",
       "deprecated by OpenAI (§2.1); OpenRouter's name for it (§8.1)",
       {"openai/oai-chat--async-chat-completion-extra-params",
        "openrouter/oai-chat--openrouter-cache-all-settings-real-api-2",
        "openrouter/oai-chat--openrouter-stream-error"}},
      {"/max_completion_tokens",
       "as /max_tokens, the other way round",
       {"openai/oai-chat--async-chat-completion-extra-params",
        "openrouter/oai-chat--openrouter-cache-all-settings-real-api-2",
        "openrouter/oai-chat--openrouter-stream-error"}},
      {"/stream_options",
       "a stream's usage is always asked for (§8.1)",
       {"azure/oai-chat--chat-streaming", "openai/oai-chat--chat-tools-streaming",
        "vllm/oai-chat--trace-propagation-stream-chatopenai"}},
      {"/temperature",
       "reasoning models take none: dropped with a warning (§2.1)",
       {"openai/oai-chat--detailed-usage", "openai/oai-chat--streaming-detailed-usage"}},
      {"/reasoning",
       "a server without a preset gets reasoning_effort (§8.1)",
       {"snowflake/oai-chat--snowflake-thinking-streaming"}},
      {"/enable_thinking",
       "no field of the contract, and Ollama has no such member (§8.1)",
       {"ollama/oai-chat--function-calling-ollama-qwen3-can-use-tools-with-multi-turn-streaming"}},
      {"/messages/*/name",
       "Mistral wants the tool's name in the message of its result (§8)",
       {"mistral/"
        "oai-chat--function-calling-mistral-mistral-small-latest-can-use-parallel-tool-ca-1",
        "mistral/"
        "oai-chat--function-calling-mistral-mistral-small-latest-can-use-tools-with-multi-1",
        "mistral/oai-chat--tool-choice-matrix-auto-mistral-1"}},
      {"/messages/*/prefix",
       "false is what its absence means",
       {"mistral/oai-chat--tool-choice-matrix-auto-mistral-1"}},
      {"/messages/*/tool_calls/*/index",
       "a member of answers that a client has sent back",
       {"mistral/oai-chat--tool-choice-matrix-auto-mistral-1"}},
      {"/tools/*/type",
       "the client leaves out \"function\", which is what its absence means",
       {"mistral/oai-chat--tool-choice-matrix-auto-mistral-1",
        "mistral/oai-chat--tool-choice-matrix-list-single-mistral"}},
      {"/tools/*/functionDeclarations/*/parameters",
       "a schema goes out as parametersJsonSchema (§6.2), of which parameters_json_schema is "
       "another "
       "spelling; one that takes nothing is left out",
       {"gemini/gemini--function-calling-gemini-gemini-2-5-flash-can-use-parallel-tool-calls-1",
        "gemini/gemini--function-calling-thought-signatures-gemini-gemini-3-1-pro-preview-incl",
        "gemini/gemini--tool-choice-matrix-list-single-google",
        "gemini/gemini--tool-choice-matrix-required-google",
        "gemini/gemini-stream--google-streaming-tool-call-thought-signature",
        "vertex/gemini--function-calling-thought-signatures-vertexai-gemini-3-1-pro-preview-in-2",
        "vertex/gemini--function-calling-vertexai-gemini-2-5-flash-can-use-parallel-tool-calls-1"}},
      {"/generateContentRequest/tools/*/functionDeclarations/*/parameters",
       "as the former",
       {"gemini/"
        "gemini-count--count-tokens-with-gemini-gemini-3-5-flash-counts-the-next-request-as-c-"
        "1"}},
      {"/systemInstruction/role",
       "it has none (§6.2)",
       {"gemini/gemini--google-model-max-tokens-thinking-model-empty-response"}},
      {"/outputConfig/textFormat/structure/jsonSchema/schema",
       "JSON in a string: our own white space; minLength is said in words (§4.4)",
       {"bedrock/converse--bedrock-native-output-profile-default",
        "bedrock/converse--bedrock-native-output-supported-model",
        "bedrock/converse--bedrock-strict-tool-with-native-output"}},
      {"/messages/*/content/*/toolResult/status",
       "success is what its absence means",
       {"bedrock/converse--tool-choice-matrix-auto-bedrock-1"}},
      {"/thinking",
       "an effort is a budget at Cohere and goes with adaptive thinking at Anthropic (§9, §9.2)",
       {"cohere/"
        "cohere-chat--with-extended-thinking-cohere-command-a-reasoning-08-2025-returns-thin",
        "anthropic/anthropic--anthropic-explicit-effort-xhigh-unsupported-model-errors"}},
      {"/output_config/effort",
       "xhigh, which this model lacks, becomes the next lower word (§9.2)",
       {"anthropic/anthropic--anthropic-explicit-effort-xhigh-unsupported-model-errors"}},
  };
  return exceptions;
}

bool Excuses(const Exception& exception, absl::string_view pattern, absl::string_view file) {
  return absl::StartsWith(pattern, exception.pattern) &&
         std::find(exception.files.begin(), exception.files.end(), file) != exception.files.end();
}

class Shapes : public testing::Test {
 protected:
  void SetUp() override {
    if (!FixturesDir().empty()) return;
    const char* ci = std::getenv("CI");
    ASSERT_FALSE(ci != nullptr && absl::string_view(ci) == "true") << "the recordings are absent";
    GTEST_SKIP() << "SKIPPED: the recordings are absent";
  }

  static std::string NormalShape(const RecordedRequest& recorded) {
    JsonDocument body;
    body.CopyFrom(recorded.body, body.GetAllocator());
    DropWhatMeansNothing(&body);
    return absl::StrCat(recorded.kind, "\n", ShapeOf(body));
  }

  static std::string BodyOf(const RecordedRequest& recorded) {
    const auto typed = EncodeTyped(recorded);
    return typed.ok() ? typed->encoded.http.body : typed.status().ToString();
  }

  static std::vector<std::string> DifferencesOf(const RecordedRequest& recorded) {
    const auto typed = EncodeTyped(recorded);
    if (!typed.ok()) return {""};
    JsonDocument ours;
    EXPECT_TRUE(ParseJson(typed->encoded.http.body, &ours).ok());
    DropWhatMeansNothing(&ours);
    JsonDocument theirs;
    theirs.CopyFrom(recorded.body, theirs.GetAllocator());
    DropWhatMeansNothing(&theirs);
    return Differences(theirs, ours);
  }

  // Strikes off the exceptions that it needs.
  static void ExpectSameJson(const RecordedRequest& recorded,
                             std::set<std::pair<std::string, std::string>>* unused) {
    for (const std::string& pointer : DifferencesOf(recorded)) {
      bool excused = false;
      for (const Exception& exception : Exceptions()) {
        if (!Excuses(exception, PatternOf(pointer), recorded.name)) continue;
        unused->erase({std::string(exception.pattern), recorded.name});
        excused = true;
      }
      EXPECT_TRUE(excused) << "differs at \"" << pointer
                           << "\": " << BodyOf(recorded).substr(0, 2000);
    }
  }
};

TEST_F(Shapes, EveryRecordedOneIsListed) {
  const std::vector<std::string> listed = ListedShapes();
  const std::set<std::string> names(listed.begin(), listed.end());
  EXPECT_EQ(names.size(), listed.size()) << "one is named twice";
  std::map<std::string, std::vector<std::string>> by_shape;
  std::set<std::string> covered;
  for (const RecordedRequest& recorded : RecordedRequests()) {
    const std::string shape = NormalShape(recorded);
    by_shape[shape].push_back(recorded.name);
    if (names.contains(recorded.name)) covered.insert(shape);
  }
  for (const auto& [shape, files] : by_shape) {
    EXPECT_TRUE(covered.contains(shape)) << "no request for " << files[0] << "\n" << shape;
  }
  std::printf("shapes of recorded requests: %zu, listed %zu\n", by_shape.size(), listed.size());
}

TEST_F(Shapes, TypedRequestsBecomeTheSameJson) {
  std::set<std::pair<std::string, std::string>> unused;
  EXPECT_LE(Exceptions().size(), kMostExceptions);
  for (const Exception& exception : Exceptions()) {
    EXPECT_FALSE(exception.reason.empty());
    for (absl::string_view file : exception.files) {
      unused.insert({std::string(exception.pattern), std::string(file)});
    }
  }
  const std::vector<std::string> listed = ListedShapes();
  const std::set<std::string> names(listed.begin(), listed.end());
  size_t run = 0;
  for (const RecordedRequest& recorded : RecordedRequests()) {
    if (!names.contains(recorded.name)) continue;
    SCOPED_TRACE(recorded.name);
    ExpectSameJson(recorded, &unused);
    ++run;
  }
  EXPECT_GE(run, kLeastListed);
  EXPECT_EQ(run, listed.size()) << "LIST names what is no recording";
  for (const auto& [pattern, file] : unused) ADD_FAILURE() << "unused: " << pattern << " " << file;
  std::printf("shapes: cases found %zu, run %zu, skipped %zu; exceptions %zu\n", listed.size(), run,
              listed.size() - run, Exceptions().size());
}

}  // namespace
}  // namespace mg
