// Content blocks of Cohere's messages, and documents.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/cohere_encoding.h"
#include "adapters/json_text.h"
#include "adapters/media.h"
#include "adapters/media_source.h"
#include "adapters/provider_options.h"
#include "base/utf8.h"

namespace mg {
namespace {

using v1::Media;
using v1::Part;

constexpr absl::string_view kNoPlace = "Cohere's API has no place for it here";

void AppendText(const std::string& text, std::string* out) {
  out->append("{\"type\":\"text\",\"text\":");
  AppendJsonString(text, out);
  out->push_back('}');
}

absl::Status DropHint(const std::string& value, const std::string& field, absl::string_view name,
                      CohereEncoding* encoding) {
  return DropMediaHint(value, field, name, kNoPlace, &encoding->notes);
}

absl::Status AppendImage(const Media& media, const std::string& field, CohereEncoding* encoding) {
  std::string* out = &encoding->body;
  if (auto status = CheckMediaSource(media, field); !status.ok()) return status;
  if (media.has_file_id()) {
    return Unsupported(absl::StrCat(field, ".file_id"), "images are taken as data or https only");
  }
  if (auto status = DropHint(media.name(), field, "name", encoding); !status.ok()) return status;
  if (auto status = DropHint(media.transcript(), field, "transcript", encoding); !status.ok()) {
    return status;
  }
  out->append("{\"type\":\"image_url\",\"image_url\":{\"url\":");
  if (media.has_uri()) {
    AppendJsonString(media.uri(), out);
  } else {
    std::string type;
    if (auto status = MediaTypeOf(media, field, &encoding->notes, &type); !status.ok()) {
      return status;
    }
    absl::StrAppend(out, "\"data:", type, ";base64,");
    AppendBase64(media.data(), out);
    out->push_back('"');
  }
  if (!media.detail().empty()) {
    out->append(",\"detail\":");
    AppendJsonString(media.detail(), out);
  }
  out->append("}}");
  return absl::OkStatus();
}

// Only texts can be documents here.
absl::Status CheckDocument(const Media& media, const std::string& field, CohereEncoding* encoding) {
  if (auto status = CheckMediaSource(media, field); !status.ok()) return status;
  if (!media.has_data()) {
    return Unsupported(absl::StrCat(field, media.has_uri() ? ".uri" : ".file_id"),
                       "documents are taken as data only");
  }
  if (auto status = DropHint(media.detail(), field, "detail", encoding); !status.ok()) {
    return status;
  }
  if (auto status = DropHint(media.transcript(), field, "transcript", encoding); !status.ok()) {
    return status;
  }
  std::string type;
  if (auto status = MediaTypeOf(media, field, &encoding->notes, &type); !status.ok()) return status;
  const bool text = absl::StartsWith(type, "text/") || type == "application/json";
  if (text && IsValidUtf8(media.data())) return absl::OkStatus();
  return Unsupported(absl::StrCat(field, ".media_type"),
                     "documents are taken as text in UTF-8 only");
}

absl::Status AppendKind(const Part& part, const PartPlace& place, CohereEncoding* encoding) {
  switch (part.kind_case()) {
    case Part::kText:
      AppendText(part.text(), &encoding->body);
      return absl::OkStatus();
    case Part::kRefusal:
      AppendText(part.refusal(), &encoding->body);
      return absl::OkStatus();
    case Part::kImage:
      return AppendImage(part.image(), place.Field("image"), encoding);
    case Part::kAudio:
      return Unsupported(place.Field("audio"), "Cohere's API takes no audio");
    case Part::kVideo:
      return Unsupported(place.Field("video"), "Cohere's API takes no video");
    default:
      return Invalid(place.Field(""), "no part of this kind belongs here");
  }
}

}  // namespace

bool HasCohereOptions(const Part& part, const DialectContext& context) {
  google::protobuf::Struct options;
  return OptionsFor(part.provider_options(), context.provider, kCohereDialect, &options);
}

absl::Status AppendCohereBlock(const Part& part, const PartPlace& place, CohereEncoding* encoding) {
  if (part.has_document()) {
    encoding->body.append("{\"type\":\"document\",\"document\":");
    auto status = AppendCohereDocument(part, place, encoding);
    encoding->body.push_back('}');
    return status;
  }
  const size_t start = encoding->body.size();
  if (auto status = AppendKind(part, place, encoding); !status.ok()) return status;
  return MergeCohereOptions(part, place, start, encoding);
}

absl::Status AppendCohereDocument(const Part& part, const PartPlace& place,
                                  CohereEncoding* encoding) {
  const Media& media = part.document();
  if (auto status = CheckDocument(media, place.Field("document"), encoding); !status.ok()) {
    return status;
  }
  std::string* out = &encoding->body;
  const size_t start = out->size();
  out->append("{\"data\":{\"text\":");
  AppendJsonString(media.data(), out);
  if (!media.name().empty()) {
    out->append(",\"title\":");
    AppendJsonString(media.name(), out);
  }
  out->append("}}");
  return MergeCohereOptions(part, place, start, encoding);
}

absl::Status MergeCohereOptions(const Part& part, const PartPlace& place, size_t start,
                                CohereEncoding* encoding) {
  if (!HasCohereOptions(part, encoding->context)) return absl::OkStatus();
  std::string block = encoding->body.substr(start);
  auto status = MergeOptions(part.provider_options(), encoding->context.provider, kCohereDialect,
                             place.Field("provider_options"), {"type"}, &block);
  if (status.ok()) encoding->body.replace(start, std::string::npos, block);
  return status;
}

absl::Status DropCohereExtras(const Part& part, const PartPlace& place, CohereEncoding* encoding) {
  if (part.has_cache_breakpoint()) {
    auto status =
        encoding->notes.Drop(place.Field("cache_breakpoint"),
                             "no breakpoint can be set here; the provider's own cache serves");
    if (!status.ok()) return status;
  }
  if (part.citations().empty()) return absl::OkStatus();
  return encoding->notes.Drop(place.Field("citations"), "the texts that are sent carry none");
}

}  // namespace mg
