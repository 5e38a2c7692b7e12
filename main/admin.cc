#include "main/admin.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "main/commands.h"
#include "main/options.h"
#include "modelgateway/v1/admin.grpc.pb.h"

namespace mg {
namespace {

namespace v1 = ::modelgateway::v1;
using google::protobuf::Message;
using google::protobuf::util::TimeUtil;

constexpr char kUsage[] =
    "usage: model-gateway admin state [--json]\n"
    "       model-gateway admin reset PROVIDER[/MODEL] [--keep-cooldowns]\n"
    "       model-gateway admin isolate PROVIDER[/MODEL] [--for DURATION | --end]\n"
    "       model-gateway admin reload [--dry-run]\n"
    "       model-gateway admin drain [--timeout DURATION]\n"
    "  --address ADDRESS   of the admin socket, else the default one: unix:/PATH or HOST:PORT\n"
    "  --token-file FILE   of the admin token, else admin.token beside the socket\n";
constexpr std::chrono::seconds kPatience(60);

struct AdminArguments {
  std::string what;
  std::string scope;
  std::string address;
  std::string token_file;
  absl::Duration duration = absl::InfiniteDuration();  // infinite: none was given
  bool json = false;
  bool keep_cooldowns = false;
  bool end = false;
  bool dry_run = false;
};

bool TakeFlag(const std::string& word, AdminArguments* parsed) {
  const std::pair<const char*, bool*> flags[] = {{"--json", &parsed->json},
                                                 {"--keep-cooldowns", &parsed->keep_cooldowns},
                                                 {"--end", &parsed->end},
                                                 {"--dry-run", &parsed->dry_run}};
  for (const auto& [name, flag] : flags) {
    if (word != name) continue;
    *flag = true;
    return true;
  }
  return false;
}

std::optional<AdminArguments> Parse(const std::vector<std::string>& arguments) {
  AdminArguments parsed;
  for (size_t at = 0; at < arguments.size(); ++at) {
    if (auto address = Option(arguments, "--address", &at)) {
      parsed.address = *address;
    } else if (auto file = Option(arguments, "--token-file", &at)) {
      parsed.token_file = *file;
    } else if (auto time = Option(arguments, parsed.what == "drain" ? "--timeout" : "--for", &at)) {
      if (!absl::ParseDuration(*time, &parsed.duration)) return std::nullopt;
    } else if (!TakeFlag(arguments[at], &parsed)) {
      std::string* const word = parsed.what.empty() ? &parsed.what : &parsed.scope;
      if (!word->empty() || absl::StartsWith(arguments[at], "-")) return std::nullopt;
      *word = arguments[at];
    }
  }
  const bool scoped = parsed.what == "reset" || parsed.what == "isolate";
  if (scoped == parsed.scope.empty()) return std::nullopt;
  return parsed;
}

// The way to the service: the stub, and the token where it can be read.
class Connection {
 public:
  explicit Connection(const AdminArguments& arguments) {
    address_ = arguments.address.empty() ? DefaultSocket("admin.sock") : arguments.address;
    if (address_.empty()) return;
    stub_ = v1::Admin::NewStub(grpc::CreateChannel(address_, grpc::InsecureChannelCredentials()));
    absl::string_view path = address_;
    std::string file = arguments.token_file;
    if (file.empty() && absl::ConsumePrefix(&path, "unix:")) {
      file = absl::StrCat(path.substr(0, path.rfind('/')), "/admin.token");
    }
    std::getline(std::ifstream(file), token_);
  }

  const std::string& address() const { return address_; }

