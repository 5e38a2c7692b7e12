#include "daemon/http_provider.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/capability_checks.h"
#include "adapters/chat_codec.h"
#include "adapters/platforms/sigv4.h"
#include "adapters/provider_errors.h"
#include "base/error.h"
#include "daemon/call_keys.h"
#include "daemon/count_answer.h"
#include "daemon/embed_answer.h"
#include "daemon/http_answer.h"

namespace mg {
namespace {

constexpr int kMaxModelPages = 20;
constexpr size_t kMaxModelPage = size_t{8} << 20;
// Up to which signers and their judges may differ (spec/providers.md §1.9).
constexpr absl::Duration kToleratedSkew = absl::Minutes(5);

// At debug, what goes upstream: where to, under which headers and how much. No value of a header
// and no content.
void LogRequest(const Ask& ask, const HttpRequest& request) {
  if (ask.logger == nullptr || !ask.logger->Enabled(LogLevel::kDebug)) return;
  std::string names;
  for (const HttpHeader& header : request.headers) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", header.name);
  }
  const std::string url = request.url.substr(0, request.url.find('?'));
  ask.logger->Log(LogLevel::kDebug, "upstream.request", "request to a provider",
                  {{"provider", ask.candidate->provider},
                   {"model", ask.candidate->model},
                   {"url", url},
                   {"headers", names},
                   {"bytes", static_cast<int64_t>(request.body.size())}});
}

}  // namespace

DialectContext HttpProvider::ContextOf(absl::string_view model, bool refuse_unsupported) const {
  DialectContext context;
  context.provider = name_;
  context.model = std::string(model);
  context.compatible = adapter_.compatible;
  context.refuse_unsupported = refuse_unsupported;
  context.google_compatible = google_compatible_;
  context.api_version = platform_.api_version;
  context.preset = platform_.preset;
  context.beta = absl::EndsWith(platform_.base_url, "/beta");
  const auto deployment = platform_.deployments.find(std::string(model));
  if (deployment != platform_.deployments.end()) context.deployment = deployment->second;
  if (models_ != nullptr) context.traits = models_->Find(name_, model);
  return context;
}

absl::Status HttpProvider::Prepare(const Ask& ask, HttpRequest* request) const {
  const absl::Time now = ask.loop->WallTime() + absl::Seconds(clock_offset_.load());
  const CallKey* const key = ask.keys == nullptr ? nullptr : ask.keys->For(name_);
  if (key == nullptr) return adapter_.platform->PrepareFrom(platform_, *secrets_, now, request);
  PlatformConfig platform = platform_;
  platform.bearer = key->form == KeyForm::kBearerToken;
  return adapter_.platform->PrepareFrom(platform, key->secrets, now, request);
}

bool HttpProvider::LearnsClock(const HttpHead& head, const absl::Status& error,
                               absl::Time wall_now) const {
  if (!adapter_.platform->TakesAwsKeys()) return false;
  const auto offset = SigV4ClockOffset(head, error, wall_now);
  if (!offset.has_value()) return false;
  const absl::Duration unknown = *offset - absl::Seconds(clock_offset_.load());
  if (absl::AbsDuration(unknown) < kToleratedSkew) return false;
  clock_offset_.store(absl::ToInt64Seconds(*offset));
  return true;
}

absl::StatusOr<std::unique_ptr<HttpExchange>> HttpProvider::Send(const Ask& ask,
                                                                 HttpRequest request) const {
  if (request.body.size() > ByteBudget::kSmallShare) {
    if (ask.budget != nullptr && !ask.budget->LeavesRoom(request.body.size())) {
      return Held::NoRoom("this request");
    }
    request.body.shrink_to_fit();  // it grew by doubling, and is kept until it is answered
  }
  request.headers.reserve(8);  // more than most platforms add
  absl::Status prepared = Prepare(ask, &request);
  if (!prepared.ok()) {
    v1::ErrorDetail detail = DetailOf(prepared);
    detail.set_provider(name_);
    SetDetail(detail, &prepared);
    return prepared;
  }
  LogRequest(ask, request);
  return ask.http->Start(std::move(request), endpoint_, ask.connect_timeout);
}

absl::StatusOr<std::unique_ptr<Answer>> HttpProvider::Start(const Ask& ask) const {
  DialectContext context = ContextOf(ask.candidate->model, ask.refuse_unsupported);
  if (ask.asked.embed != nullptr) return StartEmbed(ask, std::move(context));
  if (ask.asked.count != nullptr) return StartCount(ask, std::move(context));
  auto codec = std::make_unique<ChatCodec>(*adapter_.dialect, *ask.asked.chat, std::move(context),
                                           ask.stream);
  absl::StatusOr<EncodedRequest> encoded = codec->Encode();
  if (!encoded.ok()) return encoded.status();
  const size_t request_bytes = encoded->http.body.size();
  absl::StatusOr<std::unique_ptr<HttpExchange>> exchange = Send(ask, std::move(encoded->http));
  if (!exchange.ok()) return exchange.status();
  if (ask.repair != nullptr) {
    encoded->warnings.insert(encoded->warnings.end(), ask.repair->warnings.begin(),
                             ask.repair->warnings.end());
  }
  return NewChatAnswer(ask, *this, std::move(codec), std::move(encoded->warnings), request_bytes,
                       *std::move(exchange));
}

