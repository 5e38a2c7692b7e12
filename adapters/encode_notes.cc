#include "adapters/encode_notes.h"

#include "absl/strings/str_cat.h"

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

absl::Status Unsupported(absl::string_view field, absl::string_view why) {
  return FieldError(ErrorClass::kUnsupportedField, field, absl::StrCat(field, ": ", why));
}

absl::Status Invalid(absl::string_view field, absl::string_view why) {
  return FieldError(ErrorClass::kInvalidRequest, field, absl::StrCat(field, ": ", why));
}

}  // namespace mg
