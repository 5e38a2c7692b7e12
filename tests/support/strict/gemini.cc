// Gemini's generateContent, on AI Studio and on Vertex: spec/providers.md §6.2.
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/strict/faults.h"
#include "tests/support/strict/strict.h"

namespace mg {
namespace {

constexpr Names kData = {
    "text",           "inlineData",          "fileData", "functionCall", "functionResponse",
    "executableCode", "codeExecutionResult", "toolCall", "toolResponse"};

bool IsOld(absl::string_view model) {
  return absl::StrContains(model, "gemini-1") || absl::StrContains(model, "gemini-2");
}
// Gemini 3 and what followed it.
bool IsNew(absl::string_view model) { return absl::StrContains(model, "gemini-") && !IsOld(model); }

struct CallOf {
  std::string name;
  std::string id;
};

class Check {
 public:
  Check(const JsonValue& body, const StrictCase& of) : body_(body), of_(of) {}

  std::vector<std::string> Run() {
    faults_.Known(
        body_, "",
        {"contents", "systemInstruction", "generationConfig", "tools", "toolConfig",
         "safetySettings", "cachedContent", of_.vertex ? "labels" : "serviceTier", "model"});
    System();
    Tools();
    Generation();
    Contents();
    return faults_.Take();
  }

 private:
  void System() {
    const JsonValue* system = Member(body_, "systemInstruction");
    if (system == nullptr) return;
    if (absl::StrContains(of_.model, "gemma")) {
      faults_.Add("/systemInstruction", "Gemma takes none");
    }
    const JsonValue& parts = ListMember(*system, "parts");
    if (parts.Empty()) faults_.Add("/systemInstruction", "no parts");
    for (const JsonValue& part : parts.GetArray()) {
      faults_.Text(part, "/systemInstruction", "text");
    }
  }

  void Tools() {
    for (const JsonValue& tool : ListMember(body_, "tools").GetArray()) {
      if (tool.MemberCount() != 1) faults_.Add("/tools", "not one kind of tool an entry");
      for (const JsonValue& each : ListMember(tool, "functionDeclarations").GetArray()) {
        Function(each, "/tools/functionDeclarations");
      }
    }
    const JsonValue* config = Member(body_, "toolConfig");
    const JsonValue* calling =
        config == nullptr ? nullptr : Member(*config, "functionCallingConfig");
    if (calling == nullptr) return;
    const std::string at = "/toolConfig/functionCallingConfig";
    faults_.Word(*calling, at, "mode", {"AUTO", "ANY", "NONE", "VALIDATED"});
    if (functions_.empty()) faults_.Add(at, "without functions");
    const JsonValue* allowed = Member(*calling, "allowedFunctionNames");
    if (allowed == nullptr) return;
    if (!Among(StringMember(*calling, "mode"), {"ANY", "VALIDATED"})) {
      faults_.Add(at, "allowedFunctionNames go with ANY");
    }
    for (const JsonValue& name : allowed->GetArray()) {
      if (!IsDeclared(StringOf(name))) faults_.Add(at, "names no function");
    }
  }

  bool IsDeclared(absl::string_view name) const {
    for (const std::string& each : functions_) {
      if (each == name) return true;
    }
    return false;
  }

  void Function(const JsonValue& function, const std::string& at) {
    faults_.Known(function, at, {"name", "description", "parameters", "parametersJsonSchema"});
    const absl::string_view name = StringMember(function, "name");
    const bool begins =
        !name.empty() &&
        (absl::ascii_isalpha(static_cast<unsigned char>(name[0])) || name[0] == '_');
    if (!begins || !IsWord(name, 128, "_.:-")) faults_.Add(at, "no such name");
    if (IsDeclared(name)) faults_.Add(at, "a name twice");
    functions_.emplace_back(name);
    for (const char* member : {"parameters", "parametersJsonSchema"}) {
      const JsonValue* schema = Member(function, member);
      if (schema == nullptr) continue;
      faults_.Object(function, at, member);
      const JsonValue* properties = Member(*schema, "properties");
      const bool object = StringMember(*schema, "type") == "object" && schema->MemberCount() < 3;
      if (object && properties != nullptr && properties->ObjectEmpty()) {
        faults_.Add(at, "an object of no properties");
      }
    }
    if (Member(function, "parameters") != nullptr &&
        Member(function, "parametersJsonSchema") != nullptr) {
      faults_.Add(at, "two schemas");
    }
  }

