// Chat Completions: spec/providers.md §2.1, and of servers like it what §8 says of all of them.
#include <cstdlib>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/support/strict/faults.h"
#include "tests/support/strict/strict.h"

namespace mg {
namespace {

// The major version of "gpt-5.1-mini", and its minor one times 0.1; 0: no such name.
double GptVersion(absl::string_view model) {
  if (!absl::ConsumePrefix(&model, "gpt-")) return 0;
  return std::strtod(std::string(model.substr(0, model.find('-'))).c_str(), nullptr);
}

bool Reasons(absl::string_view model) {
  if (absl::StartsWith(model, "gpt-5-chat")) return false;
  return absl::StartsWith(model, "o1") || absl::StartsWith(model, "o3") ||
         absl::StartsWith(model, "o4-mini") || GptVersion(model) >= 5;
}

class Check {
 public:
  Check(const JsonValue& body, const StrictCase& of) : body_(body), of_(of) {}

  std::vector<std::string> Run() {
    if (!of_.compatible) {
      faults_.Known(body_, "",
                    {"model",
                     "messages",
                     "max_completion_tokens",
                     "max_tokens",
                     "temperature",
                     "top_p",
                     "frequency_penalty",
                     "presence_penalty",
                     "stop",
                     "seed",
                     "n",
                     "logprobs",
                     "top_logprobs",
                     "logit_bias",
                     "tools",
                     "tool_choice",
                     "parallel_tool_calls",
                     "response_format",
                     "reasoning_effort",
                     "verbosity",
                     "stream",
                     "stream_options",
                     "modalities",
                     "audio",
                     "prediction",
                     "service_tier",
                     "store",
                     "metadata",
                     "user",
                     "safety_identifier",
                     "prompt_cache_key",
                     "prompt_cache_options",
                     "prompt_cache_retention",
                     "web_search_options",
                     "moderation"});
    }
    faults_.Text(body_, "", "model");
    Settings();
    Tools();
    const JsonValue& messages = ListMember(body_, "messages");
    if (messages.Empty()) faults_.Add("/messages", "no message");
    for (rapidjson::SizeType i = 0; i < messages.Size(); ++i) {
      Message(messages[i], absl::StrCat("/messages/", i));
    }
    if (!unanswered_.empty()) faults_.Add("/messages", "tool_calls without their tool messages");
    return faults_.Take();
  }

 private:
  void Settings() {
    faults_.Range(body_, "", "temperature", 0, 2);
    faults_.Range(body_, "", "top_p", 0, 1);
    faults_.Range(body_, "", "frequency_penalty", -2, 2);
    faults_.Range(body_, "", "presence_penalty", -2, 2);
    faults_.Range(body_, "", "top_logprobs", 0, 20);
    faults_.Whole(body_, "", "n", 1);
    faults_.Whole(body_, "", "max_tokens", 1);
    faults_.Whole(body_, "", "max_completion_tokens", 1);
    faults_.Texts(body_, "", "stop", of_.compatible ? 16 : 4);
    faults_.Flag(body_, "", "stream");
    faults_.Flag(body_, "", "parallel_tool_calls");
    const JsonValue* stream = Member(body_, "stream");
    if (Member(body_, "stream_options") != nullptr && (stream == nullptr || !stream->IsTrue())) {
      faults_.Add("/stream_options", "without a stream");
    }
    ResponseFormat();
    if (of_.compatible) return;
    faults_.Word(body_, "", "reasoning_effort",
                 {"none", "minimal", "low", "medium", "high", "xhigh", "max"});
    faults_.Word(body_, "", "service_tier",
                 {"auto", "default", "flex", "scale", "priority", "fast"});
    const JsonValue* logprobs = Member(body_, "logprobs");
    if (Member(body_, "top_logprobs") != nullptr && (logprobs == nullptr || !logprobs->IsTrue())) {
      faults_.Add("/top_logprobs", "without logprobs");
    }
    if (Reasons(of_.model)) ReasoningModel();
  }

