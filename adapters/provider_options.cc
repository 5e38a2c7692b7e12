#include "adapters/provider_options.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "adapters/encode_notes.h"
#include "adapters/json_text.h"

namespace mg {
namespace {

using google::protobuf::Struct;

// Which of the two entries has the member at `path` (".a.b"): the provider's, where both have it.
absl::string_view Owner(const OptionsMap& options, absl::string_view provider,
                        absl::string_view dialect, absl::string_view path) {
  const auto own = options.find(std::string(provider));
  if (own == options.end()) return dialect;
  const Struct* at = &own->second;
  for (absl::string_view name : absl::StrSplit(path, '.', absl::SkipEmpty())) {
    const auto found = at->fields().find(std::string(name));
    if (found == at->fields().end()) return dialect;
    if (!found->second.has_struct_value()) return provider;
    at = &found->second.struct_value();
  }
  return provider;
}

}  // namespace

bool OptionsFor(const OptionsMap& options, absl::string_view provider, absl::string_view dialect,
                Struct* merged) {
  if (options.empty()) return false;
  const auto general = options.find(std::string(dialect));
  const auto own = options.find(std::string(provider));
  if (general == options.end() && own == options.end()) return false;
  if (general != options.end()) *merged = general->second;
  if (own != options.end() && own != general) LayOver(own->second, merged);
  return true;
}

absl::Status MergeOptions(const OptionsMap& options, absl::string_view provider,
                          absl::string_view dialect, absl::string_view field,
                          std::initializer_list<absl::string_view> reserved, std::string* text) {
  Struct merged;
  if (!OptionsFor(options, provider, dialect, &merged)) return absl::OkStatus();
  absl::Status status;
  for (absl::string_view name : reserved) {
    if (merged.fields().contains(std::string(name))) {
      status = absl::InvalidArgumentError(absl::StrCat(".", name));
    }
  }
  std::string out;
  out.reserve(text->size() + 256);
  if (status.ok()) status = MergeIntoObject(*text, merged, &out);
  if (status.ok()) {
    *text = std::move(out);
    return status;
  }
  const absl::string_view path = status.message();
  return Invalid(absl::StrCat(field, "[\"", Owner(options, provider, dialect, path), "\"]", path),
                 absl::IsOutOfRange(status)
                     ? "a number that JSON does not have, or nested too deep"
                     : "the gateway writes this itself: options may add to the request, never "
                       "replace what is there");
}

}  // namespace mg