  void Generation() {
    const JsonValue* config = Member(body_, "generationConfig");
    if (config == nullptr) return;
    const std::string at = "/generationConfig";
    faults_.Known(
        *config, at,
        {"temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences",
         "seed", "presencePenalty", "frequencyPenalty", "responseLogprobs", "logprobs",
         "responseMimeType", "responseSchema", "responseJsonSchema", "thinkingConfig",
         "responseModalities", "mediaResolution", "speechConfig", "imageConfig"});
    faults_.Range(*config, at, "temperature", 0, 2);
    faults_.Range(*config, at, "topP", 0, 1);
    faults_.Whole(*config, at, "topK", 0);
    faults_.Whole(*config, at, "candidateCount", 1);
    faults_.Whole(*config, at, "maxOutputTokens", 1);
    faults_.Range(*config, at, "logprobs", 0, 20);
    faults_.Texts(*config, at, "stopSequences", 5);
    const JsonValue* asked = Member(*config, "responseLogprobs");
    if (Member(*config, "logprobs") != nullptr && (asked == nullptr || !asked->IsTrue())) {
      faults_.Add(at, "logprobs without responseLogprobs");
    }
    Schema(*config, at);
    if (const JsonValue* thinking = Member(*config, "thinkingConfig")) {
      Thinking(*thinking, at + "/thinkingConfig");
    }
  }

  void Schema(const JsonValue& config, const std::string& at) {
    const bool schema = Member(config, "responseSchema") != nullptr ||
                        Member(config, "responseJsonSchema") != nullptr;
    if (Member(config, "responseSchema") != nullptr &&
        Member(config, "responseJsonSchema") != nullptr) {
      faults_.Add(at, "two schemas");
    }
    const absl::string_view type = StringMember(config, "responseMimeType");
    if (schema && type != "application/json") faults_.Add(at, "a schema without JSON");
    if (type != "application/json") return;
    if (!functions_.empty() && !IsNew(of_.model)) faults_.Add(at, "JSON beside functions");
    if (absl::StrContains(of_.model, "gemma")) faults_.Add(at, "Gemma has no JSON mode");
  }

  void Thinking(const JsonValue& thinking, const std::string& at) {
    faults_.Known(thinking, at, {"includeThoughts", "thinkingBudget", "thinkingLevel"});
    faults_.Flag(thinking, at, "includeThoughts");
    if (const JsonValue* level = Member(thinking, "thinkingLevel")) {
      const std::string word = absl::AsciiStrToUpper(StringOf(*level));
      if (!Among(word, {"MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"}))
        faults_.Add(at, "no such level");
      if (word == "MINIMAL" && absl::StrContains(of_.model, "pro")) {
        faults_.Add(at, "a pro model starts at LOW");
      }
      if (IsOld(of_.model)) faults_.Add(at, "this model takes no level");
      faults_.Forbidden(thinking, at, {"thinkingBudget"}, "beside a level");
    }
    const JsonValue* budget = Member(thinking, "thinkingBudget");
    if (budget == nullptr || !budget->IsInt() || !IsOld(of_.model)) return;
    const bool flash = absl::StrContains(of_.model, "flash");
    faults_.Range(thinking, at, "thinkingBudget", -1, flash ? 24576 : 32768);
    const bool pro = absl::StrContains(of_.model, "2.5-pro");
    if (pro && budget->GetInt() >= 0 && budget->GetInt() < 128)
      faults_.Add(at, "below this model's least");
  }

