#include "daemon/wire_schema.h"

#include <google/protobuf/descriptor.pb.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"
#include "base/utf8.h"

namespace mg {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::io::CodedInputStream;

enum WireType : uint32_t { kWireVarint = 0, kWireFixed64 = 1, kWireLength = 2, kWireFixed32 = 5 };

constexpr size_t kMaxKeyShown = 64;
constexpr size_t kMaxPathShown = 512;

uint64_t EnumValues(const EnumDescriptor* descriptor) {
  uint64_t values = 0;
  for (int i = 0; i < descriptor->value_count(); ++i) {
    const int number = descriptor->value(i)->number();
    MG_CHECK(number >= 0 && number < 64, "an enum of the contract with a value beyond 63");
    values |= uint64_t{1} << number;
  }
  return values;
}

}  // namespace

WireSchema::WireSchema(const Descriptor* root, std::string program) : program_(std::move(program)) {
  AddType(root);
}

size_t WireSchema::AddType(const Descriptor* descriptor) {
  const auto [found, added] = index_.emplace(descriptor, types_.size());
  const size_t index = found->second;
  if (!added) return index;
  types_.emplace_back().descriptor = descriptor;
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const auto number = static_cast<size_t>(descriptor->field(i)->number());
    MG_CHECK(number < 1024, "a field number of the contract beyond 1023");
    const Field field = MakeField(descriptor->field(i));
    std::vector<Field>& fields = types_[index].fields;
    if (fields.size() <= number) fields.resize(number + 1);
    fields[number] = field;
  }
  return index;
}

WireSchema::Field WireSchema::MakeField(const FieldDescriptor* descriptor) {
  Field field;
  field.descriptor = descriptor;
  field.repeated = descriptor->is_repeated();
  field.map = descriptor->is_map();
  switch (descriptor->type()) {
    case FieldDescriptor::TYPE_DOUBLE:
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
      field.shape = Shape::kFixed64;
      break;
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
      field.shape = Shape::kFixed32;
      break;
    case FieldDescriptor::TYPE_ENUM:
      field.shape = Shape::kEnum;
      field.enum_values = EnumValues(descriptor->enum_type());
      break;
    case FieldDescriptor::TYPE_STRING:
      field.shape = Shape::kString;
      break;
    case FieldDescriptor::TYPE_BYTES:
      field.shape = Shape::kBytes;
      break;
    case FieldDescriptor::TYPE_MESSAGE:
      field.shape = Shape::kMessage;
      field.type = AddType(descriptor->message_type());
      break;
    case FieldDescriptor::TYPE_GROUP:
      MG_CHECK(false, "proto3 has no groups");
      break;
    default:
      field.shape = Shape::kVarint;
  }
  return field;
}

// One walk. Without `bytes` it says yes or no; with them (the whole message in one piece) it keeps
// the path it is on, checks UTF-8 too, and says what is wrong.
class WireWalk {
 public:
  WireWalk(const WireSchema& schema, CodedInputStream* in) : schema_(schema), in_(in) {}
  WireWalk(const WireSchema& schema, CodedInputStream* in, absl::string_view bytes)
      : schema_(schema), in_(in), bytes_(bytes), explains_(true) {}

  bool Message(const WireSchema::Type& type, int depth);

  const std::string& path() const { return path_; }
  const std::string& text() const { return text_; }

 private:
  using Shape = WireSchema::Shape;

  bool Value(const WireSchema::Type& type, const WireSchema::Field& field, uint32_t wire_type,
             int depth);
  bool Enum(const WireSchema::Field& field);
  bool PackedEnums(const WireSchema::Field& field);
  bool Submessage(const WireSchema::Field& field, int depth);
  bool Text(const WireSchema::Field& field);
  bool SkipLength();
  bool CountItem();

  void Enter(const WireSchema::Type& type, const WireSchema::Field& field, int index);
  absl::string_view MapKey() const;
  bool Unknown(const WireSchema::Type& type, int number);
  bool Wrong(std::string text);

