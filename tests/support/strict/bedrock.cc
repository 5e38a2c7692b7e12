// Bedrock's Converse: spec/providers.md §5.2 and §5.3.
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/strict/faults.h"
#include "tests/support/strict/strict.h"

namespace mg {
namespace {

constexpr size_t kMostImages = 20;
constexpr size_t kMostDocuments = 5;

bool IsDocumentName(absl::string_view name) {
  return IsWord(name, 200, " -()[]") && !absl::StrContains(name, "  ");
}

// Claude from Opus 4.8 on.
bool TakesLaterSystem(absl::string_view model) {
  for (const char* name : {"opus-4-8", "opus-5", "sonnet-5", "haiku-5", "fable-5"}) {
    if (absl::StrContains(model, name)) return true;
  }
  return false;
}

class Check {
 public:
  Check(const JsonValue& body, const StrictCase& of) : body_(body), model_(of.model) {}

  std::vector<std::string> Run() {
    faults_.Known(
        body_, "",
        {"messages", "system", "inferenceConfig", "toolConfig", "additionalModelRequestFields",
         "additionalModelResponseFieldPaths", "guardrailConfig", "requestMetadata",
         "promptVariables", "performanceConfig", "serviceTier", "outputConfig"});
    Inference();
    Tools();
    OutputConfig();
    for (const JsonValue& block : ListMember(body_, "system").GetArray()) {
      if (faults_.OneOf(block, "/system", {"text", "cachePoint", "guardContent"}) == "text") {
        Text(block, "/system");
      }
    }
    Messages();
    return faults_.Take();
  }

 private:
  void Inference() {
    const JsonValue* config = Member(body_, "inferenceConfig");
    if (config == nullptr) return;
    const std::string at = "/inferenceConfig";
    faults_.Known(*config, at, {"maxTokens", "temperature", "topP", "stopSequences"});
    faults_.Whole(*config, at, "maxTokens", 1);
    faults_.Range(*config, at, "temperature", 0, 1);
    faults_.Range(*config, at, "topP", 0, 1);
    faults_.Texts(*config, at, "stopSequences", 2500);
  }

  void OutputConfig() {
    const JsonValue* config = Member(body_, "outputConfig");
    if (config == nullptr) return;
    const JsonValue* format = Member(*config, "textFormat");
    const JsonValue* structure = format == nullptr ? nullptr : Member(*format, "structure");
    const JsonValue* schema = structure == nullptr ? nullptr : Member(*structure, "jsonSchema");
    JsonDocument document;
    if (schema == nullptr || !ParseJson(StringMember(*schema, "schema"), &document).ok()) {
      return faults_.Add("/outputConfig", "no schema as a string of JSON");
    }
    faults_.Known(*schema, "/outputConfig/textFormat/structure/jsonSchema",
                  {"schema", "name", "description"});
  }

  void Tools() {
    const JsonValue* config = Member(body_, "toolConfig");
    if (config == nullptr) return;
    faults_.Known(*config, "/toolConfig", {"tools", "toolChoice"});
    const JsonValue& tools = ListMember(*config, "tools");
    if (tools.Empty()) faults_.Add("/toolConfig/tools", "an empty list");
    if (!tools.Empty() && Member(tools[0], "cachePoint") != nullptr) {
      faults_.Add("/toolConfig/tools/0", "a cachePoint behind no tool");
    }
    for (const JsonValue& tool : tools.GetArray()) Tool(tool, "/toolConfig/tools");
    const JsonValue* choice = Member(*config, "toolChoice");
    if (choice == nullptr) return;
    const absl::string_view mode =
        faults_.OneOf(*choice, "/toolConfig/toolChoice", {"auto", "any", "tool"});
    if (mode != "tool") return;
    const std::string name(StringMember((*choice)["tool"], "name"));
    if (!tools_.contains(name)) faults_.Add("/toolConfig/toolChoice", "names no tool");
  }

