// The strict checks themselves: a sound body of each dialect passes, and one change after the other
// makes it a body that the rule beside it refuses. Then every body that the golden cases and the
// typed requests of shapes/ become: providers would take them.
#include "tests/support/strict/strict.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "rapidjson/pointer.h"
#include "tests/golden/encode_cases.h"
#include "tests/golden/golden_files.h"
#include "tests/golden/strict_faults.h"
#include "tests/golden/typed_shapes.h"

namespace mg {
namespace {

// The change (a pointer, and the JSON that is set there, or nothing: the member goes) and what the
// fault must say.
struct Change {
  const char* pointer;
  const char* value;
  const char* fault;
  const char* model = nullptr;  // another than the body's
};

using Faults = std::vector<std::string> (*)(const JsonValue&, const StrictCase&);

void ExpectRefused(Faults faults, const StrictCase& of, const char* sound,
                   const std::vector<Change>& changes) {
  JsonDocument body;
  ASSERT_TRUE(ParseJson(sound, &body).ok()) << sound;
  EXPECT_EQ(absl::StrJoin(faults(body, of), "\n"), "");
  for (const Change& change : changes) {
    SCOPED_TRACE(change.pointer);
    JsonDocument changed;
    changed.CopyFrom(body, changed.GetAllocator());
    const rapidjson::Pointer pointer(change.pointer);
    ASSERT_TRUE(pointer.IsValid());
    if (*change.value == '\0') {
      if (*change.pointer != '\0') EXPECT_TRUE(pointer.Erase(changed));
    } else {
      JsonDocument value;
      ASSERT_TRUE(ParseJson(change.value, &value).ok()) << change.value;
      pointer.Set(changed, static_cast<const JsonValue&>(value));  // a copy
    }
    StrictCase with = of;
    if (change.model != nullptr) with.model = change.model;
    const std::string said = absl::StrJoin(faults(changed, with), "\n");
    EXPECT_TRUE(absl::StrContains(said, change.fault)) << change.fault << "; it says: " << said;
  }
}

TEST(Strict, OpenAi) {
  ExpectRefused(
      OpenAiFaults, {.model = "gpt-4.1"},
      R"({"model":"gpt-4.1","messages":[
        {"role":"system","content":"Be brief."},
        {"role":"user","content":[{"type":"text","text":"Hi"},
          {"type":"image_url","image_url":{"url":"https://a.test/b.png"}}]},
        {"role":"assistant","content":null,"tool_calls":[
          {"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"c1","content":""},
        {"role":"user","content":"Go on"}],
        "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],
        "temperature":0.5,"stop":["a"]})",
      {
          {"/model", "", "/model: an empty text"},
          {"/nonsense", "1", "/nonsense: an unknown member"},
          {"/messages", "[]", "no message"},
          {"/messages/0/nonsense", "1", "an unknown member"},
          {"/messages/0/role", "\"chair\"", "no such role"},
          {"/messages/0/content", "[]", "an empty content"},
          {"/messages/1/content/0/text", "\"\"", "an empty text"},
          {"/messages/1/content/0/type", "\"noise\"", "no part here: noise"},
          {"/messages/1/content/0/nonsense", "1", "an unknown member"},
          {"/messages/1/content/1/image_url/url", "\"gs://a/b\"", "neither https nor a data URL"},
          {"/messages/1/content/1/image_url/detail", "\"vast\"", "none of auto"},
          {"/messages/1/content/1",
           R"({"type":"input_audio","input_audio":{"data":"AA==","format":"ogg"}})", "none of wav"},
          {"/messages/1/content/1", R"({"type":"file","file":{"filename":"a"}})",
           "not exactly one of file_data"},
          {"/messages/2/tool_calls", "[]", "an empty list"},
          {"/messages/2/tool_calls", "", "no content"},
          {"/messages/2/tool_calls/0/id", "\"\"", "no id"},
          {"/messages/2/tool_calls/0/function/arguments", "{}", "arguments that are no string"},
          {"/messages/2/tool_calls/0/type", "\"noise\"", "neither function nor custom"},
          {"/messages/3/tool_call_id", "\"c2\"", "answers no call before it"},
          {"/messages/3", R"({"role":"user","content":"x"})",
           "before the results of all tool_calls"},
          {"/messages/3/name", "\"f\"", "an unknown member"},
          {"/messages/4", R"({"role":"tool","tool_call_id":"c1","content":"x"})",
           "a second answer"},
          {"/temperature", "2.5", "not 0 to 2"},
          {"/top_p", "1.5", "not 0 to 1"},
          {"/presence_penalty", "3", "not -2 to 2"},
          {"/n", "0", "no whole number from 1"},
          {"/stop", R"(["a","b","c","d","e"])", "more than 4"},
          {"/top_logprobs", "3", "without logprobs"},
          {"/max_completion_tokens", "0.5", "no whole number"},
          {"/stream_options", R"({"include_usage":true})", "without a stream"},
          {"/service_tier", "\"best\"", "none of auto"},
          {"/reasoning_effort", "\"vast\"", "none of none"},
          {"/tools", "[]", "/tools: an empty list"},
          {"/tools/0/function/name", "\"f g\"", "no such name"},
          {"/tools/0/function/parameters", "[1]", "no object"},
          {"/tools/1", R"({"type":"function","function":{"name":"f"}})", "a second one"},
          {"/tool_choice", "\"any\"", "no such word"},
          {"/tool_choice", R"({"type":"function","function":{"name":"g"}})", "names no tool"},
          {"/response_format", R"({"type":"json_object"})", "lacks the word JSON"},
          {"/response_format", R"({"type":"json_schema","json_schema":{"name":"a b","schema":{}}})",
           "no such name"},
          {"/response_format", R"({"type":"json_schema","json_schema":{"name":"a"}})",
           "schema: no object"},
          {"/max_tokens", "9", "a reasoning model takes none", "o3"},
          {"", "", "/temperature: a reasoning model takes none", "gpt-5-mini"},
          {"/temperature", "", "while it reasons", "gpt-5.6"},
      });
  ExpectRefused(OpenAiFaults, {.model = "gpt-4.1"},
                R"({"model":"gpt-4.1","messages":[{"role":"user","content":"Hi"}]})",
                {{"/parallel_tool_calls", "true", "without tools"},
                 {"/tool_choice", "\"auto\"", "without tools"}});
}

TEST(Strict, Anthropic) {
  ExpectRefused(
      AnthropicFaults, {.model = "claude-haiku-4-5"},
      R"({"model":"claude-haiku-4-5","max_tokens":4096,"system":[{"type":"text","text":"Be brief."}],
        "messages":[
        {"role":"user","content":[{"type":"text","text":"Hi"},
          {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},
        {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},
          {"type":"tool_use","id":"c1","name":"f","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1"},
          {"type":"text","text":"Go on"}]}],
        "tools":[{"name":"f","input_schema":{"type":"object"}}],
        "thinking":{"type":"enabled","budget_tokens":1024}})",
      {
          {"/model", "", "/model: an empty text"},
          {"/max_tokens", "", "is required"},
          {"/max_tokens", "1024", "not below max_tokens"},
          {"/nonsense", "1", "an unknown member"},
          {"/temperature", "1.5", "not 0 to 1"},
          {"/temperature", "0.5", "while it thinks"},
          {"/top_k", "5", "while it thinks"},
          {"/stop_sequences", "[\" \"]", "a blank"},
          {"/metadata", R"({"user":"u"})", "an unknown member"},
          {"/service_tier", "\"flex\"", "none of auto"},
          {"/system", "\" \"", "no text"},
          {"/system/0/text", "\"\"", "a blank text"},
          {"/messages", "[]", "no message"},
          {"/messages/0/role", "\"assistant\"", "not of the user"},
          {"/messages/0/role", "\"chair\"", "no such role"},
          {"/messages/0/content", "\"\"", "a blank content"},
          {"/messages/0/content", "[]", "an empty content"},
          {"/messages/0/content/0/text", "\"\\n\"", "a blank text"},
          {"/messages/0/content/0/citations", "[{}]", "citations of a user's text"},
          {"/messages/0/content/0/type", "\"noise\"", "no block of a user's: noise"},
          {"/messages/0/content/1/source/media_type", "\"image/bmp\"", "no such media_type"},
          {"/messages/0/content/1/source/data", "\"!\"", "no base64"},
          {"/messages/0/content/1/source/type", "\"gs\"", "no such source"},
          {"/messages/0/content/0/cache_control", R"({"type":"ephemeral","ttl":"9m"})",
           "none of 5m"},
          {"/messages/1/content/0/signature", "", "signature: an empty text"},
          {"/messages/1/content/1/id", "\"functions.x:0\"", "an id of other than"},
          {"/messages/1/content/1/input", "\"{}\"", "input: no object"},
          {"/messages/1/content/0", R"({"type":"image","source":{"type":"url","url":"https://a"}})",
           "not the user's"},
          {"/messages/2/content/0/tool_use_id", "\"c2\"", "without its tool_use just before"},
          {"/messages/2/content/0", "", "tool_use without a tool_result"},
          {"/messages/2/content", "\"Go on\"", "tool_use without a tool_result"},
          {"/messages/2/content/2", R"({"type":"tool_result","tool_use_id":"c1"})",
           "behind other blocks"},
          {"/messages/2/content/0/content", R"([{"type":"tool_use"}])", "no block of a result"},
          {"/messages/3", R"({"role":"assistant","content":"So"})", "no prefill"},
          {"/messages/3", R"({"role":"assistant","content":"So "})", "ends in white space"},
          {"/messages/3", R"({"role":"system","content":"Be"})", "no place for a system message"},
          {"/tools/0/name", "\"f.g\"", "no such name"},
          {"/tools/0/input_schema", "{}", "no object's"},
          {"/tools/0/nonsense", "1", "an unknown member"},
          {"/tools/1", R"({"name":"f","input_schema":{"type":"object"}})", "a name twice"},
          {"/tool_choice", R"({"type":"any"})", "forced while it thinks"},
          {"/tool_choice", R"({"type":"tool","name":"g"})", "names no tool"},
          {"/thinking/budget_tokens", "512", "no whole number from 1024"},
          {"/thinking/budget_tokens", "", "a budget and enabled, or neither"},
          {"/thinking", R"({"type":"enabled","budget_tokens":2048})", "takes no budget",
           "claude-opus-4-8"},
          {"/output_config", R"({"effort":"xhigh"})", "a word that this model lacks"},
          {"/output_config", R"({"format":{"type":"json_schema","schema":{"type":"object"}}})",
           "additionalProperties is not false"},
          {"/output_config",
           R"({"format":{"type":"json_schema","schema":{"type":"string","minLength":1}}})",
           "a keyword that is not taken"},
      });
  ExpectRefused(AnthropicFaults, {.model = "claude-haiku-4-5"},
                R"({"model":"claude-haiku-4-5","max_tokens":9,"temperature":0.5,
                  "messages":[{"role":"user","content":"Hi"}]})",
                {{"/top_p", "0.5", "beside a temperature"},
                 {"/tool_choice", R"({"type":"auto"})", "without tools"},
                 {"", "", "not with this model", "claude-opus-4-8"},
                 {"", "", "no member of count_tokens", "count:claude-haiku-4-5"},
                 {"/system",
                  R"([{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},
                      {"type":"text","text":"b","cache_control":{"type":"ephemeral"}},
                      {"type":"text","text":"c","cache_control":{"type":"ephemeral"}},
                      {"type":"text","text":"d","cache_control":{"type":"ephemeral"}},
                      {"type":"text","text":"e","cache_control":{"type":"ephemeral"}}])",
                  "more than 4 cache_control"}});
}

