// Tool calls of a choice: which call a piece belongs to, and what may be given out already.
#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/openai_choice.h"
#include "adapters/dialects/openai_errors.h"
#include "adapters/generated_id.h"
#include "adapters/json_text.h"
#include "adapters/provider_errors.h"

namespace mg {
namespace {

constexpr size_t kMaxCalls = 4096;  // of one choice: each piece is looked for among them

std::optional<int> IndexOf(const JsonValue& entry) {
  const JsonValue* index = Member(entry, "index");
  if (index == nullptr || !index->IsNumber()) return std::nullopt;
  const double number = index->GetDouble();
  if (number < 0 || number > std::numeric_limits<int>::max() || number != std::floor(number)) {
    return std::nullopt;
  }
  return static_cast<int>(number);
}

}  // namespace

absl::Status OpenAiChoice::ReadToolCalls(const JsonValue& calls, absl::string_view text,
                                         bool whole) {
  if (!calls.IsArray()) return absl::OkStatus();
  // Slices are wanted only where something is no string: they take a pass over the text.
  const bool slices = std::any_of(calls.Begin(), calls.End(), [](const JsonValue& entry) {
    for (const char* name : {"function", "custom"}) {
      const JsonValue* inner = Member(entry, name);
      if (inner == nullptr) continue;
      const JsonValue* arguments = Member(*inner, name[0] == 'f' ? "arguments" : "input");
      if (arguments != nullptr && !arguments->IsString()) return true;
    }
    return Member(entry, "extra_content") != nullptr;
  });
  std::vector<absl::string_view> entries;
  if (slices) entries = ElementTexts(MemberText(text, "tool_calls"));
  entries.resize(calls.Size());
  for (rapidjson::SizeType i = 0; i < calls.Size(); ++i) {
    if (calls[i].IsObject()) ReadToolCall(calls[i], entries[i], whole, i > 0);
    if (calls_.size() > kMaxCalls) {
      return MalformedAnswer(context_, absl::StrCat("more than ", kMaxCalls, " tool calls"));
    }
  }
  return absl::OkStatus();
}

// `again`: another entry of the same array came before it, so that it is hardly the same call.
void OpenAiChoice::ReadToolCall(const JsonValue& entry, absl::string_view text, bool whole,
                                bool again) {
  const JsonValue* function = Member(entry, "function");
  const JsonValue* custom = function == nullptr ? Member(entry, "custom") : nullptr;
  const JsonValue* inner = custom != nullptr ? custom : function;
  const absl::string_view id = absl::StripAsciiWhitespace(StringMember(entry, "id"));
  absl::string_view name;
  absl::string_view arguments;
  if (inner != nullptr) {
    name = StringMember(*inner, "name");
    const char* key = custom != nullptr ? "input" : "arguments";
    const JsonValue* value = Member(*inner, key);
    if (value != nullptr && value->IsString()) arguments = StringOf(*value);
    if (value != nullptr && !value->IsString()) {
      arguments = MemberText(MemberText(text, custom != nullptr ? "custom" : "function"), key);
    }
  }
  if (id.empty() && absl::StripAsciiWhitespace(name).empty() && arguments.empty()) return;
  const bool fresh = whole || (again && id.empty() && !name.empty() && !IndexOf(entry));
  Call* call = FindCall(entry, id, name, !arguments.empty(), fresh);
  if (custom != nullptr) call->custom = true;
  const bool known =
      std::any_of(calls_.begin(), calls_.end(), [&](const Call& each) { return each.id == id; });
  if (call->id.empty() && !id.empty() && !known) {
    call->id = std::string(id);
    held_bytes_ += id.size();
  }
  AppendName(call, name);
  if (Member(entry, "extra_content") != nullptr) {
    call->extra_content = std::string(MemberText(text, "extra_content"));
    held_bytes_ += call->extra_content.size();
  }
  AppendArguments(call, arguments);
}

// Pieces go by index; the same index with another id, and a name where the arguments so far are a
// whole object, open a new call. Without index and id a piece belongs to the last call.
OpenAiChoice::Call* OpenAiChoice::FindCall(const JsonValue& entry, absl::string_view id,
                                           absl::string_view name, bool has_arguments, bool fresh) {
  std::optional<int> index = IndexOf(entry);
  Call* found = nullptr;
  if (!fresh) {
    for (Call& call : calls_) {
      const bool same = index ? call.provider_index == index : id.empty() || call.id == id;
      if (!same) continue;
      found = &call;  // the last one, unless one has this very id
      if (index && !id.empty() && call.id == id) break;
    }
  }
  if (found != nullptr && index && !id.empty() && !found->id.empty() && found->id != id) {
    found = nullptr;
  }
  if (found != nullptr && id.empty() && !name.empty() && found->argument_bytes > 0 &&
      (name != found->name || (found->whole_object && has_arguments))) {
    found = nullptr;
  }
  if (found != nullptr) return found;
  if (!index) {
    index = 0;
    for (const Call& call : calls_) index = std::max(*index, call.provider_index.value_or(0) + 1);
  }
  Call& call = calls_.emplace_back();
  call.provider_index = index;
  call.part = next_part_++;
  has_output_ = true;
  return &call;
}

// A name may come in pieces, or with every piece again.
void OpenAiChoice::AppendName(Call* call, absl::string_view piece) {
  if (call->named || piece == call->name) return;
  call->name.append(piece.data(), piece.size());
  held_bytes_ += piece.size();
}

void OpenAiChoice::GiveName(Call* call) {
  if (call->named || call->name.empty()) return;
  call->named = true;
  auto* given = NewDelta(call->part)->mutable_part()->mutable_tool_call();
  given->set_name(call->name);
  if (!call->id.empty()) {
    given->set_id(call->id);
    call->id_sent = true;
  }
}

void OpenAiChoice::AppendArguments(Call* call, absl::string_view piece) {
  if (piece.empty()) return;
  if (call->argument_bytes == 0 && call->held_null.empty() && piece == "null" && !call->custom) {
    call->held_null = "null";
    return;
  }
  std::string joined;
  if (!call->held_null.empty()) {
    joined = absl::StrCat(call->held_null, piece);
    call->held_null.clear();
    piece = joined;
  }
  // The name is whole once arguments come; before that it may still arrive in pieces.
  GiveName(call);
  call->argument_bytes += piece.size();
  for (const char c : piece) {
    if (!absl::ascii_isspace(static_cast<unsigned char>(c))) call->blank = false;
    if (call->in_string) {
      if (call->escaped) {
        call->escaped = false;
      } else if (c == '\\') {
        call->escaped = true;
      } else if (c == '"') {
        call->in_string = false;
      }
    } else if (c == '"') {
      call->in_string = true;
    } else if (c == '{' || c == '[') {
      ++call->depth;
    } else if (c == '}' || c == ']') {
      call->whole_object = --call->depth == 0;
    }
  }
  InPieces(piece, call->part, [](absl::string_view text, v1::Part* part) {
    part->mutable_tool_call()->set_arguments_json(text.data(), text.size());
  });
}

void OpenAiChoice::ReadFunctionCall(const JsonValue& function, absl::string_view text) {
  if (!function.IsObject()) return;
  const JsonValue* value = Member(function, "arguments");
  const absl::string_view name = StringMember(function, "name");
  absl::string_view arguments;
  if (value != nullptr && value->IsString()) arguments = StringOf(*value);
  if (value != nullptr && !value->IsString()) {
    arguments = MemberText(MemberText(text, "function_call"), "arguments");
  }
  // Snowflake sends an empty one beside every answer: that is no call.
  if (absl::StripAsciiWhitespace(name).empty() && arguments.empty()) return;
  if (calls_.empty()) {
    Call& call = calls_.emplace_back();
    call.part = next_part_++;
    has_output_ = true;
  }
  Call& call = calls_[0];
  AppendName(&call, name);
  AppendArguments(&call, arguments);
}

void OpenAiChoice::CloseCalls(absl::BitGenRef random) {
  for (Call& call : calls_) {
    if (call.id.empty()) call.id = GeneratedCallId(random);
    GiveName(&call);
    const bool empty = call.blank && !call.custom;
    if (!call.id_sent || empty) {
      auto* given = NewDelta(call.part)->mutable_part()->mutable_tool_call();
      if (!call.id_sent) given->set_id(call.id);
      if (empty) given->set_arguments_json("{}");
      call.id_sent = true;
    }
    OpenAiState state;
    state.extra_content = call.extra_content;
    state.custom_tool = call.custom;
    if (&call == &calls_[0] && text_part_ < 0) state.message_extra_content = message_extra_content_;
    if (state.empty()) continue;
    WriteOpenAiState(state, context_,
                     NewDelta(call.part)->mutable_part()->mutable_provider_state());
  }
}

}  // namespace mg