absl::Status HttpProvider::Serves(const Ask& ask) const {
  DialectContext context = ContextOf(ask.candidate->model, ask.refuse_unsupported);
  if (ask.asked.embed != nullptr) return PrepareEmbed(ask, context).status();
  if (ask.asked.count != nullptr) {
    return EncodeCount(*adapter_.dialect, *ask.asked.count, context).status();
  }
  return ChatCodec(*adapter_.dialect, *ask.asked.chat, std::move(context), ask.stream)
      .Encode()
      .status();
}

absl::StatusOr<HttpProvider::Embedding> HttpProvider::PrepareEmbed(
    const Ask& ask, const DialectContext& context) const {
  if (auto status = CheckCapability("embed", context); !status.ok()) return status;
  absl::StatusOr<std::vector<EmbedBatch>> batches =
      adapter_.dialect->CutEmbed(*ask.asked.embed, context);
  if (!batches.ok()) return batches.status();
  absl::StatusOr<EncodedRequest> first =
      adapter_.dialect->EncodeEmbed(*ask.asked.embed, context, batches->front());
  if (!first.ok()) return first.status();
  return Embedding{*std::move(batches), *std::move(first)};
}

// Whether it can be written at all is known before anything is sent.
absl::StatusOr<std::unique_ptr<Answer>> HttpProvider::StartEmbed(const Ask& ask,
                                                                 DialectContext context) const {
  absl::StatusOr<Embedding> prepared = PrepareEmbed(ask, context);
  if (!prepared.ok()) return prepared.status();
  return std::make_unique<EmbedAnswer>(ask, this, *adapter_.dialect, std::move(context),
                                       std::move(prepared->batches),
                                       std::move(prepared->first.warnings));
}

absl::StatusOr<std::unique_ptr<Answer>> HttpProvider::StartCount(const Ask& ask,
                                                                 DialectContext context) const {
  absl::StatusOr<EncodedRequest> encoded =
      EncodeCount(*adapter_.dialect, *ask.asked.count, context);
  if (!encoded.ok()) return encoded.status();
  absl::StatusOr<std::unique_ptr<HttpExchange>> exchange = Send(ask, std::move(encoded->http));
  if (!exchange.ok()) return exchange.status();
  return NewCountAnswer(ask, *this, *adapter_.dialect, std::move(context),
                        std::move(encoded->warnings), *std::move(exchange));
}

Task<absl::StatusOr<ListedPage>> HttpProvider::ReadModelPage(const Ask& ask, std::string page,
                                                             Instant until,
                                                             Cancellation* cancellation) const {
  const DialectContext context = ContextOf("", false);
  absl::StatusOr<std::unique_ptr<HttpExchange>> exchange =
      Send(ask, EncodeModelList(*adapter_.models, page));
  if (!exchange.ok()) co_return exchange.status();
  absl::StatusOr<const HttpHead*> head = co_await (*exchange)->Head(until, cancellation);
  if (!head.ok()) co_return head.status();
  if ((*head)->status < 200 || (*head)->status > 299) {
    co_return co_await ReadHttpError(ask, exchange->get(), *adapter_.dialect, context, **head,
                                     until, cancellation);
  }
  absl::StatusOr<std::string> body =
      co_await ReadAll(exchange->get(), kMaxModelPage, until, cancellation);
  if (!body.ok()) co_return body.status();
  ListedPage models;
  if (absl::Status status = ReadListedModels(*adapter_.models, *body, &models); !status.ok()) {
    status = MalformedAnswer(context, status.message());
    TellBadAnswer(ask, *body, status);
    co_return status;
  }
  co_return models;
}

Task<absl::StatusOr<std::vector<ListedModel>>> HttpProvider::ListModels(
    const Ask& ask, Instant until, Cancellation* cancellation) const {
  if (adapter_.models == nullptr) {
    co_return MakeError(ErrorClass::kUnsupportedMethod,
                        absl::StrCat(name_, " has no list of its models that can be asked for"));
  }
  std::vector<ListedModel> listed;
  std::set<std::string> pages = {""};  // a page that was seen before ends the list
  std::string page;
  for (int i = 0; i < kMaxModelPages; ++i) {
    absl::StatusOr<ListedPage> models = co_await ReadModelPage(ask, page, until, cancellation);
    if (!models.ok()) co_return models.status();
    std::move(models->models.begin(), models->models.end(), std::back_inserter(listed));
    page = std::move(models->next);
    if (!pages.insert(page).second) break;
  }
  co_return listed;
}

Task<absl::Status> HttpProvider::Reach(const Ask& ask, Instant until,
                                       Cancellation* cancellation) const {
  HttpRequest request;
  request.method = "GET";
  request.url = platform_.base_url;
  const std::unique_ptr<HttpExchange> exchange =
      ask.http->Start(std::move(request), endpoint_, ask.connect_timeout);
  co_return (co_await exchange->Head(until, cancellation)).status();
}

bool HttpProvider::Takes(KeyForm form) const {
  return form != KeyForm::kAws || adapter_.platform->TakesAwsKeys();
}

std::vector<absl::string_view> HttpProvider::Capabilities(absl::string_view model) const {
  return adapter_.dialect->Capabilities(ContextOf(model, false));
}

}  // namespace mg
