// Content blocks of Anthropic's messages, one for each kind of part.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/cache_ttl.h"
#include "adapters/dialects/anthropic_encoding.h"
#include "adapters/json_text.h"
#include "adapters/media.h"
#include "adapters/media_source.h"
#include "adapters/provider_options.h"
#include "base/utf8.h"

namespace mg {
namespace {

using v1::Media;
using v1::Part;

constexpr int kMaxBreakpoints = 4;
constexpr absl::string_view kNoPlace = "Anthropic's API has no place for it here";
constexpr absl::string_view kImages[] = {"image/jpeg", "image/png", "image/gif", "image/webp"};

void AppendText(const std::string& text, std::string* out) {
  out->append("{\"type\":\"text\",\"text\":");
  AppendJsonString(text, out);
  out->push_back('}');
}

absl::Status CheckHints(const Media& media, const std::string& field, bool titled,
                        AnthropicEncoding* encoding) {
  absl::Status status;
  if (!titled)
    status.Update(DropMediaHint(media.name(), field, "name", kNoPlace, &encoding->notes));
  if (status.ok()) {
    status = DropMediaHint(media.detail(), field, "detail", kNoPlace, &encoding->notes);
  }
  if (status.ok()) {
    status = DropMediaHint(media.transcript(), field, "transcript", kNoPlace, &encoding->notes);
  }
  return status;
}

void AppendBase64Source(absl::string_view type, const Media& media, std::string* out) {
  absl::StrAppend(out, "{\"type\":\"base64\",\"media_type\":\"", type, "\",\"data\":\"");
  AppendBase64(media.data(), out);
  out->append("\"}");
}

// Of a file or URL; false where the media is data.
bool AppendReference(const Media& media, std::string* out) {
  if (media.has_data()) return false;
  out->append(media.has_uri() ? "{\"type\":\"url\",\"url\":" : "{\"type\":\"file\",\"file_id\":");
  AppendJsonString(media.has_uri() ? media.uri() : media.file_id(), out);
  out->push_back('}');
  return true;
}

// Where media are, as count_tokens takes them.
absl::Status CheckSource(const Media& media, const std::string& field,
                         const AnthropicEncoding& encoding) {
  if (auto status = CheckMediaSource(media, field); !status.ok()) return status;
  if (!encoding.counting || media.has_data()) return absl::OkStatus();
  return Unsupported(absl::StrCat(field, media.has_uri() ? ".uri" : ".file_id"),
                     "Anthropic counts media only where they are sent as data");
}

absl::Status AppendImage(const Media& media, const std::string& field,
                         AnthropicEncoding* encoding) {
  std::string* out = &encoding->body;
  if (auto status = CheckSource(media, field, *encoding); !status.ok()) return status;
  if (auto status = CheckHints(media, field, false, encoding); !status.ok()) return status;
  out->append("{\"type\":\"image\",\"source\":");
  if (!AppendReference(media, out)) {
    std::string type;
    if (auto status = MediaTypeOf(media, field, &encoding->notes, &type); !status.ok()) {
      return status;
    }
    if (std::find(std::begin(kImages), std::end(kImages), type) == std::end(kImages)) {
      return Unsupported(absl::StrCat(field, ".media_type"),
                         "images are taken as JPEG, PNG, GIF or WebP only");
    }
    AppendBase64Source(type, media, out);
  }
  out->push_back('}');
  return absl::OkStatus();
}

absl::Status AppendDocument(const Media& media, const std::string& field,
                            AnthropicEncoding* encoding) {
  std::string* out = &encoding->body;
  if (auto status = CheckSource(media, field, *encoding); !status.ok()) return status;
  if (auto status = CheckHints(media, field, true, encoding); !status.ok()) return status;
  out->append("{\"type\":\"document\",\"source\":");
  if (!AppendReference(media, out)) {
    std::string type;
    if (auto status = MediaTypeOf(media, field, &encoding->notes, &type); !status.ok()) {
      return status;
    }
    if (type == "application/pdf") {
      AppendBase64Source(type, media, out);
    } else if (absl::StartsWith(type, "text/") && IsValidUtf8(media.data())) {
      out->append("{\"type\":\"text\",\"media_type\":\"text/plain\",\"data\":");
      AppendJsonString(media.data(), out);
      out->push_back('}');
    } else {
      return Unsupported(absl::StrCat(field, ".media_type"),
                         "documents are taken as PDF, or as text in UTF-8, only");
    }
  }
  if (!media.name().empty()) {
    out->append(",\"title\":");
    AppendJsonString(media.name(), out);
  }
  out->push_back('}');
  return absl::OkStatus();
}

absl::Status AppendKind(const Part& part, const PartPlace& place, AnthropicEncoding* encoding) {
  switch (part.kind_case()) {
    case Part::kText:
      AppendText(part.text(), &encoding->body);
      return absl::OkStatus();
    case Part::kRefusal:
      AppendText(part.refusal(), &encoding->body);
      return absl::OkStatus();
    case Part::kImage:
      return AppendImage(part.image(), place.Field("image"), encoding);
    case Part::kDocument:
      return AppendDocument(part.document(), place.Field("document"), encoding);
    case Part::kAudio:
      return Unsupported(place.Field("audio"), "Anthropic's API takes no audio");
    case Part::kVideo:
      return Unsupported(place.Field("video"), "Anthropic's API takes no video");
    default:
      return Invalid(place.Field(""), "no part of this kind belongs here");
  }
}

}  // namespace

absl::Status AppendCacheControl(const v1::CacheBreakpoint& breakpoint, const std::string& field,
                                AnthropicEncoding* encoding) {
  if (encoding->breakpoints == kMaxBreakpoints) {
    return encoding->notes.Drop(
        field, absl::StrCat("the provider takes ", kMaxBreakpoints, "; the first ones are sent"));
  }
  ++encoding->breakpoints;
  std::string* out = &encoding->body;
  out->pop_back();
  AppendJsonKey("cache_control", out);
  out->append("{\"type\":\"ephemeral\"");
  absl::string_view ttl;
  if (auto status = CacheTtl(breakpoint, field, &encoding->notes, &ttl); !status.ok()) {
    return status;
  }
  if (!ttl.empty()) absl::StrAppend(out, ",\"ttl\":\"", ttl, "\"");
  out->append("}}");
  return absl::OkStatus();
}

bool HasAnthropicOptions(const Part& part, const DialectContext& context) {
  google::protobuf::Struct options;
  return OptionsFor(part.provider_options(), context.provider, kAnthropicDialect, &options);
}

absl::Status AppendAnthropicBlock(const Part& part, const PartPlace& place,
                                  AnthropicEncoding* encoding) {
  const size_t start = encoding->body.size();
  if (auto status = AppendKind(part, place, encoding); !status.ok()) return status;
  return FinishAnthropicBlock(part, place, start, encoding);
}

absl::Status FinishAnthropicBlock(const Part& part, const PartPlace& place, size_t start,
                                  AnthropicEncoding* encoding) {
  if (part.has_cache_breakpoint()) {
    auto status =
        AppendCacheControl(part.cache_breakpoint(), place.Field("cache_breakpoint"), encoding);
    if (!status.ok()) return status;
  }
  if (!HasAnthropicOptions(part, encoding->context)) return absl::OkStatus();
  std::string block = encoding->body.substr(start);
  auto status = MergeOptions(part.provider_options(), encoding->context.provider, kAnthropicDialect,
                             place.Field("provider_options"), {"type"}, &block);
  if (status.ok()) encoding->body.replace(start, std::string::npos, block);
  return status;
}

}  // namespace mg
