// From the caller's schema to nodes: each keyword's value is checked here, so that checking a
// document never meets a surprise.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "adapters/schema/node.h"
#include "base/utf8.h"
#include "re2/re2.h"

namespace mg {
namespace {

constexpr size_t kMaxSchemaBytes = 1 << 20;
constexpr int kMaxDepth = 64;  // of schemas within schemas
constexpr size_t kMaxNodes = 10'000;
constexpr long double kMaxCount = 1e18L;  // of items, members and characters
// What patterns may take of memory: so many, and each so much.
constexpr int kMaxPatterns = 128;
constexpr int64_t kPatternBytes = 1 << 20;

struct TypeName {
  absl::string_view name;
  unsigned types;
};
constexpr TypeName kTypes[] = {
    {"null", kJsonNull},       {"boolean", kJsonBoolean}, {"object", kJsonObject},
    {"array", kJsonArray},     {"string", kJsonString},   {"number", kJsonNumber},
    {"integer", kJsonInteger},
};

constexpr absl::string_view kAnnotations[] = {"title",   "description", "default",  "examples",
                                              "$schema", "$id",         "$comment", "deprecated"};

absl::Status Wrong(absl::string_view pointer, absl::string_view keyword, absl::string_view what) {
  const std::string place = absl::StrCat(pointer, keyword.empty() ? "" : "/", keyword);
  return absl::InvalidArgumentError(
      absl::StrCat("at ", place.empty() ? "the top" : CutUtf8(place, kMaxShownPointer),
                   " of the schema: ", what));
}

// What is too long to be shown grows no further.
std::string Below(const std::string& pointer, absl::string_view name) {
  if (pointer.size() > kMaxShownPointer) return pointer;
  return absl::StrCat(pointer, "/", EscapedForPointer(CutUtf8(name, kMaxShownPointer)));
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A URI fragment may write any byte as %41.
std::string WithoutPercents(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low < 0) {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

// The value that a JSON pointer names; nullptr: none.
const JsonValue* Find(const JsonValue& root, absl::string_view pointer) {
  const JsonValue* value = &root;
  if (pointer.empty()) return value;
  if (!absl::ConsumePrefix(&pointer, "/")) return nullptr;
  for (absl::string_view piece : absl::StrSplit(pointer, '/')) {
    const std::string name = absl::StrReplaceAll(piece, {{"~0", "~"}, {"~1", "/"}});
    if (value->IsObject()) {
      const auto member = value->FindMember(JsonValue(
          rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size()))));
      if (member == value->MemberEnd()) return nullptr;
      value = &member->value;
      continue;
    }
    uint32_t index = 0;
    if (!value->IsArray() || !absl::SimpleAtoi(name, &index) || index >= value->Size()) {
      return nullptr;
    }
    value = &(*value)[index];
  }
  return value;
}

// RE2 writes ☃ of ECMAScript as \x{2603}.
std::string ToRe2(absl::string_view pattern) {
  std::string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\' || i + 1 == pattern.size()) {
      out.push_back(pattern[i]);
      continue;
    }
    const absl::string_view digits = pattern.substr(i + 2, 4);
    const bool hex = digits.size() == 4 && std::all_of(digits.begin(), digits.end(),
                                                       [](char c) { return HexDigit(c) >= 0; });
    if (pattern[i + 1] == 'u' && hex) {
      absl::StrAppend(&out, "\\x{", digits, "}");
      i += 5;
    } else {
      absl::StrAppend(&out, pattern.substr(i, 2));
      ++i;
    }
  }
  return out;
}

}  // namespace

class AnswerSchema::Compiler {
 public:
  explicit Compiler(AnswerSchema* schema) : schema_(*schema) {}

  // References lead to places that the walk from the top may not have met: they are compiled as
  // they are found, never by recursion.
  absl::Status Run() {
    NodeOf(schema_.schema_, "", 1);
    while (!waiting_.empty()) {
      const Waiting next = std::move(waiting_.back());
      waiting_.pop_back();
      if (next.depth > kMaxDepth) {
        return Wrong(next.pointer, "", absl::StrCat("deeper than ", kMaxDepth, " schemas"));
      }
      if (auto status = CompileNode(next); !status.ok()) return status;
      if (schema_.nodes_.size() > kMaxNodes) {
        return Wrong("", "", absl::StrCat("more than ", kMaxNodes, " schemas"));
      }
    }
    if (auto status = RefuseLoops(); !status.ok()) return status;
    FindTraits();
    return absl::OkStatus();
  }

 private:
  struct Waiting {
    int node;
    const JsonValue* value;
    std::string pointer;
    int depth;
  };

