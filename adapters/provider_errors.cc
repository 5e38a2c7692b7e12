#include "adapters/provider_errors.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/retry_after.h"
#include "adapters/sanitize.h"
#include "base/utf8.h"

namespace mg {
namespace {

constexpr JsonLimits kLimits = {1 << 20, 64};

// What an error body says, whatever its form.
struct Said {
  int status = 0;    // of HTTP, or what a number in the body says in its place; 0: neither
  std::string code;  // words, lower case
  std::string type;
  std::string inner_code;  // Azure's innererror, Anthropic's details.error_code
  std::string code_shown;  // the finest word, as it was written
  std::string param;
  std::string message;
  bool daily_quota = false;
  bool param_unknown = false;  // the field of that name is not taken, whatever its value
  std::string aws;             // AWS's type, lower case, without "exception"
  int original_status = 0;     // of the model behind AWS
};

bool IsWord(absl::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); });
}

// The text of a string or a number; empty for anything else.
std::string TextOf(const JsonValue* value) {
  if (value == nullptr) return "";
  if (value->IsString()) return std::string(StringOf(*value));
  if (value->IsInt64()) return absl::StrCat(value->GetInt64());
  return "";
}

int NumberOf(const std::string& text) {
  int number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

std::string SnakeCase(absl::string_view camel) {
  std::string snake;
  for (const char c : camel) {
    const auto letter = static_cast<unsigned char>(c);
    if (absl::ascii_isupper(letter)) snake.push_back('_');
    snake.push_back(absl::ascii_tolower(letter));
  }
  return snake;
}

// Of servers that name an unknown field in words alone, Google's and xAI's (providers.md §8.1).
void ReadUnknownName(absl::string_view words, Said* said) {
  constexpr absl::string_view kBefore[] = {
      "Unknown name \"", "Argument not supported on this model: ", " does not support parameter "};
  for (absl::string_view before : kBefore) {
    const size_t at = words.find(before);
    if (at == absl::string_view::npos) continue;
    absl::string_view name = words.substr(at + before.size());
    const auto end = std::find_if(name.begin(), name.end(), [](char c) {
      return c != '_' && !absl::ascii_isalnum(static_cast<unsigned char>(c));
    });
    name = name.substr(0, static_cast<size_t>(end - name.begin()));
    if (name.empty()) return;
    said->param = SnakeCase(name);
    said->param_unknown = true;
    return;
  }
}

// Google's details: violations of quotas and of fields, and a reason.
void ReadDetails(const JsonValue& error, Said* said) {
  const JsonValue* details = Member(error, "details");
  if (details == nullptr || !details->IsArray()) return;
  for (const JsonValue& detail : details->GetArray()) {
    const absl::string_view reason = StringMember(detail, "reason");
    if (said->inner_code.empty()) said->inner_code = absl::AsciiStrToLower(reason);
    const JsonValue* fields = Member(detail, "fieldViolations");
    if (fields != nullptr && fields->IsArray() && !fields->Empty() && said->param.empty()) {
      said->param = std::string(StringMember((*fields)[0], "field"));
      ReadUnknownName(StringMember((*fields)[0], "description"), said);
    }
    const JsonValue* violations = Member(detail, "violations");
    if (violations == nullptr || !violations->IsArray()) continue;
    for (const JsonValue& violation : violations->GetArray()) {
      if (absl::StrContains(StringMember(violation, "quotaId"), "PerDay")) said->daily_quota = true;
    }
  }
}

// FastAPI's `detail`: a text, or a list of {loc, msg}.
void ReadDetail(const JsonValue& detail, Said* said) {
  if (detail.IsString()) {
    said->message = std::string(StringOf(detail));
    return;
  }
  if (!detail.IsArray()) return;
  for (const JsonValue& entry : detail.GetArray()) {
    if (!said->message.empty()) said->message.append("; ");
    absl::StrAppend(&said->message, StringMember(entry, "msg"));
    said->param_unknown = said->param_unknown || StringMember(entry, "type") == "extra_forbidden";
    const JsonValue* loc = Member(entry, "loc");
    if (loc == nullptr || !loc->IsArray() || !said->param.empty()) continue;
    for (const JsonValue& step : loc->GetArray()) {
      const std::string name = TextOf(&step);
      if (name == "body") continue;
      absl::StrAppend(&said->param, said->param.empty() ? "" : ".", name);
    }
  }
}

void ReadText(absl::string_view text, int depth, Said* said);

void ReadObject(const JsonValue& error, int depth, Said* said) {
  const std::string code = TextOf(Member(error, "code"));
  std::string type = TextOf(Member(error, "type"));
  if (type.empty()) type = TextOf(Member(error, "error_type"));
  const std::string status = TextOf(Member(error, "status"));
  said->code = absl::AsciiStrToLower(code);
  said->type = absl::AsciiStrToLower(IsWord(type) ? type : status);
  if (const JsonValue* inner = Member(error, "innererror")) {
    said->inner_code = absl::AsciiStrToLower(StringMember(*inner, "code"));
  }
  if (const JsonValue* details = Member(error, "details")) {
    const absl::string_view finer = StringMember(*details, "error_code");
    if (!finer.empty()) said->inner_code = absl::AsciiStrToLower(finer);
  }
  for (const std::string& each : {code, type, status}) {
    if (said->code_shown.empty() && IsWord(each)) said->code_shown = each;
  }
  if (said->code_shown.empty()) said->code_shown = code.empty() ? type : code;
  said->param = TextOf(Member(error, "param"));
  for (const char* name : {"message", "msg", "error"}) {
    if (said->message.empty()) ReadText(StringMember(error, name), depth, said);
  }
  const JsonValue* detail = Member(error, "detail");
  if (said->message.empty() && detail != nullptr) ReadDetail(*detail, said);
  for (const std::string& each : {code, TextOf(Member(error, "status_code"))}) {
    const int number = NumberOf(each);
    if (said->status == 0 && number >= 400 && number <= 599) said->status = number;
  }
  ReadDetails(error, said);
}

void ReadError(const JsonValue& body, int depth, Said* said);

// A text may be JSON once more.
void ReadText(absl::string_view text, int depth, Said* said) {
  JsonDocument inner;
  const absl::string_view trimmed = absl::StripAsciiWhitespace(text);
  if (depth > 0 && !trimmed.empty() && (trimmed[0] == '{' || trimmed[0] == '[') &&
      ParseJson(trimmed, &inner, kLimits).ok()) {
    Said deeper;
    ReadError(inner, depth - 1, &deeper);
    const auto fill = [](std::string* to, std::string* from) {
      if (to->empty()) *to = std::move(*from);
    };
    fill(&said->code, &deeper.code);
    fill(&said->type, &deeper.type);
    fill(&said->inner_code, &deeper.inner_code);
    fill(&said->code_shown, &deeper.code_shown);
    fill(&said->param, &deeper.param);
    said->message = std::move(deeper.message);
    return;
  }
  said->message = std::string(trimmed);
}

void ReadError(const JsonValue& body, int depth, Said* said) {
  if (body.IsArray() && body.Size() > 0 && depth > 0) {
    ReadError(body[0], depth - 1, said);
  } else if (body.IsString()) {
    ReadText(StringOf(body), depth, said);
  } else if (body.IsObject()) {
    const JsonValue* error = Member(body, "error");
    if (error != nullptr && error->IsObject()) {
      ReadObject(*error, depth, said);
      return;
    }
    ReadObject(body, depth, said);
    if (error != nullptr && error->IsArray() && depth > 0) {
      ReadError(*error, depth - 1, said);
    }
  }
}

// AWS names the type in a header, "ValidationException:http://…", or in the body's __type,
// "com.amazon.coral.service#ValidationException".
void ReadAws(absl::string_view type, const JsonValue& body, Said* said) {
  if (type.empty()) type = StringMember(body, "__type");
  type = type.substr(0, type.find(':'));
  type.remove_prefix(type.rfind('#') + 1);  // nowhere: npos + 1 is 0
  if (type.empty()) return;
  said->code_shown = std::string(type);
  said->aws = absl::AsciiStrToLower(type);
  absl::string_view word = said->aws;
  if (absl::ConsumeSuffix(&word, "exception")) said->aws.resize(word.size());
  if (said->message.empty()) said->message = std::string(StringMember(body, "Message"));
  said->original_status = NumberOf(TextOf(Member(body, "originalStatusCode")));
}

bool OneOf(absl::string_view word, std::initializer_list<absl::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool Is(const Said& said, std::initializer_list<absl::string_view> words) {
  return OneOf(said.code, words) || OneOf(said.type, words) || OneOf(said.inner_code, words);
}

bool Holds(const std::string& lower, std::initializer_list<absl::string_view> phrases) {
  return std::any_of(phrases.begin(), phrases.end(),
                     [&](absl::string_view phrase) { return absl::StrContains(lower, phrase); });
}

bool IsContext(const Said& said, const std::string& message) {
  if (said.status == 413) return true;
  if (Is(said, {"context_length_exceeded", "request_too_large", "too_many_prompt_tokens",
                "too_many_tokens"})) {
    return said.status != 429;
  }
  if (said.code == "string_above_max_length") return false;  // of one text, not of the prompt
  const bool may = OneOf(absl::StrCat(said.status), {"0", "400", "422"});
  return may &&
         (Holds(message, {"context length", "context window", "too long", "too many tokens",
                          "tokens exceeded"}) ||
          (Holds(message, {"input token count"}) && Holds(message, {"exceeds the maximum"})));
}

bool IsQuota(const Said& said, const std::string& message, bool has_hint) {
  if (said.status == 402) return !has_hint;
  return said.daily_quota ||
         Is(said, {"insufficient_quota", "credit_balance_exhausted", "billing_error",
                   "organization_spend_limit_exceeded", "project_spend_limit_exceeded",
                   "organization_usage_limit_exceeded", "billing_hard_limit_reached",
                   "enforced_spend_limit_reached", "contract_spend_limit_reached"}) ||
         Holds(message, {"credit balance is too low"});
}

bool IsModel(const Said& said, const std::string& message) {
  if (Is(said, {"model_not_found", "deploymentnotfound", "not_found_error", "invalid_model",
                "model_decommissioned", "unsupported_country_region_territory"})) {
    return true;
  }
  if (said.status == 410 || (said.status == 0 && Is(said, {"not_found"}))) return true;
  if (said.status == 404) return said.param.empty() || said.param == "model";
  return said.status == 403 && Holds(message, {"access to model", "access to the model"});
}

bool IsCredential(const Said& said, const std::string& message) {
  if (said.status == 401 || said.status == 403) return true;
  if (Is(said, {"invalid_api_key", "authentication_error", "permission_error", "unauthorized",
                "api_key_invalid", "unauthenticated", "permission_denied"})) {
    return true;
  }
  return (said.status == 400 || said.status == 0) &&
         (Holds(message, {"incorrect api key", "api_key_invalid", "api key not valid"}));
}

// What AWS's type says; nullopt: as the status does.
std::optional<ErrorClass> ClassifyAws(const Said& said, const std::string& message) {
  const absl::string_view type = said.aws;
  if (OneOf(type, {"unrecognizedclient", "invalidsignature", "expiredtoken",
                   "missingauthenticationtoken", "incompletesignature", "requestexpired"})) {
    return ErrorClass::kCredential;
  }
  if (type == "accessdenied") {
    return IsModel(said, message) ? ErrorClass::kModel : ErrorClass::kCredential;
  }
  if (type == "resourcenotfound") return ErrorClass::kModel;
  if (type == "servicequotaexceeded") return ErrorClass::kQuota;
  if (type == "throttling") {
    return Holds(message, {"per day"}) ? ErrorClass::kQuota : ErrorClass::kRate;
  }
  if (OneOf(type, {"modelnotready", "serviceunavailable"})) return ErrorClass::kOverload;
  if (type == "modeltimeout") return ErrorClass::kTimeout;
  if (type == "validation") {
    return IsContext(said, message) ? ErrorClass::kContext : ErrorClass::kCaller;
  }
  if (type == "conflict") return ErrorClass::kCaller;
  if (type == "modelerror" && said.original_status >= 400 && said.original_status < 500) {
    return ErrorClass::kCaller;
  }
  if (OneOf(type, {"modelerror", "modelstreamerror", "internalserver", "internalfailure"})) {
    return ErrorClass::kServerError;
  }
  return std::nullopt;
}

// The kind table of providers.md §1.4, from the top.
ErrorClass Classify(const Said& said, bool has_hint) {
  const std::string message = absl::AsciiStrToLower(said.message);
  if (const auto by_aws = ClassifyAws(said, message)) return *by_aws;
  const int status = said.status;
  if (IsContext(said, message)) return ErrorClass::kContext;
  if (Is(said, {"content_filter", "responsibleaipolicyviolation", "content_policy_violation"})) {
    return ErrorClass::kPolicy;
  }
  if (IsQuota(said, message, has_hint)) return ErrorClass::kQuota;
  if (status == 402) return ErrorClass::kRate;
  if (IsModel(said, message)) return ErrorClass::kModel;
  if (IsCredential(said, message)) return ErrorClass::kCredential;
  if (status == 503 || status == 529 || status == 498 ||
      Is(said, {"server_is_overloaded", "overloaded_error", "capacity_exceeded", "unavailable",
                "service_unavailable_error"})) {
    return ErrorClass::kOverload;
  }
  if (status == 429 || Is(said, {"rate_limit_exceeded", "rate_limit_error", "slow_down",
                                 "ratelimitreached", "resource_exhausted"})) {
    return ErrorClass::kRate;
  }
  if (status == 504 || status == 524) return ErrorClass::kGatewayTimeout;
  if (status == 408 || Is(said, {"timeout_error", "deadline_exceeded"}))
    return ErrorClass::kTimeout;
  if (Is(said, {"tool_use_failed", "invalid_tool_generation"})) return ErrorClass::kMalformed;
  if (status == 499) return ErrorClass::kCancel;
  if (status == 405 || status == 501) return ErrorClass::kUnsupportedMethod;
  if (OneOf(absl::StrCat(status), {"400", "415", "422", "404"})) return ErrorClass::kCaller;
  if (status == 409 || status == 425) return ErrorClass::kConflict;
  if (status >= 500 || status == 424) return ErrorClass::kServerError;
  if (status >= 400) return ErrorClass::kUnknown;
  if (Is(said, {"invalid_request_error", "unsupported_parameter", "unsupported_value",
                "invalid_value", "missing_required_parameter", "failed_precondition",
                "invalid_argument", "badrequesterror"})) {
    return ErrorClass::kCaller;
  }
  return ErrorClass::kServerError;
}

absl::Status MakeProviderError(const DialectContext& context, ErrorClass error_class,
                               const Said& said, std::optional<absl::Duration> retry_after,
                               FieldOfParam field_of) {
  v1::ErrorDetail detail;
  if (error_class == ErrorClass::kCredential) detail.set_reason("upstream_auth");
  if (error_class == ErrorClass::kQuota) detail.set_reason("quota");
  if (error_class == ErrorClass::kMalformed || error_class == ErrorClass::kRedirect) {
    detail.set_reason("upstream_malformed");
  }
  detail.set_provider(context.provider);
  detail.set_http_status(said.status);
  detail.set_provider_code(SanitizeProviderCode(said.code_shown));
  if (error_class != ErrorClass::kCredential) {
    detail.set_provider_message(SanitizeProviderMessage(said.message));
  }
  if (RuleOf(error_class).fault == absl::string_view("caller")) {
    if (field_of != nullptr) detail.set_field(field_of(said.param));
    const bool unknown = Is(said, {"unsupported_parameter", "unsupported_value"});
    if ((unknown || said.param_unknown) && error_class == ErrorClass::kCaller) {
      detail.set_reason(std::string(kUnsupportedParameter));
    }
  }
  if (retry_after.has_value()) {
    const absl::Duration nanos = absl::Trunc(*retry_after, absl::Nanoseconds(1));
    const int64_t seconds = absl::ToInt64Seconds(nanos);
    detail.mutable_retry_after()->set_seconds(seconds);
    detail.mutable_retry_after()->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(nanos - absl::Seconds(seconds))));
  }
  std::string text = absl::StrCat(context.provider, " answered ");
  absl::StrAppend(&text, said.status == 200 ? "with an error" : absl::StrCat(said.status));
  if (error_class == ErrorClass::kCredential) {
    absl::StrAppend(&text, ": the key was refused; check the provider's credential");
  } else if (error_class == ErrorClass::kRedirect) {
    absl::StrAppend(&text, ": redirects are not followed; check the provider's base_url");
  } else if (!detail.provider_message().empty()) {
    // The whole of it is in the detail; both must fit into one trailer.
    absl::StrAppend(&text, ": ", CutUtf8(detail.provider_message(), 512));
  } else if (!detail.provider_code().empty()) {
    absl::StrAppend(&text, ": ", detail.provider_code());
  }
  return MakeError(error_class, std::move(detail), text);
}

}  // namespace

