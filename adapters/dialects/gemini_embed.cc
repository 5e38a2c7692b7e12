#include "adapters/dialects/gemini_embed.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/gemini_encoding.h"
#include "adapters/dialects/gemini_errors.h"
#include "adapters/dialects/gemini_path.h"
#include "adapters/embedding.h"
#include "adapters/json_count.h"
#include "adapters/json_text.h"
#include "adapters/provider_errors.h"
#include "adapters/provider_options.h"

namespace mg {
namespace {

enum class Shape {
  kBatch,    // AI Studio's batchEmbedContents
  kPredict,  // Vertex AI's older models
  kSingle,   // Vertex AI's newer ones: one content a call
};

Shape ShapeOf(absl::string_view model, bool vertex) {
  if (!vertex) return Shape::kBatch;
  const bool gemini =
      absl::StrContains(model, "gemini") && !absl::StrContains(model, "gemini-embedding-001");
  return gemini || absl::StrContains(model, "maas") ? Shape::kSingle : Shape::kPredict;
}

int LimitOf(Shape shape, absl::string_view model) {
  if (shape == Shape::kBatch) return 100;
  // In some regions gemini-embedding-001 takes one at a time.
  const bool single = shape == Shape::kSingle || absl::StrContains(model, "gemini-embedding-001");
  return single ? 1 : 250;
}

absl::string_view TaskWord(absl::string_view task) {
  if (task == "query") return "RETRIEVAL_QUERY";
  if (task == "document") return "RETRIEVAL_DOCUMENT";
  if (task == "classification") return "CLASSIFICATION";
  if (task == "clustering") return "CLUSTERING";
  return task == "similarity" ? "SEMANTIC_SIMILARITY" : "";
}

absl::Status CheckInput(const v1::EmbedInput& input, int index) {
  if (auto status = CheckEmbedInput(input, index); !status.ok()) return status;
  if (!input.parts().empty()) {
    return Unsupported(absl::StrCat("inputs[", index, "].parts"),
                       "Gemini's embeddings take texts alone in this version");
  }
  if (!input.token_ids().empty()) {
    return Unsupported(absl::StrCat("inputs[", index, "].token_ids"),
                       "token ids are those of OpenAI's own tokenizers: only OpenAI takes them");
  }
  return absl::OkStatus();
}

void AppendContent(const std::string& text, std::string* out) {
  out->append("\"content\":{\"parts\":[{\"text\":");
  AppendJsonString(text, out);
  out->append("}]}");
}

// The settings as members of the object at the end of `out`, under the names that the shape has.
void AppendSettings(const v1::EmbedRequest& request, const char* task, const char* dimensions,
                    const char* truncate, std::string* out) {
  if (task != nullptr && !request.task().empty()) {
    AppendJsonKey(task, out);
    AppendJsonString(TaskWord(request.task()), out);
  }
  if (dimensions != nullptr && request.has_dimensions()) {
    AppendJsonKey(dimensions, out);
    absl::StrAppend(out, request.dimensions());
  }
  if (truncate != nullptr && request.has_truncate()) {
    AppendJsonKey(truncate, out);
    out->append(request.truncate() ? "true" : "false");
  }
}

// The options belong to each content there: nothing else stands beside the list.
absl::Status AppendBatch(const v1::EmbedRequest& request, const DialectContext& context,
                         EmbedBatch batch, std::string* body) {
  body->append("{\"requests\":[");
  for (int i = batch.first; i < batch.first + batch.count; ++i) {
    if (i > batch.first) body->push_back(',');
    std::string each = "{\"model\":";
    AppendJsonString(GeminiModelName(context.model), &each);
    each.push_back(',');
    AppendContent(request.inputs(i).text(), &each);
    AppendSettings(request, "taskType", "outputDimensionality", nullptr, &each);
    each.push_back('}');
    auto status = MergeOptions(request.provider_options(), context.provider, kGeminiDialect,
                               "provider_options", {"model", "content"}, &each);
    if (!status.ok()) return status;
    body->append(each);
  }
  body->append("]}");
  return absl::OkStatus();
}

absl::Status AppendPredict(const v1::EmbedRequest& request, const DialectContext& context,
                           EmbedBatch batch, std::string* body) {
  body->append("{\"instances\":[");
  for (int i = batch.first; i < batch.first + batch.count; ++i) {
    absl::StrAppend(body, i > batch.first ? "," : "", "{\"content\":");
    AppendJsonString(request.inputs(i).text(), body);
    AppendSettings(request, "task_type", nullptr, nullptr, body);
    body->push_back('}');
  }
  body->push_back(']');
  std::string parameters = "{";
  AppendSettings(request, nullptr, "outputDimensionality", "autoTruncate", &parameters);
  if (parameters != "{") absl::StrAppend(body, ",\"parameters\":", parameters, "}");
  body->push_back('}');
  return MergeOptions(request.provider_options(), context.provider, kGeminiDialect,
                      "provider_options", {"instances"}, body);
}

absl::Status AppendSingle(const v1::EmbedRequest& request, const DialectContext& context,
                          EmbedBatch batch, std::string* body) {
  body->push_back('{');
  AppendContent(request.inputs(batch.first).text(), body);
  std::string config = "{";
  AppendSettings(request, "taskType", "outputDimensionality", "autoTruncate", &config);
  if (config != "{") absl::StrAppend(body, ",\"embedContentConfig\":", config, "}");
  body->push_back('}');
  return MergeOptions(request.provider_options(), context.provider, kGeminiDialect,
                      "provider_options", {"content"}, body);
}

// The object with the values of each vector, in order, whatever the shape.
std::vector<const JsonValue*> VectorsOf(const JsonValue& document) {
  std::vector<const JsonValue*> vectors;
  if (const JsonValue* single = Member(document, "embedding")) vectors.push_back(single);
  for (const char* name : {"embeddings", "predictions"}) {
    const JsonValue* list = Member(document, name);
    if (list == nullptr || !list->IsArray()) continue;
    for (const JsonValue& each : list->GetArray()) {
      const JsonValue* inner = Member(each, "embeddings");
      vectors.push_back(inner != nullptr ? inner : &each);
    }
  }
  return vectors;
}

void AddTokens(std::optional<int32_t> tokens, v1::EmbedResponse* response) {
  if (!tokens.has_value()) return;
  v1::Usage* usage = response->mutable_usage();
  const int64_t sum = int64_t{usage->input_tokens()} + *tokens;
  usage->set_input_tokens(static_cast<int32_t>(std::min<int64_t>(sum, INT32_MAX)));
  usage->set_total_tokens(usage->input_tokens());
}

}  // namespace

absl::StatusOr<std::vector<EmbedBatch>> CutGeminiEmbed(const v1::EmbedRequest& request,
                                                       const DialectContext& context, bool vertex) {
  if (auto status = CheckEmbedRequest(request); !status.ok()) return status;
  if (IsPackedType(request.element_type())) {
    return Unsupported("element_type", "Gemini's embeddings are floats");
  }
  if (request.has_truncate() && !vertex) {
    return Unsupported("truncate", "Gemini's API has no such switch; Vertex AI has it");
  }
  const int limit = LimitOf(ShapeOf(KnownModel(context), vertex), KnownModel(context));
  std::vector<EmbedBatch> batches;
  for (int i = 0; i < request.inputs_size(); ++i) {
    if (auto status = CheckInput(request.inputs(i), i); !status.ok()) return status;
    if (batches.empty() || batches.back().count == limit) batches.push_back({i, 0});
    ++batches.back().count;
  }
  return batches;
}

absl::StatusOr<EncodedRequest> EncodeGeminiEmbed(const v1::EmbedRequest& request,
                                                 const DialectContext& context, EmbedBatch batch,
                                                 bool vertex) {
  EncodeNotes notes(context.refuse_unsupported);
  if (!request.context().end_user().empty()) {
    auto status = notes.Drop("context.end_user", "Gemini's embeddings take no user");
    if (!status.ok()) return status;
  }
  EncodedRequest encoded;
  absl::Status status;
  absl::string_view method;
  switch (ShapeOf(KnownModel(context), vertex)) {
    case Shape::kBatch:
      method = "batchEmbedContents";
      status = AppendBatch(request, context, batch, &encoded.http.body);
      break;
    case Shape::kPredict:
      method = "predict";
      status = AppendPredict(request, context, batch, &encoded.http.body);
      break;
    case Shape::kSingle:
      method = "embedContent";
      status = AppendSingle(request, context, batch, &encoded.http.body);
      break;
  }
  if (!status.ok()) return status;
  auto path = GeminiPath(context.model, vertex, method);
  if (!path.ok()) return path.status();
  encoded.http.url = *std::move(path);
  encoded.warnings = notes.TakeWarnings();
  return encoded;
}

absl::Status DecodeGeminiEmbed(const DialectContext& context, EmbedBatch batch,
                               absl::string_view body, v1::EmbedResponse* response) {
  JsonDocument document;
  if (auto status = ParseJson(body, &document); !status.ok()) {
    return MalformedAnswer(context, status.message());
  }
  if (Member(document, "error") != nullptr) return GeminiInBandError(context, document);
  const std::vector<const JsonValue*> vectors = VectorsOf(document);
  if (static_cast<int>(vectors.size()) != batch.count) {
    return MalformedAnswer(context, "as many vectors as inputs were wanted");
  }
  std::vector<v1::Embedding> read(vectors.size());
  for (size_t i = 0; i < vectors.size(); ++i) {
    const JsonValue* values = Member(*vectors[i], "values");
    if (values == nullptr || !ReadFloats(*values, &read[i])) {
      return MalformedAnswer(context, "a vector is broken");
    }
  }
  for (v1::Embedding& vector : read) *response->add_embeddings() = std::move(vector);
  for (const JsonValue* vector : vectors) {
    if (const JsonValue* statistics = Member(*vector, "statistics")) {
      AddTokens(CountMember(*statistics, "token_count"), response);
    }
  }
  if (const JsonValue* usage = Member(document, "usageMetadata")) {
    AddTokens(CountMember(*usage, "promptTokenCount"), response);
  }
  if (response->model().empty()) response->set_model(context.model);
  return absl::OkStatus();
}

}  // namespace mg
