// From the RPC's request to its answer, with a real configuration: what is refused before any
// provider is asked, and what every call leaves behind.

#include "daemon/chat_method.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "daemon/build_snapshot.h"
#include "daemon/config/load.h"
#include "tests/component/recording_rpc.h"
#include "tests/support/virtual_loop.h"

namespace mg {
namespace {

using testing::HasSubstr;

constexpr char kConfig[] = R"(
providers:
  fake: { mock: { rules: [{ model: broken, fault: { status: 503 } }] } }
  house: { openai_compatible: { base_url: "http://127.0.0.1:1/v1" } }
groups:
  support: { candidates: [{ provider: fake, model: a, weight: 3 }, { provider: fake, model: b, weight: 0 }] }
  sticky: { hash_key: routing_key, missing_key: reject, candidates: [{ provider: fake, model: a }] }
aliases: { fast: support }
)";

class ChatMethodTest : public testing::Test {
 public:
  ~ChatMethodTest() override {
    close(log_[0]);
    close(log_[1]);
  }

 protected:
  ChatMethodTest() {
    EXPECT_EQ(pipe(log_), 0);
    Outside outside;
    outside.variable = [](const std::string&) { return std::nullopt; };
    outside.file = [](const std::string&, size_t) { return absl::NotFoundError("none"); };
    const LoadedConfig loaded = LoadConfig({kConfig, "test"}, outside);
    EXPECT_TRUE(loaded.ok()) << ToText(loaded.problems);
    auto snapshot = BuildSnapshot(loaded, &lasting_, loop_.now());
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    LogOptions options;
    options.fd = log_[1];
    options.format = LogFormat::kJson;
    logger_ = std::make_unique<Logger>(options);
    telemetry_ = std::make_unique<Telemetry>(logger_.get(), MetricsOptions());
    worker_.loop = &loop_;
    worker_.telemetry = telemetry_.get();
    worker_.snapshot = *snapshot;
    request_.set_model("fast");
    v1::Message* message = request_.add_messages();
    message->set_role(v1::ROLE_USER);
    message->add_parts()->set_text("hello world");
  }

  absl::Status Call(bool stream = false) {
    ChatMethod method(&worker_, stream);
    absl::Status status = absl::UnknownError("did not end");
    Spawn(Serve(&method, &rpc_, std::make_unique<v1::ChatRequest>(request_), &status));
    loop_.RunUntilIdle();
    return status;
  }
  static Task<void> Serve(ChatMethod* method, Rpc* rpc, std::unique_ptr<v1::ChatRequest> request,
                          absl::Status* status) {
    *status = co_await method->Serve(*rpc, std::move(request));
  }

  std::string Log() {
    logger_->Flush(absl::Seconds(10));
    std::string text(1 << 16, '\0');
    const ssize_t length = read(log_[0], text.data(), text.size());
    text.resize(length > 0 ? static_cast<size_t>(length) : 0);
    return text;
  }

  void ExpectRefused(v1::ErrorKind kind, const std::string& field, const std::string& words) {
    const absl::Status status = Call();
    const v1::ErrorDetail detail = DetailOf(status);
    EXPECT_EQ(detail.kind(), kind) << status;
    EXPECT_EQ(detail.field(), field);
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
    EXPECT_EQ(detail.fault(), "caller");
    EXPECT_EQ(detail.report().attempts_size(), 0);
    EXPECT_FALSE(detail.report().request_id().empty());
    EXPECT_TRUE(rpc_.sent.empty());
  }

