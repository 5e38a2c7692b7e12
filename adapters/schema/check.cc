// Checks a document against the compiled schema: down the document and the schema together, by a
// recursion that both bound.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "adapters/schema/node.h"
#include "base/utf8.h"
#include "re2/re2.h"

namespace mg {
namespace {

// A document's size and so much more: branches of anyOf within branches could ask for any number.
constexpr size_t kSpareSteps = 1 << 20;
// A document is up to 128 values deep, and each of them checked by a chain of up to 64 schemas; no
// stack has room for the product, and no true schema needs it.
constexpr int kMaxRecursion = 1024;
constexpr size_t kMaxShownName = 64;

// A value's place in the document, as a chain on the stack up to the top.
struct Place {
  const Place* up;
  absl::string_view name;
  size_t index;
};

std::string PointerOf(const Place& place) {
  std::string pointer;
  for (const Place* at = &place; at->up != nullptr; at = at->up) {
    if (pointer.size() > kMaxShownPointer) break;
    const std::string piece = at->name.data() == nullptr
                                  ? absl::StrCat(at->index)
                                  : EscapedForPointer(CutUtf8(at->name, kMaxShownName));
    pointer = absl::StrCat("/", piece, pointer);
  }
  return std::string(CutUtf8(pointer, kMaxShownPointer));
}

unsigned TypesOf(const JsonValue& value) {
  if (value.IsNull()) return kJsonNull;
  if (value.IsBool()) return kJsonBoolean;
  if (value.IsObject()) return kJsonObject;
  if (value.IsArray()) return kJsonArray;
  if (value.IsString()) return kJsonString;
  const long double number = NumberOf(value);
  return std::floor(number) == number ? kJsonNumber | kJsonInteger : kJsonNumber;
}

std::string NamesOf(unsigned types) {
  static constexpr std::pair<unsigned, absl::string_view> kNames[] = {
      {kJsonNull, "null"},      {kJsonBoolean, "boolean"}, {kJsonObject, "object"},
      {kJsonArray, "array"},    {kJsonString, "string"},   {kJsonNumber, "number"},
      {kJsonInteger, "integer"}};
  std::string names;
  for (const auto& [bit, name] : kNames) {
    if ((types & bit) != 0) absl::StrAppend(&names, names.empty() ? "" : " or ", name);
  }
  return names;
}

size_t Characters(absl::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

bool IsMultiple(const JsonValue& value, const JsonValue& of) {
  if (value.IsInt64() && of.IsInt64()) return value.GetInt64() % of.GetInt64() == 0;
  const long double number = NumberOf(value);
  const long double step = NumberOf(of);
  // Neither 0.3 nor 0.1 is what is written: a multiple is missed by what both are off.
  const long double off = std::abs(std::remainder(number, step));
  return off <= 1e-9L * step + std::abs(number) * static_cast<long double>(DBL_EPSILON);
}

std::string Shown(long double number) { return absl::StrCat(static_cast<double>(number)); }

}  // namespace

std::string EscapedForPointer(absl::string_view name) {
  return absl::StrReplaceAll(name, {{"~", "~0"}, {"/", "~1"}});
}

long double NumberOf(const JsonValue& value) {
  if (value.IsInt64()) return static_cast<long double>(value.GetInt64());
  if (value.IsUint64()) return static_cast<long double>(value.GetUint64());
  return static_cast<long double>(value.GetDouble());
}

class AnswerSchema::Checker {
 public:
  Checker(const AnswerSchema& schema, size_t steps, size_t most,
          std::vector<SchemaViolation>* violations)
      : nodes_(schema.nodes_), steps_left_(steps), most_(most), violations_(violations) {}

  void Run(const JsonValue& document) {
    const Place top = {nullptr, {}, 0};
    Check(0, document, top);
    if (!over_) return;
    violations_->assign(1, {"", "anyOf", "took more steps to check than an answer may"});
  }

 private:
  // False: the value does not fit. In the branches of anyOf (quiet_) that is all that is said, and
  // the first fault ends it; elsewhere each fault is told, up to `most_`.
  bool Check(int node, const JsonValue& value, const Place& place);
  bool CheckValue(const Node& node, const JsonValue& value, const Place& place);
  bool CheckNumber(const Node& node, const JsonValue& value, const Place& place);
  bool CheckString(const Node& node, const JsonValue& value, const Place& place);
  bool CheckArray(const Node& node, const JsonValue& value, const Place& place);
  bool CheckObject(const Node& node, const JsonValue& value, const Place& place);
  bool CheckMembers(const Node& node, const JsonValue& value, const Place& place);
  bool CheckAnyOf(const Node& node, const JsonValue& value, const Place& place);
  bool CheckCount(const Node::Bounds& bounds, size_t count, const Place& place,
                  absl::string_view what, absl::string_view min, absl::string_view max);

  bool Same(const JsonValue& a, const JsonValue& b);
  bool SameObject(const JsonValue& a, const JsonValue& b);