  const WireSchema& schema_;
  CodedInputStream* const in_;
  const absl::string_view bytes_;
  const bool explains_ = false;
  int items_ = 0;
  std::string path_;
  std::string text_;
};

bool WireWalk::Message(const WireSchema::Type& type, int depth) {
  std::vector<int> indexes;  // of repeated fields, by number
  while (const uint32_t tag = in_->ReadTag()) {
    const uint32_t number = tag >> 3;
    if (number >= type.fields.size() || type.fields[number].shape == Shape::kUnknown) {
      return Unknown(type, static_cast<int>(number));
    }
    const WireSchema::Field& field = type.fields[number];
    if (!explains_) [[likely]] {
      if (!Value(type, field, tag & 7, depth)) return false;
      continue;
    }
    const size_t length = path_.size();
    indexes.resize(type.fields.size());
    Enter(type, field, indexes[number]++);
    if (!Value(type, field, tag & 7, depth)) return false;
    path_.resize(length);
  }
  return in_->ConsumedEntireMessage();
}

bool WireWalk::Value(const WireSchema::Type& type, const WireSchema::Field& field,
                     uint32_t wire_type, int depth) {
  uint64_t varint = 0;
  if (wire_type == kWireLength) {
    if (field.shape == Shape::kMessage) return CountItem() && Submessage(field, depth);
    if (field.shape == Shape::kString) return CountItem() && Text(field);
    if (field.shape == Shape::kBytes) return CountItem() && SkipLength();
    if (field.shape == Shape::kEnum && field.repeated) return PackedEnums(field);
    if (field.repeated) return SkipLength();
  } else if (wire_type == kWireVarint) {
    if (field.shape == Shape::kVarint) return in_->ReadVarint64(&varint);
    if (field.shape == Shape::kEnum) return Enum(field);
  } else if (wire_type == kWireFixed64 && field.shape == Shape::kFixed64) {
    return in_->Skip(8);
  } else if (wire_type == kWireFixed32 && field.shape == Shape::kFixed32) {
    return in_->Skip(4);
  }
  return explains_ &&
         Wrong(absl::StrCat("has the number of ", path_, " but not its type (wire type ", wire_type,
                            "): not a ", type.descriptor->name()));
}

bool WireWalk::Enum(const WireSchema::Field& field) {
  uint64_t value = 0;
  if (!in_->ReadVarint64(&value)) return false;
  if (value < 64 && (field.enum_values >> value & 1) != 0) [[likely]]
    return true;
  return explains_ && Wrong(absl::StrCat(path_, " has the value ", static_cast<int32_t>(value),
                                         ", which ", field.descriptor->enum_type()->full_name(),
                                         " of ", schema_.program_, " does not have"));
}

bool WireWalk::PackedEnums(const WireSchema::Field& field) {
  uint32_t length = 0;
  if (!in_->ReadVarint32(&length)) return false;
  const CodedInputStream::Limit limit = in_->PushLimit(static_cast<int>(length));
  while (in_->BytesUntilLimit() > 0) {
    if (!Enum(field)) return false;
  }
  in_->PopLimit(limit);
  return true;
}

bool WireWalk::Submessage(const WireSchema::Field& field, int depth) {
  if (depth == WireSchema::kMaxDepth) {
    return explains_ &&
           Wrong(absl::StrCat("nested deeper than ", WireSchema::kMaxDepth, " messages"));
  }
  uint32_t length = 0;
  if (!in_->ReadVarint32(&length) || length > INT32_MAX) return false;
  // A limit that ends behind the enclosing message's would be cut to that one in silence.
  const int rest = in_->BytesUntilLimit();
  if (rest >= 0 && static_cast<int>(length) > rest) return false;
  const CodedInputStream::Limit limit = in_->PushLimit(static_cast<int>(length));
  if (!Message(schema_.types_[field.type], depth + 1)) return false;
  if (in_->BytesUntilLimit() != 0) return false;
  in_->PopLimit(limit);
  return true;
}