  template <typename Use>
  static void ForEachUse(const Node& node, bool within, Use use) {
    const auto one = [&use](int used) {
      if (used >= 0) use(used);
    };
    one(node.ref);
    one(node.all_of);
    std::for_each(node.any_of.begin(), node.any_of.end(), one);
    if (!within) return;
    one(node.items);
    one(node.additional);
    std::for_each(node.prefix.begin(), node.prefix.end(), one);
    for (const auto& [name, property] : node.properties) one(property.node);
  }

  int NodeOf(const JsonValue& value, std::string pointer, int depth) {
    const auto [known, added] = by_value_.try_emplace(&value, static_cast<int>(pointers_.size()));
    if (added) {
      schema_.nodes_.emplace_back();
      pointers_.push_back(pointer);
      waiting_.push_back({known->second, &value, std::move(pointer), depth});
    }
    return known->second;
  }

  absl::Status CompileNode(const Waiting& at);
  absl::Status Keyword(const Waiting& at, absl::string_view keyword, const JsonValue& value,
                       Node* node);
  absl::Status OfSchemas(const Waiting& at, absl::string_view keyword, const JsonValue& value,
                         bool* known, Node* node);
  absl::Status OfObjects(const Waiting& at, absl::string_view keyword, const JsonValue& value,
                         bool* known, Node* node);
  absl::Status OfValues(const Waiting& at, absl::string_view keyword, const JsonValue& value,
                        bool* known, Node* node);
  absl::Status Types(const Waiting& at, const JsonValue& value, Node* node);
  absl::Status Pattern(const Waiting& at, const JsonValue& value, Node* node);
  absl::Status Reference(const Waiting& at, const JsonValue& value, Node* node);
  absl::Status List(const Waiting& at, absl::string_view keyword, const JsonValue& value,
                    std::vector<int>* nodes);
  std::vector<int> Heights(bool within) const;
  absl::Status RefuseLoops() const;
  void FindTraits();

  AnswerSchema& schema_;
  absl::flat_hash_map<const JsonValue*, int> by_value_;
  std::vector<std::string> pointers_;  // by node
  std::vector<Waiting> waiting_;
  int patterns_ = 0;
};

absl::Status AnswerSchema::Compiler::CompileNode(const Waiting& at) {
  Node node;
  if (at.value->IsBool()) {
    node.never = !at.value->GetBool();
  } else if (!at.value->IsObject()) {
    return Wrong(at.pointer, "", "a schema is an object, true or false");
  } else {
    for (const auto& member : at.value->GetObject()) {
      auto status = Keyword(at, StringOf(member.name), member.value, &node);
      if (!status.ok()) return status;
    }
    // What its patterns would let in is not known here.
    if (at.value->HasMember("patternProperties")) node.additional = -1;
  }
  schema_.nodes_[static_cast<size_t>(at.node)] = std::move(node);
  return absl::OkStatus();
}

absl::Status AnswerSchema::Compiler::Keyword(const Waiting& at, absl::string_view keyword,
                                             const JsonValue& value, Node* node) {
  bool known = true;
  auto status = OfSchemas(at, keyword, value, &known, node);
  if (status.ok() && !known) status = OfObjects(at, keyword, value, &known, node);
  if (status.ok() && !known) status = OfValues(at, keyword, value, &known, node);
  if (!status.ok() || known) return status;
  if (std::find(std::begin(kAnnotations), std::end(kAnnotations), keyword) !=
      std::end(kAnnotations)) {
    return absl::OkStatus();
  }
  if (schema_.unchecked_.size() < kMaxUnchecked) {
    schema_.unchecked_.emplace_back(CutUtf8(Below(at.pointer, keyword), kMaxShownPointer));
  }
  return absl::OkStatus();
}

absl::Status AnswerSchema::Compiler::OfSchemas(const Waiting& at, absl::string_view keyword,
                                               const JsonValue& value, bool* known, Node* node) {
  const std::string below = Below(at.pointer, keyword);
  if (keyword == "$ref") return Reference(at, value, node);
  if (keyword == "anyOf") return List(at, keyword, value, &node->any_of);
  if (keyword == "prefixItems") return List(at, keyword, value, &node->prefix);
  if (keyword == "items") {
    if (value.IsArray()) return Wrong(at.pointer, keyword, "a list of schemas is prefixItems");
    node->items = NodeOf(value, below, at.depth + 1);
    return absl::OkStatus();
  }
  if (keyword == "additionalProperties") {
    node->additional = NodeOf(value, below, at.depth + 1);
    return absl::OkStatus();
  }
  if (keyword == "$defs" || keyword == "definitions") {
    if (!value.IsObject()) return Wrong(at.pointer, keyword, "an object of schemas is wanted");
    for (const auto& member : value.GetObject()) {
      NodeOf(member.value, Below(below, StringOf(member.name)), at.depth + 1);
    }
    return absl::OkStatus();
  }
  // Generators wrap a reference so, to put a description beside it.
  if (keyword == "allOf" && value.IsArray() && value.Size() == 1) {
    std::vector<int> alone;
    auto status = List(at, keyword, value, &alone);
    if (status.ok()) node->all_of = alone.front();
    return status;
  }
  *known = false;
  return absl::OkStatus();
}