  bool Fault(const Place& place, absl::string_view keyword, absl::string_view text) {
    if (!quiet_ && violations_->size() < most_) {
      violations_->push_back({PointerOf(place), std::string(keyword), std::string(text)});
    }
    return false;
  }
  // Nothing more can be learnt.
  bool Enough() const { return over_ || (!quiet_ && violations_->size() >= most_); }
  // Must the checks of this value go on after `fits`?
  bool GoOn(bool fits) const { return fits || (!quiet_ && !Enough()); }
  bool Step(size_t steps) {
    over_ = over_ || steps > steps_left_;
    if (!over_) steps_left_ -= steps;
    return !over_;
  }

  const std::vector<Node>& nodes_;
  size_t steps_left_;
  const size_t most_;
  std::vector<SchemaViolation>* const violations_;
  int depth_ = 0;
  bool quiet_ = false;
  bool over_ = false;  // of steps or of recursion
};

bool AnswerSchema::Checker::Check(int index, const JsonValue& value, const Place& place) {
  if (Enough() || !Step(1)) return false;
  if (depth_ == kMaxRecursion) {
    over_ = true;
    return false;
  }
  ++depth_;
  const Node& node = nodes_[static_cast<size_t>(index)];
  bool fits = !node.never || Fault(place, "false", "must not be there");
  if (GoOn(fits)) fits &= CheckValue(node, value, place);
  if (GoOn(fits) && node.ref >= 0) fits &= Check(node.ref, value, place);
  if (GoOn(fits) && node.all_of >= 0) fits &= Check(node.all_of, value, place);
  if (GoOn(fits) && !node.any_of.empty()) fits &= CheckAnyOf(node, value, place);
  --depth_;
  return fits;
}

bool AnswerSchema::Checker::CheckValue(const Node& node, const JsonValue& value,
                                       const Place& place) {
  if (node.types != 0 && (TypesOf(value) & node.types) == 0) {
    return Fault(place, "type", absl::StrCat("must be ", NamesOf(node.types)));
  }
  if (node.constant != nullptr && !Same(*node.constant, value)) {
    return Fault(place, "const", "must be the value of const");
  }
  if (node.one_of_values != nullptr) {
    const auto same = [this, &value](const JsonValue& allowed) { return Same(allowed, value); };
    if (std::none_of(node.one_of_values->Begin(), node.one_of_values->End(), same)) {
      return Fault(
          place, "enum",
          absl::StrCat("must be one of the ", node.one_of_values->Size(), " values of enum"));
    }
  }
  if (value.IsNumber()) return CheckNumber(node, value, place);
  if (value.IsString()) return CheckString(node, value, place);
  if (value.IsArray()) return CheckArray(node, value, place);
  if (value.IsObject()) return CheckObject(node, value, place);
  return true;
}

bool AnswerSchema::Checker::CheckNumber(const Node& node, const JsonValue& value,
                                        const Place& place) {
  const long double number = NumberOf(value);
  bool fits = true;
  if (node.minimum.has_value() && number < *node.minimum) {
    fits = Fault(place, "minimum", absl::StrCat("must be at least ", Shown(*node.minimum)));
  }
  if (node.maximum.has_value() && number > *node.maximum) {
    fits = Fault(place, "maximum", absl::StrCat("must be at most ", Shown(*node.maximum)));
  }
  if (node.above.has_value() && number <= *node.above) {
    fits = Fault(place, "exclusiveMinimum", absl::StrCat("must be above ", Shown(*node.above)));
  }
  if (node.below.has_value() && number >= *node.below) {
    fits = Fault(place, "exclusiveMaximum", absl::StrCat("must be below ", Shown(*node.below)));
  }
  if (node.multiple_of != nullptr && !IsMultiple(value, *node.multiple_of)) {
    fits = Fault(place, "multipleOf",
                 absl::StrCat("must be a multiple of ", Shown(NumberOf(*node.multiple_of))));
  }
  return fits;
}

bool AnswerSchema::Checker::CheckCount(const Node::Bounds& bounds, size_t count, const Place& place,
                                       absl::string_view what, absl::string_view min,
                                       absl::string_view max) {
  if (bounds.min.has_value() && count < *bounds.min) {
    return Fault(place, min, absl::StrCat("must have at least ", *bounds.min, " ", what));
  }
  if (bounds.max.has_value() && count > *bounds.max) {
    return Fault(place, max, absl::StrCat("must have at most ", *bounds.max, " ", what));
  }
  return true;
}

bool AnswerSchema::Checker::CheckString(const Node& node, const JsonValue& value,
                                        const Place& place) {
  const absl::string_view text = StringOf(value);
  bool fits = true;
  if (node.length.min.has_value() || node.length.max.has_value()) {
    fits = CheckCount(node.length, Characters(text), place, "characters", "minLength", "maxLength");
  }
  if (node.pattern == nullptr && node.format == nullptr) return fits;
  if (!Step(text.size())) return false;
  if (node.pattern != nullptr &&
      !RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *node.pattern)) {
    fits = Fault(place, "pattern",
                 absl::StrCat("must match ", CutUtf8(node.pattern->pattern(), kMaxShownName)));
  }
  if (node.format != nullptr && !node.format(text)) {
    fits = Fault(place, "format", "must have the format that is asked for");
  }
  return fits;
}

bool AnswerSchema::Checker::CheckArray(const Node& node, const JsonValue& value,
                                       const Place& place) {
  bool fits = CheckCount(node.item_count, value.Size(), place, "items", "minItems", "maxItems");
  if (node.prefix.empty() && node.items < 0) return fits;
  for (rapidjson::SizeType i = 0; i < value.Size() && GoOn(fits); ++i) {
    const int item = i < node.prefix.size() ? node.prefix[i] : node.items;
    if (item < 0) break;
    fits &= Check(item, value[i], {&place, {}, i});
  }
  return fits;
}

bool AnswerSchema::Checker::CheckObject(const Node& node, const JsonValue& value,
                                        const Place& place) {
  bool fits = CheckCount(node.property_count, value.MemberCount(), place, "members",
                         "minProperties", "maxProperties");
  if (node.properties.empty() && node.additional < 0) return fits;
  return GoOn(fits) && CheckMembers(node, value, place) && fits;
}

bool AnswerSchema::Checker::CheckMembers(const Node& node, const JsonValue& value,
                                         const Place& place) {
  bool fits = true;
  std::vector<bool> seen(node.required.size(), false);
  if (!Step(value.MemberCount() + node.required.size())) return false;
  for (const auto& member : value.GetObject()) {
    if (!GoOn(fits)) return false;
    const absl::string_view name = StringOf(member.name);
    const auto property = node.properties.find(name);
    const bool named = property != node.properties.end();
    if (named && property->second.required >= 0) {
      seen[static_cast<size_t>(property->second.required)] = true;
    }
    const Place below = {&place, name, 0};
    const bool own = named && property->second.node >= 0;
    if (!own && node.additional >= 0 && nodes_[static_cast<size_t>(node.additional)].never) {
      fits = Fault(below, "additionalProperties", "must not be there");
    } else if (own || node.additional >= 0) {
      fits &= Check(own ? property->second.node : node.additional, member.value, below);
    }
  }
  for (size_t i = 0; i < seen.size() && GoOn(fits); ++i) {
    if (seen[i]) continue;
    fits = Fault(place, "required",
                 absl::StrCat("must have the member ", CutUtf8(node.required[i], kMaxShownName)));
  }
  return fits;
}

bool AnswerSchema::Checker::CheckAnyOf(const Node& node, const JsonValue& value,
                                       const Place& place) {
  const bool told = std::exchange(quiet_, true);
  const bool fits = std::any_of(node.any_of.begin(), node.any_of.end(),
                                [&](int branch) { return Check(branch, value, place); });
  quiet_ = told;
  if (fits) return true;
  return Fault(place, "anyOf",
               absl::StrCat("must fit one of the ", node.any_of.size(), " schemas of anyOf"));
}

// 1 and 1.0 are the same, and the order of members says nothing.
bool AnswerSchema::Checker::Same(const JsonValue& a, const JsonValue& b) {
  if (!Step(1)) return false;
  if (a.IsNumber() || b.IsNumber()) {
    return a.IsNumber() && b.IsNumber() && NumberOf(a) == NumberOf(b);
  }
  if (a.GetType() != b.GetType()) return false;
  if (a.IsString()) return StringOf(a) == StringOf(b);
  if (a.IsObject()) return SameObject(a, b);
  if (!a.IsArray()) return true;
  if (a.Size() != b.Size()) return false;
  for (rapidjson::SizeType i = 0; i < a.Size(); ++i) {
    if (!Same(a[i], b[i])) return false;
  }
  return true;
}

bool AnswerSchema::Checker::SameObject(const JsonValue& a, const JsonValue& b) {
  if (a.MemberCount() != b.MemberCount()) return false;
  for (const auto& member : a.GetObject()) {
    if (!Step(b.MemberCount())) return false;
    const auto other = b.FindMember(member.name);
    if (other == b.MemberEnd() || !Same(member.value, other->value)) return false;
  }
  return true;
}

std::vector<SchemaViolation> AnswerSchema::Check(absl::string_view document_json,
                                                 size_t most) const {
  std::vector<SchemaViolation> violations;
  JsonDocument document;
  if (auto status = ParseJson(document_json, &document); !status.ok()) {
    violations.push_back({"", "json", std::string(status.message())});
    return violations;
  }
  Checker(*this, kSpareSteps + document_json.size(), most, &violations).Run(document);
  return violations;
}

std::string ToSentence(const SchemaViolation& violation) {
  return absl::StrCat("at ", violation.pointer.empty() ? "the top" : violation.pointer, ": ",
                      violation.text, " (", violation.keyword, ")");
}

}  // namespace mg