absl::Status ProviderHttpError(const DialectContext& context, const HttpHead& head,
                               absl::string_view body, absl::Time wall_now, FieldOfParam field_of) {
  Said said;
  JsonDocument document;
  if (ParseJson(body, &document, kLimits).ok()) {
    ReadError(document, 3, &said);
  } else {
    said.message = std::string(body.substr(0, 16 * 1024));
  }
  said.status = head.status;
  ReadUnknownName(said.message, &said);
  ReadAws(FindHeader(head.headers, "x-amzn-errortype"), document, &said);
  if (head.status < 400) {
    said.message.clear();
    return MakeProviderError(context,
                             head.status >= 300 ? ErrorClass::kRedirect : ErrorClass::kMalformed,
                             said, std::nullopt, field_of);
  }
  const JsonValue null;
  const JsonValue& root =
      document.IsArray() && !document.Empty() ? document[0] : static_cast<JsonValue&>(document);
  const auto headers_hint = RetryAfter(head.headers, null, wall_now, false);
  const ErrorClass error_class = Classify(said, headers_hint.has_value());
  std::optional<absl::Duration> retry_after;
  if (RuleOf(error_class).same != SameCandidate::kNever) {
    retry_after = RetryAfter(head.headers, root, wall_now, error_class == ErrorClass::kRate);
  }
  absl::Status status = MakeProviderError(context, error_class, said, retry_after, field_of);
  if (absl::EqualsIgnoreCase(FindHeader(head.headers, "x-should-retry"), "false")) {
    ForbidSameCandidate(&status);
  }
  return status;
}