absl::Status AnswerSchema::Compiler::OfObjects(const Waiting& at, absl::string_view keyword,
                                               const JsonValue& value, bool* known, Node* node) {
  *known = true;
  if (keyword == "properties") {
    if (!value.IsObject()) return Wrong(at.pointer, keyword, "an object of schemas is wanted");
    const std::string below = Below(at.pointer, keyword);
    for (const auto& member : value.GetObject()) {
      node->properties[StringOf(member.name)].node =
          NodeOf(member.value, Below(below, StringOf(member.name)), at.depth + 1);
    }
    return absl::OkStatus();
  }
  if (keyword == "required") {
    const auto is_name = [](const JsonValue& name) { return name.IsString(); };
    if (!value.IsArray() || !std::all_of(value.Begin(), value.End(), is_name)) {
      return Wrong(at.pointer, keyword, "a list of names is wanted");
    }
    for (const JsonValue& name : value.GetArray()) {
      int& place = node->properties[StringOf(name)].required;
      if (place >= 0) continue;
      place = static_cast<int>(node->required.size());
      node->required.push_back(StringOf(name));
    }
    return absl::OkStatus();
  }
  const std::pair<absl::string_view, std::optional<uint64_t>*> counts[] = {
      {"minProperties", &node->property_count.min},
      {"maxProperties", &node->property_count.max},
      {"minItems", &node->item_count.min},
      {"maxItems", &node->item_count.max},
      {"minLength", &node->length.min},
      {"maxLength", &node->length.max}};
  for (const auto& [name, count] : counts) {
    if (name != keyword) continue;
    // 2.0 is a whole number too.
    const long double number = value.IsNumber() ? NumberOf(value) : -1;
    if (number < 0 || number > kMaxCount || std::floor(number) != number) {
      return Wrong(at.pointer, keyword, "a whole number of at least 0 is wanted");
    }
    *count = static_cast<uint64_t>(number);
    return absl::OkStatus();
  }
  *known = false;
  return absl::OkStatus();
}

absl::Status AnswerSchema::Compiler::OfValues(const Waiting& at, absl::string_view keyword,
                                              const JsonValue& value, bool* known, Node* node) {
  *known = true;
  if (keyword == "type") return Types(at, value, node);
  if (keyword == "pattern") return Pattern(at, value, node);
  if (keyword == "const") {
    node->constant = &value;
    return absl::OkStatus();
  }
  if (keyword == "enum") {
    if (!value.IsArray()) return Wrong(at.pointer, keyword, "a list of values is wanted");
    node->one_of_values = &value;
    return absl::OkStatus();
  }
  if (keyword == "format") {
    if (!value.IsString()) return Wrong(at.pointer, keyword, "a format's name is wanted");
    node->format = FindFormat(StringOf(value));
    return absl::OkStatus();
  }
  const std::pair<absl::string_view, std::optional<long double>*> limits[] = {
      {"minimum", &node->minimum},
      {"maximum", &node->maximum},
      {"exclusiveMinimum", &node->above},
      {"exclusiveMaximum", &node->below}};
  for (const auto& [name, limit] : limits) {
    if (name != keyword) continue;
    if (!value.IsNumber()) return Wrong(at.pointer, keyword, "a number is wanted");
    *limit = NumberOf(value);
    return absl::OkStatus();
  }
  if (keyword == "multipleOf") {
    if (!value.IsNumber() || NumberOf(value) <= 0) {
      return Wrong(at.pointer, keyword, "a number above 0 is wanted");
    }
    node->multiple_of = &value;
    return absl::OkStatus();
  }
  *known = false;
  return absl::OkStatus();
}

absl::Status AnswerSchema::Compiler::Types(const Waiting& at, const JsonValue& value, Node* node) {
  const auto add = [node](const JsonValue& name) {
    for (const TypeName& type : kTypes) {
      if (!name.IsString() || StringOf(name) != type.name) continue;
      node->types |= type.types;
      return true;
    }
    return false;
  };
  const bool fine =
      value.IsArray() ? !value.Empty() && std::all_of(value.Begin(), value.End(), add) : add(value);
  if (fine) return absl::OkStatus();
  return Wrong(at.pointer, "type",
               "one or a list of null, boolean, object, array, string, number, integer is wanted");
}

