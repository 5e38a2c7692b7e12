#include "daemon/config/json_schema.h"

#include <google/protobuf/duration.pb.h>

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/json.h"
#include "base/version.h"
#include "daemon/config/comments.h"
#include "daemon/config/schema.h"

namespace mg {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::OneofDescriptor;

constexpr char kDuration[] = R"(^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h))+$)";
constexpr char kSize[] = R"(^[0-9]+([KMG]iB)?$)";

std::string Quoted(absl::string_view text) {
  std::string quoted;
  AppendJsonString(text, &quoted);
  return quoted;
}

// The members of an object, in their order.
class Object {
 public:
  Object& Add(absl::string_view name, absl::string_view json) {
    absl::StrAppend(&members_, members_.empty() ? "" : ",", Quoted(name), ":", json);
    return *this;
  }
  Object& AddUnlessEmpty(absl::string_view name, absl::string_view text) {
    return text.empty() ? *this : Add(name, Quoted(text));
  }
  bool empty() const { return members_.empty(); }
  std::string Take() { return absl::StrCat("{", std::exchange(members_, ""), "}"); }

 private:
  std::string members_;
};

template <typename Texts>
std::string ListOf(const Texts& texts) {
  std::vector<std::string> quoted;
  quoted.reserve(static_cast<size_t>(texts.size()));
  for (const std::string& text : texts) quoted.push_back(Quoted(text));
  return absl::StrCat("[", absl::StrJoin(quoted, ","), "]");
}

// A comment in one paragraph; its examples stay on lines of their own.
std::string Sentences(absl::string_view comment) {
  std::string text(absl::StripAsciiWhitespace(comment));
  return absl::StrReplaceAll(text, {{"\n   ", "\n  "}, {"\n ", " "}});
}

std::string LimitsInWords(const v1::FieldRule& rule) {
  if (rule.min().empty() || rule.max().empty()) return "";
  return absl::StrCat(" (", rule.min(), " to ", rule.max(), ")");
}

bool IsDuration(const FieldDescriptor& field) {
  return field.message_type() == google::protobuf::Duration::descriptor();
}

class Schema {
 public:
  std::string Page() {
    Object page;
    const std::string root = Section(*v1::Config::descriptor(), true);
    // Filled while they are asked for: each names further ones.
    size_t next = 0;
    while (next < waiting_.size()) {
      const Descriptor& section = *waiting_[next++];
      definitions_.Add(section.name(), Section(section, false));
    }
    page.Add("$schema", Quoted("https://json-schema.org/draft/2020-12/schema"));
    page.Add("title", Quoted(absl::StrCat("Configuration of Model Gateway ", kVersion)));
    std::string text = page.Take();
    text.pop_back();
    absl::StrAppend(&text, ",", absl::string_view(root).substr(1));
    text.pop_back();
    return absl::StrCat(text, ",\"$defs\":", definitions_.Take(), "}");
  }

 private:
  std::string Section(const Descriptor& type, bool root) {
    Object section;
    Object keys;
    std::vector<std::string> required;
    for (const SchemaKey& key : KeysOf(type)) {
      keys.Add(key.field->name(), Key(*key.field));
      if (FieldRuleOf(*key.field).required()) required.push_back(key.field->name());
    }
    if (!root) section.AddUnlessEmpty("description", Sentences(comments_.Of(type)));
    section.Add("type", Quoted("object"));
    section.Add("properties", keys.Take());
    section.Add("additionalProperties", "false");
    if (root) section.Add("minProperties", "1");
    if (!required.empty()) section.Add("required", ListOf(required));
    AddChoices(type, &section);
    return section.Take();
  }

