#include "tests/golden/typed_shapes.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "adapters/chat_codec.h"
#include "rapidjson/pointer.h"
#include "tests/golden/decode_support.h"
#include "tests/golden/golden_files.h"

namespace mg {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// What is shorter is written out.
constexpr size_t kShortestFilled = 40;

// InvokeModel carries chats too, which no dialect of this version speaks.
bool Counts(absl::string_view api, absl::string_view name) {
  if (api == "oai-responses" || api == "oai-completions") return false;
  return !absl::StartsWith(api, "invoke") || absl::StrContains(name, "embedding");
}

std::string ValueAt(absl::string_view pointer, const JsonValue& body) {
  const rapidjson::Pointer path(pointer.data(), pointer.size());
  const JsonValue* value = path.IsValid() ? path.Get(body) : nullptr;
  if (value == nullptr || !value->IsString()) {
    ADD_FAILURE() << pointer << " is no string of the recording";
    return "";
  }
  EXPECT_GE(value->GetStringLength(), kShortestFilled) << pointer << " is to be written out";
  return std::string(StringOf(*value));
}

std::string Filled(const std::string& text, bool medium, const JsonValue& body) {
  const size_t begin = text.find("{{/");
  const size_t end = text.find("}}", begin);
  if (begin == std::string::npos || end == std::string::npos) return text;
  std::string value = ValueAt(absl::string_view(text).substr(begin + 2, end - begin - 2), body);
  if (medium) {
    const size_t url = value.find(";base64,");
    const std::string base64 = url == std::string::npos ? value : value.substr(url + 8);
    EXPECT_TRUE(absl::Base64Unescape(base64, &value)) << text;
  }
  return absl::StrCat(text.substr(0, begin), value, text.substr(end + 2));
}

void Fill(const JsonValue& body, Message* message) {
  const auto& reflection = *message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection.FieldSize(*message, field) : 1;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      for (int i = 0; i < count; ++i) {
        Fill(body, field->is_repeated() ? reflection.MutableRepeatedMessage(message, field, i)
                                        : reflection.MutableMessage(message, field));
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field->is_repeated()) {
      const bool medium = message->GetDescriptor() == v1::Media::descriptor() &&
                          field->type() == FieldDescriptor::TYPE_BYTES;
      reflection.SetString(message, field,
                           Filled(reflection.GetString(*message, field), medium, body));
    }
  }
}

absl::StatusOr<EncodedRequest> EncodeFirstBatch(const Dialect& dialect,
                                                const v1::EmbedRequest& request,
                                                const DialectContext& context) {
  const auto batches = dialect.CutEmbed(request, context);
  if (!batches.ok()) return batches.status();
  return dialect.EncodeEmbed(request, context, batches->at(0));
}

template <typename Request>
Request Read(const std::string& text, const JsonValue& body) {
  Request request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request));
  Fill(body, &request);
  return request;
}

}  // namespace

std::vector<RecordedRequest> RecordedRequests() {
  std::vector<RecordedRequest> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(FixturesDir())) {
    if (entry.path().filename() != "request.json") continue;
    const std::filesystem::path dir = entry.path().parent_path();
    if (!std::filesystem::exists(dir / "meta.json")) continue;
    const JsonDocument meta = ReadJsonFile((dir / "meta.json").string());
    RecordedRequest request;
    request.name = (dir.parent_path().filename() / dir.filename()).string();
    const absl::string_view api = StringMember(meta, "api");
    if (!Counts(api, request.name)) continue;
    request.kind = absl::StrCat(StringMember(meta, "provider"), " ", api);
    request.body = ReadJsonFile(entry.path().string());
    found.push_back(std::move(request));
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return found;
}

std::vector<std::string> ListedShapes() {
  return absl::StrSplit(ReadFile(GoldenDir() + "/shapes/LIST"), '\n', absl::SkipEmpty());
}

absl::StatusOr<TypedRequest> EncodeTyped(const RecordedRequest& recorded) {
  const std::string text =
      ReadFile(absl::StrCat(GoldenDir(), "/shapes/", recorded.name, ".textproto"));
  TypedRequest typed;
  absl::flat_hash_set<std::string> words;
  for (const std::string& word : ContextWords(text)) {
    if (!ApplyContextWord(word, &typed.context)) words.insert(word);
  }
  const Dialect& dialect = *AdapterOf(typed.context).dialect;
  absl::StatusOr<EncodedRequest> encoded;
  if (words.contains("embed")) {
    const auto request = Read<v1::EmbedRequest>(text, recorded.body);
    encoded = EncodeFirstBatch(dialect, request, typed.context);
  } else if (words.contains("count")) {
    const auto request = Read<v1::CountTokensRequest>(text, recorded.body);
    encoded = EncodeCount(dialect, request, typed.context);
  } else {
    const auto request = Read<v1::ChatRequest>(text, recorded.body);
    encoded = ChatCodec(dialect, request, typed.context, words.contains("stream")).Encode();
  }
  if (!encoded.ok()) return encoded.status();
  typed.encoded = *std::move(encoded);
  return typed;
}

}  // namespace mg