TEST(Strict, Bedrock) {
  ExpectRefused(
      BedrockFaults, {.model = "anthropic.claude-haiku-4-5"},
      R"({"system":[{"text":"Be brief."}],"messages":[
        {"role":"user","content":[{"text":"Hi"},
          {"image":{"format":"png","source":{"bytes":"AA=="}}},
          {"document":{"format":"pdf","name":"A 1","source":{"bytes":"AA=="}}}]},
        {"role":"assistant","content":[
          {"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}},
          {"toolUse":{"toolUseId":"c1","name":"f","input":{}}}]},
        {"role":"user","content":[{"toolResult":{"toolUseId":"c1","content":[{"text":"1"}]}},
          {"text":"Go on"},{"cachePoint":{"type":"default"}}]}],
        "toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]},
        "inferenceConfig":{"maxTokens":9}})",
      {
          {"/model", "\"m\"", "an unknown member"},
          {"/messages", "[]", "no message"},
          {"/messages/0/role", "\"assistant\"", "not of the user"},
          {"/messages/0/role", "\"system\"", "no such role"},
          {"/messages/1/role", "\"user\"", "a neighbour of the same role"},
          {"/messages/0/content", "[]", "an empty content"},
          {"/messages/0/content/0/text", "\" \"", "a blank text"},
          {"/messages/0/content/0/image", "{}", "not exactly one of"},
          {"/messages/0/content/0", R"({"cachePoint":{"type":"default"}})",
           "a cachePoint behind no block"},
          {"/messages/0/content/0", "", "documents without a text"},
          {"/messages/0/content/1/image/format", "\"bmp\"", "none of png"},
          {"/messages/0/content/1/image/source/bytes", "\"!\"", "no base64"},
          {"/messages/0/content/1/image/source", R"({"url":"https://a"})",
           "not exactly one of bytes"},
          {"/messages/0/content/2/document/name", "\"a.pdf\"", "no such name of a document"},
          {"/messages/0/content/3",
           R"({"document":{"format":"pdf","name":"A 1","source":{"bytes":"AA=="}}})",
           "a document's name twice"},
          {"/messages/1/content/0/reasoningContent/reasoningText/thinking", "1",
           "an unknown member"},
          {"/messages/1/content/0/reasoningContent", R"({"redactedContent":"!"})", "no base64"},
          {"/messages/1/content/0", R"({"image":{"format":"png","source":{"bytes":"AA=="}}})",
           "not the user's"},
          {"/messages/1/content/1/toolUse/input", "\"{}\"", "input: no object"},
          {"/messages/1/content/1/toolUse/toolUseId", "\"c.1\"", "no such toolUseId"},
          {"", "", "no such toolUseId", "mistral.mistral-large-2402-v1:0"},
          {"/messages/1/content/1/toolUse/name", "\"f.g\"", "no such name"},
          {"/messages/2/content/0/toolResult/toolUseId", "\"c2\"",
           "without its toolUse just before"},
          {"/messages/2/content/0", "", "toolUse without a toolResult"},
          {"/messages/2/content/0/toolResult/content", "[]", "a result without content"},
          {"/messages/2/content/0/toolResult/content/0", R"({"json":[1]})", "json: no object"},
          {"/messages/2/content/0/toolResult/content/0/text", "\"\"", "a blank text"},
          {"/messages/2/content/0/toolResult/status", "\"fine\"", "none of success"},
          {"/messages/2/content/2/cachePoint/ttl", "\"9m\"", "none of 5m"},
          {"/toolConfig", "", "is required where the history has tool blocks"},
          {"/toolConfig/tools", "[]", "an empty list"},
          {"/toolConfig/tools/0/toolSpec/description", "\"\"", "description: an empty text"},
          {"/toolConfig/tools/0/toolSpec/name", "\"f.g\"", "no such name"},
          {"/toolConfig/tools/0/toolSpec/inputSchema", "{}", "json: no object"},
          {"/toolConfig/toolChoice", R"({"none":{}})", "not exactly one of auto"},
          {"/toolConfig/toolChoice", R"({"tool":{"name":"g"}})", "names no tool"},
          {"/inferenceConfig/temperature", "1.5", "not 0 to 1"},
          {"/inferenceConfig/topK", "1", "an unknown member"},
          {"/inferenceConfig/maxTokens", "0", "no whole number from 1"},
          {"/outputConfig",
           R"({"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":{}}}}})",
           "no schema as a string"},
          {"/system/0/text", "\"\"", "a blank text"},
      });
}

