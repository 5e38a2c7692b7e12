#include "adapters/encode_notes.h"

#include "absl/strings/str_cat.h"
#include "base/utf8.h"

namespace mg {

absl::Status EncodeNotes::Note(absl::string_view code, absl::string_view field,
                               absl::string_view text) {
  if (refuse_) return Unsupported(field, text);
  Tell(code, field, text);
  return absl::OkStatus();
}

absl::Status EncodeNotes::Drop(absl::string_view field, absl::string_view why) {
  return Note("dropped", field, why);
}

absl::Status EncodeNotes::Emulate(absl::string_view field, absl::string_view how) {
  return Note("emulated", field, how);
}

absl::Status EncodeNotes::Change(absl::string_view field, absl::string_view how) {
  return Note("changed", field, how);
}

void EncodeNotes::Tell(absl::string_view code, absl::string_view field, absl::string_view how) {
  v1::Warning& warning = warnings_.emplace_back();
  warning.set_code(std::string(code));
  warning.set_field(std::string(field));
  warning.set_message(std::string(how));
}

namespace {

// Names that the caller chose may stand in both, and an error must fit into a trailer.
absl::Status Refuse(ErrorClass error_class, absl::string_view field, absl::string_view why) {
  field = CutUtf8(field, 256);
  return FieldError(error_class, field, absl::StrCat(field, ": ", CutUtf8(why, 512)));
}

}  // namespace

absl::Status Unsupported(absl::string_view field, absl::string_view why) {
  return Refuse(ErrorClass::kUnsupportedField, field, why);
}

absl::Status Invalid(absl::string_view field, absl::string_view why) {
  return Refuse(ErrorClass::kInvalidRequest, field, why);
}

}  // namespace mg
