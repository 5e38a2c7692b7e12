#include "adapters/chat_codec.h"

#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "adapters/capability_checks.h"
#include "adapters/encode_notes.h"
#include "adapters/json_text.h"

namespace mg {
namespace {

constexpr absl::string_view kSchemaField = "response_format.json_schema.schema_json";

absl::StatusOr<std::unique_ptr<const AnswerSchema>> SchemaOf(const v1::ChatRequest& request) {
  absl::string_view text;
  bool empty = false;
  const std::string& schema_json = request.response_format().json_schema().schema_json();
  if (auto status = CheckJsonObject(schema_json, &text, &empty); !status.ok()) {
    return Invalid(kSchemaField, status.message());
  }
  auto schema = AnswerSchema::Compile(text);
  if (!schema.ok()) return Invalid(kSchemaField, schema.status().message());
  return schema;
}

// Where the configuration says that the model has no structured output, it has none, whatever its
// dialect knows.
SchemaMeans MeansOf(const Dialect& dialect, const v1::ChatRequest& request,
                    const AnswerSchema& schema, const DialectContext& context) {
  if (HasCapability(context, "json_schema", true)) {
    return dialect.SchemaMeansOf(request, schema, context);
  }
  return HasCapability(context, "tools", true) ? SchemaMeans::kForcedTool
                                               : SchemaMeans::kInstruction;
}

bool IsEmulated(SchemaMeans means) {
  return means == SchemaMeans::kForcedTool || means == SchemaMeans::kInstruction;
}

// "messages[1].parts" → "messages[0].parts": as the caller counts, before whose messages stands one
// of ours.
std::string AsCallerCounts(absl::string_view text) {
  absl::string_view rest = text;
  if (!absl::ConsumePrefix(&rest, "messages[")) return std::string(text);
  const absl::string_view digits = rest.substr(0, rest.find(']'));
  int index = 0;
  if (!absl::SimpleAtoi(digits, &index) || index == 0) return std::string(text);
  return absl::StrCat("messages[", index - 1, rest.substr(digits.size()));
}

absl::Status AsCallerCounts(const absl::Status& status) {
  v1::ErrorDetail detail = DetailOf(status);
  const std::string field = AsCallerCounts(detail.field());
  if (field == detail.field()) return status;
  detail.set_field(field);
  return MakeError(ClassOf(status), std::move(detail), AsCallerCounts(status.message()));
}

// That its own tool is called once is more than some dialects can say; the caller has not asked for
// it.
absl::StatusOr<EncodedRequest> EncodeOnce(
    const v1::ChatRequest& asked, EmulatedChat* chat,
    absl::FunctionRef<absl::StatusOr<EncodedRequest>(const v1::ChatRequest&)> encode) {
  constexpr absl::string_view kParallel = "tool_choice.parallel";
  const bool ours = !chat->tool.empty() && !asked.tool_choice().has_parallel();
  absl::StatusOr<EncodedRequest> encoded = encode(chat->request);
  if (!encoded.ok() && ours && DetailOf(encoded.status()).field() == kParallel) {
    chat->request.mutable_tool_choice()->clear_parallel();
    encoded = encode(chat->request);
  }
  if (!encoded.ok()) return chat->message_first ? AsCallerCounts(encoded.status()) : encoded;
  std::vector<v1::Warning> warnings;
  for (v1::Warning& warning : encoded->warnings) {
    if (ours && warning.field() == kParallel) continue;
    if (chat->message_first) warning.set_field(AsCallerCounts(warning.field()));
    warnings.push_back(std::move(warning));
  }
  encoded->warnings = std::move(warnings);
  return encoded;
}

// What refuses the schema itself as a thing that the model has not.
bool LacksSchema(const absl::Status& status) {
  return ClassOf(status) == ErrorClass::kUnsupportedField &&
         absl::StartsWith(DetailOf(status).field(), "response_format");
}

// The means that the dialect names, and where the model takes that as little, words.
absl::StatusOr<EncodedRequest> EncodeByMeans(
    const v1::ChatRequest& request, SchemaMeans* means, EmulatedChat* emulated,
    absl::FunctionRef<absl::StatusOr<EncodedRequest>(const v1::ChatRequest&)> encode) {
  if (!IsEmulated(*means)) {
    auto encoded = encode(request);
    if (encoded.ok() || !LacksSchema(encoded.status())) return encoded;
    *means = SchemaMeans::kInstruction;
  }
  *emulated = EmulateSchema(request, *means);
  *means = emulated->means;
  auto encoded = EncodeOnce(request, emulated, encode);
  const bool refused = !encoded.ok() && ClassOf(encoded.status()) == ErrorClass::kUnsupportedField;
  if (*means == SchemaMeans::kInstruction || !refused) return encoded;
  *means = SchemaMeans::kInstruction;
  *emulated = EmulateSchema(request, *means);
  return EncodeOnce(request, emulated, encode);
}

}  // namespace

ChatCodec::ChatCodec(const Dialect& dialect, const v1::ChatRequest& request, DialectContext context,
                     bool stream)
    : dialect_(dialect), request_(request), context_(std::move(context)), stream_(stream) {}

absl::StatusOr<EncodedRequest> ChatCodec::Encode() {
  if (auto status = CheckCapabilities(request_, context_, stream_); !status.ok()) return status;
  EncodeNotes notes(context_.refuse_unsupported);
  auto reduced = WithoutPreferences(request_, context_, &notes);
  if (!reduced.ok()) return reduced.status();
  reduced_ = *std::move(reduced);
  auto encoded = EncodeTaken();
  if (!encoded.ok()) return encoded;
  for (v1::Warning& warning : notes.TakeWarnings()) encoded->warnings.push_back(std::move(warning));
  return encoded;
}

absl::StatusOr<EncodedRequest> ChatCodec::EncodeTaken() {
  if (!taken().response_format().has_json_schema()) {
    return dialect_.EncodeChat(taken(), context_, stream_);
  }
  auto schema = SchemaOf(taken());
  if (!schema.ok()) return schema.status();
  schema_ = *std::move(schema);
  means_ = MeansOf(dialect_, taken(), *schema_, context_);
  auto encoded =
      EncodeByMeans(taken(), &means_, &emulated_, [this](const v1::ChatRequest& request) {
        return dialect_.EncodeChat(request, context_, stream_);
      });
  if (!encoded.ok()) return encoded;
  if (auto status = Warn(&*encoded); !status.ok()) return status;
  return encoded;
}

absl::Status ChatCodec::Warn(EncodedRequest* encoded) const {
  constexpr absl::string_view kField = "response_format";
  EncodeNotes notes(context_.refuse_unsupported);
  if (IsEmulated(means_)) {
    notes.Tell("emulated", kField,
               absl::StrCat(
                   "the model has no structured output: response_format.json_schema is asked for ",
                   means_ == SchemaMeans::kForcedTool ? "by a tool" : "in words"));
    const v1::JsonSchema& asked = request_.response_format().json_schema();
    const std::pair<absl::string_view, bool> hints[] = {
        {"response_format.json_schema.name", !asked.name().empty()},
        {"response_format.json_schema.strict", asked.has_strict()}};
    for (const auto& [field, given] : hints) {
      if (!given) continue;
      auto status = notes.Drop(field, "a schema that is emulated has none, and is always checked");
      if (!status.ok()) return status;
    }
  }
  if (means_ != SchemaMeans::kNative && stream_) {
    notes.Tell("structured_output_buffered", kField,
               "response_format.json_schema is emulated: the answer is sent when it is whole");
  }
  if (!schema_->unchecked().empty()) {
    notes.Tell("unchecked", kSchemaField,
               absl::StrCat("the answer is not checked against ",
                            absl::StrJoin(schema_->unchecked(), ", ")));
  }
  for (v1::Warning& warning : notes.TakeWarnings()) encoded->warnings.push_back(std::move(warning));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Decoder>> ChatCodec::NewDecoder(const HttpHead& head) {
  const v1::ChatRequest& sent = IsEmulated(means_) ? emulated_.request : taken();
  auto decoder = dialect_.NewChatDecoder(sent, context_, head);
  if (!decoder.ok() || schema_ == nullptr) return decoder;
  SchemaTask task = {&request_, schema_.get(), &context_, means_ == SchemaMeans::kNative,
                     emulated_.tool};
  return NewSchemaDecoder(*std::move(decoder), std::move(task), &failure_);
}

absl::StatusOr<EncodedRequest> EncodeCount(const Dialect& dialect,
                                           const v1::CountTokensRequest& request,
                                           const DialectContext& context) {
  const v1::ChatRequest& chat = request.chat();
  if (auto status = CheckCapability("count_tokens", context); !status.ok()) return status;
  if (!chat.response_format().has_json_schema()) return dialect.EncodeCount(request, context);
  const auto schema = SchemaOf(chat);
  if (!schema.ok()) return schema.status();
  SchemaMeans means = MeansOf(dialect, chat, **schema, context);
  EmulatedChat emulated;
  return EncodeByMeans(chat, &means, &emulated, [&](const v1::ChatRequest& sent) {
    v1::CountTokensRequest counted = request;
    *counted.mutable_chat() = sent;
    return dialect.EncodeCount(counted, context);
  });
}

}  // namespace mg
