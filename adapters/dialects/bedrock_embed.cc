#include "adapters/dialects/bedrock_embed.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/bedrock_encoding.h"
#include "adapters/embedding.h"
#include "adapters/json_count.h"
#include "adapters/json_text.h"
#include "adapters/provider_errors.h"
#include "adapters/provider_options.h"

namespace mg {
namespace {

enum class Model { kNone, kTitan1, kTitan2, kCohere3, kCohere4, kNova };

constexpr int kCohereBatch = 96;

Model ModelOf(absl::string_view id) {
  if (absl::StrContains(id, "titan-embed-text-v2")) return Model::kTitan2;
  if (absl::StrContains(id, "titan-embed-text") || absl::StrContains(id, "titan-embed-g1-text")) {
    return Model::kTitan1;
  }
  if (absl::StrContains(id, "cohere.embed-v4")) return Model::kCohere4;
  if (absl::StrContains(id, "cohere.embed-")) return Model::kCohere3;
  if (absl::StrContains(id, "nova-2-multimodal-embeddings")) return Model::kNova;
  return Model::kNone;
}

bool IsCohere(Model model) { return model == Model::kCohere3 || model == Model::kCohere4; }

absl::Status CheckSettings(const v1::EmbedRequest& request, Model model) {
  if (auto status = CheckEmbedRequest(request); !status.ok()) return status;
  const std::string& type = request.element_type();
  const bool titan_binary = model == Model::kTitan2 && type == "binary";
  if (IsPackedType(type) && !IsCohere(model) && !titan_binary) {
    return Unsupported("element_type", "this model's embeddings are not of this type");
  }
  if (request.has_dimensions() && (model == Model::kTitan1 || model == Model::kCohere3)) {
    return Unsupported("dimensions", "the length of this model's vectors cannot be chosen");
  }
  const bool titan = model == Model::kTitan1 || model == Model::kTitan2;
  if (request.truncate() && titan) {
    return Unsupported("truncate", "this model never truncates: too long an input is an error");
  }
  return absl::OkStatus();
}

absl::Status CheckInput(const v1::EmbedInput& input, int index) {
  if (auto status = CheckEmbedInput(input, index); !status.ok()) return status;
  const std::string field = absl::StrCat("inputs[", index, "]");
  if (!input.parts().empty()) {
    return Unsupported(absl::StrCat(field, ".parts"), "on Bedrock texts alone are embedded");
  }
  if (!input.token_ids().empty()) {
    return Unsupported(absl::StrCat(field, ".token_ids"),
                       "token ids are those of OpenAI's own tokenizers: only OpenAI takes them");
  }
  return absl::OkStatus();
}

void WriteTitan(const v1::EmbedRequest& request, int at, std::string* body) {
  body->append("{\"inputText\":");
  AppendJsonString(request.inputs(at).text(), body);
  if (request.has_dimensions()) absl::StrAppend(body, ",\"dimensions\":", request.dimensions());
  if (IsPackedType(request.element_type())) {
    absl::StrAppend(body, ",\"embeddingTypes\":[\"", request.element_type(), "\"]");
  }
}

absl::Status WriteCohere(const v1::EmbedRequest& request, EmbedBatch batch, EncodeNotes* notes,
                         std::string* body) {
  body->append("{\"texts\":[");
  for (int i = batch.first; i < batch.first + batch.count; ++i) {
    if (i > batch.first) body->push_back(',');
    AppendJsonString(request.inputs(i).text(), body);
  }
  const std::string& task = request.task();
  std::string input_type = "search_document";
  if (task == "query") input_type = "search_query";
  if (task == "classification" || task == "clustering") input_type = task;
  absl::StrAppend(body, "],\"input_type\":\"", input_type, "\"");
  if (task.empty() || task == "similarity") {
    notes->Tell("changed", "task", "the model wants one that it has: search_document is sent");
  }
  if (IsPackedType(request.element_type())) {
    absl::StrAppend(body, ",\"embedding_types\":[\"", request.element_type(), "\"]");
  }
  if (request.has_dimensions()) {
    absl::StrAppend(body, ",\"output_dimension\":", request.dimensions());
  }
  if (request.has_truncate()) {
    absl::StrAppend(body, ",\"truncate\":\"", request.truncate() ? "END" : "NONE", "\"");
  }
  return absl::OkStatus();
}

void WriteNova(const v1::EmbedRequest& request, int at, EncodeNotes* notes, std::string* body) {
  const std::string& task = request.task();
  absl::string_view purpose = "GENERIC_INDEX";
  if (task == "query") purpose = "GENERIC_RETRIEVAL";
  if (task == "classification") purpose = "CLASSIFICATION";
  if (task == "clustering") purpose = "CLUSTERING";
  if (task == "similarity") {
    notes->Tell("changed", "task", "the model has no such purpose: GENERIC_INDEX is sent");
  }
  absl::StrAppend(body,
                  "{\"taskType\":\"SINGLE_EMBEDDING\",\"singleEmbeddingParams\":{"
                  "\"embeddingPurpose\":\"",
                  purpose, "\"");
  if (request.has_dimensions()) {
    absl::StrAppend(body, ",\"embeddingDimension\":", request.dimensions());
  }
  // The model wants to be told; too long an input is an error unless the caller says otherwise.
  absl::StrAppend(body, ",\"text\":{\"truncationMode\":\"", request.truncate() ? "END" : "NONE",
                  "\",\"value\":");
  AppendJsonString(request.inputs(at).text(), body);
  body->append("}}");
}

// One bit a dimension, highest first, of a list that has a number for each.
bool ReadBits(const JsonValue& value, v1::Embedding* embedding) {
  if (!value.IsArray() || value.Empty()) return false;
  std::string* packed = embedding->mutable_packed();
  packed->assign((value.Size() + 7) / 8, '\0');
  for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
    if (!value[i].IsInt() || (value[i].GetInt() & ~1) != 0) return false;
    if (value[i].GetInt() == 0) continue;
    char& byte = (*packed)[i / 8];
    byte = static_cast<char>(static_cast<unsigned char>(byte) | (0x80U >> (i % 8)));
  }
  return true;
}

bool ReadTitan(const JsonValue& answer, v1::Embedding* embedding) {
  const JsonValue* by_type = Member(answer, "embeddingsByType");
  const JsonValue* bits = by_type == nullptr ? nullptr : Member(*by_type, "binary");
  if (bits != nullptr) return ReadBits(*bits, embedding);
  const JsonValue* floats = Member(answer, "embedding");
  if (floats == nullptr && by_type != nullptr) floats = Member(*by_type, "float");
  return floats != nullptr && ReadFloats(*floats, embedding);
}

// The list of the vectors, and whether they are packed. nullptr: there is none.
const JsonValue* CoheresVectors(const JsonValue& answer, bool* packed) {
  *packed = false;
  const JsonValue* embeddings = Member(answer, "embeddings");
  if (embeddings == nullptr || embeddings->IsArray()) return embeddings;
  for (const char* type : {"float", "int8", "uint8", "binary", "ubinary"}) {
    const JsonValue* vectors = Member(*embeddings, type);
    if (vectors == nullptr) continue;
    *packed = IsPackedType(type);
    return vectors;
  }
  return nullptr;
}

bool ReadCohere(const JsonValue& answer, int count, v1::EmbedResponse* response) {
  bool packed = false;
  const JsonValue* vectors = CoheresVectors(answer, &packed);
  if (vectors == nullptr || !vectors->IsArray() || static_cast<int>(vectors->Size()) != count) {
    return false;
  }
  for (const JsonValue& vector : vectors->GetArray()) {
    v1::Embedding* embedding = response->add_embeddings();
    if (!(packed ? ReadBytes(vector, embedding) : ReadFloats(vector, embedding))) return false;
  }
  return true;
}

bool ReadNova(const JsonValue& answer, v1::Embedding* embedding) {
  const JsonValue* embeddings = Member(answer, "embeddings");
  if (embeddings == nullptr || !embeddings->IsArray() || embeddings->Size() != 1) return false;
  const JsonValue* vector = Member((*embeddings)[0], "embedding");
  return vector != nullptr && ReadFloats(*vector, embedding);
}

void AddTokens(int32_t tokens, v1::EmbedResponse* response) {
  v1::Usage* usage = response->mutable_usage();
  const int64_t sum = int64_t{usage->input_tokens()} + tokens;
  const auto counted =
      static_cast<int32_t>(std::min<int64_t>(sum, std::numeric_limits<int32_t>::max()));
  usage->set_input_tokens(counted);
  usage->set_total_tokens(counted);
}

}  // namespace