TEST(Strict, Gemini) {
  ExpectRefused(
      GeminiFaults, {.model = "gemini-3-pro-preview"},
      R"({"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[
        {"role":"user","parts":[{"text":"Hi"},{"inlineData":{"mimeType":"image/png","data":"AA=="}}]},
        {"role":"model","parts":[{"text":"hm","thought":true},
          {"functionCall":{"name":"f","args":{}},"thoughtSignature":"AA=="},
          {"functionCall":{"name":"g","id":"1"}}]},
        {"role":"user","parts":[{"functionResponse":{"name":"f","response":{"result":"1"}}},
          {"functionResponse":{"name":"g","response":{"error":"2"},"id":"1"}}]}],
        "tools":[{"functionDeclarations":[{"name":"f"},
          {"name":"g","parametersJsonSchema":{"type":"object","properties":{"a":{}}}}]}],
        "generationConfig":{"temperature":1,"thinkingConfig":{"thinkingLevel":"low"}}})",
      {
          {"/messages", "[]", "an unknown member"},
          {"/labels", "{\"a\":\"b\"}", "an unknown member"},
          {"/contents", "[]", "no content"},
          {"/contents/0/role", "\"model\"", "not of the user"},
          {"/contents/0/role", "\"system\"", "none of user"},
          {"/contents/0/parts", "[]", "no parts"},
          {"/contents/0/parts/0/text", "\"\"", "an empty text"},
          {"/contents/0/parts/0/fileData", "{}", "not exactly one of"},
          {"/contents/0/parts/0/nonsense", "1", "an unknown member"},
          {"/contents/0/parts/0/thoughtSignature", "\"AA==\"", "not the model's"},
          {"/contents/0/parts/1/inlineData/mimeType", "", "mimeType: an empty text"},
          {"/contents/0/parts/1/inlineData/data", "\"!\"", "no base64"},
          {"/contents/1/role", "\"user\"", "a call that is not the model's"},
          {"/contents/1/parts/1/thoughtSignature", "", "without its thoughtSignature"},
          {"/contents/1/parts/1/thoughtSignature", "\"\"", "thoughtSignature: an empty text"},
          {"/contents/1/parts/1/functionCall/args", "\"{}\"", "args: no object"},
          {"/contents/2/parts/0", "", "not as many functionResponses"},
          {"/contents/2", "", "functionCalls without their responses"},
          {"/contents/2/role", "\"model\"", "a response that is not the user's"},
          {"/contents/2/parts/0/functionResponse/response", "\"1\"", "response: no object"},
          {"/contents/2/parts/0/functionResponse/name", "\"g\"", "in another order"},
          {"/contents/2/parts/1/functionResponse/id", "\"2\"", "another id than the call's"},
          {"/contents/2/parts/2", R"({"functionResponse":{"name":"f","response":{}}})",
           "without its functionCall"},
          {"/systemInstruction/parts", "[]", "no parts"},
          {"", "", "Gemma takes none", "gemma-3-27b-it"},
          {"/tools/0/functionDeclarations/0/name", "\"1f\"", "no such name"},
          {"/tools/0/functionDeclarations/0/name", "\"g\"", "a name twice"},
          {"/tools/0/functionDeclarations/0/parameters", R"({"type":"object","properties":{}})",
           "an object of no properties"},
          {"/tools/0/functionDeclarations/1/parameters", R"({"type":"object"})", "two schemas"},
          {"/tools/0/googleSearch", "{}", "not one kind of tool"},
          {"/toolConfig", R"({"functionCallingConfig":{"mode":"SOME"}})", "none of AUTO"},
          {"/toolConfig",
           R"({"functionCallingConfig":{"mode":"AUTO","allowedFunctionNames":["f"]}})",
           "go with ANY"},
          {"/toolConfig",
           R"({"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["h"]}})",
           "names no function"},
          {"/generationConfig/temperature", "2.5", "not 0 to 2"},
          {"/generationConfig/max_tokens", "1", "an unknown member"},
          {"/generationConfig/stopSequences", R"(["a","b","c","d","e","f"])", "more than 5"},
          {"/generationConfig/logprobs", "3", "without responseLogprobs"},
          {"/generationConfig/responseSchema", R"({"type":"object"})", "a schema without JSON"},
          {"/generationConfig/thinkingConfig/thinkingBudget", "9", "beside a level"},
          {"/generationConfig/thinkingConfig/thinkingLevel", "\"minimal\"", "starts at LOW"},
          {"", "", "takes no level", "gemini-2.5-flash"},
          {"/generationConfig", R"({"responseMimeType":"application/json"})",
           "JSON beside functions", "gemini-2.5-flash"},
          {"/generationConfig", R"({"thinkingConfig":{"thinkingBudget":0}})",
           "below this model's least", "gemini-2.5-pro"},
      });
}

