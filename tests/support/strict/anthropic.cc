// Anthropic's Messages: spec/providers.md §4.2 to §4.4. A body without a limit (max_tokens) and
// stream is one of count_tokens where `model` of the case begins with "count:".
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/support/strict/faults.h"
#include "tests/support/strict/strict.h"

namespace mg {
namespace {

bool Holds(absl::string_view model, Names names) {
  for (absl::string_view name : names) {
    if (absl::StrContains(model, name)) return true;
  }
  return false;
}

// Up to Opus 4.6 and Sonnet 4.6.
bool TakesSampling(absl::string_view model) {
  return Holds(model, {"-4-6", "-4-5", "-4-1", "-4-0", "opus-4-2", "sonnet-4-2", "claude-3"}) ||
         absl::EndsWith(model, "opus-4") || absl::EndsWith(model, "sonnet-4");
}

bool TakesPrefill(absl::string_view model) {
  return TakesSampling(model) && !absl::StrContains(model, "-4-6");
}

class Check {
 public:
  Check(const JsonValue& body, const StrictCase& of) : body_(body), model_(of.model) {
    counting_ = absl::ConsumePrefix(&model_, "count:");
    vertex_ = of.vertex;
  }

  std::vector<std::string> Run() {
    faults_.Known(body_, "",
                  {"model",
                   "max_tokens",
                   "messages",
                   "system",
                   "stop_sequences",
                   "stream",
                   "temperature",
                   "top_p",
                   "top_k",
                   "tools",
                   "tool_choice",
                   "thinking",
                   "output_config",
                   "metadata",
                   "service_tier",
                   "cache_control",
                   "speed",
                   "inference_geo",
                   "container",
                   "mcp_servers",
                   "context_management",
                   vertex_ ? "anthropic_version" : "model",
                   vertex_ ? "anthropic_beta" : "model"});
    if (!vertex_ || counting_) faults_.Text(body_, "", "model");
    if (vertex_) faults_.Text(body_, "", "anthropic_version");
    Settings();
    Thinking();
    Tools();
    OutputConfig();
    System();
    Messages();
    if (breakpoints_ > 4) faults_.Add("", "more than 4 cache_control");
    return faults_.Take();
  }

 private:
  void Settings() {
    if (counting_) {
      return faults_.Forbidden(
          body_, "", {"max_tokens", "stream", "temperature", "top_p", "top_k", "stop_sequences"},
          "no member of count_tokens");
    }
    if (Member(body_, "max_tokens") == nullptr) faults_.Add("/max_tokens", "is required");
    faults_.Whole(body_, "", "max_tokens", 1);
    faults_.Range(body_, "", "temperature", 0, 1);
    faults_.Range(body_, "", "top_p", 0, 1);
    faults_.Whole(body_, "", "top_k", 0);
    faults_.Flag(body_, "", "stream");
    faults_.Word(body_, "", "service_tier", {"auto", "standard_only"});
    if (Member(body_, "temperature") != nullptr && Member(body_, "top_p") != nullptr) {
      faults_.Add("/top_p", "beside a temperature");
    }
    if (!TakesSampling(model_)) {
      faults_.Forbidden(body_, "", {"temperature", "top_p", "top_k"}, "not with this model");
    }
    faults_.Texts(body_, "", "stop_sequences", 8192);
    for (const JsonValue& stop : ListMember(body_, "stop_sequences").GetArray()) {
      if (stop.IsString() && IsBlankText(StringOf(stop))) faults_.Add("/stop_sequences", "a blank");
    }
    if (const JsonValue* metadata = Member(body_, "metadata")) {
      faults_.Known(*metadata, "/metadata", {"user_id"});
    }
  }