  static void AddChoices(const Descriptor& type, Object* section) {
    std::vector<std::string> all;
    for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
      const OneofDescriptor& choice = *type.oneof_decl(i);
      std::vector<std::string> one;
      std::vector<std::string> any;
      any.reserve(static_cast<size_t>(choice.field_count()));
      for (int j = 0; j < choice.field_count(); ++j) {
        any.push_back(
            Object().Add("required", ListOf(std::vector{choice.field(j)->name()})).Take());
      }
      one = any;
      if (!choice.options().GetExtension(v1::exactly_one)) {
        one.push_back(
            Object()
                .Add("not",
                     Object().Add("anyOf", absl::StrCat("[", absl::StrJoin(any, ","), "]")).Take())
                .Take());
      }
      all.push_back(Object().Add("oneOf", absl::StrCat("[", absl::StrJoin(one, ","), "]")).Take());
    }
    if (!all.empty()) section->Add("allOf", absl::StrCat("[", absl::StrJoin(all, ","), "]"));
  }

  std::string Key(const FieldDescriptor& field) {
    const v1::FieldRule& rule = FieldRuleOf(field);
    Object key;
    key.AddUnlessEmpty("description",
                       absl::StrCat(Sentences(comments_.Of(field)), LimitsInWords(rule)));
    if (field.is_map()) {
      key.Add("type", Quoted("object"));
      key.Add("additionalProperties", Value(*field.message_type()->map_value()));
    } else if (field.is_repeated() || rule.list()) {
      const FieldDescriptor& items = rule.list() ? *field.message_type()->field(0) : field;
      key.Add("type", Quoted("array")).Add("items", Value(items));
      if (!rule.max_items().empty()) key.Add("maxItems", rule.max_items());
      if (!rule.default_().empty()) key.Add("default", rule.default_());
    } else {
      AddValue(field, &key);
      if (!rule.default_().empty()) key.Add("default", DefaultOf(field));
    }
    return key.Take();
  }

  std::string Value(const FieldDescriptor& field) {
    Object value;
    AddValue(field, &value);
    return value.Take();
  }

  void AddValue(const FieldDescriptor& field, Object* value) {
    const v1::FieldRule& rule = FieldRuleOf(field);
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        value->Add("type", Quoted("boolean"));
        return;
      case FieldDescriptor::CPPTYPE_ENUM:
        value->Add("enum", ListOf(WrittenNames(*field.enum_type())));
        return;
      case FieldDescriptor::CPPTYPE_INT32:
      case FieldDescriptor::CPPTYPE_DOUBLE:
        value->Add("type", Quoted(field.cpp_type() == FieldDescriptor::CPPTYPE_INT32 ? "integer"
                                                                                     : "number"));
        if (!rule.min().empty()) value->Add("minimum", rule.min());
        if (!rule.max().empty()) value->Add("maximum", rule.max());
        return;
      case FieldDescriptor::CPPTYPE_UINT64:
        value->Add("type", R"(["integer","string"])").Add("pattern", Quoted(kSize));
        value->Add("minimum", "0");
        return;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (IsDuration(field)) {
          value->Add("type", Quoted("string")).Add("pattern", absl::StrCat("\"", kDuration, "\""));
        } else {
          value->Add("$ref", Quoted(absl::StrCat("#/$defs/", Named(*field.message_type()))));
        }
        return;
      default:
        value->Add("type", Quoted("string"));
        if (!rule.values().empty()) value->Add("enum", ListOf(rule.values()));
        return;
    }
  }

  static std::string DefaultOf(const FieldDescriptor& field) {
    const std::string& text = FieldRuleOf(field).default_();
    const bool number = field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL ||
                        field.cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
                        field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE;
    return number ? text : Quoted(text);
  }

  const std::string& Named(const Descriptor& type) {
    for (const Descriptor* known : waiting_) {
      if (known == &type) return type.name();
    }
    waiting_.push_back(&type);
    return type.name();
  }

  const Comments comments_;
  std::vector<const Descriptor*> waiting_;  // sections that are named, in the order of that
  Object definitions_;
};

}  // namespace

std::string ConfigJsonSchema() { return Schema().Page(); }

}  // namespace mg