  void Contents() {
    const JsonValue& contents = ListMember(body_, "contents");
    if (contents.Empty()) return faults_.Add("/contents", "no content");
    if (StringMember(contents[0], "role") != "user") faults_.Add("/contents/0", "not of the user");
    for (rapidjson::SizeType i = 0; i < contents.Size(); ++i) {
      const std::string at = absl::StrCat("/contents/", i);
      faults_.Known(contents[i], at, {"role", "parts"});
      Content(contents[i], at);
    }
    if (!calls_.empty()) faults_.Add("/contents", "functionCalls without their responses");
  }

  void Content(const JsonValue& content, const std::string& at) {
    const absl::string_view role = StringMember(content, "role");
    faults_.Word(content, at, "role", {"user", "model"});
    const JsonValue& parts = ListMember(content, "parts");
    if (parts.Empty()) faults_.Add(at, "no parts");
    const std::vector<CallOf> asked = std::move(calls_);
    calls_.clear();
    size_t answered = 0;
    bool first_call = true;
    for (const JsonValue& part : parts.GetArray()) {
      const absl::string_view kind = faults_.OneOf(part, at, kData);
      if (kind == "functionResponse") {
        Response(part["functionResponse"], role, asked, answered++, at);
      } else if (!kind.empty()) {
        Part(part, kind, role, &first_call, at);
      }
    }
    if (answered != asked.size()) {
      faults_.Add(at, "not as many functionResponses as functionCalls");
    }
  }

  void Part(const JsonValue& part, absl::string_view kind, absl::string_view role, bool* first_call,
            const std::string& at) {
    const bool blank = kind == "text" && StringMember(part, "text").empty();
    const bool is_signed = Member(part, "thoughtSignature") != nullptr;
    faults_.Known(
        part, at,
        {kind, "thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata"});
    if (blank && !is_signed) faults_.Add(at, "an empty text");
    if (is_signed) faults_.Text(part, at, "thoughtSignature");
    if (is_signed && role != "model") faults_.Add(at, "a signature that is not the model's");
    if (kind == "inlineData" || kind == "fileData") Medium(part[kind.data()], kind, at);
    if (kind != "functionCall") return;
    if (role != "model") faults_.Add(at, "a call that is not the model's");
    if (*first_call && !is_signed && IsNew(of_.model)) {
      faults_.Add(at, "the first call of a step without its thoughtSignature");
    }
    *first_call = false;
    const JsonValue& call = part["functionCall"];
    faults_.Known(call, at, {"name", "args", "id"});
    faults_.Text(call, at, "name");
    if (Member(call, "args") != nullptr) faults_.Object(call, at, "args");
    calls_.push_back(
        {std::string(StringMember(call, "name")), std::string(StringMember(call, "id"))});
  }

  void Medium(const JsonValue& medium, absl::string_view kind, const std::string& at) {
    // The Files API knows the type of its own.
    const bool own = absl::StrContains(StringMember(medium, "fileUri"), "/files/");
    if (!own) faults_.Text(medium, at, "mimeType");
    if (kind == "fileData") return faults_.Text(medium, at, "fileUri");
    if (!IsBase64(StringMember(medium, "data"))) faults_.Add(at, "no base64");
  }

  void Response(const JsonValue& response, absl::string_view role, const std::vector<CallOf>& asked,
                size_t index, const std::string& at) {
    faults_.Known(response, at, {"name", "response", "id", "parts"});
    faults_.Object(response, at, "response");
    if (role != "user") faults_.Add(at, "a response that is not the user's");
    if (index >= asked.size())
      return faults_.Add(at, "a functionResponse without its functionCall");
    if (asked[index].name != StringMember(response, "name")) {
      faults_.Add(at, "functionResponses in another order than the functionCalls");
    }
    const absl::string_view id = StringMember(response, "id");
    if (id != asked[index].id) faults_.Add(at, "another id than the call's");
  }

  const JsonValue& body_;
  const StrictCase& of_;
  Faults faults_;
  std::vector<std::string> functions_;
  std::vector<CallOf> calls_;  // of the last content, unanswered
};

}  // namespace

std::vector<std::string> GeminiFaults(const JsonValue& body, const StrictCase& of) {
  return Check(body, of).Run();
}

}  // namespace mg
