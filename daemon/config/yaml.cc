#include "daemon/config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <exception>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/utf8.h"

namespace mg {
namespace {

constexpr size_t kMaxDepth = 64;
constexpr int kMaxValues = 250'000;
constexpr char kAnchor[] =
    "has an anchor or alias (& or *): write the value itself, or quote a text that begins so";

// Builds the tree from the parser's events. After the first error the remaining events change
// nothing.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(YamlError* error) : error_(error) {}

  bool failed() const { return failed_; }
  int documents() const { return documents_; }
  YamlValue TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) Fail(mark, "begins a second document: a configuration is one");
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string&) override { FailAnchor(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { FailAnchor(mark); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    Put(mark, Value(mark, YamlValue::Kind::kNull));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& text) override {
    if (text.find('\0') != std::string::npos || !IsValidUtf8(text)) {
      Fail(mark, "a text is not UTF-8 or has a NUL character");
    }
    CheckTag(mark, tag);
    YamlValue value = Value(mark, YamlValue::Kind::kScalar);
    value.quoted = tag == "!";
    value.text = text;
    Put(mark, std::move(value));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, YamlValue::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, YamlValue::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    YAML::Mark mark;
    YamlValue value;
    bool has_key = false;  // of a map: the entry whose value comes next is the last one
  };

  static YamlValue Value(const YAML::Mark& mark, YamlValue::Kind kind) {
    YamlValue value;
    value.kind = kind;
    value.line = mark.line + 1;
    return value;
  }

  void Fail(const YAML::Mark& mark, absl::string_view message) {
    if (failed_) return;
    failed_ = true;
    error_->line = mark.line + 1;
    error_->message = std::string(message);
  }

  void FailAnchor(const YAML::Mark& mark) { Fail(mark, kAnchor); }

  // "?" and "!" are what the parser gives to plain and quoted values; "" and these are no tag in
  // the text.
  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      Fail(mark, "has a tag (!): write the value alone");
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YamlValue::Kind kind) {
    CheckTag(mark, tag);
    if (stack_.size() >= kMaxDepth)
      Fail(mark, absl::StrCat("is deeper than ", kMaxDepth, " levels"));
    if (!failed_) stack_.push_back({mark, Value(mark, kind)});
  }

  void Close() {
    if (failed_) return;
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    Put(frame.mark, std::move(frame.value));
  }

  void Put(const YAML::Mark& mark, YamlValue value) {
    if (++values_ > kMaxValues) Fail(mark, absl::StrCat("has more than ", kMaxValues, " values"));
    if (failed_) return;
    if (stack_.empty()) {
      root_ = std::move(value);
      return;
    }
    Frame& parent = stack_.back();
    if (parent.value.kind == YamlValue::Kind::kList) {
      parent.value.items.push_back(std::move(value));
    } else if (parent.has_key) {
      parent.value.entries.back().value = std::move(value);
      parent.has_key = false;
    } else if (value.kind == YamlValue::Kind::kList || value.kind == YamlValue::Kind::kMap) {
      Fail(mark, "a key is a list or map, and must be a text");
    } else {
      parent.value.entries.push_back({std::move(value.text), value.line, {}});
      parent.has_key = true;
    }
  }

  YamlError* error_;
  bool failed_ = false;
  int documents_ = 0;
  int values_ = 0;
  std::vector<Frame> stack_;
  YamlValue root_;
};

// The parser's words are fixed texts, but for an anchor's name, which could be a key at the wrong
// place.
std::string ReasonOf(const YAML::Exception& failure) {
  if (absl::StrContains(failure.msg, "anchor")) return kAnchor;
  return absl::StrCat("is not YAML: ", failure.msg);
}

bool Refuse(int line, absl::string_view message, YamlError* error) {
  *error = {line, std::string(message)};
  return false;
}

// The line in which the byte `at` stands.
int LineAt(absl::string_view text, size_t at) {
  return static_cast<int>(std::count(text.begin(), text.begin() + at, '\n')) + 1;
}

bool IsText(absl::string_view text, YamlError* error) {
  if (text.size() > kMaxConfigBytes) return Refuse(0, "is larger than 10MiB", error);
  const size_t bad = std::min(ValidUtf8Prefix(text), text.find('\0'));
  return bad >= text.size() || Refuse(LineAt(text, bad), "is not UTF-8 text", error);
}

// The library's exceptions end here.
bool RunParser(absl::string_view text, TreeBuilder* builder, YamlError* error) {
  // The parser takes a quoted text that the end of the file cuts off, but none that an end of
  // document cuts off.
  std::istringstream in(absl::StrCat(text, absl::EndsWith(text, "\n") ? "" : "\n", "...\n"));
  try {
    YAML::Parser parser(in);
    while (!builder->failed() && parser.HandleNextDocument(*builder)) {
    }
    return !builder->failed();
  } catch (const YAML::Exception& failure) {
    if (builder->failed()) return false;
    const int last = LineAt(text, absl::StripSuffix(text, "\n").size());
    return Refuse(std::min(failure.mark.line + 1, last), ReasonOf(failure), error);
  } catch (const std::exception&) {
    return Refuse(0, "is not YAML", error);
  }
}

}  // namespace

bool ParseYaml(absl::string_view text, YamlValue* root, YamlError* error) {
  TreeBuilder builder(error);
  if (!IsText(text, error) || !RunParser(text, &builder, error)) return false;
  *root = builder.TakeRoot();
  const bool empty = root->kind == YamlValue::Kind::kNull ||
                     (root->kind == YamlValue::Kind::kMap && root->entries.empty());
  if (empty) {
    return Refuse(0,
                  "is empty: without any configuration the gateway has defaults, but an empty one "
                  "is no wish for them",
                  error);
  }
  return root->kind == YamlValue::Kind::kMap || Refuse(root->line, "is no map of keys", error);
}

}  // namespace mg