  void ReasoningModel() {
    const absl::string_view effort = StringMember(body_, "reasoning_effort");
    constexpr absl::string_view kWhy = "a reasoning model takes none";
    faults_.Forbidden(body_, "",
                      {"max_tokens", "frequency_penalty", "presence_penalty", "logit_bias"}, kWhy);
    const bool none = effort == "none" && GptVersion(of_.model) > 5;
    if (!none) faults_.Forbidden(body_, "", {"temperature", "top_p", "logprobs"}, kWhy);
    if (GptVersion(of_.model) > 5.55 && GptVersion(of_.model) < 6 && effort != "none" &&
        Member(body_, "tools") != nullptr) {
      faults_.Add("/tools", "this model takes no functions while it reasons");
    }
  }

  void ResponseFormat() {
    const JsonValue* format = Member(body_, "response_format");
    if (format == nullptr) return;
    faults_.Word(*format, "/response_format", "type", {"text", "json_object", "json_schema"});
    const absl::string_view type = StringMember(*format, "type");
    if (type == "json_object" && !of_.compatible && !AsksForJson()) {
      faults_.Add("/response_format", "the prompt lacks the word JSON");
    }
    const JsonValue* schema = Member(*format, "json_schema");
    if (type != "json_schema" || schema == nullptr) return;
    const std::string at = "/response_format/json_schema";
    faults_.Known(*schema, at, {"name", "description", "schema", "strict"});
    if (!IsWord(StringMember(*schema, "name"), 64, "_-")) faults_.Add(at + "/name", "no such name");
    faults_.Object(*schema, at, "schema");
  }

  bool AsksForJson() const {
    return absl::StrContains(absl::AsciiStrToLower(ToJsonText(ListMember(body_, "messages"))),
                             "json");
  }

  void Tools() {
    const JsonValue* tools = Member(body_, "tools");
    const JsonValue* choice = Member(body_, "tool_choice");
    if (tools == nullptr) {
      if (choice != nullptr) faults_.Add("/tool_choice", "without tools");
      faults_.Forbidden(body_, "", {"parallel_tool_calls"}, "without tools");
      return;
    }
    if (!tools->IsArray() || tools->Empty()) return faults_.Add("/tools", "an empty list");
    for (rapidjson::SizeType i = 0; i < tools->Size(); ++i) {
      Tool((*tools)[i], absl::StrCat("/tools/", i));
    }
    if (choice != nullptr) Choice(*choice);
  }

  void Tool(const JsonValue& tool, const std::string& at) {
    const absl::string_view type = StringMember(tool, "type");
    const JsonValue* function = Member(tool, type);
    if (function == nullptr) {
      if (!of_.compatible) faults_.Add(at, "neither function nor custom");
      return;
    }
    const absl::string_view name = StringMember(*function, "name");
    if (!IsWord(name, 64, "_-")) faults_.Add(at + "/name", "no such name");
    if (!tools_.insert(std::string(name)).second) faults_.Add(at + "/name", "a second one");
    if (type != "function") return;
    faults_.Known(*function, at, {"name", "description", "parameters", "strict"});
    if (Member(*function, "parameters") != nullptr) faults_.Object(*function, at, "parameters");
    faults_.Flag(*function, at, "strict");
  }

  void Choice(const JsonValue& choice) {
    if (choice.IsString()) {
      const bool any = of_.compatible && StringOf(choice) == "any";
      if (any || Among(StringOf(choice), {"none", "auto", "required"})) return;
      return faults_.Add("/tool_choice", "no such word");
    }
    if (StringMember(choice, "type") == "allowed_tools" && !of_.compatible) return;
    const JsonValue* named = Member(choice, StringMember(choice, "type"));
    if (named == nullptr || !tools_.contains(std::string(StringMember(*named, "name")))) {
      faults_.Add("/tool_choice", "names no tool");
    }
  }

  void Message(const JsonValue& message, const std::string& at) {
    const absl::string_view role = StringMember(message, "role");
    if (role == "tool") return ToolMessage(message, at);
    if (!unanswered_.empty()) faults_.Add(at, "before the results of all tool_calls");
    unanswered_.clear();
    answerable_.clear();
    const JsonValue* content = Member(message, "content");
    if (role == "assistant") return Assistant(message, content, at);
    if (!Among(role, {"developer", "system", "user"})) return faults_.Add(at, "no such role");
    if (!of_.compatible) faults_.Known(message, at, {"role", "content", "name"});
    if (role == "user") {
      Content(content, at, {"text", "image_url", "input_audio", "file"});
    } else {
      Content(content, at, {"text"});
    }
  }

