#include "adapters/legacy_prompt.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace mg {
namespace {

struct Turn {
  v1::Role role = v1::ROLE_UNSPECIFIED;
  std::string text;
  std::string name;
};
// nullopt: not a prompt of this format, or a malformed one.
using Turns = std::optional<std::vector<Turn>>;

constexpr size_t kNowhere = absl::string_view::npos;

bool IsBlank(absl::string_view text) { return absl::StripAsciiWhitespace(text).empty(); }

struct Found {
  size_t at = kNowhere;
  absl::string_view tag;
};

// The first of `tags` in `text`, in one pass: a search for each by itself would read all that is
// left of the prompt at every turn.
Found FindFirst(absl::string_view text, std::initializer_list<absl::string_view> tags) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '<' && text[at] != '[' && text[at] != '\n') continue;
    for (absl::string_view tag : tags) {
      if (absl::StartsWith(text.substr(at), tag)) return {at, tag};
    }
  }
  return {};
}

bool ConsumeOneOf(absl::string_view* text, std::initializer_list<absl::string_view> tags) {
  return std::any_of(tags.begin(), tags.end(),
                     [text](absl::string_view tag) { return absl::ConsumePrefix(text, tag); });
}

// Between turns stand white space and separators alone.
void SkipBetweenTurns(absl::string_view* text,
                      std::initializer_list<absl::string_view> separators) {
  do {
    *text = absl::StripLeadingAsciiWhitespace(*text);
  } while (ConsumeOneOf(text, separators));
}

// Text in front of the first tag is an instruction.
void AddPreface(absl::string_view text, std::vector<Turn>* turns) {
  if (!IsBlank(text)) turns->push_back({v1::ROLE_SYSTEM, std::string(text), ""});
}

// ---- ChatML and Llama 3 and 4: a header names the role -----------------------------------------

struct HeaderTags {
  absl::string_view open;
  absl::string_view end_of_role;
  absl::string_view close;       // of a turn
  absl::string_view also_close;  // likewise
};

constexpr HeaderTags kChatMl = {"<|im_start|>", "\n", "<|im_end|>", "<|endoftext|>"};
constexpr HeaderTags kLlama3 = {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
                                "<|eom_id|>"};
constexpr HeaderTags kLlama4 = {"<|header_start|>", "<|header_end|>", "<|eot|>", "<|eom|>"};

// The longest header that is looked at: no role is that long, even with a name.
constexpr size_t kMaxHeader = 256;

void SkipSeparators(absl::string_view* text) {
  SkipBetweenTurns(text, {"<|endoftext|>", "<|im_sep|>", "<|begin_of_text|>", "<|end_of_text|>"});
}

v1::Role RoleOf(absl::string_view word) {
  if (word == "system") return v1::ROLE_SYSTEM;
  if (word == "user") return v1::ROLE_USER;
  if (word == "assistant") return v1::ROLE_ASSISTANT;
  if (word == "tool" || word == "function" || word == "ipython") return v1::ROLE_TOOL;
  return v1::ROLE_UNSPECIFIED;
}

// `role[ name=x]` up to the line's end, or to phi's separator; where the prompt ends with the role
// only the line end is missing.
bool TakeChatMlRole(absl::string_view* rest, Turn* turn) {
  const Found end = FindFirst(rest->substr(0, kMaxHeader), {kChatMl.end_of_role, "<|im_sep|>"});
  if (end.at == kNowhere && rest->size() > kMaxHeader) return false;
  absl::string_view header = rest->substr(0, end.at);
  *rest = end.at == kNowhere ? "" : rest->substr(end.at + end.tag.size());
  if (end.tag == "<|im_sep|>") absl::ConsumePrefix(rest, "\n");
  constexpr absl::string_view kName = " name=";
  if (const size_t at = header.find(kName); at != kNowhere) {
    turn->name = std::string(absl::StripAsciiWhitespace(header.substr(at + kName.size())));
    header = header.substr(0, at);
  }
  turn->role = RoleOf(absl::StripAsciiWhitespace(header));
  return turn->role != v1::ROLE_UNSPECIFIED;
}

bool TakeLlamaRole(absl::string_view* rest, absl::string_view end_of_role, Turn* turn) {
  const size_t end = rest->substr(0, kMaxHeader).find(end_of_role);
  if (end == kNowhere) return false;
  turn->role = RoleOf(absl::StripAsciiWhitespace(rest->substr(0, end)));
  rest->remove_prefix(end + end_of_role.size());
  ConsumeOneOf(rest, {"\n\n", "\n"});
  return turn->role != v1::ROLE_UNSPECIFIED;
}

