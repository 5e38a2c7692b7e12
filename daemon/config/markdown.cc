#include "daemon/config/markdown.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace mg {
namespace {

constexpr size_t kColumns = 100;

// Words, and code in backquotes as one word.
std::vector<std::string> WordsOf(absl::string_view text) {
  std::vector<std::string> words(1);
  bool code = false;
  for (const char c : text) {
    if (c == '`') code = !code;
    if (c != ' ' || code) {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

}  // namespace

std::string Code(absl::string_view text) { return absl::StrCat("`", text, "`"); }

std::string Wrapped(absl::string_view text) {
  std::string lines;
  size_t column = 0;
  for (const std::string& word : WordsOf(text)) {
    const bool fits = column > 0 && column + 1 + word.size() <= kColumns;
    if (column > 0) lines += fits ? ' ' : '\n';
    column = (fits ? column + 1 : 0) + word.size();
    lines += word;
  }
  return lines;
}

void AddBlock(absl::string_view block, std::string* page) {
  if (block.empty()) return;
  absl::StrAppend(page, page->empty() ? "" : "\n\n", block);
}

std::string MarkdownOf(absl::string_view comment) {
  std::string page;
  std::string paragraph;
  std::string code;
  const auto end_paragraph = [&] {
    const std::vector<std::string> parts =
        absl::StrSplit(paragraph, absl::MaxSplits(absl::ByString("Example: "), 1));
    AddBlock(Wrapped(parts[0]), &page);
    if (parts.size() > 1) AddBlock(absl::StrCat("Example:\n\n    ", parts[1]), &page);
    paragraph.clear();
  };
  const auto end_code = [&] {
    AddBlock(code, &page);
    code.clear();
  };
  for (absl::string_view line : absl::StrSplit(comment, '\n')) {
    absl::ConsumePrefix(&line, " ");
    if (absl::ConsumePrefix(&line, "  ")) {
      end_paragraph();
      absl::StrAppend(&code, code.empty() ? "" : "\n", "    ", line);
      continue;
    }
    end_code();
    if (line.empty()) {
      end_paragraph();
    } else {
      absl::StrAppend(&paragraph, paragraph.empty() ? "" : " ", line);
    }
  }
  end_paragraph();
  end_code();
  return page;
}

}  // namespace mg