  int log_[2];
  VirtualLoop loop_;
  Lasting lasting_{1};
  std::unique_ptr<Logger> logger_;
  std::unique_ptr<Telemetry> telemetry_;
  Worker worker_;
  RecordingRpc rpc_;
  v1::ChatRequest request_;
};

TEST_F(ChatMethodTest, AnswersWithItsReportAndNames) {
  rpc_.metadata["x-correlation-id"] = "order-17";
  rpc_.metadata["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  ASSERT_TRUE(Call().ok());
  v1::ChatResponse response;
  ASSERT_EQ(rpc_.sent.size(), 1u);
  ASSERT_TRUE(response.ParseFromString(rpc_.sent[0]));
  EXPECT_EQ(response.choices(0).message().parts(0).text(), "hello world");
  const v1::CallReport& report = response.report();
  EXPECT_EQ(report.requested_model(), "fast");
  EXPECT_EQ(report.group(), "support");
  EXPECT_EQ(report.strategy(), "weighted_hash");
  EXPECT_EQ(report.provider(), "fake");
  EXPECT_EQ(report.model(), "a");
  EXPECT_EQ(report.correlation_id(), "order-17");
  EXPECT_EQ(report.trace_id(), "0af7651916cd43dd8448eb211c80319c");
  ASSERT_EQ(report.skipped_size(), 1);
  EXPECT_EQ(report.skipped(0).candidate(), "fake/b");
  EXPECT_EQ(report.skipped(0).reason(), "weight_zero");
  EXPECT_EQ(rpc_.initial["x-correlation-id"], "order-17");
  EXPECT_EQ(rpc_.initial["x-request-id"], report.request_id());
  EXPECT_EQ(rpc_.initial["x-trace-id"], report.trace_id());
  const std::string log = Log();
  EXPECT_THAT(log, HasSubstr(R"("correlation_id":"order-17")"));
  EXPECT_THAT(log, testing::Not(HasSubstr("hello")));
}

TEST_F(ChatMethodTest, EveryCallHasOneLineWhateverItsOutcome) {
  ASSERT_TRUE(Call(true).ok());
  request_.set_model("fake/broken");
  EXPECT_FALSE(Call().ok());
  request_.set_model("nothing");
  EXPECT_FALSE(Call().ok());
  const std::string log = Log();
  size_t lines = 0;
  for (size_t at = log.find("\"call.end\""); at != std::string::npos;
       at = log.find("\"call.end\"", at + 1)) {
    ++lines;
  }
  EXPECT_EQ(lines, 3u) << log;
}

TEST_F(ChatMethodTest, AnUnfitCorrelationIdIsReplaced) {
  rpc_.metadata["x-correlation-id"] = "bad id\n";
  ASSERT_TRUE(Call().ok());
  EXPECT_NE(rpc_.initial["x-correlation-id"], "bad id\n");
  EXPECT_FALSE(rpc_.initial["x-correlation-id"].empty());
}

TEST_F(ChatMethodTest, AnUnknownModelNamesTheNearest) {
  request_.set_model("fsat");
  ExpectRefused(v1::ERROR_KIND_UNKNOWN_MODEL, "model", "fast");
}

TEST_F(ChatMethodTest, KeysOfACallThatAreNoneAreRefusedWithoutTheirText) {
  const std::string pair = "x-modelgateway-api-key";
  const std::string message = "x-modelgateway-credentials-bin";
  const auto refuse = [&](const std::string& key, const std::string& value,
                          const std::string& why) {
    rpc_.metadata = {{key, value}};
    ExpectRefused(v1::ERROR_KIND_INVALID_REQUEST, key, why);
    EXPECT_THAT(std::string(Call().message()), testing::Not(HasSubstr("canary")));
  };
  refuse(pair, "canary", "PROVIDER=KEY");
  refuse(pair, "canary-of-nobody=x", "does not have");
  refuse(pair, "house=", "is empty");
  refuse(pair, "house=canary\n", "character");
  refuse(message, "canary", "CallCredentials");
  v1::CallCredentials keys;
  (*keys.mutable_by_provider())["house"];
  refuse(message, keys.SerializeAsString(), "api_key");
  (*keys.mutable_by_provider())["house"].mutable_aws()->set_access_key_id("canary");
  refuse(message, keys.SerializeAsString(), "is empty");
  (*keys.mutable_by_provider())["house"].mutable_aws()->set_secret_access_key("canary");
  refuse(message, keys.SerializeAsString(), "house takes no aws");
  (*keys.mutable_by_provider())["house"].set_bearer_token("canary");
  rpc_.metadata = {{pair, "house=canary"}, {message, keys.SerializeAsString()}};
  ExpectRefused(v1::ERROR_KIND_INVALID_REQUEST, pair, "more than one");
  EXPECT_THAT(Log(), testing::Not(HasSubstr("canary")));

  rpc_.metadata.clear();
  (*request_.mutable_context()->mutable_credential_profiles())["fake"] = "p";
  ExpectRefused(v1::ERROR_KIND_UNSUPPORTED, "context.credential_profiles", "profiles");
}

TEST_F(ChatMethodTest, AuthorizationIsIgnored) {
  rpc_.metadata["authorization"] = "Bearer of-the-caller";
  EXPECT_TRUE(Call().ok());
  EXPECT_THAT(Log(), testing::Not(HasSubstr("of-the-caller")));
}

TEST_F(ChatMethodTest, AnOptionForNobodyIsRefused) {
  (*request_.mutable_provider_options())["hose"];
  ExpectRefused(v1::ERROR_KIND_INVALID_REQUEST, "provider_options[\"hose\"]", "house");
  request_.mutable_provider_options()->clear();
  (*request_.mutable_provider_options())["anthropic"];  // a dialect that nobody speaks here
  EXPECT_TRUE(Call().ok());
  rpc_.sent.clear();
  (*request_.mutable_messages(0)->mutable_parts(0)->mutable_provider_options())["x"];
  ExpectRefused(v1::ERROR_KIND_INVALID_REQUEST, "messages[0].parts[0].provider_options[\"x\"]",
                "neither");
}

TEST_F(ChatMethodTest, ContradictionsAreNamed) {
  request_.mutable_context()->set_max_attempts(-1);
  ExpectRefused(v1::ERROR_KIND_INVALID_REQUEST, "context.max_attempts", "negative");
  request_.clear_context();
  request_.mutable_messages(0)->clear_role();
  ExpectRefused(v1::ERROR_KIND_INVALID_REQUEST, "messages[0].role", "no role");
  request_.clear_messages();
  ExpectRefused(v1::ERROR_KIND_INVALID_REQUEST, "messages", "no message");
}

TEST_F(ChatMethodTest, ALegacyPromptBecomesMessages) {
  request_.clear_messages();
  request_.mutable_legacy_prompt()->set_format(v1::LegacyPrompt::FORMAT_HUMAN_ASSISTANT);
  request_.mutable_legacy_prompt()->set_text("Be kind.\n\nHuman: hello\n\nAssistant:");
  const absl::Status status = Call();
  ASSERT_TRUE(status.ok()) << status;
  v1::ChatResponse response;
  ASSERT_TRUE(response.ParseFromString(rpc_.sent.at(0)));
  EXPECT_EQ(response.choices(0).message().parts(0).text(), "hello");
}

TEST_F(ChatMethodTest, ALegacyPromptBesideMessagesIsRefused) {
  request_.mutable_legacy_prompt()->set_text("hello");
  ExpectRefused(v1::ERROR_KIND_INVALID_REQUEST, "legacy_prompt", "both");
}

TEST_F(ChatMethodTest, APairAskedForByNameHasNoGroup) {
  request_.set_model("fake/a");
  ASSERT_TRUE(Call().ok());
  v1::ChatResponse response;
  ASSERT_TRUE(response.ParseFromString(rpc_.sent.at(0)));
  EXPECT_EQ(response.report().group(), "");
  EXPECT_EQ(response.report().route_reason(), "direct");
}

TEST_F(ChatMethodTest, AMissingHashKeyIsRefusedWhereConfigured) {
  request_.set_model("sticky");
  ExpectRefused(v1::ERROR_KIND_INVALID_REQUEST, "context.routing_key", "routing_key");
}

TEST_F(ChatMethodTest, TheCallersDeadlineHolds) {
  request_.set_model("fake/broken");
  rpc_.callers_deadline = loop_.now() + absl::Milliseconds(100);
  const Instant start = loop_.now();
  const absl::Status status = Call();
  EXPECT_FALSE(status.ok());
  EXPECT_LE(loop_.now() - start, absl::Milliseconds(100));
}

TEST_F(ChatMethodTest, FailuresCarryTheAttempts) {
  request_.set_model("fake/broken");
  const absl::Status status = Call();
  const v1::ErrorDetail detail = DetailOf(status);
  EXPECT_EQ(detail.kind(), v1::ERROR_KIND_OVERLOADED);
  EXPECT_EQ(detail.fault(), "provider");
  EXPECT_EQ(detail.report().attempts_size(), 3);
  EXPECT_EQ(detail.report().attempts(0).error_kind(), v1::ERROR_KIND_OVERLOADED);
  EXPECT_EQ(detail.report().attempts(0).http_status(), 503);
}

}  // namespace
}  // namespace mg
