// Cohere's v2 chat: spec/providers.md §7.
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/strict/faults.h"
#include "tests/support/strict/strict.h"

namespace mg {
namespace {

class Check {
 public:
  explicit Check(const JsonValue& body) : body_(body) {}

  std::vector<std::string> Run() {
    faults_.Known(body_, "",
                  {"model",
                   "messages",
                   "stream",
                   "tools",
                   "tool_choice",
                   "strict_tools",
                   "documents",
                   "citation_options",
                   "response_format",
                   "safety_mode",
                   "max_tokens",
                   "stop_sequences",
                   "temperature",
                   "seed",
                   "frequency_penalty",
                   "presence_penalty",
                   "k",
                   "p",
                   "logprobs",
                   "thinking",
                   "priority"});
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
    faults_.Whole(body_, "", "max_tokens", 1);
    faults_.Texts(body_, "", "stop_sequences", 5);
    faults_.Range(body_, "", "temperature", 0, 1);
    faults_.Range(body_, "", "frequency_penalty", 0, 1);
    faults_.Range(body_, "", "presence_penalty", 0, 1);
    faults_.Range(body_, "", "k", 0, 500);
    faults_.Range(body_, "", "p", 0.01, 0.99);
    faults_.Whole(body_, "", "seed", 0);
    for (const char* name : {"stream", "logprobs", "strict_tools"}) faults_.Flag(body_, "", name);
    if (const JsonValue* thinking = Member(body_, "thinking")) {
      faults_.Known(*thinking, "/thinking", {"type", "token_budget"});
      faults_.Word(*thinking, "/thinking", "type", {"enabled", "disabled"});
      faults_.Whole(*thinking, "/thinking", "token_budget", 0);
    }
    const JsonValue* format = Member(body_, "response_format");
    if (format == nullptr) return;
    faults_.Known(*format, "/response_format", {"type", "json_schema"});
    faults_.Word(*format, "/response_format", "type", {"text", "json_object"});
    const bool beside = Member(body_, "tools") != nullptr || Member(body_, "documents") != nullptr;
    if (Member(*format, "json_schema") != nullptr && beside) {
      faults_.Add("/response_format", "a schema beside tools or documents");
    }
  }

  void Tools() {
    const JsonValue* tools = Member(body_, "tools");
    const JsonValue* choice = Member(body_, "tool_choice");
    faults_.Word(body_, "", "tool_choice", {"REQUIRED", "NONE"});
    if (tools == nullptr) {
      if (choice != nullptr) faults_.Add("/tool_choice", "without tools");
      return;
    }
    if (!tools->IsArray() || tools->Empty()) return faults_.Add("/tools", "an empty list");
    std::set<std::string> names;
    for (const JsonValue& tool : tools->GetArray()) {
      if (StringMember(tool, "type") != "function") continue;  // one of Cohere's own
      const JsonValue* function = Member(tool, "function");
      if (function == nullptr) return faults_.Add("/tools", "no function");
      faults_.Known(*function, "/tools", {"name", "description", "parameters"});
      faults_.Text(*function, "/tools", "name");
      faults_.Object(*function, "/tools", "parameters");
      const std::string name(StringMember(*function, "name"));
      if (!names.insert(name).second) faults_.Add("/tools", "a name twice");
    }
  }

  void Message(const JsonValue& message, const std::string& at) {
    const absl::string_view role = StringMember(message, "role");
    const JsonValue* content = Member(message, "content");
    if (role == "tool") return ToolMessage(message, content, at);
    if (!unanswered_.empty()) faults_.Add(at, "before the results of all tool_calls");
    unanswered_.clear();
    if (role == "assistant") return Assistant(message, content, at);
    if (!Among(role, {"system", "user"})) return faults_.Add(at, "no such role");
    faults_.Known(message, at, {"role", "content"});
    if (role == "system") Content(content, at, {"text"});
    if (role == "user") Content(content, at, {"text", "image_url"});
  }

  void ToolMessage(const JsonValue& message, const JsonValue* content, const std::string& at) {
    faults_.Known(message, at, {"role", "tool_call_id", "content"});
    if (unanswered_.erase(std::string(StringMember(message, "tool_call_id"))) == 0) {
      faults_.Add(at, "a result without its call just before, or a second one");
    }
    if (content == nullptr) return faults_.Add(at, "no content");
    // A result may be empty.
    if (!content->IsString()) Content(content, at, {"text", "document"});
  }

  void Assistant(const JsonValue& message, const JsonValue* content, const std::string& at) {
    faults_.Known(message, at, {"role", "content", "tool_calls", "tool_plan", "citations"});
    const JsonValue& calls = ListMember(message, "tool_calls");
    if (message.HasMember("tool_calls") && calls.Empty()) faults_.Add(at, "an empty tool_calls");
    if (calls.Empty() && Member(message, "tool_plan") != nullptr) {
      faults_.Add(at, "a tool_plan without tool_calls");
    }
    if (content != nullptr || calls.Empty()) Content(content, at, {"text", "thinking"});
    for (const JsonValue& call : calls.GetArray()) Call(call, at + "/tool_calls");
    for (const JsonValue& citation : ListMember(message, "citations").GetArray()) {
      faults_.Known(citation, at, {"start", "end", "text", "sources", "content_index", "type"});
      faults_.Whole(citation, at, "start", 0);
      faults_.Whole(citation, at, "end", 0);
    }
  }

  void Call(const JsonValue& call, const std::string& at) {
    faults_.Known(call, at, {"id", "type", "function"});
    faults_.Text(call, at, "id");
    if (!unanswered_.insert(std::string(StringMember(call, "id"))).second) {
      faults_.Add(at, "an id twice");
    }
    const JsonValue* function = Member(call, "function");
    if (function == nullptr) return faults_.Add(at, "no function");
    faults_.Known(*function, at, {"name", "arguments"});
    faults_.Text(*function, at, "name");
    const JsonValue* arguments = Member(*function, "arguments");
    if (arguments == nullptr || !arguments->IsString()) {
      faults_.Add(at, "arguments that are no string");
    }
  }

  void Content(const JsonValue* content, const std::string& at, Names types) {
    if (content == nullptr) return faults_.Add(at, "no content");
    if (content->IsString()) {
      if (IsBlankText(StringOf(*content))) faults_.Add(at, "an empty content");
      return;
    }
    if (!content->IsArray() || content->Empty()) return faults_.Add(at, "an empty content");
    for (const JsonValue& part : content->GetArray()) {
      const absl::string_view type = StringMember(part, "type");
      if (!Among(type, types)) {
        faults_.Add(at, absl::StrCat("no part here: ", type));
        continue;
      }
      if (type == "text" || type == "thinking") {
        if (IsBlankText(StringMember(part, type))) faults_.Add(at, "an empty part");
        faults_.Known(part, at, {"type", type});
      } else {
        faults_.Object(part, at, type);
      }
    }
  }

  const JsonValue& body_;
  Faults faults_;
  std::set<std::string> unanswered_;  // ids of the last assistant message's calls
};

}  // namespace

std::vector<std::string> CohereFaults(const JsonValue& body, const StrictCase& /*of*/) {
  return Check(body).Run();
}

}  // namespace mg
