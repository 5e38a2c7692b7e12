// What a caller with gRPC's default limits is told when a call fails, and that no secret is in it
// nor in anything else that the daemon says.

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "base/version.h"
#include "gmock/gmock.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/daemon.h"

namespace mg::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Errors, Row47ALongChainIsToldWithinTheCallersLimits) {
  constexpr int kCandidates = 10;
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Failing(503, std::string(4000, 'p')));
  const std::string tail(60, 'n');
  std::string providers = "providers:\n";
  std::string candidates;
  for (int i = 0; i < kCandidates; ++i) {
    const std::string name = absl::StrCat("p", i, "-", tail);
    absl::StrAppend(&providers, Compatible(name, upstream));
    absl::StrAppend(&candidates, i > 0 ? ", " : "", "{ provider: ", name, ", model: m-", tail,
                    " }");
  }
  Daemon daemon({.config = absl::StrCat(Listening(), providers, "groups: { g: { candidates: [",
                                        candidates, "] } }\nretry: { max_attempts: 10 }\n",
                                        "timeouts: { min_attempt: 100ms }\n")});
  for (const bool stream : {false, true}) {
    const Reply reply = Caller(daemon.tcp()).Run(Ask("g"), stream);
    EXPECT_EQ(reply.code, absl::StatusCode::kUnavailable);
    ASSERT_TRUE(reply.has_detail) << "the client lost the details";
    EXPECT_EQ(reply.detail.kind(), v1::ERROR_KIND_OVERLOADED);
    EXPECT_LE(reply.detail.ByteSizeLong(), 4096u);
    EXPECT_GT(reply.detail.report().attempts_size(), 0);
    EXPECT_THAT(reply.detail.provider_message(), HasSubstr("ppp"));
    EXPECT_LE(reply.detail.provider_message().size(), 2048u);
    EXPECT_EQ(reply.trailers.at("x-should-retry"), "false");
    EXPECT_EQ(reply.trailers.at("grpc-retry-pushback-ms"), "-1");
  }
  EXPECT_EQ(upstream.hits(), 2 * kCandidates);
}

// The code tells whose limits they are, on the wire as in the log.
TEST(Errors, ARefusalForSpentRatesSaysSoByItsCode) {
  FakeUpstream upstream;
  upstream.When(PathOf("a")).Reply(Failing(429).Header("retry-after", "30"));
  Daemon daemon({.config = absl::StrCat(Listening(), "providers:\n", Compatible("a", upstream))});
  Caller caller(daemon.tcp());
  EXPECT_EQ(caller.Chat(Ask("a/m-1")).detail.kind(), v1::ERROR_KIND_RATE_LIMITED);
  const Reply refused = caller.Chat(Ask("a/m-1"));
  EXPECT_EQ(refused.code, absl::StatusCode::kResourceExhausted) << refused.message;
  EXPECT_EQ(refused.detail.kind(), v1::ERROR_KIND_NO_CANDIDATE);
  EXPECT_EQ(refused.detail.reason(), "rate_limited");
  EXPECT_EQ(refused.trailers.at("x-should-retry"), "true");
  EXPECT_TRUE(
      daemon.WaitForLine("\"code\":\"RESOURCE_EXHAUSTED\",\"error.type\":\"no_candidate\""));
  EXPECT_EQ(upstream.hits(), 1);
}

class Refusals : public ::testing::Test {
 protected:
  Refusals()
      : daemon_({.config = absl::StrCat(Listening(), "providers:\n", Compatible("a", upstream_),
                                        "aliases: { fast: a/m-1 }\n")}),
        caller_(daemon_.tcp()) {}

  // Refused as the caller's fault, before anybody was asked.
  Reply Refused(const v1::ChatRequest& request, bool stream, v1::ErrorKind kind,
                const CallOptions& options = {}) {
    Reply reply = caller_.Run(request, stream, options);
    EXPECT_FALSE(reply.ok());
    EXPECT_EQ(reply.detail.kind(), kind) << reply.message;
    EXPECT_EQ(reply.detail.fault(), "caller");
    EXPECT_EQ(reply.trailers.count("grpc-retry-pushback-ms"), 0u);
    EXPECT_EQ(upstream_.hits(), 0);
    return reply;
  }

  FakeUpstream upstream_;
  Daemon daemon_;
  Caller caller_;
};

