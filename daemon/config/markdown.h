// Markdown that a terminal shows as well as a browser, in lines of at most 100 columns: what the
// manual of the configuration is made of. Pure functions; any thread.
#pragma once

#include <string>

#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace mg {

std::string Code(absl::string_view text);

// "`a`, `b`".
template <typename Texts>
std::string Codes(const Texts& texts) {
  return absl::StrJoin(texts, ", ",
                       [](std::string* out, const std::string& text) { out->append(Code(text)); });
}

// Words on as few lines as hold them; code in backquotes stays in one piece.
std::string Wrapped(absl::string_view text);

// Appends a paragraph, heading or example, with an empty line before it; nothing for an empty one.
void AddBlock(absl::string_view block, std::string* page);

// A comment of a proto: lines become paragraphs; what is indented, and what follows "Example: ", is
// shown word by word.
std::string MarkdownOf(absl::string_view comment);

}  // namespace mg