absl::Status AnswerSchema::Compiler::Pattern(const Waiting& at, const JsonValue& value,
                                             Node* node) {
  if (!value.IsString()) return Wrong(at.pointer, "pattern", "a regular expression is wanted");
  if (++patterns_ > kMaxPatterns) {
    return Wrong(at.pointer, "pattern", absl::StrCat("more than ", kMaxPatterns, " patterns"));
  }
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(kPatternBytes);
  node->pattern = std::make_unique<RE2>(ToRe2(StringOf(value)), options);
  if (node->pattern->ok()) return absl::OkStatus();
  return Wrong(at.pointer, "pattern",
               absl::StrCat("no regular expression of RE2 (which has neither look-around nor "
                            "backreferences): ",
                            CutUtf8(node->pattern->error(), kMaxShownPointer)));
}

absl::Status AnswerSchema::Compiler::Reference(const Waiting& at, const JsonValue& value,
                                               Node* node) {
  absl::string_view target = value.IsString() ? StringOf(value) : "";
  if (!absl::ConsumePrefix(&target, "#") || (!target.empty() && target[0] != '/')) {
    return Wrong(at.pointer, "$ref", "only places of this schema can be meant: # or #/$defs/NAME");
  }
  const std::string pointer = WithoutPercents(target);
  const JsonValue* found = Find(schema_.schema_, pointer);
  if (found == nullptr) return Wrong(at.pointer, "$ref", "leads to no place of the schema");
  node->ref = NodeOf(*found, WithValidUtf8(pointer), 1);
  return absl::OkStatus();
}

absl::Status AnswerSchema::Compiler::List(const Waiting& at, absl::string_view keyword,
                                          const JsonValue& value, std::vector<int>* nodes) {
  if (!value.IsArray() || value.Empty()) {
    return Wrong(at.pointer, keyword, "a list of schemas is wanted");
  }
  for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
    nodes->push_back(
        NodeOf(value[i], absl::StrCat(Below(at.pointer, keyword), "/", i), at.depth + 1));
  }
  return absl::OkStatus();
}

// How long the chain of uses below each schema is, height by height from those that use none; the
// others, which come back to themselves, have 0. `within`: uses for what is in the value count too.
std::vector<int> AnswerSchema::Compiler::Heights(bool within) const {
  const size_t count = schema_.nodes_.size();
  std::vector<std::vector<size_t>> users(count);
  std::vector<int> open(count, 0);
  for (size_t i = 0; i < count; ++i) {
    ForEachUse(schema_.nodes_[i], within, [&](int used) {
      users[static_cast<size_t>(used)].push_back(i);
      ++open[i];
    });
  }
  std::vector<int> height(count, 0);
  std::vector<int> below(count, 0);
  std::vector<size_t> ready;
  for (size_t i = 0; i < count; ++i) {
    if (open[i] == 0) ready.push_back(i);
  }
  for (size_t done = 0; done < ready.size(); ++done) {
    height[ready[done]] = below[ready[done]] + 1;
    for (size_t user : users[ready[done]]) {
      below[user] = std::max(below[user], height[ready[done]]);
      if (--open[user] == 0) ready.push_back(user);
    }
  }
  return height;
}

// Checking goes down the schemas of one value by recursion.
absl::Status AnswerSchema::Compiler::RefuseLoops() const {
  const std::vector<int> heights = Heights(false);
  for (size_t i = 0; i < heights.size(); ++i) {
    if (heights[i] == 0) {
      return Wrong(pointers_[i], "$ref", "comes back to itself without a step into the document");
    }
    if (heights[i] > kMaxDepth) {
      return Wrong(pointers_[i], "$ref",
                   absl::StrCat("a chain of more than ", kMaxDepth, " schemas for one value"));
    }
  }
  return absl::OkStatus();
}

void AnswerSchema::Compiler::FindTraits() {
  Traits& traits = schema_.traits_;
  const std::vector<int> heights = Heights(true);
  traits.recursive = std::find(heights.begin(), heights.end(), 0) != heights.end();
  for (const Node& node : schema_.nodes_) {
    const bool any = node.additional < 0 && node.properties.empty();
    if (any ? (node.types & kJsonObject) != 0
            : node.additional >= 0 && !schema_.nodes_[static_cast<size_t>(node.additional)].never) {
      traits.free_members = true;
    }
    for (const auto& [name, property] : node.properties) {
      if (property.node >= 0 && property.required < 0) ++traits.optional_members;
    }
  }
}

absl::StatusOr<std::unique_ptr<const AnswerSchema>> AnswerSchema::Compile(
    absl::string_view schema_json) {
  if (schema_json.size() > kMaxSchemaBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the schema is larger than ", kMaxSchemaBytes, " bytes"));
  }
  std::unique_ptr<AnswerSchema> schema(new AnswerSchema());
  if (auto status = ParseJson(schema_json, &schema->schema_); !status.ok()) return status;
  if (auto status = Compiler(schema.get()).Run(); !status.ok()) return status;
  return schema;
}

AnswerSchema::AnswerSchema() = default;
AnswerSchema::~AnswerSchema() = default;

}  // namespace mg
