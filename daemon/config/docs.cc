#include "daemon/config/docs.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/version.h"
#include "daemon/config/comments.h"
#include "daemon/config/markdown.h"
#include "daemon/config/schema.h"

namespace mg {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::OneofDescriptor;

// ---- the schema as a tree of places

// `openai: { api_key: … }` under `providers` is the place "providers.NAME.openai".
std::string Under(absl::string_view place, absl::string_view key) {
  return place.empty() ? std::string(key) : absl::StrCat(place, ".", key);
}

// What the place of a key's own keys is called, in a list or map too.
std::string PlaceOf(absl::string_view path, const FieldDescriptor& field) {
  return absl::StrCat(path, field.is_map() ? ".NAME" : field.is_repeated() ? "[]" : "");
}

// The message whose keys a key has, if it has any: the loader's own distinctions.
const Descriptor* SectionOf(const FieldDescriptor& field) {
  const FieldDescriptor& value = field.is_map() ? *field.message_type()->map_value() : field;
  const Descriptor* type = value.message_type();
  const bool is_value = type == nullptr || type == google::protobuf::Duration::descriptor();
  return is_value || FieldRuleOf(field).list() ? nullptr : type;
}

// All places of a message, those nearest to the top first.
struct Places {
  std::vector<std::string> paths;
  bool no_effect = true;  // at any of them

  const std::string& first() const { return paths.front(); }
};
using PlacesByType = std::map<const Descriptor*, Places>;

PlacesByType FindPlaces(const Descriptor& root) {
  struct Place {
    const Descriptor* type;
    std::string path;
    bool no_effect;
  };
  PlacesByType places;
  std::vector<Place> waiting = {{&root, "", false}};
  for (size_t at = 0; at < waiting.size(); ++at) {
    const Place place = waiting[at];
    Places& all = places[place.type];
    all.paths.push_back(place.path);
    all.no_effect = all.no_effect && place.no_effect;
    for (const SchemaKey& key : KeysOf(*place.type)) {
      const Descriptor* section = SectionOf(*key.field);
      if (section == nullptr) continue;
      waiting.push_back({section, PlaceOf(Under(place.path, key.field->name()), *key.field),
                         place.no_effect || FieldRuleOf(*key.field).no_effect()});
    }
  }
  return places;
}

// ---- a key in words

std::string Capitalized(std::string text) {
  if (!text.empty()) text[0] = absl::ascii_toupper(static_cast<unsigned char>(text[0]));
  return text;
}

// Of a single value.
std::string KindOf(const FieldDescriptor& field) {
  const v1::FieldRule& rule = FieldRuleOf(field);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "`true` or `false`";
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrCat("one of ", Codes(WrittenNames(*field.enum_type())));
    case FieldDescriptor::CPPTYPE_STRING:
      return rule.values().empty() ? "text" : absl::StrCat("one of ", Codes(rule.values()));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "duration";
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "number";
    default:
      return rule.size() ? "size" : "whole number";
  }
}

std::string LimitsOf(const v1::FieldRule& rule) {
  std::string limits;
  if (!rule.min().empty()) absl::StrAppend(&limits, ", at least ", rule.min());
  if (!rule.max().empty()) absl::StrAppend(&limits, ", at most ", rule.max());
  if (!rule.min().empty() && !rule.max().empty()) {
    limits = absl::StrCat(", ", rule.min(), " to ", rule.max());
  }
  if (!rule.max_items().empty()) absl::StrAppend(&limits, ", at most ", rule.max_items());
  return limits;
}

// "Duration, 1ms to 60s". A key with keys of its own names the place where they are described.
std::string TypeOf(const FieldDescriptor& field, absl::string_view path,
                   const PlacesByType& places) {
  const v1::FieldRule& rule = FieldRuleOf(field);
  const Descriptor* section = SectionOf(field);
  std::string keys = "text";
  if (section != nullptr) keys = absl::StrCat("the keys of ", Code(places.at(section).first()));
  if (field.is_map()) return absl::StrCat("Map from the ", rule.map_key(), " to ", keys);
  if (field.is_repeated() && section != nullptr) {
    return absl::StrCat("List, each with ", keys, LimitsOf(rule));
  }
  if (field.is_repeated() && !rule.values().empty()) {
    return absl::StrCat("List, of ", Codes(rule.values()));
  }
  if (field.is_repeated() || rule.list()) return absl::StrCat("List of texts", LimitsOf(rule));
  if (section == nullptr) return Capitalized(absl::StrCat(KindOf(field), LimitsOf(rule)));
  return places.at(section).first() == path ? "Keys of its own" : Capitalized(keys);
}

