#include "daemon/config/reading.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/config/ephemeral.h"
#include "daemon/config/schema.h"
#include "daemon/config/source.h"

namespace mg {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

// An absent list of addresses and an empty one differ.
bool SameAt(const Message& a, const Message& b, const FieldDescriptor& field) {
  if (!field.is_repeated() &&
      a.GetReflection()->HasField(a, &field) != b.GetReflection()->HasField(b, &field)) {
    return false;
  }
  MessageDifferencer differencer;
  const std::vector<const FieldDescriptor*> fields = {&field};
  return differencer.CompareWithFields(a, b, fields, fields);
}

void AddDifferences(const Message& running, const Message& wanted, const std::string& path,
                    bool all, std::vector<std::string>* keys) {
  for (int i = 0; i < running.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *running.GetDescriptor()->field(i);
    const bool waits = all || FieldRuleOf(field).needs_restart();
    const std::string key = path.empty() ? field.name() : absl::StrCat(path, ".", field.name());
    const bool section = field.message_type() != nullptr && !field.is_repeated() &&
                         !FieldRuleOf(field).list() &&
                         field.message_type()->file() == running.GetDescriptor()->file();
    if (section) {
      AddDifferences(running.GetReflection()->GetMessage(running, &field),
                     wanted.GetReflection()->GetMessage(wanted, &field), key, waits, keys);
    } else if (waits && !SameAt(running, wanted, field)) {
      keys->push_back(key);
    }
  }
}

}  // namespace

std::vector<Problem> ConfigReading::Problems() const {
  if (found.ok()) return loaded.problems;
  Problem problem;
  problem.message = std::string(found.message());
  return {std::move(problem)};
}

ConfigReading ReadConfiguration(const ConfigPlace& place, const Outside& outside) {
  ConfigReading reading;
  const Outside noting = reading.footprint.Noting(outside);
  absl::StatusOr<ChosenConfig> chosen = ChooseConfig(place.file, noting, place.folder);
  if (!chosen.ok()) {
    reading.found = chosen.status();
    return reading;
  }
  if (place.ephemeral.has_value()) LayEphemeral(*place.ephemeral, noting, &*chosen);
  for (const ConfigSource& layer : chosen->layers) reading.sources.push_back(layer.name);
  reading.notes = std::move(chosen->notes);
  reading.loaded = LoadLayers(chosen->layers, noting);
  return reading;
}

std::vector<std::string> NeedsRestart(const v1::Config& running, const v1::Config& wanted) {
  std::vector<std::string> keys;
  AddDifferences(running, wanted, "", false, &keys);
  return keys;
}

}  // namespace mg
