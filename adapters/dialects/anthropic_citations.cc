#include "adapters/dialects/anthropic_citations.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "adapters/json_text.h"

namespace mg {
namespace {

// What goes back of each type: the API takes no members but these, though its answers have more.
struct Form {
  absl::string_view type;
  absl::string_view title;
  absl::string_view uri;                     // empty: it has none
  std::array<absl::string_view, 3> indexes;  // of the details; empty ones end the list
  absl::string_view text = "";               // of the details, a text; empty: none
};
constexpr Form kForms[] = {
    {"char_location",
     "document_title",
     "",
     {"document_index", "start_char_index", "end_char_index"}},
    {"page_location",
     "document_title",
     "",
     {"document_index", "start_page_number", "end_page_number"}},
    {"content_block_location",
     "document_title",
     "",
     {"document_index", "start_block_index", "end_block_index"}},
    {"search_result_location",
     "title",
     "source",
     {"search_result_index", "start_block_index", "end_block_index"}},
    {"web_search_result_location", "title", "url", {}, "encrypted_index"},
};

const google::protobuf::Value* DetailOf(const v1::Citation& citation, absl::string_view name) {
  const auto found = citation.details().fields().find(std::string(name));
  return found == citation.details().fields().end() ? nullptr : &found->second;
}

const Form* FormOf(const v1::Citation& citation) {
  const google::protobuf::Value* type = DetailOf(citation, "type");
  if (type == nullptr) return nullptr;
  const auto found = std::find_if(std::begin(kForms), std::end(kForms), [&](const Form& form) {
    return form.type == type->string_value();
  });
  return found == std::end(kForms) ? nullptr : &*found;
}

bool IsIndex(const google::protobuf::Value* value) {
  constexpr double kMost = 1 << 30;
  return value != nullptr && value->has_number_value() && value->number_value() >= 0 &&
         value->number_value() <= kMost &&
         value->number_value() == std::floor(value->number_value());
}

void AppendText(absl::string_view name, absl::string_view text, std::string* out) {
  AppendJsonKey(name, out);
  AppendJsonString(text, out);
}

}  // namespace

void ReadAnthropicCitation(const JsonValue& from, v1::Citation* citation) {
  const absl::string_view url = StringMember(from, "url");
  const absl::string_view uri = url.empty() ? StringMember(from, "source") : url;
  const absl::string_view own_title = StringMember(from, "title");
  const absl::string_view title =
      own_title.empty() ? StringMember(from, "document_title") : own_title;
  citation->set_uri(std::string(uri));
  citation->set_title(std::string(title));
  citation->set_cited_text(std::string(StringMember(from, "cited_text")));
  for (const auto& member : from.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (member.value.IsNull() || name == "url" || name == "source" || name == "title" ||
        name == "document_title" || name == "cited_text") {
      continue;
    }
    ToStructValue(member.value, 8,
                  &(*citation->mutable_details()->mutable_fields())[std::string(name)]);
  }
}

bool IsAnthropicCitation(const v1::Citation& citation) {
  const Form* form = FormOf(citation);
  if (form == nullptr || (!form->uri.empty() && citation.uri().empty())) return false;
  for (absl::string_view index : form->indexes) {
    if (!index.empty() && !IsIndex(DetailOf(citation, index))) return false;
  }
  if (form->text.empty()) return true;
  const google::protobuf::Value* text = DetailOf(citation, form->text);
  return text != nullptr && text->has_string_value();
}

void AppendAnthropicCitation(const v1::Citation& citation, std::string* out) {
  const Form& form = *FormOf(citation);
  absl::StrAppend(out, "{\"type\":\"", form.type, "\"");
  AppendText("cited_text", citation.cited_text(), out);
  AppendJsonKey(form.title, out);
  if (citation.title().empty()) {
    out->append("null");
  } else {
    AppendJsonString(citation.title(), out);
  }
  if (!form.uri.empty()) AppendText(form.uri, citation.uri(), out);
  for (absl::string_view index : form.indexes) {
    if (index.empty()) break;
    AppendJsonKey(index, out);
    absl::StrAppend(out, static_cast<int64_t>(DetailOf(citation, index)->number_value()));
  }
  if (!form.text.empty()) AppendText(form.text, DetailOf(citation, form.text)->string_value(), out);
  out->push_back('}');
}

}  // namespace mg