  void Thinking() {
    const JsonValue* thinking = Member(body_, "thinking");
    if (thinking == nullptr) return;
    const absl::string_view type = StringMember(*thinking, "type");
    faults_.Word(*thinking, "/thinking", "type",
                 {"enabled", "adaptive", "disabled", "between_tools"});
    faults_.Known(*thinking, "/thinking", {"type", "budget_tokens", "display"});
    faults_.Word(*thinking, "/thinking", "display", {"summarized", "omitted"});
    const bool budget = Member(*thinking, "budget_tokens") != nullptr;
    if (budget != (type == "enabled")) faults_.Add("/thinking", "a budget and enabled, or neither");
    faults_.Whole(*thinking, "/thinking", "budget_tokens", 1024);
    const JsonValue* limit = Member(body_, "max_tokens");
    if (budget && limit != nullptr && limit->IsNumber() &&
        (*thinking)["budget_tokens"].GetDouble() >= limit->GetDouble()) {
      faults_.Add("/thinking/budget_tokens", "not below max_tokens");
    }
    thinks_ = type == "enabled" || type == "adaptive";
    if (type == "enabled" && !TakesSampling(model_) && !absl::StrContains(model_, "opus-5")) {
      faults_.Add("/thinking", "this model takes no budget");
    }
    const JsonValue* temperature = Member(body_, "temperature");
    if (!thinks_) return;
    if (temperature != nullptr && *temperature != 1) faults_.Add("/temperature", "while it thinks");
    faults_.Forbidden(body_, "", {"top_k"}, "while it thinks");
  }

  void OutputConfig() {
    const JsonValue* config = Member(body_, "output_config");
    if (config == nullptr) return;
    faults_.Known(*config, "/output_config", {"effort", "format"});
    faults_.Word(*config, "/output_config", "effort", {"low", "medium", "high", "xhigh", "max"});
    if (StringMember(*config, "effort") == "xhigh" && TakesSampling(model_)) {
      faults_.Add("/output_config/effort", "a word that this model lacks");
    }
    const JsonValue* format = Member(*config, "format");
    if (format == nullptr) return;
    faults_.Word(*format, "/output_config/format", "type", {"json_schema"});
    const JsonValue* schema = Member(*format, "schema");
    if (schema == nullptr) return faults_.Add("/output_config/format", "no schema");
    Schema(*schema, "/output_config/format/schema");
  }

  // Where `value` is a schema; a name of a property is none.
  void Schema(const JsonValue& schema, const std::string& at) {
    if (!schema.IsObject()) return;
    faults_.Forbidden(schema, at,
                      {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
                       "minLength", "maxLength", "pattern", "maxItems", "uniqueItems",
                       "minProperties", "maxProperties", "not", "oneOf"},
                      "a keyword that is not taken");
    if (StringMember(schema, "type") == "object") {
      const JsonValue* more = Member(schema, "additionalProperties");
      if (more == nullptr || !more->IsFalse()) faults_.Add(at, "additionalProperties is not false");
    }
    for (const char* name : {"properties", "$defs"}) {
      const JsonValue* named = Member(schema, name);
      if (named == nullptr || !named->IsObject()) continue;
      for (const auto& each : named->GetObject()) {
        Schema(each.value, absl::StrCat(at, "/", StringOf(each.name)));
      }
    }
    if (const JsonValue* items = Member(schema, "items")) Schema(*items, at + "/items");
    for (const JsonValue& each : ListMember(schema, "anyOf").GetArray())
      Schema(each, at + "/anyOf");
  }

  void Tools() {
    const JsonValue* tools = Member(body_, "tools");
    for (const JsonValue& tool : ListMember(body_, "tools").GetArray()) Tool(tool);
    const JsonValue* choice = Member(body_, "tool_choice");
    if (choice == nullptr) return;
    if (tools == nullptr) faults_.Add("/tool_choice", "without tools");
    faults_.Known(*choice, "/tool_choice", {"type", "name", "disable_parallel_tool_use"});
    faults_.Word(*choice, "/tool_choice", "type", {"auto", "any", "tool", "none"});
    faults_.Flag(*choice, "/tool_choice", "disable_parallel_tool_use");
    const absl::string_view type = StringMember(*choice, "type");
    if (type == "tool" && !tools_.contains(std::string(StringMember(*choice, "name")))) {
      faults_.Add("/tool_choice", "names no tool");
    }
    const bool forced = type == "any" || type == "tool";
    if (forced && thinks_) faults_.Add("/tool_choice", "forced while it thinks");
    if (forced && Holds(model_, {"sonnet-5-5", "opus-5-5", "fable-5-1", "fable-5-2"})) {
      faults_.Add("/tool_choice", "this model cannot be forced");
    }
  }