bool IsBedrockEmbedModel(absl::string_view model) { return ModelOf(model) != Model::kNone; }

absl::StatusOr<std::vector<EmbedBatch>> CutBedrockEmbed(const v1::EmbedRequest& request,
                                                        const DialectContext& context) {
  const Model model = ModelOf(KnownModel(context));
  if (model == Model::kNone) {
    return MakeError(ErrorClass::kUnsupportedMethod,
                     absl::StrCat("the embeddings of ", context.model,
                                  " are not known: Titan's, Cohere's and Nova's are"));
  }
  if (auto status = CheckSettings(request, model); !status.ok()) return status;
  const int limit = IsCohere(model) ? kCohereBatch : 1;
  std::vector<EmbedBatch> batches;
  for (int i = 0; i < request.inputs_size(); ++i) {
    if (auto status = CheckInput(request.inputs(i), i); !status.ok()) return status;
    if (i % limit == 0) batches.push_back({i, 0});
    ++batches.back().count;
  }
  return batches;
}

absl::StatusOr<EncodedRequest> EncodeBedrockEmbed(const v1::EmbedRequest& request,
                                                  const DialectContext& context, EmbedBatch batch) {
  const Model model = ModelOf(KnownModel(context));
  EncodeNotes notes(context.refuse_unsupported);
  std::string body;
  absl::Status status;
  if (IsCohere(model)) {
    status = WriteCohere(request, batch, &notes, &body);
  } else if (model == Model::kNova) {
    WriteNova(request, batch.first, &notes, &body);
  } else {
    WriteTitan(request, batch.first, &body);
    if (!request.task().empty()) status = notes.Drop("task", "Titan's embeddings know no task");
  }
  if (status.ok() && !request.context().end_user().empty()) {
    status = notes.Drop("context.end_user", "Bedrock has no such parameter");
  }
  if (!status.ok()) return status;
  body.push_back('}');
  status = MergeOptions(request.provider_options(), context.provider, kBedrockDialect,
                        "provider_options", {"inputText", "texts", "images", "inputs"}, &body);
  if (!status.ok()) return status;
  EncodedRequest encoded;
  encoded.http.body = std::move(body);
  encoded.warnings = notes.TakeWarnings();
  return encoded;
}