TEST(Strict, Cohere) {
  ExpectRefused(
      CohereFaults, {.model = "command-a-03-2025"},
      R"({"model":"command-a-03-2025","messages":[
        {"role":"system","content":"Be brief."},
        {"role":"user","content":[{"type":"text","text":"Hi"},
          {"type":"image_url","image_url":{"url":"https://a.test/b.png"}}]},
        {"role":"assistant","tool_plan":"I will","tool_calls":[
          {"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"c1","content":[{"type":"document","document":{"data":"1"}}]},
        {"role":"assistant","content":[{"type":"thinking","thinking":"hm"},
          {"type":"text","text":"So"}],"citations":[{"start":0,"end":2,"text":"So"}]},
        {"role":"user","content":"Go on"}],
        "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],
        "thinking":{"type":"enabled","token_budget":1024}})",
      {
          {"/model", "", "/model: an empty text"},
          {"/n", "2", "an unknown member"},
          {"/messages", "[]", "no message"},
          {"/messages/0/role", "\"developer\"", "no such role"},
          {"/messages/0/content", "\"\"", "an empty content"},
          {"/messages/1/content", "[]", "an empty content"},
          {"/messages/1/content/0/text", "\"\"", "an empty part"},
          {"/messages/1/content/0/type", "\"thinking\"", "no part here: thinking"},
          {"/messages/1/content/1/image_url", "\"https://a\"", "image_url: no object"},
          {"/messages/2/tool_calls", "", "a tool_plan without tool_calls"},
          {"/messages/2/tool_calls", "[]", "an empty tool_calls"},
          {"/messages/2/tool_calls/0/id", "\"\"", "id: an empty text"},
          {"/messages/2/tool_calls/0/index", "0", "an unknown member"},
          {"/messages/2/tool_calls/0/function/arguments", "{}", "arguments that are no string"},
          {"/messages/3/tool_call_id", "\"c2\"", "without its call just before"},
          {"/messages/3", R"({"role":"user","content":"x"})",
           "before the results of all tool_calls"},
          {"/messages/3/content", "", "no content"},
          {"/messages/3/name", "\"f\"", "an unknown member"},
          {"/messages/4/content/0/thinking", "\"\"", "an empty part"},
          {"/messages/4/content/0/signature", "\"s\"", "an unknown member"},
          {"/messages/4/content", "", "no content"},
          {"/messages/4/citations/0/start", "-1", "no whole number from 0"},
          {"/messages/4/citations/0/nonsense", "1", "an unknown member"},
          {"/tools", "[]", "an empty list"},
          {"/tools/0/function/parameters", "", "parameters: no object"},
          {"/tools/0/function/strict", "true", "an unknown member"},
          {"/tool_choice", "\"f\"", "none of REQUIRED"},
          {"/temperature", "1.5", "not 0 to 1"},
          {"/k", "501", "not 0 to 500"},
          {"/p", "1", "not 0.01 to 0.99"},
          {"/frequency_penalty", "-1", "not 0 to 1"},
          {"/stop_sequences", R"(["a","b","c","d","e","f"])", "more than 5"},
          {"/thinking/type", "\"adaptive\"", "none of enabled"},
          {"/response_format", R"({"type":"json_schema"})", "none of text"},
          {"/response_format", R"({"type":"json_object","json_schema":{}})",
           "a schema beside tools"},
      });
  ExpectRefused(CohereFaults, {.model = "command-a-03-2025"},
                R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})",
                {{"/tool_choice", "\"NONE\"", "without tools"}});
}

