#include "base/json.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "rapidjson/error/en.h"
#include "rapidjson/reader.h"
#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"

namespace mg {
namespace {

// With SSE2 the reader looks at aligned blocks of 16 bytes, of which the last may hold the text's
// end.
constexpr size_t kReadAhead = 16;

// Passes events on to the document and stops at the limits of depth and of values; the reader is
// iterative, so depth costs no stack.
class Limited {
 public:
  Limited(JsonDocument* document, const JsonLimits& limits)
      : document_(document), max_depth_(limits.max_depth), values_left_(limits.max_values) {}

  bool too_many() const { return too_many_; }

  bool Null() { return Count() && document_->Null(); }
  bool Bool(bool b) { return Count() && document_->Bool(b); }
  bool Int(int i) { return Count() && document_->Int(i); }
  bool Uint(unsigned i) { return Count() && document_->Uint(i); }
  bool Int64(int64_t i) { return Count() && document_->Int64(i); }
  bool Uint64(uint64_t i) { return Count() && document_->Uint64(i); }
  bool Double(double d) { return Count() && document_->Double(d); }
  bool RawNumber(const char* s, rapidjson::SizeType n, bool copy) {
    return document_->RawNumber(s, n, copy);
  }
  bool String(const char* s, rapidjson::SizeType n, bool) {
    return Count() && document_->String(s, n, true);
  }
  bool Key(const char* s, rapidjson::SizeType n, bool) { return document_->Key(s, n, true); }
  bool StartObject() { return Count() && Enter() && document_->StartObject(); }
  bool EndObject(rapidjson::SizeType n) { return Leave() && document_->EndObject(n); }
  bool StartArray() { return Count() && Enter() && document_->StartArray(); }
  bool EndArray(rapidjson::SizeType n) { return Leave() && document_->EndArray(n); }

 private:
  bool Count() {
    too_many_ = values_left_ == 0;
    --values_left_;
    return !too_many_;
  }
  bool Enter() { return ++depth_ <= max_depth_; }
  bool Leave() {
    --depth_;
    return true;
  }

  JsonDocument* const document_;
  const int max_depth_;
  int depth_ = 0;
  size_t values_left_;
  bool too_many_ = false;
};

// A generator in the form that Document::Populate wants: on failure it is given back an empty
// document.
struct Generator {
  std::string text;
  JsonLimits limits;
  rapidjson::ParseResult result;
  bool too_many = false;

