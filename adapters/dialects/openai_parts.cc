// Content blocks of OpenAI's messages, one for each kind of part.
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "adapters/dialects/openai_encoding.h"
#include "adapters/json_text.h"
#include "adapters/media.h"
#include "adapters/media_source.h"
#include "adapters/provider_options.h"

namespace mg {
namespace {

using v1::Media;
using v1::Part;

constexpr absl::string_view kNoPlace = "OpenAI's chat API has no place for it here";

void AppendDataUrl(absl::string_view type, absl::string_view data, std::string* out) {
  absl::StrAppend(out, "\"data:", type, ";base64,");
  AppendBase64(data, out);
  out->push_back('"');
}

void AppendFileId(const std::string& file_id, std::string* out) {
  out->append("{\"type\":\"file\",\"file\":{\"file_id\":");
  AppendJsonString(file_id, out);
  out->append("}}");
}

absl::Status CheckImage(const Media& media, const std::string& field,
                        const OpenAiProfile& profile) {
  if (auto status = CheckMediaSource(media, field); !status.ok()) return status;
  if (profile.image == OpenAiProfile::Image::kAll) return absl::OkStatus();
  if (!media.has_data()) {
    return Unsupported(absl::StrCat(field, media.has_uri() ? ".uri" : ".file_id"),
                       "this server takes images as data only");
  }
  if (SniffMediaType(media.data()) != "image/gif") return absl::OkStatus();
  return Unsupported(absl::StrCat(field, ".media_type"), "this server takes no GIF");
}

absl::Status AppendImage(const Media& media, const std::string& field, OpenAiEncoding* encoding) {
  std::string* out = &encoding->body;
  if (auto status = CheckImage(media, field, encoding->profile); !status.ok()) return status;
  if (auto status = DropMediaHint(media.name(), field, "name", kNoPlace, &encoding->notes);
      !status.ok()) {
    return status;
  }
  if (auto status =
          DropMediaHint(media.transcript(), field, "transcript", kNoPlace, &encoding->notes);
      !status.ok()) {
    return status;
  }
  if (media.has_file_id()) {
    AppendFileId(media.file_id(), out);
    return DropMediaHint(media.detail(), field, "detail", kNoPlace, &encoding->notes);
  }
  std::string type;
  if (media.has_data()) {
    if (auto status = MediaTypeOf(media, field, &encoding->notes, &type); !status.ok())
      return status;
  }
  out->append("{\"type\":\"image_url\",\"image_url\":{\"url\":");
  if (media.has_data()) {
    AppendDataUrl(type, media.data(), out);
  } else {
    AppendJsonString(media.uri(), out);
  }
  if (!media.detail().empty()) {
    out->append(",\"detail\":");
    AppendJsonString(media.detail(), out);
  }
  out->append("}}");
  return absl::OkStatus();
}

absl::Status AppendAudio(const Media& media, const std::string& field, OpenAiEncoding* encoding) {
  std::string* out = &encoding->body;
  if (encoding->profile.audio == OpenAiProfile::Audio::kNever) {
    return Unsupported(field, "this server takes no audio");
  }
  if (auto status = CheckMediaSource(media, field); !status.ok()) return status;
  if (!media.has_data()) {
    return Unsupported(absl::StrCat(field, media.has_uri() ? ".uri" : ".file_id"),
                       "audio is taken as data only");
  }
  for (const auto& [name, value] :
       {std::pair<absl::string_view, const std::string*>{"name", &media.name()},
        {"detail", &media.detail()},
        {"transcript", &media.transcript()}}) {
    if (auto status = DropMediaHint(*value, field, name, kNoPlace, &encoding->notes); !status.ok())
      return status;
  }
  std::string type;
  if (auto status = MediaTypeOf(media, field, &encoding->notes, &type); !status.ok()) return status;
  absl::string_view format;
  if (type == "audio/wav") format = "wav";
  if (type == "audio/mpeg") format = "mp3";
  if (format.empty()) {
    return Unsupported(absl::StrCat(field, ".media_type"), "audio is taken as WAV or MP3 only");
  }
  if (encoding->profile.audio == OpenAiProfile::Audio::kText) {
    out->append("{\"type\":\"input_audio\",\"input_audio\":\"");
    AppendBase64(media.data(), out);
    out->append("\"}");
    return absl::OkStatus();
  }
  out->append("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"");
  AppendBase64(media.data(), out);
  absl::StrAppend(out, "\",\"format\":\"", format, "\"}}");
  return absl::OkStatus();
}

// Mistral's form.
absl::Status AppendDocumentUrl(const Media& media, const std::string& field,
                               OpenAiEncoding* encoding) {
  std::string* out = &encoding->body;
  if (media.has_file_id()) {
    return Unsupported(absl::StrCat(field, ".file_id"),
                       "this server takes documents as data or https only");
  }
  for (const auto& [name, value] :
       {std::pair<absl::string_view, const std::string*>{"name", &media.name()},
        {"detail", &media.detail()},
        {"transcript", &media.transcript()}}) {
    auto status = DropMediaHint(*value, field, name, kNotThisServer, &encoding->notes);
    if (!status.ok()) return status;
  }
  out->append("{\"type\":\"document_url\",\"document_url\":");
  if (media.has_uri()) {
    AppendJsonString(media.uri(), out);
  } else {
    std::string type;
    if (auto status = MediaTypeOf(media, field, &encoding->notes, &type); !status.ok()) {
      return status;
    }
    AppendDataUrl(type, media.data(), out);
  }
  out->push_back('}');
  return absl::OkStatus();
}

absl::Status AppendDocument(const Media& media, const std::string& field,
                            OpenAiEncoding* encoding) {
  std::string* out = &encoding->body;
  if (auto status = CheckMediaSource(media, field); !status.ok()) return status;
  if (encoding->profile.document_url) return AppendDocumentUrl(media, field, encoding);
  if (media.has_uri()) {
    return Unsupported(absl::StrCat(field, ".uri"), "documents are taken as data or file_id only");
  }
  if (auto status = DropMediaHint(media.detail(), field, "detail", kNoPlace, &encoding->notes);
      !status.ok()) {
    return status;
  }
  if (auto status =
          DropMediaHint(media.transcript(), field, "transcript", kNoPlace, &encoding->notes);
      !status.ok()) {
    return status;
  }
  if (media.has_file_id()) {
    AppendFileId(media.file_id(), out);
    return DropMediaHint(media.name(), field, "name", kNoPlace, &encoding->notes);
  }
  std::string type;
  if (auto status = MediaTypeOf(media, field, &encoding->notes, &type); !status.ok()) return status;
  out->append("{\"type\":\"file\",\"file\":{\"filename\":");
  AppendJsonString(media.name().empty() ? "document" : media.name(), out);
  out->append(",\"file_data\":");
  AppendDataUrl(type, media.data(), out);
  out->append("}}");
  return absl::OkStatus();
}

void AppendTextBlock(absl::string_view type, const std::string& text, std::string* out) {
  absl::StrAppend(out, "{\"type\":\"", type, "\",\"", type, "\":");
  AppendJsonString(text, out);
  out->push_back('}');
}

absl::Status AppendBreakpoint(const Part& part, const PartPlace& place, OpenAiEncoding* encoding) {
  if (!part.has_cache_breakpoint()) return absl::OkStatus();
  // Where it is cache_control, texts alone take it.
  const bool taken =
      encoding->profile.cache_control ? part.has_text() : TakesBreakpoints(*encoding);
  if (!taken) return DropBreakpoint(part, place, encoding);
  return AppendOpenAiBreakpoint(part.cache_breakpoint(), place.Field("cache_breakpoint"), encoding);
}

absl::Status AppendKind(const Part& part, const PartPlace& place, OpenAiEncoding* encoding) {
  switch (part.kind_case()) {
    case Part::kText:
      AppendTextBlock("text", part.text(), &encoding->body);
      return absl::OkStatus();
    case Part::kRefusal:
      AppendTextBlock("refusal", part.refusal(), &encoding->body);
      return absl::OkStatus();
    case Part::kImage:
      return AppendImage(part.image(), place.Field("image"), encoding);
    case Part::kAudio:
      return AppendAudio(part.audio(), place.Field("audio"), encoding);
    case Part::kDocument:
      return AppendDocument(part.document(), place.Field("document"), encoding);
    case Part::kVideo:
      return Unsupported(place.Field("video"), "OpenAI's chat API takes no video");
    default:
      return Invalid(place.Field(""), "no part of this kind belongs here");
  }
}

}  // namespace

bool HasPartOptions(const Part& part, const OpenAiEncoding& encoding) {
  google::protobuf::Struct options;
  return OptionsFor(part.provider_options(), encoding.context.provider, kOpenAiDialect, &options);
}

bool NeedsBlock(const Part& part, const OpenAiEncoding& encoding) {
  if (!part.has_text()) return true;
  if (part.has_cache_breakpoint() && TakesBreakpoints(encoding)) return true;
  return HasPartOptions(part, encoding);
}

bool TakesBreakpoints(const OpenAiEncoding& encoding) {
  return encoding.profile.cache_control || encoding.rules.cache_breakpoints;
}

// prompt_cache_breakpoint, which GPT-5.6 and newer take; or Anthropic's cache_control, which
// OpenRouter hands on.
absl::Status AppendOpenAiBreakpoint(const v1::CacheBreakpoint& breakpoint, const std::string& field,
                                    OpenAiEncoding* encoding) {
  const bool control = encoding->profile.cache_control;
  const absl::Duration least = control ? absl::Minutes(5) : absl::Minutes(30);
  const absl::Duration most = control ? absl::Hours(1) : absl::Hours(12);
  const char* words[] = {control ? "5m" : "30m", control ? "1h" : "12h"};
  std::string* out = &encoding->body;
  out->pop_back();
  out->append(control ? ",\"cache_control\":{\"type\":\"ephemeral\""
                      : ",\"prompt_cache_breakpoint\":{\"mode\":\"explicit\"");
  if (breakpoint.has_ttl()) {
    const absl::Duration asked =
        absl::Seconds(breakpoint.ttl().seconds()) + absl::Nanoseconds(breakpoint.ttl().nanos());
    if (asked < absl::ZeroDuration()) return Invalid(absl::StrCat(field, ".ttl"), "negative");
    const char* sent = words[asked <= least ? 0 : 1];
    if (asked != least && asked != most) {
      encoding->notes.Tell("changed", absl::StrCat(field, ".ttl"),
                           absl::StrCat("the provider keeps prompts for ", words[0], " or ",
                                        words[1], ": ", sent, " is sent"));
    }
    absl::StrAppend(out, ",\"ttl\":\"", sent, "\"");
  }
  out->append("}}");
  return absl::OkStatus();
}

absl::Status AppendBlock(const Part& part, const PartPlace& place, OpenAiEncoding* encoding) {
  std::string* out = &encoding->body;
  if (out->back() != '[') out->push_back(',');
  const size_t start = out->size();
  if (auto status = AppendKind(part, place, encoding); !status.ok()) return status;
  if (auto status = AppendBreakpoint(part, place, encoding); !status.ok()) return status;
  return MergePartOptions(part, place, start, encoding);
}

absl::Status MergePartOptions(const Part& part, const PartPlace& place, size_t start,
                              OpenAiEncoding* encoding) {
  google::protobuf::Struct options;
  if (!OptionsFor(part.provider_options(), encoding->context.provider, kOpenAiDialect, &options)) {
    return absl::OkStatus();
  }
  std::string block = encoding->body.substr(start);
  auto status = MergeOptions(part.provider_options(), encoding->context.provider, kOpenAiDialect,
                             place.Field("provider_options"), {"type"}, &block);
  if (status.ok()) encoding->body.replace(start, std::string::npos, block);
  return status;
}

absl::Status DropBreakpoint(const Part& part, const PartPlace& place, OpenAiEncoding* encoding) {
  if (!part.has_cache_breakpoint()) return absl::OkStatus();
  return encoding->notes.Drop(place.Field("cache_breakpoint"),
                              "no breakpoint can be set here; the provider's own cache serves");
}

absl::Status DropExtras(const Part& part, const PartPlace& place, OpenAiEncoding* encoding) {
  if (part.citations().empty()) return absl::OkStatus();
  return encoding->notes.Drop(place.Field("citations"), "OpenAI's chat API takes none");
}

}  // namespace mg
