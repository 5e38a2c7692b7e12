#include "adapters/media_source.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/media.h"

namespace mg {

using v1::Media;

absl::Status MediaTypeOf(const Media& media, const std::string& field, EncodeNotes* notes,
                         std::string* type) {
  const std::string declared = NormalMediaType(media.media_type());
  const absl::string_view actual = SniffMediaType(media.data());
  *type = actual.empty() ? declared : std::string(actual);
  if (type->empty()) {
    return Invalid(absl::StrCat(field, ".media_type"),
                   "neither given nor to be seen from the first bytes");
  }
  for (const char c : *type) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) &&
        !absl::StrContains("/+-._", absl::string_view(&c, 1))) {
      return Invalid(absl::StrCat(field, ".media_type"), "no media type");
    }
  }
  if (!declared.empty() && declared != *type) {
    notes->Tell("changed", absl::StrCat(field, ".media_type"),
                absl::StrCat("sent as ", *type, ", which its first bytes say"));
  }
  return absl::OkStatus();
}

absl::Status CheckMediaSource(const Media& media, const std::string& field,
                              absl::string_view also_reads) {
  switch (media.source_case()) {
    case Media::kData:
      if (!media.data().empty()) return absl::OkStatus();
      break;
    case Media::kUri:
      if (absl::StartsWithIgnoreCase(media.uri(), "https://")) return absl::OkStatus();
      if (!also_reads.empty() && absl::StartsWithIgnoreCase(media.uri(), also_reads)) {
        return absl::OkStatus();
      }
      if (absl::StartsWithIgnoreCase(media.uri(), "gs:") ||
          absl::StartsWithIgnoreCase(media.uri(), "s3:")) {
        return Unsupported(
            absl::StrCat(field, ".uri"),
            absl::StrCat("this provider reads https ",
                         also_reads.empty() ? "" : absl::StrCat("and ", also_reads, " "),
                         "URIs only; send the data itself"));
      }
      return Invalid(absl::StrCat(field, ".uri"), "no https:, gs: or s3: URI");
    case Media::kFileId:
      if (!media.file_id().empty()) return absl::OkStatus();
      break;
    case Media::SOURCE_NOT_SET:
      break;
  }
  return Invalid(field, "neither data nor uri nor file_id");
}

absl::Status DropMediaHint(const std::string& value, const std::string& field,
                           absl::string_view name, absl::string_view why, EncodeNotes* notes) {
  if (value.empty()) return absl::OkStatus();
  return notes->Drop(absl::StrCat(field, ".", name), why);
}

}  // namespace mg
