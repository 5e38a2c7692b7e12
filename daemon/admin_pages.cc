#include "daemon/admin_pages.h"

#include <google/protobuf/util/json_util.h>

#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/query_fields.h"

namespace mg {
namespace {

using google::protobuf::Message;

constexpr absl::string_view kPrefix = "/api/v1/";
constexpr absl::string_view kPackage = "modelgateway.v1.";

// What the method sees of the request.
class HttpRpc final : public Rpc {
 public:
  explicit HttpRpc(const HttpServerRequest& request) : request_(request) {}

  absl::string_view Metadata(absl::string_view key) const override {
    return FindHeader(request_.headers, key);
  }
  std::vector<absl::string_view> MetadataValues(absl::string_view key) const override {
    std::vector<absl::string_view> values;
    for (const HttpHeader& header : request_.headers) {
      if (absl::EqualsIgnoreCase(header.name, key)) values.emplace_back(header.value);
    }
    return values;
  }
  Instant deadline() const override { return kNever; }
  Cancellation* cancellation() override { return &cancellation_; }
  void AddInitialMetadata(absl::string_view, absl::string_view) override {}
  void AddTrailingMetadata(absl::string_view, absl::string_view) override {}
  void Send(const google::protobuf::MessageLite& message) override {
    const auto status =
        google::protobuf::util::MessageToJsonString(static_cast<const Message&>(message), &answer_);
    if (!status.ok()) answer_.clear();
  }
  size_t unsent_bytes() const override { return 0; }

  std::string TakeAnswer() { return std::move(answer_); }

 private:
  const HttpServerRequest& request_;
  Cancellation cancellation_;
  std::string answer_;
};

HttpReply ErrorReply(const absl::Status& status) {
  const ErrorRule& rule = RuleOf(ClassOf(status));
  const v1::ErrorDetail detail = DetailOf(status);
  HttpReply reply;
  reply.status = rule.http_status;
  reply.content_type = "application/json";
  reply.body = R"({"error":{"code":")";
  absl::StrAppend(&reply.body, CodeName(status.code()), R"(","kind":")", KindName(detail.kind()),
                  R"(","message":)");
  AppendJsonString(status.message(), &reply.body);
  if (!detail.field().empty()) {
    absl::StrAppend(&reply.body, R"(,"field":)");
    AppendJsonString(detail.field(), &reply.body);
  }
  absl::StrAppend(&reply.body, "}}\n");
  if (reply.status == 401) reply.headers.push_back({"www-authenticate", "Bearer"});
  return reply;
}

HttpReply Plain(int status, absl::string_view text) {
  HttpReply reply;
  reply.status = status;
  reply.body = absl::StrCat(text, "\n");
  return reply;
}

// One door for all JSON: its limits first, then the fields.
absl::StatusOr<std::unique_ptr<Message>> Filled(std::unique_ptr<Message> message,
                                                absl::string_view json) {
  if (json.find_first_not_of(" \t\r\n") == absl::string_view::npos) return message;
  JsonDocument document;
  if (absl::Status status = ParseJson(json, &document); !status.ok()) {
    return MakeError(ErrorClass::kInvalidRequest, status.message());
  }
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), message.get());
  if (!status.ok()) {
    return MakeError(
        ErrorClass::kInvalidRequest,
        absl::StrCat("the request is no ", message->GetDescriptor()->name(), ": ",
                     absl::string_view(status.message().data(), status.message().size())));
  }
  return message;
}

absl::StatusOr<std::unique_ptr<Message>> RequestOf(const HttpServerRequest& request,
                                                   const AdminMethod& method) {
  std::unique_ptr<Message> message = method.NewRequest();
  if (request.method == "POST") return Filled(std::move(message), request.body);
  absl::StatusOr<std::string> json = JsonOfQuery(request.target, *message->GetDescriptor());
  if (!json.ok()) return json.status();
  return Filled(std::move(message), *json);
}

}  // namespace

AdminMethod* AdminPages::Find(absl::string_view path) const {
  if (!absl::ConsumePrefix(&path, kPrefix)) return nullptr;
  for (const RpcService& service : services_) {
    absl::string_view name = service.name;
    absl::ConsumePrefix(&name, kPackage);
    for (const auto& method : service.methods) {
      if (path == absl::StrCat(name, "/", method->name())) {
        return static_cast<AdminMethod*>(method.get());
      }
    }
  }
  return nullptr;
}

Task<HttpReply> AdminPages::Handle(const HttpServerRequest& request) {
  if (!absl::StartsWith(request.path(), kPrefix)) {
    if (request.method != "POST") co_return co_await others_->Handle(request);
    HttpReply reply = Plain(405, "only GET and HEAD are served here");
    reply.headers.push_back({"allow", "GET, HEAD"});
    co_return reply;
  }
  AdminMethod* const method = Find(request.path());
  if (method == nullptr) {
    co_return Plain(404,
                    "no such method; they are /api/v1/Admin/METHOD and, where a mock is "
                    "configured and mock_control is true, /api/v1/MockControl/METHOD");
  }
  if (method->access() == AdminAccess::kChanges && request.method != "POST") {
    HttpReply reply = Plain(405, "this method changes something: it is asked by POST");
    reply.headers.push_back({"allow", "POST"});
    co_return reply;
  }
  HttpRpc rpc(request);
  const absl::Status status = co_await method->Serve(rpc, RequestOf(request, *method));
  if (!status.ok()) co_return ErrorReply(status);
  HttpReply reply;
  reply.content_type = "application/json";
  reply.body = rpc.TakeAnswer();
  reply.body.push_back('\n');
  co_return reply;
}

}  // namespace mg