  bool operator()(JsonDocument& document) {
    // In situ the reader writes unescaped strings over the text, instead of putting them together
    // on its stack byte by byte; the document has its own copies.
    rapidjson::InsituStringStream bytes(text.data());
    Limited handler(&document, limits);
    rapidjson::Reader reader;
    constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                                rapidjson::kParseFullPrecisionFlag | rapidjson::kParseInsituFlag;
    result = reader.Parse<kFlags>(bytes, handler);
    too_many = handler.too_many();
    // The reader takes a NUL for the end of its bytes.
    if (!result.IsError() && bytes.Tell() < text.size()) {
      result.Set(rapidjson::kParseErrorDocumentRootNotSingular, bytes.Tell());
    }
    return !result.IsError();
  }
};

bool HexUnit(absl::string_view text, size_t at, unsigned* unit) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return false;
  unsigned value = 0;
  for (size_t i = at + 2; i < at + 6; ++i) {
    const char c = text[i];
    unsigned digit = 0;
    if (c >= '0' && c <= '9')
      digit = static_cast<unsigned>(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<unsigned>(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F')
      digit = static_cast<unsigned>(c - 'A') + 10;
    else
      return false;
    value = value * 16 + digit;
  }
  *unit = value;
  return true;
}

bool HasSurrogateEscape(absl::string_view text) {
  return absl::StrContains(text, "\\ud") || absl::StrContains(text, "\\uD");
}

// RapidJSON refuses a high surrogate that stands alone and makes invalid UTF-8 of a low one; some
// servers send them. Each becomes the escape of U+FFFD, which is as long, so that all offsets stay.
void AppendWithoutLoneSurrogates(absl::string_view text, std::string* out) {
  size_t at = 0;
  while (at < text.size()) {
    unsigned unit = 0;
    if (text[at] != '\\') {
      out->push_back(text[at++]);
    } else if (!HexUnit(text, at, &unit)) {
      const size_t length =
          at + 1 < text.size() ? 2 : 1;  // an escaped backslash hides what follows it
      out->append(text.data() + at, length);
      at += length;
    } else {
      const bool high = unit >= 0xD800 && unit <= 0xDBFF;
      const bool low = unit >= 0xDC00 && unit <= 0xDFFF;
      unsigned second = 0;
      if (high && HexUnit(text, at + 6, &second) && second >= 0xDC00 && second <= 0xDFFF) {
        out->append(text.data() + at, 12);
        at += 12;
        continue;
      }
      if (high || low) {
        out->append("\\uFFFD");
      } else {
        out->append(text.data() + at, 6);
      }
      at += 6;
    }
  }
}

// How many bytes at the head of `text` need no escape. Sixteen are looked at together, without a
// way out among them, so that the compiler makes one step of them: prompts are long.
size_t PlainPrefix(absl::string_view text) {
  const auto plain = [](char c) {
    return (static_cast<unsigned char>(c) >= 0x20) & (c != '"') & (c != '\\');
  };
  size_t at = 0;
  for (; at + 16 <= text.size(); at += 16) {
    bool all = true;
    for (size_t i = at; i < at + 16; ++i) all &= plain(text[i]);
    if (!all) break;
  }
  while (at < text.size() && plain(text[at])) ++at;
  return at;
}

}  // namespace

absl::Status ParseJson(absl::string_view text, JsonDocument* document, JsonLimits limits) {
  document->SetNull();
  if (text.size() > limits.max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("JSON of ", text.size(), " bytes; at most ", limits.max_bytes, " are taken"));
  }
  const size_t valid = ValidUtf8Prefix(text);
  if (valid != text.size()) {
    return absl::InvalidArgumentError(absl::StrCat("not JSON at byte ", valid, ": invalid UTF-8"));
  }
  Generator generate;
  generate.text.reserve(text.size() + kReadAhead);
  if (HasSurrogateEscape(text)) {
    AppendWithoutLoneSurrogates(text, &generate.text);
  } else {
    generate.text.append(text.data(), text.size());
  }
  generate.limits = limits;
  document->Populate(generate);
  if (!generate.result.IsError()) return absl::OkStatus();
  document->SetNull();
  if (generate.too_many) {
    return absl::InvalidArgumentError(absl::StrCat("not JSON at byte ", generate.result.Offset(),
                                                   ": more than ", limits.max_values, " values"));
  }
  const bool too_deep = generate.result.Code() == rapidjson::kParseErrorTermination;
  return absl::InvalidArgumentError(
      absl::StrCat("not JSON at byte ", generate.result.Offset(), ": ",
                   too_deep ? absl::StrCat("nested deeper than ", limits.max_depth, " levels")
                            : std::string(rapidjson::GetParseError_En(generate.result.Code()))));
}

std::string ToJsonText(const JsonValue& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return std::string(buffer.GetString(), buffer.GetSize());
}

const JsonValue* Member(const JsonValue& value, absl::string_view name) {
  if (!value.IsObject()) return nullptr;
  const auto end = value.MemberEnd();
  for (auto member = value.MemberBegin(); member != end; ++member) {
    if (StringOf(member->name) == name) return member->value.IsNull() ? nullptr : &member->value;
  }
  return nullptr;
}

absl::string_view StringMember(const JsonValue& value, absl::string_view name) {
  const JsonValue* member = Member(value, name);
  return member != nullptr && member->IsString() ? StringOf(*member) : absl::string_view();
}

void AppendJsonString(absl::string_view text, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  while (true) {
    const size_t plain = PlainPrefix(text);
    out->append(text.data(), plain);
    if (plain == text.size()) break;
    const auto c = static_cast<unsigned char>(text[plain]);
    text.remove_prefix(plain + 1);
    switch (c) {
      case '"':
        out->append("\\\"");
        break;
      case '\\':
        out->append("\\\\");
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\r':
        out->append("\\r");
        break;
      case '\t':
        out->append("\\t");
        break;
      default:
        out->append("\\u00");
        out->push_back(kHex[c >> 4]);
        out->push_back(kHex[c & 15]);
    }
  }
  out->push_back('"');
}

}  // namespace mg