  void ToolMessage(const JsonValue& message, const std::string& at) {
    const std::string id(StringMember(message, "tool_call_id"));
    if (!of_.compatible) faults_.Known(message, at, {"role", "content", "tool_call_id"});
    if (!answerable_.contains(id)) faults_.Add(at, "answers no call before it");
    if (unanswered_.erase(id) == 0) faults_.Add(at, "a second answer, or one to no call");
    const JsonValue* content = Member(message, "content");
    if (content == nullptr) return faults_.Add(at, "no content");
    if (!content->IsString()) Content(content, at, {"text"});
  }

  void Assistant(const JsonValue& message, const JsonValue* content, const std::string& at) {
    if (!of_.compatible) {
      faults_.Known(message, at,
                    {"role", "content", "name", "refusal", "tool_calls", "function_call", "audio"});
    }
    const JsonValue* calls = Member(message, "tool_calls");
    const bool other = calls != nullptr || Member(message, "audio") != nullptr ||
                       Member(message, "function_call") != nullptr;
    if (content != nullptr || !other) Content(content, at, {"text", "refusal", "thinking"});
    if (calls == nullptr) return;
    if (!calls->IsArray() || calls->Empty())
      return faults_.Add(at + "/tool_calls", "an empty list");
    for (const JsonValue& call : calls->GetArray()) Call(call, at + "/tool_calls");
    answerable_ = unanswered_;
  }

  void Call(const JsonValue& call, const std::string& at) {
    const std::string id(StringMember(call, "id"));
    if (id.empty()) faults_.Add(at, "no id");
    if (!unanswered_.insert(id).second) faults_.Add(at, "an id twice");
    const absl::string_view type = StringMember(call, "type");
    const JsonValue* function = Member(call, type);
    if (function == nullptr) return faults_.Add(at, "neither function nor custom");
    faults_.Text(*function, at, "name");
    const JsonValue* text = Member(*function, type == "function" ? "arguments" : "input");
    if (text == nullptr || !text->IsString()) faults_.Add(at, "arguments that are no string");
  }

  void Content(const JsonValue* content, const std::string& at, Names types) {
    if (content == nullptr) return faults_.Add(at, "no content");
    if (content->IsString()) return;
    if (!content->IsArray() || content->Empty()) return faults_.Add(at, "an empty content");
    for (const JsonValue& part : content->GetArray()) {
      const absl::string_view type = StringMember(part, "type");
      if (!Among(type, types)) {
        if (!of_.compatible || type.empty()) faults_.Add(at, absl::StrCat("no part here: ", type));
        continue;
      }
      ContentPart(part, type, at);
    }
  }

  void ContentPart(const JsonValue& part, absl::string_view type, const std::string& at) {
    if (!of_.compatible) faults_.Known(part, at, {"type", type, "prompt_cache_breakpoint"});
    if (type == "text") faults_.Text(part, at, "text");
    if (type == "image_url") {
      const JsonValue* image = Member(part, "image_url");
      const absl::string_view url = image == nullptr ? "" : StringMember(*image, "url");
      const bool fine = absl::StartsWith(url, "https://") || absl::StartsWith(url, "http://") ||
                        absl::StartsWith(url, "data:image/");
      if (!fine) return faults_.Add(at, "an image that is neither https nor a data URL");
      faults_.Word(*image, at, "detail", {"auto", "low", "high", "original"});
    }
    if (of_.compatible) return;
    const JsonValue* value = Member(part, type);
    if (value == nullptr) return faults_.Add(at, "a part without its content");
    if (type == "input_audio") {
      faults_.Text(*value, at, "data");
      faults_.Word(*value, at, "format", {"wav", "mp3"});
    }
    if (type == "file") faults_.OneOf(*value, at, {"file_data", "file_id"});
  }

  const JsonValue& body_;
  const StrictCase& of_;
  Faults faults_;
  std::set<std::string> tools_;
  std::set<std::string> unanswered_;  // ids of the last assistant message's calls
  std::set<std::string> answerable_;
};

}  // namespace

std::vector<std::string> OpenAiFaults(const JsonValue& body, const StrictCase& of) {
  return Check(body, of).Run();
}

}  // namespace mg
