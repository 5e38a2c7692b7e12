#include "telemetry/scrub.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "base/utf8.h"

namespace mg {
namespace {

constexpr size_t kMinSecret = 4;
constexpr size_t kStride = kMinSecret - 1;  // so many pairs of neighbours are in four bytes
constexpr size_t kPrefix = 8;
constexpr size_t kMaxForms = 2'000;
constexpr absl::string_view kRedacted = "[redacted]";

uint16_t PairAt(absl::string_view text, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(text[at]) << 8 |
                               static_cast<uint8_t>(text[at + 1]));
}

uint16_t BeginningOf(absl::string_view text) { return PairAt(text, 0); }

std::string UrlEncoded(absl::string_view text, absl::string_view hex) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(hex[byte >> 4]);
      out.push_back(hex[byte & 15]);
    }
  }
  return out;
}

// The characters of base64 that `secret` alone decides where `before` bytes precede it ("Basic"
// joins user and key).
absl::string_view OwnPart(absl::string_view base64, size_t before, size_t size) {
  const size_t from = (before * 8 + 5) / 6;
  const size_t to = (before + size) * 8 / 6;
  return from >= to ? absl::string_view() : base64.substr(from, to - from);
}

}  // namespace

Scrubber::Scrubber(const std::vector<absl::string_view>& secrets) {
  for (const absl::string_view secret : secrets) AddSecret(secret);
}

Scrubber Scrubber::With(const std::vector<absl::string_view>& secrets) const {
  Scrubber more(secrets);
  if (more.needles_.size() + needles_.size() > kMaxForms) return more;
  for (const Secret& form : needles_) more.Add(form.Reveal());
  return more;
}

bool Scrubber::Knows(const std::vector<absl::string_view>& secrets) const {
  return std::all_of(secrets.begin(), secrets.end(), [this](absl::string_view secret) {
    return secret.size() < kMinSecret || Has(secret);
  });
}

bool Scrubber::Has(absl::string_view form) const {
  const auto found = by_beginning_.find(BeginningOf(form));
  return found != by_beginning_.end() &&
         std::any_of(found->second.begin(), found->second.end(),
                     [&](size_t index) { return needles_[index].Reveal() == form; });
}

void Scrubber::AddSecret(absl::string_view secret) {
  if (secret.size() < kMinSecret) return;
  Add(secret);
  Add(UrlEncoded(secret, "0123456789ABCDEF"));
  Add(UrlEncoded(secret, "0123456789abcdef"));
  std::string json;
  AppendJsonString(WithValidUtf8(secret), &json);
  Add(absl::string_view(json).substr(1, json.size() - 2));
  for (size_t before = 0; before < 3; ++before) {
    const std::string moved = absl::StrCat(std::string(before, '\0'), secret);
    Add(OwnPart(absl::Base64Escape(moved), before, secret.size()));
    Add(OwnPart(absl::WebSafeBase64Escape(moved), before, secret.size()));
  }
}

void Scrubber::Add(absl::string_view form) {
  if (form.size() < kMinSecret) return;
  if (Has(form)) return;
  const uint16_t beginning = BeginningOf(form);
  begins_.set(beginning);
  for (size_t at = 0; at < kStride; ++at) pairs_.set(PairAt(form, at));
  by_beginning_[beginning].push_back(needles_.size());
  needles_.emplace_back(std::string(form));
}

size_t Scrubber::Match(absl::string_view text) const {
  size_t longest = 0;
  for (const size_t index : by_beginning_.at(BeginningOf(text))) {
    const absl::string_view needle = needles_[index].Reveal();
    const size_t most = std::min(needle.size(), text.size());
    const size_t equal = static_cast<size_t>(
        std::mismatch(needle.begin(), needle.begin() + static_cast<std::ptrdiff_t>(most),
                      text.begin())
            .first -
        needle.begin());
    if (equal >= std::min(kPrefix, needle.size())) longest = std::max(longest, equal);
  }
  return longest;
}

bool Scrubber::MayFind(absl::string_view text) const {
  for (size_t at = 0; at + 1 < text.size(); at += kStride) {
    if (pairs_.test(PairAt(text, at))) return true;
  }
  return false;
}

std::pair<size_t, size_t> Scrubber::Find(absl::string_view text, size_t at) const {
  for (; !needles_.empty() && at + kMinSecret <= text.size(); ++at) {
    const absl::string_view rest = text.substr(at);
    if (!begins_.test(BeginningOf(rest))) continue;
    if (const size_t length = Match(rest); length > 0) return {at, length};
  }
  return {text.size(), 0};
}

bool Scrubber::Scrub(std::string* text) const {
  const absl::string_view all = *text;
  std::string out;
  size_t kept = 0;
  for (auto [at, length] = Find(all, 0); length > 0; std::tie(at, length) = Find(all, kept)) {
    absl::StrAppend(&out, all.substr(kept, at - kept), kRedacted);
    kept = at + length;
  }
  if (kept == 0) return false;
  absl::StrAppend(&out, all.substr(kept));
  *text = std::move(out);
  return true;
}

}  // namespace mg
