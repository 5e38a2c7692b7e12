#include "adapters/media.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"

namespace mg {

absl::string_view SniffMediaType(absl::string_view data) {
  const auto riff = [&](absl::string_view form) {
    return data.size() >= 12 && absl::StartsWith(data, "RIFF") && data.substr(8, 4) == form;
  };
  if (absl::StartsWith(data, "\x89PNG\r\n\x1a\n")) return "image/png";
  if (absl::StartsWith(data, "\xff\xd8\xff")) return "image/jpeg";
  if (absl::StartsWith(data, "GIF87a") || absl::StartsWith(data, "GIF89a")) return "image/gif";
  if (riff("WEBP")) return "image/webp";
  if (absl::StartsWith(data, "%PDF-")) return "application/pdf";
  if (riff("WAVE")) return "audio/wav";
  if (absl::StartsWith(data, "ID3")) return "audio/mpeg";
  return {};
}

std::string NormalMediaType(absl::string_view media_type) {
  std::string type =
      absl::AsciiStrToLower(absl::StripAsciiWhitespace(media_type.substr(0, media_type.find(';'))));
  if (type == "image/jpg" || type == "image/pjpeg") return "image/jpeg";
  if (type == "audio/mp3" || type == "audio/x-mp3" || type == "audio/mpeg3") return "audio/mpeg";
  if (type == "audio/x-wav" || type == "audio/wave" || type == "audio/vnd.wave") return "audio/wav";
  return type;
}

void AppendBase64(absl::string_view data, std::string* out) {
  // In pieces, so that a large medium is not held twice.
  constexpr size_t kPiece = 3 * 64 * 1024;
  std::string encoded;
  for (size_t at = 0; at < data.size(); at += kPiece) {
    absl::Base64Escape(data.substr(at, kPiece), &encoded);
    out->append(encoded);
  }
}

}  // namespace mg
