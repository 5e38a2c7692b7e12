// Parts of Gemini's contents, one for each kind of part.
#include "absl/strings/str_cat.h"
#include "adapters/dialects/gemini_encoding.h"
#include "adapters/json_text.h"
#include "adapters/media.h"
#include "adapters/media_source.h"
#include "adapters/provider_options.h"

namespace mg {
namespace {

using v1::Media;
using v1::Part;

constexpr absl::string_view kNoPlace = "Gemini's API has no place for it here";

absl::Status DropHints(const Media& media, const std::string& field, EncodeNotes* notes) {
  const std::pair<const char*, const std::string*> hints[] = {
      {"name", &media.name()}, {"detail", &media.detail()}, {"transcript", &media.transcript()}};
  for (const auto& [name, value] : hints) {
    auto status = DropMediaHint(*value, field, name, kNoPlace, notes);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// What is elsewhere is named; its type, which Vertex wants, only where the caller says it.
void AppendReference(const Media& media, std::string* out) {
  out->append("{\"fileData\":{");
  const std::string type = NormalMediaType(media.media_type());
  if (!type.empty()) {
    out->append("\"mimeType\":");
    AppendJsonString(type, out);
    out->push_back(',');
  }
  out->append("\"fileUri\":");
  AppendJsonString(media.has_uri() ? media.uri() : media.file_id(), out);
  out->push_back('}');
}

absl::Status AppendMedia(const Media& media, const std::string& field, GeminiEncoding* encoding) {
  if (auto status = CheckMediaSource(media, field, "gs:"); !status.ok()) return status;
  if (auto status = DropHints(media, field, &encoding->notes); !status.ok()) return status;
  std::string* out = &encoding->body;
  if (!media.has_data()) {
    AppendReference(media, out);
    return absl::OkStatus();
  }
  std::string type;
  if (auto status = MediaTypeOf(media, field, &encoding->notes, &type); !status.ok()) return status;
  absl::StrAppend(out, "{\"inlineData\":{\"mimeType\":\"", type, "\",\"data\":\"");
  AppendBase64(media.data(), out);
  out->append("\"}");
  return absl::OkStatus();
}

absl::Status AppendText(const std::string& text, std::string* out) {
  out->append("{\"text\":");
  AppendJsonString(text, out);
  return absl::OkStatus();
}

absl::Status AppendKind(const Part& part, const PartPlace& place, GeminiEncoding* encoding) {
  switch (part.kind_case()) {
    case Part::kText:
      return AppendText(part.text(), &encoding->body);
    case Part::kRefusal:
      return AppendText(part.refusal(), &encoding->body);
    case Part::kImage:
      return AppendMedia(part.image(), place.Field("image"), encoding);
    case Part::kAudio:
      return AppendMedia(part.audio(), place.Field("audio"), encoding);
    case Part::kVideo:
      return AppendMedia(part.video(), place.Field("video"), encoding);
    case Part::kDocument:
      return AppendMedia(part.document(), place.Field("document"), encoding);
    default:
      return Invalid(place.Field(""), "no part of this kind belongs here");
  }
}

}  // namespace

bool HasGeminiOptions(const Part& part, const DialectContext& context) {
  google::protobuf::Struct options;
  return OptionsFor(part.provider_options(), context.provider, kGeminiDialect, &options);
}

absl::Status AppendGeminiPart(const Part& part, const PartPlace& place, absl::string_view signature,
                              GeminiEncoding* encoding) {
  const size_t start = encoding->body.size();
  if (auto status = AppendKind(part, place, encoding); !status.ok()) return status;
  return FinishGeminiPart(part, place, start, signature, encoding);
}

absl::Status FinishGeminiPart(const Part& part, const PartPlace& place, size_t start,
                              absl::string_view signature, GeminiEncoding* encoding) {
  std::string& body = encoding->body;
  if (!signature.empty()) {
    body.append(",\"thoughtSignature\":");
    AppendJsonString(signature, &body);
  }
  body.push_back('}');
  if (!HasGeminiOptions(part, encoding->context)) return absl::OkStatus();
  std::string merged = body.substr(start);
  auto status = MergeOptions(part.provider_options(), encoding->context.provider, kGeminiDialect,
                             place.Field("provider_options"),
                             {"text", "inlineData", "fileData", "functionCall", "functionResponse",
                              "thought", "thoughtSignature"},
                             &merged);
  if (status.ok()) body.replace(start, std::string::npos, merged);
  return status;
}

}  // namespace mg