TEST_F(Refusals, UnknownFieldsAreNamedWithPathNumberAndVersion) {
  v1::ChatRequest request = Ask("fast");
  v1::Part* part = request.mutable_messages(0)->mutable_parts(0);
  part->GetReflection()->MutableUnknownFields(part)->AddVarint(999, 1);
  for (const bool stream : {false, true}) {
    const Reply reply = Refused(request, stream, v1::ERROR_KIND_INVALID_REQUEST);
    EXPECT_EQ(reply.code, absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(reply.detail.field(), "messages[0].parts[0].#999");
    EXPECT_THAT(reply.message, AllOf(HasSubstr("999"), HasSubstr(kVersion)));
  }
}

TEST_F(Refusals, UnknownValuesOfEnumsAreNamed) {
  v1::ChatRequest request = Ask("fast");
  request.mutable_messages(0)->set_role(static_cast<v1::Role>(42));
  const Reply reply = Refused(request, false, v1::ERROR_KIND_INVALID_REQUEST);
  EXPECT_EQ(reply.detail.field(), "messages[0].role");
  EXPECT_THAT(reply.message, AllOf(HasSubstr("42"), HasSubstr(kVersion)));
}

TEST_F(Refusals, BadUtf8IsNamedByItsPath) {
  v1::ChatRequest request = Ask("fast");
  request.add_messages()->set_role(v1::ROLE_ASSISTANT);
  request.mutable_messages(1)->add_parts()->set_text("fine");
  request.mutable_messages(1)->add_parts()->set_text("caf\xe9");
  const Reply reply = Refused(request, true, v1::ERROR_KIND_INVALID_REQUEST);
  EXPECT_EQ(reply.detail.field(), "messages[1].parts[1].text");
  EXPECT_THAT(reply.message, HasSubstr("UTF-8"));
}

TEST_F(Refusals, ARequestOver32MiBIsNamed) {
  const v1::ChatRequest request = Ask("fast", std::string(33 << 20, 'x'));
  const Reply reply = Refused(request, false, v1::ERROR_KIND_INVALID_REQUEST);
  EXPECT_THAT(reply.message, HasSubstr("32 MiB"));
}

TEST_F(Refusals, AnUnknownModelNamesTheNearest) {
  const Reply reply = Refused(Ask("fsat"), false, v1::ERROR_KIND_UNKNOWN_MODEL);
  EXPECT_EQ(reply.code, absl::StatusCode::kNotFound);
  EXPECT_THAT(reply.message, HasSubstr("fast"));
}

TEST_F(Refusals, ProfilesAreRefusedByName) {
  v1::ChatRequest request = Ask("fast");
  (*request.mutable_context()->mutable_credential_profiles())["a"] = "team";
  EXPECT_THAT(Refused(request, false, v1::ERROR_KIND_UNSUPPORTED).detail.field(),
              HasSubstr("context.credential_profiles"));
}

// ---- keys of a call --------------------------------------------------------------------------

constexpr char kCallCanary[] = "sk-Canary/Call+19d04ce7f2a8b653";

class KeysOfACall : public ::testing::Test {
 protected:
  KeysOfACall()
      : daemon_({.config = absl::StrCat(Listening(), "providers:\n", Keyed("first"),
                                        Keyed("second"), kGroup),
                 .environment = {{"KEY", "sk-configured"}}}) {}

  std::string Keyed(const std::string& name) const {
    return Compatible(name, upstream_, "api_key: { env: KEY }");
  }
  Reply Chat(const std::string& key, const std::string& value) {
    return Caller(daemon_.tcp()).Chat(Ask("both"), {.metadata = {{key, value}}});
  }
  std::string KeySentTo(const std::string& provider) {
    for (const UpstreamRequest& request : upstream_.requests()) {
      if (request.path() == PathOf(provider))
        return std::string(FindHeader(request.headers, "authorization"));
    }
    return "";
  }

  static constexpr char kGroup[] =
      "groups: { both: { candidates: [{ provider: first, model: m }], fallback: [last] },"
      " last: { candidates: [{ provider: second, model: m }] } }\n";
  FakeUpstream upstream_;
  Daemon daemon_;
};

TEST_F(KeysOfACall, ReachOnlyTheProviderThatTheyName) {
  upstream_.When(PathOf("first")).Reply(Failing(503));
  upstream_.When(PathOf("second")).Reply(Good(false));
  v1::CallCredentials keys;
  (*keys.mutable_by_provider())["first"].set_bearer_token(kCallCanary);
  const Reply reply = Chat("x-modelgateway-credentials-bin", keys.SerializeAsString());
  EXPECT_TRUE(reply.ok()) << reply.message;
  EXPECT_EQ(KeySentTo("first"), absl::StrCat("Bearer ", kCallCanary));
  EXPECT_EQ(KeySentTo("second"), "Bearer sk-configured");
  EXPECT_EQ(daemon_.Stop(), 0);
  EXPECT_THAT(daemon_.Out() + daemon_.Err(), Not(HasSubstr("Canary/Call")));
}

TEST_F(KeysOfACall, ThatAreRefusedAreTheCallersAffair) {
  const std::string body = absl::StrCat(R"({"error":{"message":"Incorrect API key provided: )",
                                        kCallCanary, R"(","code":"invalid_api_key"}})");
  upstream_.When(PathOf("first")).Reply(Json(body, 401));
  const Reply reply = Chat("x-modelgateway-api-key", absl::StrCat("first=", kCallCanary));
  EXPECT_EQ(reply.code, absl::StatusCode::kUnauthenticated) << reply.message;
  EXPECT_EQ(reply.detail.kind(), v1::ERROR_KIND_CREDENTIAL);
  EXPECT_EQ(reply.detail.fault(), "caller");
  EXPECT_EQ(reply.Attempts(), "first:CREDENTIAL") << "no other is asked";
  EXPECT_EQ(daemon_.Stop(), 0);
  EXPECT_THAT(daemon_.Out() + daemon_.Err() + reply.message + reply.detail.DebugString(),
              Not(HasSubstr("Canary/Call")));
}