absl::Status ProviderInBandError(const DialectContext& context, const JsonValue& error,
                                 FieldOfParam field_of) {
  Said said;
  ReadError(error, 3, &said);
  const ErrorClass error_class = Classify(said, false);
  if (said.status == 0) said.status = 200;
  return MakeProviderError(context, error_class, said, std::nullopt, field_of);
}

absl::Status AwsStreamError(const DialectContext& context, absl::string_view type,
                            absl::string_view body) {
  Said said;
  JsonDocument document;
  if (ParseJson(body, &document, kLimits).ok()) {
    ReadError(document, 3, &said);
  } else {
    said.message = std::string(body.substr(0, 16 * 1024));
  }
  ReadAws(type, document, &said);
  const ErrorClass error_class = Classify(said, false);
  if (said.status == 0) said.status = 200;
  return MakeProviderError(context, error_class, said, std::nullopt, nullptr);
}

absl::Status MalformedAnswer(const DialectContext& context, absl::string_view what) {
  v1::ErrorDetail detail;
  detail.set_reason("upstream_malformed");
  detail.set_provider(context.provider);
  detail.set_http_status(200);
  return MakeError(ErrorClass::kMalformed, std::move(detail),
                   absl::StrCat("the answer of ", context.provider, " is broken: ", what));
}

}  // namespace mg
