#include "adapters/dialects/openai_embed.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "adapters/dialects/openai_encoding.h"
#include "adapters/dialects/openai_errors.h"
#include "adapters/dialects/openai_usage.h"
#include "adapters/embedding.h"
#include "adapters/encode_notes.h"
#include "adapters/json_text.h"
#include "adapters/provider_errors.h"
#include "adapters/provider_options.h"
#include "base/json.h"

namespace mg {
namespace {

absl::Status CheckInput(const v1::EmbedInput& input, int index, const DialectContext& context) {
  const std::string field = absl::StrCat("inputs[", index, "]");
  if (auto status = CheckEmbedInput(input, index); !status.ok()) return status;
  if (!input.parts().empty()) {
    return Unsupported(absl::StrCat(field, ".parts"), "OpenAI's embeddings take texts alone");
  }
  if (!input.token_ids().empty() && !OpenAiProfileOf(context).embed_tokens) {
    return Unsupported(absl::StrCat(field, ".token_ids"),
                       "token ids are those of OpenAI's own tokenizers: only OpenAI takes them");
  }
  return absl::OkStatus();
}

absl::Status CheckSettings(const v1::EmbedRequest& request, const OpenAiProfile& profile) {
  if (profile.embed_batch == 0) {
    return MakeError(ErrorClass::kUnsupportedMethod,
                     absl::StrCat("the preset ", profile.preset, " has no embeddings"));
  }
  if (auto status = CheckEmbedRequest(request); !status.ok()) return status;
  if (IsPackedType(request.element_type()) && profile.element_type.empty()) {
    return Unsupported("element_type", "the vectors of this server are floats");
  }
  if (request.has_dimensions() && profile.dimensions.empty()) {
    return Unsupported("dimensions", "this server's vectors have the length of their model");
  }
  if (request.truncate()) {
    return Unsupported("truncate", "OpenAI never truncates: too long an input is an error there");
  }
  return absl::OkStatus();
}

void AppendInputs(const v1::EmbedRequest& request, EmbedBatch batch, std::string* body) {
  body->push_back('[');
  for (int i = batch.first; i < batch.first + batch.count; ++i) {
    if (i > batch.first) body->push_back(',');
    const v1::EmbedInput& input = request.inputs(i);
    if (input.token_ids().empty()) {
      AppendJsonString(input.text(), body);
      continue;
    }
    body->push_back('[');
    for (int t = 0; t < input.token_ids_size(); ++t) {
      absl::StrAppend(body, t > 0 ? "," : "", input.token_ids(t));
    }
    body->push_back(']');
  }
  body->push_back(']');
}

// Where the vector at `position` of the answer belongs; -1 for an index that cannot be.
int IndexOf(const JsonValue& item, int position, bool indexed, int count) {
  if (!indexed) return position;
  const JsonValue* index = Member(item, "index");
  if (index == nullptr || !index->IsInt() || index->GetInt() < 0 || index->GetInt() >= count) {
    return -1;
  }
  return index->GetInt();
}

// False for one that is broken, or that was read before. Where a server has packed types, it writes
// floats with their points, and only floats.
bool ReadVector(const JsonValue& value, bool may_be_packed, v1::Embedding* vector) {
  if (vector->values_size() > 0 || !vector->packed().empty()) return false;
  const auto is_int = [](const JsonValue& number) { return number.IsInt(); };
  const bool packed =
      may_be_packed && value.IsArray() && std::all_of(value.Begin(), value.End(), is_int);
  return packed ? ReadBytes(value, vector) : ReadFloats(value, vector);
}

absl::Status ReadVectors(const DialectContext& context, EmbedBatch batch, const JsonValue& data,
                         v1::EmbedResponse* response) {
  if (!data.IsArray() || static_cast<int>(data.Size()) != batch.count) {
    return MalformedAnswer(context, "as many vectors as inputs were wanted");
  }
  const auto items = data.GetArray();
  const bool indexed = std::any_of(items.begin(), items.end(), [](const JsonValue& item) {
    return Member(item, "index") != nullptr;
  });
  const bool may_be_packed = !OpenAiProfileOf(context).element_type.empty();
  std::vector<v1::Embedding> vectors(static_cast<size_t>(batch.count));
  int position = 0;
  for (const JsonValue& item : items) {
    const int index = IndexOf(item, position++, indexed, batch.count);
    const JsonValue* vector = Member(item, "embedding");
    if (index < 0 || vector == nullptr ||
        !ReadVector(*vector, may_be_packed, &vectors[static_cast<size_t>(index)])) {
      return MalformedAnswer(context, "a vector, or its index, is broken");
    }
  }
  for (v1::Embedding& vector : vectors) *response->add_embeddings() = std::move(vector);
  return absl::OkStatus();
}

void AddUsage(const v1::Usage& batch, v1::Usage* sum) {
  if (batch.has_input_tokens()) sum->set_input_tokens(sum->input_tokens() + batch.input_tokens());
  if (batch.has_total_tokens()) sum->set_total_tokens(sum->total_tokens() + batch.total_tokens());
}

// Hardly less than it takes: English has four bytes a token, Chinese and code three.
int64_t TokensAtMost(const v1::EmbedInput& input) {
  if (!input.token_ids().empty()) return input.token_ids_size();
  return (static_cast<int64_t>(input.text().size()) + 1) / 2;
}

}  // namespace

absl::StatusOr<std::vector<EmbedBatch>> CutOpenAiEmbed(const v1::EmbedRequest& request,
                                                       const DialectContext& context) {
  const OpenAiProfile& profile = OpenAiProfileOf(context);
  if (absl::Status status = CheckSettings(request, profile); !status.ok()) return status;
  const int64_t total =
      profile.embed_total > 0 ? profile.embed_total : std::numeric_limits<int64_t>::max();
  std::vector<EmbedBatch> batches;
  bool of_ids = false;  // the running batch is of token lists
  int64_t tokens = 0;   // and takes so many
  for (int i = 0; i < request.inputs_size(); ++i) {
    if (absl::Status status = CheckInput(request.inputs(i), i, context); !status.ok()) {
      return status;
    }
    const bool is_ids = !request.inputs(i).token_ids().empty();
    const int64_t more = TokensAtMost(request.inputs(i));
    if (batches.empty() || batches.back().count == profile.embed_batch || is_ids != of_ids ||
        tokens + more > total) {
      batches.push_back({i, 0});
      tokens = 0;
    }
    of_ids = is_ids;
    tokens += more;
    ++batches.back().count;
  }
  return batches;
}

absl::StatusOr<EncodedRequest> EncodeOpenAiEmbed(const v1::EmbedRequest& request,
                                                 const DialectContext& context, EmbedBatch batch) {
  EncodeNotes notes(context.refuse_unsupported);
  std::string body = "{\"model\":";
  AppendJsonString(SentModel(context), &body);
  body.append(",\"input\":");
  AppendInputs(request, batch, &body);
  // Half the bytes of an array of numbers; servers that imitate OpenAI may not know it.
  const OpenAiProfile& profile = OpenAiProfileOf(context);
  if (profile.embed_base64) body.append(",\"encoding_format\":\"base64\"");
  if (request.has_dimensions()) {
    absl::StrAppend(&body, ",\"", profile.dimensions, "\":", request.dimensions());
  }
  if (IsPackedType(request.element_type())) {
    absl::StrAppend(&body, ",\"", profile.element_type, "\":\"", request.element_type(), "\"");
  }
  const std::string& user = request.context().end_user();
  if (!user.empty() && !profile.embed_user.empty()) {
    AppendJsonKey(profile.embed_user, &body);
    AppendJsonString(user, &body);
  } else if (!user.empty()) {
    absl::Status status = notes.Drop("context.end_user", "this server's embeddings take no user");
    if (!status.ok()) return status;
  }
  if (!request.task().empty()) {
    absl::Status status = notes.Drop("task", "OpenAI's embeddings know no task");
    if (!status.ok()) return status;
  }
  body.push_back('}');
  absl::Status merged =
      MergeOptions(request.provider_options(), context.provider, kOpenAiDialect, "provider_options",
                   {"model", "input", "encoding_format"}, &body);
  if (!merged.ok()) return merged;
  EncodedRequest encoded;
  encoded.http.url = "/embeddings";
  encoded.http.body = std::move(body);
  encoded.warnings = notes.TakeWarnings();
  return encoded;
}

absl::Status DecodeOpenAiEmbed(const DialectContext& context, EmbedBatch batch,
                               absl::string_view body, v1::EmbedResponse* response) {
  JsonDocument document;
  if (absl::Status status = ParseJson(body, &document); !status.ok()) {
    return MalformedAnswer(context, status.message());
  }
  if (const JsonValue* error = Member(document, "error"); error != nullptr) {
    return OpenAiInBandError(context, *error);
  }
  const JsonValue* data = Member(document, "data");
  if (data == nullptr) return MalformedAnswer(context, "an answer without data");
  if (absl::Status status = ReadVectors(context, batch, *data, response); !status.ok()) {
    return status;
  }
  if (response->model().empty()) {
    const absl::string_view model = StringMember(document, "model");
    response->set_model(std::string(model.empty() ? absl::string_view(context.model) : model));
  }
  v1::Usage usage;
  const JsonValue* counted = Member(document, "usage");
  if (counted != nullptr && ReadOpenAiUsage(*counted, context, &usage)) {
    AddUsage(usage, response->mutable_usage());
  }
  return absl::OkStatus();
}

}  // namespace mg