// ---- secrets ---------------------------------------------------------------------------------

constexpr char kEnvCanary[] = "sk-Canary/Env+7f3a9c51d2e84b60";
constexpr char kFileCanary[] = "Canary-File-5b1e77aa90c34df8";
constexpr char kCallerCanary[] = "Canary-Caller-11c2d9e0f4a8";

std::vector<std::string> FormsOf(const std::string& secret) {
  std::string percent = absl::StrReplaceAll(secret, {{"/", "%2F"}, {"+", "%2B"}});
  return {secret, absl::Base64Escape(secret), percent, secret.substr(0, 20)};
}

// A provider that says what it was asked with.
std::string Telltale() {
  std::string text = "the key ";
  for (const char* secret : {kEnvCanary, kFileCanary}) {
    for (const std::string& form : FormsOf(secret)) absl::StrAppend(&text, form, " and ");
    absl::StrAppend(&text, "Bearer ", secret, "; ");
  }
  return text;
}

void ExpectNoSecret(const std::string& where, const std::string& text) {
  for (const char* secret : {kEnvCanary, kFileCanary, kCallerCanary}) {
    for (const std::string& form : FormsOf(secret)) {
      EXPECT_FALSE(absl::StrContains(text, form)) << where << " has " << form;
    }
  }
}

// I15 over all that goes out.
TEST(Secrets, AreInNothingThatTheDaemonSays) {
  FakeUpstream upstream;
  for (const char* provider : {"a", "b"}) {
    upstream.When(PathOf(provider))
        .Reply(Failing(401, Telltale()))
        .Reply(Failing(400, Telltale()))
        .Reply(Script().Status(401).Body(Telltale()))
        .Reply(Script().Status(500).Body(Telltale()))
        .Reply(Json(Telltale()))  // no JSON
        .Reply(Good(false));
  }
  Daemon daemon(
      {.config = absl::StrCat(Listening(), "providers:\n",
                              Compatible("a", upstream, "api_key: { env: CANARY }"),
                              Compatible("b", upstream, "api_key: { file: @DIR@/canary }"),
                              "retry: { max_attempts: 1 }\ncooldown: { auth: 100ms }\n"
                              "observability: { logs: { level: debug, format: json } }\n"),
       .environment = {{"CANARY", kEnvCanary}},
       .files = {{"canary", kFileCanary}}});
  Caller caller(daemon.tcp());
  const CallOptions options{
      .metadata = {{"authorization", absl::StrCat("Bearer ", kCallerCanary)}}};
  int failed = 0;
  size_t refused = 0;
  for (const char* model : {"a/m-1", "b/m-1"}) {
    for (int i = 0; i < 6; ++i) {
      Reply reply = caller.Chat(Ask(model), options);
      while (reply.detail.kind() == v1::ERROR_KIND_NO_CANDIDATE) {
        ++refused;
        ExpectNoSecret("a refusal", reply.message);  // its key is left alone for a moment
        reply = caller.Chat(Ask(model), options);
      }
      if (!reply.ok()) ++failed;
      ExpectNoSecret("a status", reply.message);
      ExpectNoSecret("the detail", reply.detail.SerializeAsString());
      ExpectNoSecret("the answer", reply.response.SerializeAsString());
      for (const auto& [key, value] : reply.trailers) {
        if (key != "grpc-status-details-bin") ExpectNoSecret(key, value);
      }
      if (reply.detail.kind() == v1::ERROR_KIND_CREDENTIAL) {
        EXPECT_EQ(reply.detail.provider_message(), "");
      }
    }
  }
  EXPECT_EQ(failed, 10);

  // The keys were in use, so that there was something to hide; and each went to its own provider.
  const std::vector<UpstreamRequest> requests = upstream.requests();
  ASSERT_EQ(requests.size(), 12u);
  for (const UpstreamRequest& request : requests) {
    const char* key = request.path() == PathOf("a") ? kEnvCanary : kFileCanary;
    EXPECT_EQ(FindHeader(request.headers, "authorization"), absl::StrCat("Bearer ", key));
    for (const HttpHeader& header : request.headers) {
      EXPECT_FALSE(absl::StrContains(header.value, kCallerCanary)) << header.name;
    }
    EXPECT_FALSE(absl::StrContains(request.body, kCallerCanary));
  }

  const Page metrics = Get(daemon.admin(), "/metrics");
  EXPECT_EQ(metrics.status, 200);
  ExpectNoSecret("the metrics page", metrics.text);
  EXPECT_EQ(daemon.Stop(), 0);
  EXPECT_THAT(daemon.Out(), HasSubstr("\"event\":\"upstream.request\""));
  EXPECT_EQ(daemon.Lines("call.end").size(), 12 + refused);
  ExpectNoSecret("the log", daemon.Out());
  ExpectNoSecret("standard error", daemon.Err());
}

}  // namespace
}  // namespace mg::e2e