  void Tool(const JsonValue& tool, const std::string& at) {
    const JsonValue* spec = Member(tool, "toolSpec");
    if (spec == nullptr) return;  // a cachePoint, or a tool of the model's own
    faults_.Known(*spec, at, {"name", "description", "inputSchema", "strict"});
    const absl::string_view name = StringMember(*spec, "name");
    if (!IsWord(name, 64, "_-")) faults_.Add(at, "no such name");
    if (!tools_.insert(std::string(name)).second) faults_.Add(at, "a name twice");
    if (spec->HasMember("description")) faults_.Text(*spec, at, "description");
    const JsonValue* schema = Member(*spec, "inputSchema");
    if (schema == nullptr) return faults_.Add(at, "no inputSchema");
    faults_.Object(*schema, at, "json");
  }

  void Text(const JsonValue& block, const std::string& at) {
    if (IsBlankText(StringMember(block, "text"))) faults_.Add(at, "a blank text");
  }

  void Messages() {
    const JsonValue& messages = ListMember(body_, "messages");
    if (messages.Empty()) return faults_.Add("/messages", "no message");
    if (StringMember(messages[0], "role") != "user") faults_.Add("/messages/0", "not of the user");
    absl::string_view before;
    for (rapidjson::SizeType i = 0; i < messages.Size(); ++i) {
      const std::string at = absl::StrCat("/messages/", i);
      const absl::string_view role = StringMember(messages[i], "role");
      faults_.Known(messages[i], at, {"role", "content"});
      const bool later = role == "system" && before == "user" && TakesLaterSystem(model_);
      if (!later && !Among(role, {"user", "assistant"})) faults_.Add(at, "no such role");
      if (role == before) faults_.Add(at, "a neighbour of the same role");
      Content(ListMember(messages[i], "content"), role, at);
      before = role;
    }
    if (!calls_.empty()) faults_.Add("/messages", "toolUse without a toolResult behind it");
    if (saw_tools_ && Member(body_, "toolConfig") == nullptr) {
      faults_.Add("/toolConfig", "is required where the history has tool blocks");
    }
  }

  void Content(const JsonValue& content, absl::string_view role, const std::string& at) {
    if (content.Empty()) faults_.Add(at, "an empty content");
    std::set<std::string> open = std::move(calls_);
    calls_.clear();
    size_t images = 0;
    size_t documents = 0;
    bool text = false;
    for (rapidjson::SizeType i = 0; i < content.Size(); ++i) {
      const std::string place = absl::StrCat(at, "/content/", i);
      const absl::string_view kind = faults_.OneOf(
          content[i], place,
          {"text", "image", "document", "video", "audio", "toolUse", "toolResult",
           "reasoningContent", "cachePoint", "guardContent", "citationsContent", "searchResult"});
      if (kind.empty()) continue;
      images += kind == "image" ? 1 : 0;
      documents += kind == "document" ? 1 : 0;
      text = text || kind == "text" || kind == "guardContent";
      if (kind == "cachePoint" && i == 0) faults_.Add(place, "a cachePoint behind no block");
      if (kind == "toolResult") {
        Result(content[i][kind.data()], role, &open, place);
      } else {
        Block(content[i], kind, role, place);
      }
    }
    if (!open.empty()) faults_.Add(at, "toolUse without a toolResult behind it");
    if (documents > 0 && !text) faults_.Add(at, "documents without a text");
    if (images > kMostImages || documents > kMostDocuments) faults_.Add(at, "too many media");
  }

  void Block(const JsonValue& block, absl::string_view kind, absl::string_view role,
             const std::string& at) {
    const JsonValue& value = *Member(block, kind);
    if (kind == "text") return Text(block, at);
    if (Among(kind, {"image", "document", "video", "audio"})) {
      if (role != "user") faults_.Add(at, "a medium that is not the user's");
      return Medium(value, kind, at);
    }
    if (kind == "cachePoint") {
      faults_.Word(value, at, "type", {"default"});
      return faults_.Word(value, at, "ttl", {"5m", "1h"});
    }
    const bool of_assistant = Among(kind, {"toolUse", "reasoningContent", "citationsContent"});
    if (of_assistant && role != "assistant") return faults_.Add(at, "not the assistant's");
    if (kind == "toolUse") Call(value, at);
    if (kind == "reasoningContent") Reasoning(value, at);
  }