// Bodies that are odd because their case is.
const std::map<std::string, std::string>& OddCases() {
  static const auto& odd = *new std::map<std::string, std::string>{
      {"json_object.textproto", "the words of the prompt are the caller's"},
      {"options.textproto", "provider_options add what the caller likes"},
      {"part_options.textproto", "as above"},
      {"azure/options.textproto", "as above"},
      {"cohere/options_replace_set.textproto", "as above"},
      {"cohere/part_options.textproto", "as above"},
      {"cohere/assistant_part_options.textproto", "as above"},
      {"cohere/tool_result_part_options.textproto", "as above"},
      {"bedrock/tool_state.textproto", "a member of a call that only its provider knows"},
      {"azure/reasoning_back.textproto", "a model on Azure that is none of OpenAI's (§3)"},
      {"tools_compatible.textproto", "a server that takes a history with calls unanswered"},
  };
  return odd;
}

TEST(Strict, GoldenBodiesAreTaken) {
  std::map<std::string, std::string> odd = OddCases();
  size_t checked = 0;
  for (const EncodeSuite& suite : EncodeSuites()) {
    for (const EncodeCase& one : CasesOf(suite)) {
      const auto encoded = Encode(one);
      if (!encoded.ok()) continue;  // the gateway itself refuses it
      const auto faults = FaultsOf(one.context, encoded->http);
      if (!faults.has_value()) continue;
      ++checked;
      if (faults->empty()) continue;
      const std::string name = one.path.substr(GoldenDir().size() + sizeof("/encode"));
      EXPECT_EQ(odd.erase(name), 1u) << name << ": " << absl::StrJoin(*faults, "; ") << "\n"
                                     << encoded->http.body.substr(0, 1500);
    }
  }
  for (const auto& [name, reason] : odd) ADD_FAILURE() << name << " is not odd: " << reason;
  EXPECT_GE(checked, 400u);
  std::printf("strict: golden bodies checked %zu, odd %zu\n", checked, OddCases().size());
}

TEST(Strict, ShapesAreTaken) {
  if (FixturesDir().empty()) GTEST_SKIP() << "SKIPPED: the recordings are absent";
  const std::vector<std::string> listed = ListedShapes();
  const std::set<std::string> names(listed.begin(), listed.end());
  size_t checked = 0;
  for (const RecordedRequest& recorded : RecordedRequests()) {
    if (!names.contains(recorded.name)) continue;
    const auto typed = EncodeTyped(recorded);
    if (!typed.ok()) continue;  // shapes_test.cc says which
    const auto faults = FaultsOf(typed->context, typed->encoded.http);
    if (!faults.has_value()) continue;
    ++checked;
    EXPECT_EQ(absl::StrJoin(*faults, "\n"), "") << recorded.name;
  }
  EXPECT_GE(checked, 100u);
  std::printf("strict: shapes checked %zu\n", checked);
}

}  // namespace
}  // namespace mg