bool WireWalk::Text(const WireSchema::Field& field) {
  if (!explains_) [[likely]]
    return SkipLength();
  uint32_t length = 0;
  if (!in_->ReadVarint32(&length)) return false;
  const auto position = static_cast<size_t>(in_->CurrentPosition());
  if (length > INT32_MAX || !in_->Skip(static_cast<int>(length))) return false;
  const absl::string_view text = bytes_.substr(position, length);
  const size_t valid = ValidUtf8Prefix(text);
  if (valid == text.size()) return true;
  const bool key =
      field.descriptor->containing_type()->options().map_entry() && field.descriptor->number() == 1;
  return Wrong(
      absl::StrCat(key ? "the key of " : "", path_, " is not valid UTF-8 at its byte ", valid));
}

bool WireWalk::SkipLength() {
  uint32_t length = 0;
  return in_->ReadVarint32(&length) && length <= INT32_MAX && in_->Skip(static_cast<int>(length));
}

bool WireWalk::CountItem() {
  if (++items_ <= WireSchema::kMaxItems) [[likely]]
    return true;
  return explains_ && Wrong(absl::StrCat("more than ", WireSchema::kMaxItems,
                                         " messages, strings and byte fields in one request"));
}

// A map's entry is named by its key where it has a readable one, and so is its value.
void WireWalk::Enter(const WireSchema::Type& type, const WireSchema::Field& field, int index) {
  if (type.descriptor->options().map_entry()) return;
  absl::StrAppend(&path_, path_.empty() ? "" : ".", field.descriptor->name());
  if (!field.repeated) return;
  const absl::string_view key = field.map ? MapKey() : absl::string_view();
  if (key.empty()) {
    absl::StrAppend(&path_, "[", index, "]");
  } else {
    absl::StrAppend(&path_, "[\"", absl::Utf8SafeCEscape(CutUtf8(key, kMaxKeyShown)), "\"]");
  }
}

// The key of the map entry whose length comes next; empty where there is none, or none that can be
// shown.
absl::string_view WireWalk::MapKey() const {
  const absl::string_view rest = bytes_.substr(static_cast<size_t>(in_->CurrentPosition()));
  CodedInputStream entry(reinterpret_cast<const uint8_t*>(rest.data()),
                         static_cast<int>(rest.size()));
  uint32_t length = 0;
  uint32_t key_length = 0;
  constexpr uint32_t kKeyTag = 1 << 3 | kWireLength;
  if (!entry.ReadVarint32(&length) || entry.ReadTag() != kKeyTag) return {};
  if (!entry.ReadVarint32(&key_length) || key_length > length) return {};
  const absl::string_view key =
      rest.substr(static_cast<size_t>(entry.CurrentPosition()), key_length);
  return IsValidUtf8(key) ? key : absl::string_view();
}

bool WireWalk::Unknown(const WireSchema::Type& type, int number) {
  if (!explains_) return false;
  absl::StrAppend(&path_, path_.empty() ? "" : ".", "#", number);
  return Wrong(absl::StrCat("unknown field ", path_, ": ", type.descriptor->full_name(),
                            " has no field with the number ", number, " in ", schema_.program_,
                            "; leave it out, or update the gateway"));
}

bool WireWalk::Wrong(std::string text) {
  text_ = std::move(text);
  return false;
}

bool WireSchema::Accepts(google::protobuf::io::ZeroCopyInputStream* bytes) const {
  CodedInputStream in(bytes);
  return WireWalk(*this, &in).Message(types_[0], 0);
}

absl::Status WireSchema::Explain(absl::string_view bytes) const {
  CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                      static_cast<int>(bytes.size()));
  WireWalk walk(*this, &in, bytes);
  std::string text = absl::StrCat("not a ", types_[0].descriptor->name());
  if (!walk.Message(types_[0], 0)) {
    if (!walk.text().empty()) {
      text = walk.text();
    } else {
      absl::StrAppend(&text, ": its bytes are malformed or break off",
                      walk.path().empty() ? "" : absl::StrCat(" in ", walk.path()));
    }
  }
  return FieldError(ErrorClass::kInvalidRequest, CutUtf8(walk.path(), kMaxPathShown), text);
}

}  // namespace mg