  void Tool(const JsonValue& tool) {
    const std::string at = "/tools";
    const absl::string_view name = StringMember(tool, "name");
    const absl::string_view type = StringMember(tool, "type");
    Breakpoint(tool, at);
    if (!IsWord(name, 128, "_-")) faults_.Add(at, "no such name");
    if (!tools_.insert(std::string(name)).second) faults_.Add(at, "a name twice");
    if (!type.empty() && type != "custom") return;  // a tool of Anthropic's own
    faults_.Known(tool, at,
                  {"name", "description", "input_schema", "strict", "cache_control", "type"});
    const JsonValue* schema = Member(tool, "input_schema");
    if (schema == nullptr || StringMember(*schema, "type") != "object") {
      faults_.Add(at, "an input_schema that is no object's");
    }
  }

  void Breakpoint(const JsonValue& block, const std::string& at) {
    const JsonValue* mark = Member(block, "cache_control");
    if (mark == nullptr) return;
    ++breakpoints_;
    faults_.Word(*mark, at, "type", {"ephemeral"});
    faults_.Word(*mark, at, "ttl", {"5m", "1h"});
  }

  void Text(const JsonValue& block, const std::string& at) {
    if (IsBlankText(StringMember(block, "text"))) faults_.Add(at, "a blank text");
  }

  void System() {
    const JsonValue* system = Member(body_, "system");
    if (system == nullptr) return;
    if (system->IsString() && !IsBlankText(StringOf(*system))) return;
    if (!system->IsArray() || system->Empty()) return faults_.Add("/system", "no text");
    for (const JsonValue& block : system->GetArray()) {
      faults_.Word(block, "/system", "type", {"text"});
      Text(block, "/system");
      Breakpoint(block, "/system");
    }
  }

  void Messages() {
    const JsonValue& messages = ListMember(body_, "messages");
    if (messages.Empty()) return faults_.Add("/messages", "no message");
    if (StringMember(messages[0], "role") != "user") faults_.Add("/messages/0", "not of the user");
    absl::string_view before;
    for (rapidjson::SizeType i = 0; i < messages.Size(); ++i) {
      const std::string at = absl::StrCat("/messages/", i);
      const JsonValue& message = messages[i];
      const absl::string_view role = StringMember(message, "role");
      faults_.Known(message, at, {"role", "content"});
      if (role == "system") {
        const bool old = TakesSampling(model_) || absl::StrContains(model_, "opus-4-7");
        if (old || before != "user") faults_.Add(at, "no place for a system message");
      } else if (!Among(role, {"user", "assistant"})) {
        faults_.Add(at, "no such role");
      }
      Content(message, role, at);
      before = role;
    }
    if (!calls_.empty()) faults_.Add("/messages", "tool_use without a tool_result behind it");
    if (before == "assistant") Last(messages[messages.Size() - 1]);
  }

  void Last(const JsonValue& message) {
    const JsonValue* content = Member(message, "content");
    absl::string_view text;
    if (content != nullptr && content->IsString()) text = StringOf(*content);
    if (content != nullptr && content->IsArray() && !content->Empty()) {
      text = StringMember((*content)[content->Size() - 1], "text");
    }
    if (text.empty()) return;  // a turn that the server's own tools have paused goes on
    if (!TakesPrefill(model_) || thinks_) faults_.Add("/messages", "no prefill with this model");
    if (text != absl::StripTrailingAsciiWhitespace(text)) {
      faults_.Add("/messages", "a last text that ends in white space");
    }
  }

