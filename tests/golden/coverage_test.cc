// No field of ChatRequest may pass in silence. Each leaf, found by reflection, is set alone in an
// otherwise sound request: the body must change, or a warning must come, or a refusal that names
// the field.
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/chat_codec.h"
#include "adapters/dialect.h"
#include "adapters/json_text.h"
#include "tests/golden/decode_support.h"

namespace mg {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

// Fields that are no part of what a provider is asked: the gateway itself reads them.
const std::set<std::string>& ReadByTheGateway() {
  static const auto* const kFields = new std::set<std::string>{"model",
                                                               "context.routing_key",
                                                               "context.session_id",
                                                               "context.team",
                                                               "context.tags",
                                                               "context.metadata",
                                                               "context.credential_profiles",
                                                               "context.max_attempts",
                                                               "context.disable_fallback",
                                                               "context.no_content_capture"};
  return *kFields;
}

// The request that each leaf is laid over (its last message, or for a tool call the first), by the
// longest beginning of its path that stands here.
const std::map<std::string, std::string>& Bases() {
  static const auto* const kBases = new std::map<std::string, std::string>{
      {"", "messages { role: ROLE_USER parts { text: \"Hi\" } }"},
      {"messages.parts.tool_call",
       "messages { role: ROLE_ASSISTANT parts { tool_call { id: \"1\" name: \"f\" } } }"
       "messages { role: ROLE_TOOL parts { tool_result { tool_call_id: \"1\" } } }"},
      {"messages.parts.tool_result",
       "messages { role: ROLE_ASSISTANT parts { tool_call { id: \"1\" name: \"f\" } } }"
       "messages { role: ROLE_TOOL parts { tool_result { tool_call_id: \"1\" } } }"},
      {"messages.parts.reasoning", "messages { role: ROLE_ASSISTANT parts { text: \"a\" } }"},
      {"messages.parts.refusal", "messages { role: ROLE_ASSISTANT parts { text: \"a\" } }"},
      {"messages.parts.provider_part", "messages { role: ROLE_ASSISTANT parts { text: \"a\" } }"},
      {"messages.parts.image", "messages { role: ROLE_USER parts { image { data: \"GIF89a\" } } }"},
      {"messages.parts.audio",
       "messages { role: ROLE_USER parts { audio { data: \"RIFF0000WAVE\" } } }"},
      {"messages.parts.document",
       "messages { role: ROLE_USER parts { document { data: \"%PDF-1\" } } }"},
      {"tools", "messages { role: ROLE_USER parts { text: \"Hi\" } } tools { name: \"f\" }"},
      {"tool_choice",
       "messages { role: ROLE_USER parts { text: \"Hi\" } } tools { name: \"f\" } tools { name: "
       "\"g\" }"},
      {"response_format.json_schema",
       "messages { role: ROLE_USER parts { text: \"Hi\" } } response_format { json_schema { "
       "schema_json: \"{}\" } }"},
  };
  return *kBases;
}

// Each dialect, and of its models those that differ most.
const std::vector<DialectContext>& Contexts() {
  static const auto* const kContexts = [] {
    auto* contexts = new std::vector<DialectContext>{
        {.provider = "p", .model = "gpt-4.1"},
        {.provider = "p", .model = "gpt-4.1", .compatible = true},
        {.provider = "azure", .model = "gpt-5"},
        {.provider = "anthropic", .model = "claude-3-5-haiku-latest"},
        {.provider = "anthropic", .model = "claude-haiku-4-5"},
        {.provider = "anthropic", .model = "claude-opus-4-6"},
        {.provider = "anthropic", .model = "claude-opus-5-5"},
        {.provider = "bedrock", .model = "amazon.titan-text-lite-v1"},
        {.provider = "bedrock", .model = "us.amazon.nova-2-lite-v1:0"},
        {.provider = "bedrock", .model = "anthropic.claude-haiku-4-5"},
        {.provider = "bedrock", .model = "us.anthropic.claude-opus-5-5"},
        {.provider = "bedrock", .model = "acme.next-1"},
        {.provider = "gemini", .model = "gemini-2.5-flash"},
        {.provider = "gemini", .model = "gemma-3-27b-it"},
        {.provider = "vertex", .model = "gemini-3-pro-preview"},
        {.provider = "cohere", .model = "command-a-03-2025"}};
    for (const char* preset : {"mistral", "groq", "deepseek", "xai", "openrouter", "together",
                               "google", "ollama", "llamacpp", "vllm", "sglang"}) {
      contexts->push_back({.provider = "p", .model = "m", .compatible = true, .preset = preset});
    }
    return contexts;
  }();
  return *kContexts;
}

// Values other than the default one, where a field wants one of its own.
const std::map<std::string, std::string>& Values() {
  static const auto* const kValues = new std::map<std::string, std::string>{
      {"messages.role", "ROLE_SYSTEM"},
      {"messages.parts.tool_call.arguments_json", "\"{\\\"a\\\":1}\""},
      {"tools.parameters_schema_json",
       "\"{\\\"type\\\":\\\"object\\\",\\\"properties\\\":{\\\"a\\\":{}}}\""},
      {"response_format.json_schema.schema_json", "\"{\\\"type\\\":\\\"object\\\"}\""},
      {"reasoning.effort", "\"low\""},
      {"sampling.choices", "2"},
      {"tool_choice.allowed_tools", "\"f\""},
      {"tool_choice.mode", "MODE_NONE"},
      {"tool_choice.parallel", "false"},
      {"response_format.json_schema.strict", "false"},
  };
  return *kValues;
}

constexpr absl::string_view kOption =
    " value { fields { key: \"type\" value { string_value: \"web\" } } fields { key: \"x\" value { "
    "number_value: 1 } } }";

std::string ValueOf(const std::string& path, const FieldDescriptor* field) {
  const auto own = Values().find(path);
  if (own != Values().end()) return own->second;
  if (field->is_map()) {
    const bool text = field->message_type()->field(1)->type() == FieldDescriptor::TYPE_STRING;
    return text ? "{ key: \"openai\" value: \"v\" }"
                : absl::StrCat("[{ key: \"openai\"", kOption, " }, { key: \"anthropic\"", kOption,
                               " }, { key: \"gemini\"", kOption, " }, { key: \"cohere\"", kOption,
                               " }, { key: \"bedrock\"", kOption, " }]");
  }
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return "\"value\"";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true";
    case FieldDescriptor::CPPTYPE_ENUM:
      return "1";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "{ }";
    default:
      return "1";
  }
}

