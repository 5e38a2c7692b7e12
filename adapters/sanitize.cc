#include "adapters/sanitize.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/utf8.h"
#include "re2/re2.h"

namespace mg {
namespace {

// Longer texts are cut before the expressions run over them.
constexpr size_t kMaxRead = 16 * 1024;

struct Patterns {
  // C1 controls and the marks that turn the writing direction: invisible, and able to hide what
  // follows.
  RE2 invisible{"[\\x{80}-\\x{9f}\\x{200e}\\x{200f}\\x{202a}-\\x{202e}\\x{2066}-\\x{2069}]"};
  RE2 url{R"((?i)\b[a-z][a-z0-9+.-]*://[^\s"'<>]*|\bwww\.[^\s"'<>]*)"
          R"(|\b(?:[a-z0-9-]+\.)+[a-z]{2,}/[^\s"'<>]*)"};
  // Well-known beginnings; `Bearer X`; and any long run that mixes letters and digits as no word
  // does.
  RE2 prefixed{
      R"((?i)\b(?:sk|pk|rk|gsk|xai|hf|r8|ghp|gho|csk|nvapi|pplx|fw|tgp|key)[-_][a-z0-9*_.…-]{4,})"
      R"(|\bAIza[a-z0-9*_-]{4,}|\bA[KS]IA[a-z0-9*]{8,}|\beyJ[a-z0-9_-]{8,}[a-z0-9_.-]*)"
      R"(|\bbearer\s+[^\s"']+)"};
  RE2 long_run{R"(([A-Za-z0-9+/_=-]{32,}))"};
};

const Patterns& Shared() {
  static const auto* const kPatterns = new Patterns();
  return *kPatterns;
}

bool LooksRandom(absl::string_view run) {
  const auto digits = std::count_if(run.begin(), run.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  return digits >= 4;
}

std::string WithoutLongRuns(const std::string& text) {
  std::string out;
  re2::StringPiece rest(text);
  re2::StringPiece run;
  const char* from = text.data();
  while (RE2::FindAndConsume(&rest, Shared().long_run, &run)) {
    out.append(from, static_cast<size_t>(run.data() - from));
    from = run.data() + run.size();
    if (LooksRandom(absl::string_view(run.data(), run.size()))) {
      out.append("[redacted]");
    } else {
      out.append(run.data(), run.size());
    }
  }
  out.append(from, static_cast<size_t>(text.data() + text.size() - from));
  return out;
}

bool IsHtml(absl::string_view text) {
  text = absl::StripLeadingAsciiWhitespace(text);
  return absl::StartsWithIgnoreCase(text, "<!doctype") ||
         absl::StartsWithIgnoreCase(text, "<html") || absl::StartsWithIgnoreCase(text, "<head") ||
         absl::StartsWithIgnoreCase(text, "<body") || absl::StartsWith(text, "<?xml");
}

// First: without them the rest may be a page, a key or an address.
std::string WithoutControls(absl::string_view text) {
  std::string out = WithValidUtf8(text.substr(0, kMaxRead));
  for (char& c : out) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  RE2::GlobalReplace(&out, Shared().invisible, "");
  return out;
}

}  // namespace

std::string SanitizeProviderMessage(absl::string_view text) {
  return IsHtml(WithoutControls(text)) ? "" : SanitizeText(text);
}

std::string SanitizeText(absl::string_view text) {
  std::string out = WithoutControls(text);
  RE2::GlobalReplace(&out, Shared().url, "[url]");
  RE2::GlobalReplace(&out, Shared().prefixed, "[redacted]");
  out = WithoutLongRuns(out);
  const absl::string_view trimmed = absl::StripAsciiWhitespace(out);
  return std::string(absl::StripTrailingAsciiWhitespace(CutUtf8(trimmed, kMaxProviderMessage)));
}

std::string SanitizeProviderCode(absl::string_view code) {
  code = absl::StripAsciiWhitespace(code);
  if (code.empty() || code.size() > 128) return "";
  for (char c : code) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) return "";
  }
  if (SanitizeProviderMessage(code) != code) return "";
  return std::string(code);
}

}  // namespace mg
