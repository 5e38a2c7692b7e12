#include "adapters/dialects/cohere_embed.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/cohere_encoding.h"
#include "adapters/embedding.h"
#include "adapters/json_count.h"
#include "adapters/json_text.h"
#include "adapters/media.h"
#include "adapters/media_source.h"
#include "adapters/provider_errors.h"
#include "adapters/provider_options.h"

namespace mg {
namespace {

using v1::EmbedInput;
using v1::Part;

constexpr int kBatch = 96;

// The models before embed-v4 take texts alone.
bool TakesMedia(absl::string_view model) {
  return !absl::StrContains(model, "-v3") && !absl::StrContains(model, "-v2");
}

absl::Status CheckInput(const EmbedInput& input, int index, const DialectContext& context) {
  if (auto status = CheckEmbedInput(input, index); !status.ok()) return status;
  const std::string field = absl::StrCat("inputs[", index, "]");
  if (!input.token_ids().empty()) {
    return Unsupported(absl::StrCat(field, ".token_ids"),
                       "Cohere's embeddings take texts and images, not tokens");
  }
  if (!input.parts().empty() && !TakesMedia(KnownModel(context))) {
    return Unsupported(absl::StrCat(field, ".parts"), "before embed-v4 models take texts alone");
  }
  return absl::OkStatus();
}

absl::Status AppendPart(const Part& part, const std::string& field, EncodeNotes* notes,
                        std::string* out) {
  if (part.has_text() && !IsBlank(part.text())) {
    out->append("{\"type\":\"text\",\"text\":");
    AppendJsonString(part.text(), out);
    out->push_back('}');
    return absl::OkStatus();
  }
  if (!part.has_image()) {
    if (part.has_text()) return Invalid(field, "a blank text");
    return Unsupported(field, "Cohere embeds texts and images");
  }
  const v1::Media& image = part.image();
  if (!image.has_data()) {
    return Unsupported(absl::StrCat(field, ".image"), "images are embedded from data only");
  }
  std::string type;
  if (auto status = MediaTypeOf(image, absl::StrCat(field, ".image"), notes, &type); !status.ok()) {
    return status;
  }
  absl::StrAppend(out, "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:", type, ";base64,");
  AppendBase64(image.data(), out);
  out->append("\"}}");
  return absl::OkStatus();
}

absl::Status AppendContent(const EmbedInput& input, int index, EncodeNotes* notes,
                           std::string* out) {
  out->append("{\"content\":[");
  if (!input.text().empty()) {
    out->append("{\"type\":\"text\",\"text\":");
    AppendJsonString(input.text(), out);
    out->push_back('}');
  }
  for (int i = 0; i < input.parts_size(); ++i) {
    if (i > 0) out->push_back(',');
    auto status =
        AppendPart(input.parts(i), absl::StrCat("inputs[", index, "].parts[", i, "]"), notes, out);
    if (!status.ok()) return status;
  }
  out->append("]}");
  return absl::OkStatus();
}

// Texts in their own form where the batch has nothing else.
absl::Status AppendInputs(const v1::EmbedRequest& request, EmbedBatch batch, EncodeNotes* notes,
                          std::string* out) {
  bool media = false;
  for (int i = batch.first; i < batch.first + batch.count; ++i) {
    media = media || !request.inputs(i).parts().empty();
  }
  out->append(media ? ",\"inputs\":[" : ",\"texts\":[");
  for (int i = batch.first; i < batch.first + batch.count; ++i) {
    if (i > batch.first) out->push_back(',');
    if (!media) {
      AppendJsonString(request.inputs(i).text(), out);
    } else if (auto status = AppendContent(request.inputs(i), i, notes, out); !status.ok()) {
      return status;
    }
  }
  out->push_back(']');
  return absl::OkStatus();
}

// The API wants to know what the vectors are for.
absl::string_view InputType(absl::string_view task, EncodeNotes* notes) {
  if (task == "query") return "search_query";
  if (task == "document") return "search_document";
  if (task == "classification" || task == "clustering") return task;
  notes->Tell("changed", "task",
              task.empty() ? "Cohere wants one: search_document is sent"
                           : "Cohere knows no such task: search_document is sent");
  return "search_document";
}

absl::Status AppendSettings(const v1::EmbedRequest& request, EncodeNotes* notes, std::string* out) {
  absl::StrAppend(out, ",\"input_type\":\"", InputType(request.task(), notes), "\"");
  absl::StrAppend(out, ",\"embedding_types\":[\"",
                  IsPackedType(request.element_type()) ? request.element_type() : "float", "\"]");
  if (request.has_dimensions()) {
    absl::StrAppend(out, ",\"output_dimension\":", request.dimensions());
  }
  if (request.has_truncate()) {
    absl::StrAppend(out, ",\"truncate\":\"", request.truncate() ? "END" : "NONE", "\"");
  }
  if (request.context().end_user().empty()) return absl::OkStatus();
  return notes->Drop("context.end_user", "Cohere's API has no such parameter");
}

// Counters of a provider may be of any size.
int32_t Sum(int32_t a, int32_t b) {
  return static_cast<int32_t>(
      std::min<int64_t>(int64_t{a} + b, std::numeric_limits<int32_t>::max()));
}

absl::Status ReadVectors(const DialectContext& context, EmbedBatch batch, const JsonValue& by_type,
                         v1::EmbedResponse* response) {
  for (const char* type : {"float", "base64", "int8", "uint8", "binary", "ubinary"}) {
    const JsonValue* vectors = Member(by_type, type);
    if (vectors == nullptr) continue;
    if (!vectors->IsArray() || static_cast<int>(vectors->Size()) != batch.count) {
      return MalformedAnswer(context, "as many vectors as inputs were wanted");
    }
    for (const JsonValue& vector : vectors->GetArray()) {
      v1::Embedding* embedding = response->add_embeddings();
      const bool read =
          IsPackedType(type) ? ReadBytes(vector, embedding) : ReadFloats(vector, embedding);
      if (!read) return MalformedAnswer(context, "a vector is broken");
    }
    return absl::OkStatus();
  }
  return MalformedAnswer(context, "an answer without vectors");
}

}  // namespace

absl::StatusOr<std::vector<EmbedBatch>> CutCohereEmbed(const v1::EmbedRequest& request,
                                                       const DialectContext& context) {
  if (auto status = CheckEmbedRequest(request); !status.ok()) return status;
  std::vector<EmbedBatch> batches;
  for (int i = 0; i < request.inputs_size(); ++i) {
    if (auto status = CheckInput(request.inputs(i), i, context); !status.ok()) return status;
    if (i % kBatch == 0) batches.push_back({i, 0});
    ++batches.back().count;
  }
  return batches;
}

absl::StatusOr<EncodedRequest> EncodeCohereEmbed(const v1::EmbedRequest& request,
                                                 const DialectContext& context, EmbedBatch batch) {
  EncodeNotes notes(context.refuse_unsupported);
  std::string body = "{\"model\":";
  AppendJsonString(context.model, &body);
  if (auto status = AppendInputs(request, batch, &notes, &body); !status.ok()) return status;
  if (auto status = AppendSettings(request, &notes, &body); !status.ok()) return status;
  body.push_back('}');
  auto merged = MergeOptions(request.provider_options(), context.provider, kCohereDialect,
                             "provider_options", {"model", "texts", "images", "inputs"}, &body);
  if (!merged.ok()) return merged;
  EncodedRequest encoded;
  encoded.http.url = "/v2/embed";
  encoded.http.body = std::move(body);
  encoded.warnings = notes.TakeWarnings();
  return encoded;
}

absl::Status DecodeCohereEmbed(const DialectContext& context, EmbedBatch batch,
                               absl::string_view body, v1::EmbedResponse* response) {
  JsonDocument document;
  if (auto status = ParseJson(body, &document); !status.ok()) {
    return MalformedAnswer(context, status.message());
  }
  const JsonValue* embeddings = Member(document, "embeddings");
  if (embeddings == nullptr) return MalformedAnswer(context, "an answer without embeddings");
  if (auto status = ReadVectors(context, batch, *embeddings, response); !status.ok()) return status;
  if (response->model().empty()) response->set_model(context.model);
  const JsonValue* meta = Member(document, "meta");
  const JsonValue* billed = meta == nullptr ? nullptr : Member(*meta, "billed_units");
  if (billed == nullptr) return absl::OkStatus();
  const auto input = CountMember(*billed, "input_tokens");
  const auto image = CountMember(*billed, "image_tokens");
  v1::Usage* usage = response->mutable_usage();
  if (image) usage->set_image_input_tokens(Sum(usage->image_input_tokens(), *image));
  if (input || image) {
    const int32_t all = Sum(input.value_or(0), image.value_or(0));
    usage->set_input_tokens(Sum(usage->input_tokens(), all));
    usage->set_total_tokens(usage->input_tokens());
  }
  return absl::OkStatus();
}

}  // namespace mg
