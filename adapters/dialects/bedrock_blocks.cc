// Content blocks of Converse, one for each kind of part. A block is an object of one member.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/cache_ttl.h"
#include "adapters/dialects/bedrock_encoding.h"
#include "adapters/json_text.h"
#include "adapters/media.h"
#include "adapters/media_source.h"
#include "adapters/provider_options.h"

namespace mg {
namespace {

using v1::Media;
using v1::Part;

constexpr int kMaxBreakpoints = 4;
constexpr absl::string_view kNoPlace = "Converse has no place for it";
constexpr absl::string_view kGuard = "guardContent";

struct Format {
  absl::string_view media_type;
  absl::string_view word;
};
constexpr Format kImages[] = {
    {"image/png", "png"}, {"image/jpeg", "jpeg"}, {"image/gif", "gif"}, {"image/webp", "webp"}};
constexpr Format kDocuments[] = {
    {"application/pdf", "pdf"},
    {"text/csv", "csv"},
    {"application/msword", "doc"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
    {"application/vnd.ms-excel", "xls"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
    {"text/html", "html"},
    {"text/plain", "txt"},
    {"text/markdown", "md"}};
constexpr Format kAudios[] = {
    {"audio/mpeg", "mp3"},  {"audio/wav", "wav"},   {"audio/aac", "aac"},    {"audio/flac", "flac"},
    {"audio/ogg", "ogg"},   {"audio/opus", "opus"}, {"audio/mp4", "mp4"},    {"audio/m4a", "m4a"},
    {"audio/x-m4a", "m4a"}, {"audio/webm", "webm"}, {"audio/x-aac", "x-aac"}};
constexpr Format kVideos[] = {{"video/mp4", "mp4"},        {"video/quicktime", "mov"},
                              {"video/x-matroska", "mkv"}, {"video/webm", "webm"},
                              {"video/x-flv", "flv"},      {"video/mpeg", "mpeg"},
                              {"video/x-ms-wmv", "wmv"},   {"video/3gpp", "three_gp"}};

struct MediaKind {
  absl::string_view member;
  const Format* formats;
  size_t count;
  absl::string_view taken;  // for the refusal of another type
};
constexpr MediaKind kImage = {"image", kImages, std::size(kImages),
                              "images are taken as PNG, JPEG, GIF or WebP only"};
constexpr MediaKind kDocument = {
    "document", kDocuments, std::size(kDocuments),
    "documents are taken as PDF, CSV, Word, Excel, HTML, text or Markdown only"};
constexpr MediaKind kAudio = {"audio", kAudios, std::size(kAudios),
                              "audio is taken as MP3, WAV, AAC, FLAC, Ogg, Opus, MP4 or WebM only"};
constexpr MediaKind kVideo = {
    "video", kVideos, std::size(kVideos),
    "video is taken as MP4, QuickTime, Matroska, WebM, FLV, MPEG, WMV or 3GPP only"};

// Bedrock reads data, and what lies in S3.
absl::Status CheckSource(const Media& media, const std::string& field) {
  if (media.has_uri() && absl::StartsWithIgnoreCase(media.uri(), "s3://")) return absl::OkStatus();
  if (auto status = CheckMediaSource(media, field); !status.ok()) return status;
  if (media.has_data()) return absl::OkStatus();
  return Unsupported(absl::StrCat(field, media.has_uri() ? ".uri" : ".file_id"),
                     "Bedrock reads data and s3: URIs only; send the data itself");
}

absl::Status FormatOf(const Media& media, const MediaKind& kind, const std::string& field,
                      EncodeNotes* notes, absl::string_view* word) {
  std::string type;
  if (auto status = MediaTypeOf(media, field, notes, &type); !status.ok()) return status;
  for (size_t i = 0; i < kind.count; ++i) {
    if (kind.formats[i].media_type != type) continue;
    *word = kind.formats[i].word;
    return absl::OkStatus();
  }
  return Unsupported(absl::StrCat(field, ".media_type"), kind.taken);
}

// Letters, digits, single blanks and -()[]: Converse takes no other name.
std::string PlainName(absl::string_view name) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool taken =
        absl::ascii_isalnum(byte) || absl::StrContains("-()[]", absl::string_view(&c, 1));
    out.push_back(taken ? c : ' ');
  }
  absl::RemoveExtraAsciiWhitespace(&out);
  if (out.size() > 200) out.resize(200);
  return out;
}

// Each document has a name of its own.
absl::Status AppendName(const Media& media, const std::string& field, BedrockEncoding* encoding) {
  std::string name = PlainName(media.name());
  if (name.empty()) name = "document";
  const std::string plain = name;
  for (int i = 2; !encoding->document_names.insert(name).second; ++i) {
    name = absl::StrCat(plain, " ", i);
  }
  AppendJsonKey("name", &encoding->body);
  AppendJsonString(name, &encoding->body);
  if (media.name().empty() || media.name() == name) return absl::OkStatus();
  return encoding->notes.Change(
      absl::StrCat(field, ".name"),
      absl::StrCat("Converse takes letters, digits, blanks and -()[], each name once: ", name,
                   " is sent"));
}

absl::Status AppendMedia(const Media& media, const MediaKind& kind, const std::string& field,
                         BedrockEncoding* encoding) {
  std::string* out = &encoding->body;
  EncodeNotes* notes = &encoding->notes;
  if (auto status = CheckSource(media, field); !status.ok()) return status;
  absl::Status status = DropMediaHint(media.detail(), field, "detail", kNoPlace, notes);
  if (status.ok()) {
    status = DropMediaHint(media.transcript(), field, "transcript", kNoPlace, notes);
  }
  if (status.ok() && kind.member != kDocument.member) {
    status = DropMediaHint(media.name(), field, "name", kNoPlace, notes);
  }
  absl::string_view format;
  if (status.ok()) status = FormatOf(media, kind, field, notes, &format);
  if (!status.ok()) return status;
  absl::StrAppend(out, "{\"", kind.member, "\":{\"format\":\"", format, "\"");
  if (kind.member == kDocument.member) {
    if (auto named = AppendName(media, field, encoding); !named.ok()) return named;
  }
  if (media.has_data()) {
    out->append(",\"source\":{\"bytes\":\"");
    AppendBase64(media.data(), out);
    out->append("\"}}}");
  } else {
    out->append(",\"source\":{\"s3Location\":{\"uri\":");
    AppendJsonString(media.uri(), out);
    out->append("}}}}");
  }
  return absl::OkStatus();
}

// The options make a guardContent of the part.
bool IsGuarded(const Part& part, const DialectContext& context) {
  google::protobuf::Struct options;
  return OptionsFor(part.provider_options(), context.provider, kBedrockDialect, &options) &&
         options.fields().contains(std::string(kGuard));
}

void AppendText(const std::string& text, bool guarded, std::string* out) {
  out->append(guarded ? "{\"guardContent\":{\"text\":{\"text\":" : "{\"text\":");
  AppendJsonString(text, out);
  out->append(guarded ? "}}}" : "}");
}

absl::Status AppendKind(const Part& part, const PartPlace& place, BedrockEncoding* encoding) {
  switch (part.kind_case()) {
    case Part::kText:
      AppendText(part.text(), IsGuarded(part, encoding->context), &encoding->body);
      return absl::OkStatus();
    case Part::kRefusal:
      AppendText(part.refusal(), false, &encoding->body);
      return absl::OkStatus();
    case Part::kImage: {
      const size_t start = encoding->body.size();
      auto status = AppendMedia(part.image(), kImage, place.Field("image"), encoding);
      if (!status.ok() || !IsGuarded(part, encoding->context)) return status;
      encoding->body.insert(start, "{\"guardContent\":");
      encoding->body.push_back('}');
      return absl::OkStatus();
    }
    case Part::kDocument:
      return AppendMedia(part.document(), kDocument, place.Field("document"), encoding);
    case Part::kAudio:
      if (place.inner >= 0) {
        return Unsupported(place.Field("audio"), "a tool result of Converse takes no audio");
      }
      return AppendMedia(part.audio(), kAudio, place.Field("audio"), encoding);
    case Part::kVideo:
      return AppendMedia(part.video(), kVideo, place.Field("video"), encoding);
    default:
      return Invalid(place.Field(""), "no part of this kind belongs here");
  }
}

absl::Status MergeIntoBlock(const Part& part, const PartPlace& place, size_t start,
                            BedrockEncoding* encoding) {
  std::string block = encoding->body.substr(start);
  const std::string field = place.Field("provider_options");
  auto status = MergeOptions(part.provider_options(), encoding->context.provider, kBedrockDialect,
                             field, {}, &block);
  if (!status.ok()) return status;
  int members = 0;
  ForEachMember(block, [&](absl::string_view, absl::string_view) { ++members; });
  if (members > 1) {
    return Invalid(field,
                   "a block of Converse has one member, its kind: options go into the object that "
                   "stands there, {\"document\": {…}}");
  }
  encoding->body.replace(start, std::string::npos, block);
  return absl::OkStatus();
}

}  // namespace

absl::Status AppendCachePoint(const v1::CacheBreakpoint& breakpoint, const std::string& field,
                              BedrockEncoding* encoding) {
  if (encoding->breakpoints == kMaxBreakpoints) {
    return encoding->notes.Drop(
        field, absl::StrCat("the provider takes ", kMaxBreakpoints, "; the first ones are sent"));
  }
  ++encoding->breakpoints;
  absl::string_view ttl;
  if (auto status = CacheTtl(breakpoint, field, &encoding->notes, &ttl); !status.ok()) {
    return status;
  }
  std::string* out = &encoding->body;
  out->append(",{\"cachePoint\":{\"type\":\"default\"");
  if (!ttl.empty()) absl::StrAppend(out, ",\"ttl\":\"", ttl, "\"");
  out->append("}}");
  return absl::OkStatus();
}

bool HasBedrockOptions(const Part& part, const DialectContext& context) {
  google::protobuf::Struct options;
  return OptionsFor(part.provider_options(), context.provider, kBedrockDialect, &options);
}

absl::Status AppendBedrockBlock(const Part& part, const PartPlace& place,
                                BedrockEncoding* encoding) {
  const size_t start = encoding->body.size();
  if (auto status = AppendKind(part, place, encoding); !status.ok()) return status;
  return FinishBedrockBlock(part, place, start, encoding);
}

absl::Status FinishBedrockBlock(const Part& part, const PartPlace& place, size_t start,
                                BedrockEncoding* encoding) {
  if (HasBedrockOptions(part, encoding->context)) {
    auto status = MergeIntoBlock(part, place, start, encoding);
    if (!status.ok()) return status;
  }
  if (!part.has_cache_breakpoint()) return absl::OkStatus();
  const std::string field = place.Field("cache_breakpoint");
  if (place.inner >= 0) {
    return encoding->notes.Drop(field, "no cache point can stand within a tool result");
  }
  return AppendCachePoint(part.cache_breakpoint(), field, encoding);
}

}  // namespace mg