Turns ParseHeaders(absl::string_view prompt, const HeaderTags& tags) {
  const size_t first = prompt.find(tags.open);
  if (first == kNowhere) return std::nullopt;
  std::vector<Turn> turns;
  absl::string_view preface = prompt.substr(0, first);
  SkipSeparators(&preface);
  AddPreface(preface, &turns);
  absl::string_view rest = prompt.substr(first);
  while (true) {
    SkipSeparators(&rest);
    if (rest.empty()) return turns;
    if (!absl::ConsumePrefix(&rest, tags.open)) return std::nullopt;
    Turn turn;
    const bool known = tags.open == kChatMl.open ? TakeChatMlRole(&rest, &turn)
                                                 : TakeLlamaRole(&rest, tags.end_of_role, &turn);
    if (!known) return std::nullopt;
    const Found end = FindFirst(rest, {tags.close, tags.also_close, tags.open});
    if (end.tag == tags.open) return std::nullopt;
    // Only the assistant's last turn may stay open: a cue, or a beginning.
    const bool open = end.at == kNowhere;
    if (open && turn.role != v1::ROLE_ASSISTANT) return std::nullopt;
    turn.text = std::string(rest.substr(0, end.at));
    turns.push_back(std::move(turn));
    if (open) return turns;
    rest.remove_prefix(end.at + end.tag.size());
  }
}

Turns ParseChatMl(absl::string_view prompt) { return ParseHeaders(prompt, kChatMl); }

Turns ParseLlamaHeader(absl::string_view prompt) {
  return ParseHeaders(prompt,
                      prompt.find(kLlama4.open) < prompt.find(kLlama3.open) ? kLlama4 : kLlama3);
}

// ---- Llama 2 and Mistral: blocks between tags, and answers between the blocks ------------------

struct Block {
  absl::string_view open;
  absl::string_view close;
  v1::Role role;
  bool keep_tags;  // chat messages have no place for what stands in it: it stays text as it is
};

constexpr Block kInst = {"[INST]", "[/INST]", v1::ROLE_USER, false};
// Mistral's newer templates.
constexpr Block kSystemPrompt = {"[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", v1::ROLE_SYSTEM, false};
constexpr Block kTools = {"[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", v1::ROLE_SYSTEM, true};
constexpr Block kResults = {"[TOOL_RESULTS]", "[/TOOL_RESULTS]", v1::ROLE_USER, true};

Found FindBlock(absl::string_view text) {
  return FindFirst(text, {kInst.open, kSystemPrompt.open, kTools.open, kResults.open});
}

// One space or line end beside a tag is format.
void TrimFront(absl::string_view* text) { ConsumeOneOf(text, {" ", "\n"}); }
void TrimBack(absl::string_view* text) {
  if (!absl::ConsumeSuffix(text, " ")) absl::ConsumeSuffix(text, "\n");
}

// The system text at the head of the first instruction, cut out of it; false: it is not closed.
bool TakeSystem(absl::string_view* user, std::vector<Turn>* turns) {
  absl::string_view text = absl::StripLeadingAsciiWhitespace(*user);
  if (!absl::ConsumePrefix(&text, "<<SYS>>")) return true;
  constexpr absl::string_view kEnd = "<</SYS>>";
  const size_t end = text.find(kEnd);
  if (end == kNowhere) return false;
  absl::string_view system = text.substr(0, end);
  TrimFront(&system);
  TrimBack(&system);
  turns->push_back({v1::ROLE_SYSTEM, std::string(system), ""});
  *user = text.substr(end + kEnd.size());
  absl::ConsumePrefix(user, "\n");  // the tag ends with two; the other is trimmed as at any tag
  return true;
}

// The block at the head of `rest`; false: there is none, or it is not closed.
bool TakeBlock(absl::string_view* rest, bool may_hold_system, std::vector<Turn>* turns,
               const Block** taken) {
  for (const Block* block : {&kInst, &kSystemPrompt, &kTools, &kResults}) {
    if (!absl::StartsWith(*rest, block->open)) continue;
    absl::string_view text = rest->substr(block->open.size());
    const Found end = FindFirst(text, {block->close, block->open});
    if (end.tag != block->close) return false;
    absl::string_view whole = rest->substr(0, block->open.size() + end.at + block->close.size());
    rest->remove_prefix(whole.size());
    text = text.substr(0, end.at);
    if (block == &kInst && may_hold_system && !TakeSystem(&text, turns)) return false;
    TrimFront(&text);
    TrimBack(&text);
    turns->push_back({block->role, std::string(block->keep_tags ? whole : text), ""});
    *taken = block;
    return true;
  }
  return false;
}

// The answer in front of the next tag; what the prompt ends with is a beginning.
void TakeAnswer(absl::string_view* rest, std::vector<Turn>* turns) {
  const Found end =
      FindFirst(*rest, {"</s>", "<s>", kInst.open, kSystemPrompt.open, kTools.open, kResults.open});
  absl::string_view answer = rest->substr(0, end.at);
  rest->remove_prefix(answer.size());
  TrimFront(&answer);
  if (!rest->empty()) TrimBack(&answer);
  turns->push_back({v1::ROLE_ASSISTANT, std::string(answer), ""});
}