std::string FactsOf(const FieldDescriptor& field, absl::string_view path, bool no_effect,
                    const PlacesByType& places) {
  const v1::FieldRule& rule = FieldRuleOf(field);
  std::string facts = absl::StrCat(TypeOf(field, path, places), ".");
  if (rule.required()) absl::StrAppend(&facts, " Must be there.");
  if (!rule.default_().empty()) absl::StrAppend(&facts, " Default: ", Code(rule.default_()), ".");
  if (!rule.default_note().empty()) absl::StrAppend(&facts, " Default: ", rule.default_note(), ".");
  if (!rule.later_values().empty()) {
    absl::StrAppend(&facts, " Not in this version: ", Codes(rule.later_values()), ".");
  }
  if (rule.needs_restart()) absl::StrAppend(&facts, " A change waits for a restart.");
  if (no_effect || rule.no_effect()) absl::StrAppend(&facts, " Without effect in this version.");
  return facts;
}

// ---- a place

// "Exactly one of these keys: …", for each choice of the message.
std::string ChoicesOf(const Descriptor& type) {
  std::string text;
  for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
    const OneofDescriptor& choice = *type.oneof_decl(i);
    std::vector<std::string> keys;
    keys.reserve(static_cast<size_t>(choice.field_count()));
    for (int j = 0; j < choice.field_count(); ++j) keys.push_back(choice.field(j)->name());
    absl::StrAppend(&text, text.empty() ? "" : " ",
                    choice.options().GetExtension(v1::exactly_one) ? "Exactly" : "At most",
                    " one of these keys: ", Codes(keys), ".");
  }
  return text;
}

std::string LaterOf(const Descriptor& type) {
  const std::vector<std::string> keys = LaterKeysOf(type);
  if (keys.empty()) return "";
  return absl::StrCat("Known, and not in this version: ", Codes(keys), ".");
}

class Manual {
 public:
  std::string Page() {
    const Descriptor& root = *v1::Config::descriptor();
    AddBlock(absl::StrCat("# The configuration of Model Gateway ", kVersion), &page_);
    AddBlock(MarkdownOf(comments_.Head(*root.file())), &page_);
    AddSection(root);
    return absl::StrCat(page_, "\n");
  }

 private:
  // The message, where it is nearest to the top, and behind it those that it is the first to have.
  void AddSection(const Descriptor& type) {
    const Places& places = places_.at(&type);
    const std::string& place = places.first();
    AddBlock(absl::StrCat("## ", place.empty() ? "The top" : Code(place)), &page_);
    if (places.paths.size() > 1) {
      const std::vector<std::string> others(places.paths.begin() + 1, places.paths.end());
      AddBlock(Wrapped(absl::StrCat("The same keys are in ", Codes(others), ".")), &page_);
    }
    AddBlock(MarkdownOf(comments_.Of(type)), &page_);
    AddBlock(Wrapped(ChoicesOf(type)), &page_);
    AddBlock(Wrapped(LaterOf(type)), &page_);
    const std::vector<SchemaKey> keys = KeysOf(type);
    for (const SchemaKey& key : keys) {
      const std::string path = Under(place, key.field->name());
      AddBlock(absl::StrCat("### ", Code(path)), &page_);
      AddBlock(Wrapped(FactsOf(*key.field, path, places.no_effect, places_)), &page_);
      AddBlock(MarkdownOf(comments_.Of(*key.field)), &page_);
    }
    for (const SchemaKey& key : keys) {
      const Descriptor* section = SectionOf(*key.field);
      if (section == nullptr) continue;
      const std::string path = PlaceOf(Under(place, key.field->name()), *key.field);
      if (places_.at(section).first() == path) AddSection(*section);
    }
  }

  const Comments comments_;
  const PlacesByType places_ = FindPlaces(*v1::Config::descriptor());
  std::string page_;
};

}  // namespace

std::string ConfigManual() { return Manual().Page(); }

}  // namespace mg