absl::Status DecodeBedrockEmbed(const DialectContext& context, EmbedBatch batch,
                                absl::string_view body, v1::EmbedResponse* response) {
  JsonDocument document;
  if (auto status = ParseJson(body, &document); !status.ok()) {
    return MalformedAnswer(context, status.message());
  }
  const Model model = ModelOf(KnownModel(context));
  const bool read = IsCohere(model)         ? ReadCohere(document, batch.count, response)
                    : model == Model::kNova ? ReadNova(document, response->add_embeddings())
                                            : ReadTitan(document, response->add_embeddings());
  if (!read) return MalformedAnswer(context, "as many sound vectors as inputs were wanted");
  response->set_model(context.model);
  const auto tokens = CountMember(document, "inputTextTokenCount");
  if (tokens.has_value()) AddTokens(*tokens, response);
  return absl::OkStatus();
}

void AddBedrockEmbedUsage(const DialectContext& context, const HttpHead& head,
                          absl::string_view body, v1::EmbedResponse* response) {
  const Model model = ModelOf(KnownModel(context));
  if (!IsCohere(model) && model != Model::kNova) return;
  absl::string_view told = MemberText(body, "inputTokenCount");
  if (told.empty()) told = FindHeader(head.headers, "x-amzn-bedrock-input-token-count");
  int32_t tokens = 0;
  if (absl::SimpleAtoi(told, &tokens) && tokens >= 0) AddTokens(tokens, response);
}

}  // namespace mg
