#include "daemon/config/yaml_json.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/json.h"
#include "daemon/config/yaml.h"

namespace mg {
namespace {

// Digits, a dot and digits, nothing else that YAML might take for a number.
bool IsNumber(absl::string_view text) {
  double number = 0;
  return !text.empty() && text.find_first_not_of("-0123456789.") == absl::string_view::npos &&
         absl::ascii_isdigit(static_cast<unsigned char>(text.back())) && text.front() != '.' &&
         (text[0] != '0' || text.size() == 1 || text[1] == '.') && absl::SimpleAtod(text, &number);
}

void Append(const YamlValue& value, std::string* json) {
  const char* between = "";
  switch (value.kind) {
    case YamlValue::Kind::kNull:
      json->append("null");
      return;
    case YamlValue::Kind::kScalar:
      if (!value.quoted &&
          (value.text == "true" || value.text == "false" || IsNumber(value.text))) {
        json->append(value.text);
      } else {
        AppendJsonString(value.text, json);
      }
      return;
    case YamlValue::Kind::kList:
      json->push_back('[');
      for (const YamlValue& item : value.items) {
        json->append(between);
        Append(item, json);
        between = ",";
      }
      json->push_back(']');
      return;
    case YamlValue::Kind::kMap:
      json->push_back('{');
      for (const YamlEntry& entry : value.entries) {
        json->append(between);
        AppendJsonString(entry.key, json);
        json->push_back(':');
        Append(entry.value, json);
        between = ",";
      }
      json->push_back('}');
      return;
  }
}

}  // namespace

std::string JsonOfYaml(absl::string_view yaml) {
  YamlValue root;
  YamlError error;
  MG_CHECK(ParseYaml(yaml, &root, &error), "YAML of our own that is none");
  std::string json;
  Append(root, &json);
  return json;
}

}  // namespace mg