  void Reasoning(const JsonValue& value, const std::string& at) {
    if (faults_.OneOf(value, at, {"reasoningText", "redactedContent"}) == "reasoningText") {
      faults_.Known(value["reasoningText"], at, {"text", "signature"});
    } else if (!IsBase64(StringMember(value, "redactedContent"))) {
      faults_.Add(at, "no base64");
    }
  }

  void Call(const JsonValue& call, const std::string& at) {
    // The model's own tools have their results elsewhere.
    if (StringMember(call, "type") == "server_tool_use") return;
    saw_tools_ = true;
    faults_.Known(call, at, {"toolUseId", "name", "input", "type"});
    const std::string id(StringMember(call, "toolUseId"));
    const bool mistral = absl::StrContains(model_, "mistral");
    if (mistral ? id.size() != 9 || !IsWord(id, 9, "") : !IsWord(id, 64, "_-")) {
      faults_.Add(at, "no such toolUseId");
    }
    if (!calls_.insert(id).second) faults_.Add(at, "an id twice");
    if (!IsWord(StringMember(call, "name"), 64, "_-")) faults_.Add(at, "no such name");
    faults_.Object(call, at, "input");
  }

  void Result(const JsonValue& result, absl::string_view role, std::set<std::string>* open,
              const std::string& at) {
    saw_tools_ = true;
    faults_.Known(result, at, {"toolUseId", "content", "status", "type"});
    faults_.Word(result, at, "status", {"success", "error"});
    if (role != "user") faults_.Add(at, "a result that is not the user's");
    if (open->erase(std::string(StringMember(result, "toolUseId"))) == 0) {
      faults_.Add(at, "a toolResult without its toolUse just before");
    }
    const JsonValue& content = ListMember(result, "content");
    if (content.Empty()) faults_.Add(at, "a result without content");
    for (const JsonValue& part : content.GetArray()) {
      const absl::string_view kind =
          faults_.OneOf(part, at, {"json", "text", "image", "document", "video", "searchResult"});
      if (kind == "json") faults_.Object(part, at, "json");
      if (kind == "text") Text(part, at);
      if (Among(kind, {"image", "document", "video"})) Medium(*Member(part, kind), kind, at);
    }
  }

  void Medium(const JsonValue& medium, absl::string_view kind, const std::string& at) {
    faults_.Text(medium, at, "format");
    if (kind == "image") faults_.Word(medium, at, "format", {"png", "jpeg", "gif", "webp"});
    const JsonValue* source = Member(medium, "source");
    if (source == nullptr) return faults_.Add(at, "no source");
    const absl::string_view from =
        faults_.OneOf(*source, at, {"bytes", "s3Location", "text", "content"});
    if (from == "bytes" && !IsBase64(StringMember(*source, "bytes"))) faults_.Add(at, "no base64");
    if (kind != "document") return;
    faults_.Word(medium, at, "format",
                 {"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"});
    const absl::string_view name = StringMember(medium, "name");
    if (!IsDocumentName(name)) faults_.Add(at, "no such name of a document");
    if (!documents_.insert(std::string(name)).second) faults_.Add(at, "a document's name twice");
  }

  const JsonValue& body_;
  const absl::string_view model_;
  Faults faults_;
  bool saw_tools_ = false;
  std::set<std::string> tools_;
  std::set<std::string> calls_;  // of the last message, unanswered
  std::set<std::string> documents_;
};

}  // namespace

std::vector<std::string> BedrockFaults(const JsonValue& body, const StrictCase& of) {
  return Check(body, of).Run();
}

}  // namespace mg