// The text that sets the one field at `steps`, in the first element of every list on the way.
std::string TextOf(const std::vector<std::string>& steps, const std::string& value) {
  std::string text;
  for (size_t i = 0; i + 1 < steps.size(); ++i) absl::StrAppend(&text, steps[i], " { ");
  absl::StrAppend(&text, steps.back(), ": ", value);
  for (size_t i = 0; i + 1 < steps.size(); ++i) text.append(" }");
  return text;
}

// As MergeFrom, but the element of a list of messages is merged into the list's last one (or the
// first).
void Lay(const Message& over, bool last, Message* base) {
  const auto* reflection = over.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(over, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    const bool element = field->is_repeated() && message && !field->is_map() &&
                         reflection->FieldSize(*base, field) > 0;
    if (element) {
      const int at = last ? reflection->FieldSize(*base, field) - 1 : 0;
      Lay(reflection->GetRepeatedMessage(over, field, 0), last,
          reflection->MutableRepeatedMessage(base, field, at));
    } else if (message && !field->is_repeated()) {
      Lay(reflection->GetMessage(over, field), last, reflection->MutableMessage(base, field));
    } else {
      std::unique_ptr<Message> single(over.New());
      single->CopyFrom(over);
      for (const FieldDescriptor* other : fields) {
        if (other != field) reflection->ClearField(single.get(), other);
      }
      base->MergeFrom(*single);
    }
  }
}

class Walk {
 public:
  void Message(const Descriptor* type, const std::vector<std::string>& steps) {
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      std::vector<std::string> path = steps;
      path.push_back(field->name());
      const std::string name = absl::StrJoin(path, ".");
      const auto times = std::count(path.begin(), path.end(), "parts");
      if (times > 1) continue;  // a result's parts: the same message again, in the golden cases
      const bool nested = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                          !field->is_map() && field->message_type()->field_count() > 0 &&
                          !absl::StartsWith(field->message_type()->full_name(), "google.");
      if (nested) {
        Message(field->message_type(), path);
      } else {
        Leaf(path, name, field);
      }
    }
  }

  int leaves() const { return leaves_; }

 private:
  std::string Outcome(const v1::ChatRequest& request, const DialectContext& context) {
    const auto encoded = ChatCodec(*AdapterOf(context).dialect, request, context, false).Encode();
    if (!encoded.ok()) return "refused " + DetailOf(encoded.status()).field();
    std::string out = encoded->http.body;
    for (const v1::Warning& warning : encoded->warnings)
      absl::StrAppend(&out, "\n", warning.field());
    return out;
  }

  void Leaf(const std::vector<std::string>& path, const std::string& name,
            const FieldDescriptor* field) {
    ++leaves_;
    SCOPED_TRACE(name);
    std::string base_text;
    size_t longest = 0;
    for (const auto& [prefix, text] : Bases()) {
      if (!absl::StartsWith(name, prefix) || prefix.size() < longest) continue;
      longest = prefix.size();
      base_text = text;
    }
    v1::ChatRequest base;
    v1::ChatRequest over;
    ASSERT_TRUE(TextFormat::ParseFromString(base_text, &base));
    const std::string text = TextOf(path, ValueOf(name, field));
    ASSERT_TRUE(TextFormat::ParseFromString(text, &over)) << text;
    v1::ChatRequest with = base;
    Lay(over, !absl::StartsWith(name, "messages.parts.tool_call"), &with);
    for (const DialectContext& context : Contexts()) {
      SCOPED_TRACE(absl::StrCat(context.provider, "/", context.model, "/", context.preset));
      const std::string before = Outcome(base, context);
      if (absl::StartsWith(before, "refused ")) continue;  // audio, by those that have none
      const std::string after = Outcome(with, context);
      if (ReadByTheGateway().count(name) > 0) {
        EXPECT_EQ(before, after) << "never sent to a provider";
      } else {
        EXPECT_NE(before, after) << "set by " << text << ", and passed in silence";
      }
      if (absl::StartsWith(after, "refused ")) {
        EXPECT_NE(after, "refused ") << "a refusal that names no field";
      }
    }
  }

  int leaves_ = 0;
};

TEST(Coverage, NoFieldPassesInSilence) {
  Walk walk;
  walk.Message(v1::ChatRequest::descriptor(), {});
  EXPECT_GT(walk.leaves(), 90);
  std::printf("fields: cases found %d, run %d, skipped 0\n", walk.leaves(), walk.leaves());
}

}  // namespace
}  // namespace mg