  // The exit code; an error is said.
  template <typename Request, typename Response>
  int Ask(grpc::Status (v1::Admin::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
          const Request& request, Response* response) const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    if (!token_.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", token_));
    const grpc::Status status = (stub_.get()->*method)(&context, request, response);
    if (status.ok()) return kOk;
    std::fprintf(stderr, "model-gateway: %s: %s\n", address_.c_str(),
                 status.error_message().c_str());
    return kFailed;
  }

 private:
  std::string address_;
  std::string token_;
  std::unique_ptr<v1::Admin::Stub> stub_;
};

v1::Scope ScopeOf(const std::string& text) {
  v1::Scope scope;
  const size_t slash = text.find('/');
  scope.set_provider(text.substr(0, slash));
  if (slash != std::string::npos) scope.set_model(text.substr(slash + 1));
  return scope;
}

google::protobuf::Duration Proto(absl::Duration duration) {
  return TimeUtil::NanosecondsToDuration(absl::ToInt64Nanoseconds(duration));
}

// "closed", "open (consecutive) until 2026-01-02T03:04:05Z".
std::string Describe(const v1::Breaker& breaker) {
  std::string text = breaker.state().empty() ? "closed" : breaker.state();
  if (!breaker.reason().empty() && text != "closed")
    absl::StrAppend(&text, " (", breaker.reason(), ")");
  if (breaker.has_open_until()) {
    absl::StrAppend(&text, " until ", TimeUtil::ToString(breaker.open_until()));
  }
  return text;
}

std::string Describe(const v1::Cooldown& cooldown) {
  if (!cooldown.has_until()) return "";
  return absl::StrCat("cooling down (", cooldown.reason(), ") until ",
                      TimeUtil::ToString(cooldown.until()));
}

void Print(const v1::CandidateState& state) {
  std::string line = absl::StrFormat("  %-40s weight %-6g %s", state.candidate().id(),
                                     state.effective_weight(), Describe(state.breaker()));
  const std::string cooldown = Describe(state.cooldown());
  if (!cooldown.empty()) absl::StrAppend(&line, ", ", cooldown);
  if (!state.blocked_by().empty()) absl::StrAppend(&line, "  [", state.blocked_by(), "]");
  std::printf("%s\n", line.c_str());
}

void Print(const v1::GetStateResponse& state) {
  std::printf("model-gateway %s, since %s%s\n", state.version().c_str(),
              TimeUtil::ToString(state.started()).c_str(), state.draining() ? ", draining" : "");
  std::printf("configuration %lld of %s, loaded %s\n",
              static_cast<long long>(state.config().generation()),
              absl::StrJoin(state.config().sources(), ", ").c_str(),
              TimeUtil::ToString(state.config().loaded()).c_str());
  if (!state.config().last_error().empty()) {
    std::printf("rejected %s: %s\n", TimeUtil::ToString(state.config().last_error_at()).c_str(),
                state.config().last_error().c_str());
  }
  for (const std::string& key : state.config().needs_restart()) {
    std::printf("waits for a restart: %s\n", key.c_str());
  }
  for (const v1::Route& route : state.routes()) {
    std::printf("%s%s%s\n", route.name().c_str(), route.strategy().empty() ? "" : ", ",
                route.strategy().c_str());
    for (const v1::CandidateState& candidate : route.candidates()) Print(candidate);
  }
  for (const v1::Endpoint& endpoint : state.endpoints()) {
    std::printf("%s (%s): %s, %d of %d in flight, %d queued\n", endpoint.provider().c_str(),
                endpoint.host().c_str(), Describe(endpoint.breaker()).c_str(), endpoint.in_flight(),
                endpoint.max_in_flight(), endpoint.queued());
    for (const auto& [profile, cooldown] : endpoint.credentials()) {
      const std::string text = Describe(cooldown);
      if (text.empty()) continue;
      std::printf("  %s: %s\n", profile.empty() ? "its own key" : profile.c_str(), text.c_str());
    }
  }
}

void PrintJson(const Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (google::protobuf::util::MessageToJsonString(message, &json, options).ok()) {
    std::fputs(json.c_str(), stdout);
  }
}

int State(const Connection& connection, const AdminArguments& arguments) {
  v1::GetStateResponse state;
  const int code = connection.Ask(&v1::Admin::Stub::GetState, v1::GetStateRequest(), &state);
  if (code != kOk) return code;
  if (arguments.json) {
    PrintJson(state);
  } else {
    Print(state);
  }
  return kOk;
}

int PrintScope(int code, const v1::ScopeResponse& response) {
  for (const v1::CandidateState& candidate : response.candidates()) Print(candidate);
  return code;
}

int Reset(const Connection& connection, const AdminArguments& arguments) {
  v1::ResetBreakerRequest request;
  *request.mutable_scope() = ScopeOf(arguments.scope);
  request.set_keep_cooldowns(arguments.keep_cooldowns);
  v1::ScopeResponse response;
  return PrintScope(connection.Ask(&v1::Admin::Stub::ResetBreaker, request, &response), response);
}

int Isolate(const Connection& connection, const AdminArguments& arguments) {
  v1::IsolateRequest request;
  *request.mutable_scope() = ScopeOf(arguments.scope);
  request.set_isolated(!arguments.end);
  if (arguments.duration != absl::InfiniteDuration()) {
    *request.mutable_duration() = Proto(arguments.duration);
  }
  v1::ScopeResponse response;
  return PrintScope(connection.Ask(&v1::Admin::Stub::Isolate, request, &response), response);
}

int Reload(const Connection& connection, const AdminArguments& arguments) {
  v1::ReloadRequest request;
  request.set_dry_run(arguments.dry_run);
  v1::ReloadResponse response;
  const int code = connection.Ask(&v1::Admin::Stub::Reload, request, &response);
  if (code != kOk) return code;
  for (const v1::Problem& problem : response.problems()) {
    std::fprintf(stderr, "%s:%d: %s: %s\n", problem.file().c_str(), problem.line(),
                 problem.path().c_str(), problem.message().c_str());
  }
  for (const auto& [group, share] : response.moved_share()) {
    std::printf("%s: %.1f %% of the users go elsewhere\n", group.c_str(), share * 100);
  }
  for (const std::string& key : response.needs_restart()) {
    std::printf("waits for a restart: %s\n", key.c_str());
  }
  std::printf("%s: generation %lld\n",
              !response.accepted() ? "rejected"
              : arguments.dry_run  ? "free of problems"
                                   : "taken",
              static_cast<long long>(response.generation()));
  return response.accepted() ? kOk : kFailed;
}

int Drain(const Connection& connection, const AdminArguments& arguments) {
  v1::DrainRequest request;
  if (arguments.duration != absl::InfiniteDuration()) {
    *request.mutable_timeout() = Proto(arguments.duration);
  }
  v1::DrainResponse response;
  const int code = connection.Ask(&v1::Admin::Stub::Drain, request, &response);
  if (code == kOk) std::printf("draining\n");
  return code;
}

void Print(const v1::ExplainResponse& explanation) {
  std::printf(
      "%s: %s", explanation.group().c_str(),
      explanation.strategy().empty() ? "asked for by name" : explanation.strategy().c_str());
  if (explanation.hash_key_missing()) {
    std::printf(", and nothing to hash");
  } else if (!explanation.hash_key_source().empty()) {
    std::printf(" of %s", explanation.hash_key_source().c_str());
  }
  std::printf("\n");
  for (const v1::Ranked& ranked : explanation.order()) Print(ranked.candidate());
}

int SayNoSocket() {
  std::fputs(
      "model-gateway: there is no admin socket at its default place: name it with --address\n",
      stderr);
  return kFailed;
}

}  // namespace

int ExplainRunning(const std::string& address, const std::string& model,
                   const v1::CallContext& context) {
  AdminArguments arguments;
  arguments.address = address;
  const Connection connection(arguments);
  if (connection.address().empty()) return SayNoSocket();
  v1::ExplainRequest request;
  request.set_model(model);
  *request.mutable_context() = context;
  v1::ExplainResponse response;
  const int code = connection.Ask(&v1::Admin::Stub::Explain, request, &response);
  if (code != kOk) return code;
  Print(response);
  if (!response.has_refusal()) return kOk;
  std::fprintf(stderr, "refused: %s\n", v1::ErrorKind_Name(response.refusal().kind()).c_str());
  return kFailed;
}

int RunAdmin(const std::vector<std::string>& arguments) {
  const std::pair<const char*, int (*)(const Connection&, const AdminArguments&)> commands[] = {
      {"state", State},
      {"reset", Reset},
      {"isolate", Isolate},
      {"reload", Reload},
      {"drain", Drain}};
  const std::optional<AdminArguments> parsed = Parse(arguments);
  for (const auto& [name, command] : commands) {
    if (!parsed.has_value() || parsed->what != name) continue;
    const Connection connection(*parsed);
    if (!connection.address().empty()) return command(connection, *parsed);
    return SayNoSocket();
  }
  std::fputs(kUsage, stderr);
  return kWrongUsage;
}

}  // namespace mg