  // The results of the calls before it come first; none but those, and all of them.
  void Content(const JsonValue& message, absl::string_view role, const std::string& at) {
    const JsonValue* content = Member(message, "content");
    std::set<std::string> open = std::move(calls_);
    calls_.clear();
    if (content == nullptr || !content->IsArray()) {
      const bool text = content != nullptr && content->IsString();
      if (!text || IsBlankText(StringOf(*content))) faults_.Add(at, "a blank content");
      if (!open.empty()) faults_.Add(at, "tool_use without a tool_result behind it");
      return;
    }
    if (content->Empty()) faults_.Add(at, "an empty content");
    bool others = false;
    for (rapidjson::SizeType i = 0; i < content->Size(); ++i) {
      const JsonValue& block = (*content)[i];
      const std::string place = absl::StrCat(at, "/content/", i);
      Breakpoint(block, place);
      if (StringMember(block, "type") != "tool_result") {
        others = true;
        Block(block, role, place);
        continue;
      }
      if (role != "user") faults_.Add(place, "a result that is not the user's");
      if (others) faults_.Add(place, "a tool_result behind other blocks");
      if (open.erase(std::string(StringMember(block, "tool_use_id"))) == 0) {
        faults_.Add(place, "a tool_result without its tool_use just before");
      }
      Result(block, place);
    }
    if (!open.empty()) faults_.Add(at, "tool_use without a tool_result behind it");
  }

  void Result(const JsonValue& block, const std::string& at) {
    faults_.Known(block, at,
                  {"type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"});
    for (const JsonValue& part : ListMember(block, "content").GetArray()) {
      const absl::string_view type = StringMember(part, "type");
      if (!Among(type, {"text", "image", "document", "search_result"})) {
        faults_.Add(at, "no block of a result");
      }
      Block(part, "user", at);
    }
  }

  void Block(const JsonValue& block, absl::string_view role, const std::string& at) {
    const absl::string_view type = StringMember(block, "type");
    if (type == "text") {
      Text(block, at);
      const bool cited = !ListMember(block, "citations").Empty();
      if (cited && role == "user") faults_.Add(at, "citations of a user's text");
      return;
    }
    if (type == "image" || type == "document") {
      if (role != "user") faults_.Add(at, "a medium that is not the user's");
      return Medium(block, type, at);
    }
    if (type == "search_result" && role == "user") return;
    if (role != "assistant") return faults_.Add(at, absl::StrCat("no block of a user's: ", type));
    if (type == "thinking") {
      faults_.Known(block, at, {"type", "thinking", "signature"});
      faults_.Text(block, at, "signature");
    } else if (type == "redacted_thinking") {
      faults_.Text(block, at, "data");
    } else if (type == "tool_use") {
      const std::string id(StringMember(block, "id"));
      if (!IsWord(id, 1024, "_-")) faults_.Add(at, "an id of other than A-Z a-z 0-9 _ -");
      if (!calls_.insert(id).second) faults_.Add(at, "an id twice");
      faults_.Text(block, at, "name");
      faults_.Object(block, at, "input");
    } else if (type.empty()) {
      faults_.Add(at, "a block without a type");
    }
  }

  void Medium(const JsonValue& block, absl::string_view type, const std::string& at) {
    const JsonValue* source = Member(block, "source");
    if (source == nullptr) return faults_.Add(at, "no source");
    const absl::string_view from = StringMember(*source, "type");
    if (from == "base64") {
      const bool image = type == "image";
      const absl::string_view media = StringMember(*source, "media_type");
      const bool known = image
                             ? Among(media, {"image/jpeg", "image/png", "image/gif", "image/webp"})
                             : media == "application/pdf";
      if (!known) faults_.Add(at, "no such media_type");
      if (!IsBase64(StringMember(*source, "data"))) faults_.Add(at, "no base64");
    } else if (!Among(from, {"url", "file", "text", "content"})) {
      faults_.Add(at, "no such source");
    }
  }

  const JsonValue& body_;
  absl::string_view model_;
  bool counting_ = false;
  bool vertex_ = false;
  bool thinks_ = false;
  int breakpoints_ = 0;
  Faults faults_;
  std::set<std::string> tools_;
  std::set<std::string> calls_;  // of the last message, unanswered
};

}  // namespace

std::vector<std::string> AnthropicFaults(const JsonValue& body, const StrictCase& of) {
  return Check(body, of).Run();
}

}  // namespace mg