Turns ParseLlamaInst(absl::string_view prompt) {
  const size_t first = FindBlock(prompt).at;
  if (first == kNowhere) return std::nullopt;
  std::vector<Turn> turns;
  absl::string_view preface = prompt.substr(0, first);
  SkipBetweenTurns(&preface, {"<s>"});
  absl::ConsumeSuffix(&preface, "<s>");
  AddPreface(preface, &turns);
  absl::string_view rest = prompt.substr(first);
  for (bool first_inst = true; !rest.empty();) {
    const Block* block = nullptr;
    if (!TakeBlock(&rest, first_inst, &turns, &block)) return std::nullopt;
    if (block == &kInst) first_inst = false;
    if (block == &kInst || block == &kResults) TakeAnswer(&rest, &turns);
    SkipBetweenTurns(&rest, {"</s>", "<s>"});
  }
  return turns;
}

// ---- Anthropic's text completions --------------------------------------------------------------

constexpr absl::string_view kHuman = "\n\nHuman:";
constexpr absl::string_view kAssistant = "\n\nAssistant:";

// At the very start of a prompt the line ends may be missing.
Found FindSpeaker(absl::string_view prompt) {
  for (absl::string_view tag : {kHuman.substr(2), kAssistant.substr(2)}) {
    if (absl::StartsWith(prompt, tag)) return {0, tag};
  }
  return FindFirst(prompt, {kHuman, kAssistant});
}

Turns ParseHumanAssistant(absl::string_view prompt) {
  Found speaker = FindSpeaker(prompt);
  if (speaker.at == kNowhere) return std::nullopt;
  std::vector<Turn> turns;
  AddPreface(prompt.substr(0, speaker.at), &turns);
  absl::string_view rest = prompt;
  while (speaker.at != kNowhere) {
    rest.remove_prefix(speaker.at + speaker.tag.size());
    const v1::Role role = absl::EndsWith(kHuman, speaker.tag) ? v1::ROLE_USER : v1::ROLE_ASSISTANT;
    speaker = FindFirst(rest, {kHuman, kAssistant});
    absl::string_view text = rest.substr(0, speaker.at);
    absl::ConsumePrefix(&text, " ");
    // Two turns of the human are one.
    if (role == v1::ROLE_USER && !turns.empty() && turns.back().role == role) {
      std::string& before = turns.back().text;
      absl::StrAppend(&before, before.empty() ? "" : "\n\n", text);
    } else {
      turns.push_back({role, std::string(text), ""});
    }
  }
  return turns;
}

// ---- all formats -------------------------------------------------------------------------------

// Of tags of several formats the first by position decides; the others stay text.
Turns Detect(absl::string_view prompt) {
  struct Format {
    size_t at;
    Turns (*parse)(absl::string_view);
  };
  const Format formats[] = {
      {prompt.find(kChatMl.open), ParseChatMl},
      {std::min(prompt.find(kLlama3.open), prompt.find(kLlama4.open)), ParseLlamaHeader},
      {prompt.find(kInst.open), ParseLlamaInst},
      {FindSpeaker(prompt).at, ParseHumanAssistant},
  };
  const Format* first = &formats[0];
  for (const Format& format : formats) {
    if (format.at < first->at) first = &format;
  }
  return first->parse(prompt);
}

Turns Parse(const v1::LegacyPrompt& prompt) {
  switch (prompt.format()) {
    case v1::LegacyPrompt::FORMAT_HUMAN_ASSISTANT:
      return ParseHumanAssistant(prompt.text());
    case v1::LegacyPrompt::FORMAT_CHATML:
      return ParseChatMl(prompt.text());
    case v1::LegacyPrompt::FORMAT_LLAMA_INST:
      return ParseLlamaInst(prompt.text());
    case v1::LegacyPrompt::FORMAT_LLAMA_HEADER:
      return ParseLlamaHeader(prompt.text());
    case v1::LegacyPrompt::FORMAT_DETECT:
      return Detect(prompt.text());
    default:
      return std::nullopt;
  }
}

bool SaysNothing(const Turn& turn) {
  return (turn.role == v1::ROLE_ASSISTANT || turn.role == v1::ROLE_SYSTEM) && IsBlank(turn.text);
}

void AddMessage(Turn turn, google::protobuf::RepeatedPtrField<v1::Message>* messages) {
  v1::Message* message = messages->Add();
  message->set_role(turn.role);
  if (turn.role == v1::ROLE_TOOL) {
    v1::ToolResult* result = message->add_parts()->mutable_tool_result();
    result->set_name(std::move(turn.name));
    result->add_parts()->set_text(std::move(turn.text));
    return;
  }
  message->set_name(std::move(turn.name));
  message->add_parts()->set_text(std::move(turn.text));
}

}  // namespace

google::protobuf::RepeatedPtrField<v1::Message> MessagesOf(const v1::LegacyPrompt& prompt) {
  google::protobuf::RepeatedPtrField<v1::Message> messages;
  Turns turns = Parse(prompt);
  if (turns.has_value()) {
    for (Turn& turn : *turns) {
      if (!SaysNothing(turn)) AddMessage(std::move(turn), &messages);
    }
  }
  if (messages.empty()) AddMessage({v1::ROLE_USER, prompt.text(), ""}, &messages);
  return messages;
}

}  // namespace mg
