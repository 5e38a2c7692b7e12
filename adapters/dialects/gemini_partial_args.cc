#include "adapters/dialects/gemini_partial_args.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/json_text.h"

namespace mg {
namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kMaxIndex = 4096;    // elements that are skipped become null
constexpr size_t kMaxMembers = 1024;  // of one object: each piece looks for its own
constexpr size_t kNodeBytes = 96;

bool GoesOn(const JsonValue& piece) {
  const JsonValue* more = Member(piece, "willContinue");
  return more != nullptr && more->IsTrue();
}

// Takes ".name", "['name']", "[\"name\"]" or "[3]" off the path. `index` < 0: a name.
bool TakeStep(absl::string_view* path, std::string* name, int* index) {
  *index = -1;
  if (absl::ConsumePrefix(path, "[")) {
    const bool quoted = !path->empty() && ((*path)[0] == '\'' || (*path)[0] == '"');
    const std::string end = quoted ? absl::StrCat(path->substr(0, 1), "]") : "]";
    if (quoted) path->remove_prefix(1);
    const size_t at = path->find(end);
    if (at == absl::string_view::npos) return false;
    *name = std::string(path->substr(0, at));
    path->remove_prefix(at + end.size());
    return quoted || (absl::SimpleAtoi(*name, index) && *index >= 0);
  }
  if (!absl::ConsumePrefix(path, ".")) return false;
  *name = std::string(path->substr(0, path->find_first_of(".[")));
  path->remove_prefix(name->size());
  return !name->empty();
}

}  // namespace

GeminiPartialArgs::Node* GeminiPartialArgs::Child(Node* node, absl::string_view name) {
  if (node->kind != Node::Kind::kObject) *node = Node{Node::Kind::kObject, "", {}};
  for (auto& [known, child] : node->members) {
    if (known == name) return child.get();
  }
  if (node->members.size() >= kMaxMembers) return nullptr;
  held_bytes_ += name.size() + kNodeBytes;
  return node->members.emplace_back(std::string(name), std::make_unique<Node>()).second.get();
}

GeminiPartialArgs::Node* GeminiPartialArgs::Element(Node* node, size_t index) {
  if (index >= kMaxIndex) return nullptr;
  if (node->kind != Node::Kind::kArray) *node = Node{Node::Kind::kArray, "", {}};
  while (node->members.size() <= index) {
    held_bytes_ += kNodeBytes;
    node->members.emplace_back("", std::make_unique<Node>());
  }
  return node->members[index].second.get();
}

GeminiPartialArgs::Node* GeminiPartialArgs::NodeAt(absl::string_view path) {
  if (!absl::ConsumePrefix(&path, "$") || path.empty()) return nullptr;
  Node* node = &root_;
  for (int depth = 0; node != nullptr && !path.empty(); ++depth) {
    std::string name;
    int index = -1;
    if (depth >= kMaxDepth || !TakeStep(&path, &name, &index)) return nullptr;
    if (depth == 0 && index >= 0) return nullptr;  // arguments are an object
    node = index < 0 ? Child(node, name) : Element(node, static_cast<size_t>(index));
  }
  return node;
}

void GeminiPartialArgs::Add(const JsonValue& piece, absl::string_view text) {
  const absl::string_view path = StringMember(piece, "jsonPath");
  Node* node = NodeAt(path);
  const bool continues = !open_path_.empty() && open_path_ == path;
  open_path_ = node != nullptr && GoesOn(piece) ? std::string(path) : "";
  if (node == nullptr) return;
  if (const JsonValue* value = Member(piece, "stringValue");
      value != nullptr && value->IsString()) {
    if (!continues || node->kind != Node::Kind::kText) *node = Node{Node::Kind::kText, "", {}};
    absl::StrAppend(&node->value, StringOf(*value));
    held_bytes_ += value->GetStringLength();
    return;
  }
  *node = Node{Node::Kind::kJson, "null", {}};  // nullValue, or nothing at all
  for (const char* name : {"numberValue", "boolValue"}) {
    const JsonValue* value = Member(piece, name);
    if (value == nullptr || (!value->IsNumber() && !value->IsBool())) continue;
    node->value = std::string(MemberText(text, name));  // its digits as they were written
  }
  held_bytes_ += node->value.size();
}

void GeminiPartialArgs::Write(const Node& node, std::string* out) {
  switch (node.kind) {
    case Node::Kind::kNone:
      out->append("null");
      return;
    case Node::Kind::kText:
      AppendJsonString(node.value, out);
      return;
    case Node::Kind::kJson:
      out->append(node.value);
      return;
    case Node::Kind::kObject:
      out->push_back('{');
      for (const auto& [name, child] : node.members) {
        AppendJsonKey(name, out);
        Write(*child, out);
      }
      out->push_back('}');
      return;
    case Node::Kind::kArray:
      out->push_back('[');
      for (const auto& member : node.members) {
        if (out->back() != '[') out->push_back(',');
        Write(*member.second, out);
      }
      out->push_back(']');
      return;
  }
}

std::string GeminiPartialArgs::Json() const {
  if (root_.kind == Node::Kind::kNone) return "{}";
  std::string out;
  Write(root_, &out);
  return out;
}

}  // namespace mg
