#include "daemon/admin_service.h"

#include <google/protobuf/util/time_util.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/version.h"
#include "daemon/admin_method.h"
#include "daemon/admin_state.h"
#include "daemon/config/effective.h"
#include "daemon/config/effective_text.h"
#include "daemon/config/yaml_json.h"
#include "modelgateway/v1/admin.pb.h"
#include "routing/explain.h"

namespace mg {
namespace {

constexpr char kService[] = "modelgateway.v1.Admin";
// Drains are as long as the configuration's may be.
constexpr absl::Duration kLongestDrain = absl::Hours(1);

google::protobuf::Timestamp Proto(absl::Time time) {
  return google::protobuf::util::TimeUtil::NanosecondsToTimestamp(absl::ToUnixNanos(time));
}

Moment MomentOf(const AdminParts& parts) {
  return {parts.worker->loop->now(), parts.worker->loop->WallTime()};
}

v1::ConfigState ConfigOf(const ConfigState& state) {
  v1::ConfigState told;
  told.set_generation(state.generation);
  *told.mutable_loaded() = Proto(state.loaded);
  told.mutable_sources()->Add(state.sources.begin(), state.sources.end());
  told.set_last_error(state.last_error);
  if (state.last_error_at != absl::InfinitePast()) {
    *told.mutable_last_error_at() = Proto(state.last_error_at);
  }
  told.mutable_needs_restart()->Add(state.needs_restart.begin(), state.needs_restart.end());
  return told;
}

absl::StatusOr<v1::GetStateResponse> GetState(const AdminParts& parts, const v1::GetStateRequest&) {
  const Moment moment = MomentOf(parts);
  v1::GetStateResponse response;
  response.set_version(kVersion);
  *response.mutable_started() = Proto(parts.started);
  *response.mutable_now() = Proto(moment.wall);
  *response.mutable_config() = ConfigOf(parts.reloader->State());
  response.set_draining(parts.draining());
  DescribeState(*parts.worker->snapshot, moment, &response);
  return response;
}

void Tell(const AdminParts& parts, const std::vector<BreakerRecord>& records) {
  for (const BreakerRecord& record : records) parts.worker->telemetry->BreakerTold(record);
}

absl::StatusOr<v1::ScopeResponse> ResetBreaker(const AdminParts& parts,
                                               const v1::ResetBreakerRequest& request) {
  const Snapshot& snapshot = *parts.worker->snapshot;
  const Moment moment = MomentOf(parts);
  absl::Status known = DescribeScope(snapshot, request.scope(), moment).status();
  if (!known.ok()) return known;
  Tell(parts, ResetScope(snapshot, request, moment.now));
  return DescribeScope(snapshot, request.scope(), moment);
}

absl::StatusOr<v1::ScopeResponse> Isolate(const AdminParts& parts,
                                          const v1::IsolateRequest& request) {
  const Snapshot& snapshot = *parts.worker->snapshot;
  const Moment moment = MomentOf(parts);
  absl::Status known = DescribeScope(snapshot, request.scope(), moment).status();
  if (!known.ok()) return known;
  const absl::Duration duration = ToDuration(request.duration());
  if (request.has_duration() && (duration <= absl::ZeroDuration() || !request.isolated())) {
    return FieldError(ErrorClass::kInvalidRequest, "duration",
                      "duration is how long an isolation lasts: more than 0s, and only with "
                      "isolated: true");
  }
  if (request.isolated()) {
    const Instant until = request.has_duration() ? moment.now + duration : kNever;
    Tell(parts, IsolateScope(snapshot, request.scope(), moment.now, until));
  } else {
    v1::ResetBreakerRequest back;
    *back.mutable_scope() = request.scope();
    back.set_keep_cooldowns(true);
    Tell(parts, ResetScope(snapshot, back, moment.now));
  }
  return DescribeScope(snapshot, request.scope(), moment);
}

absl::StatusOr<v1::ExplainResponse> ExplainCall(const AdminParts& parts,
                                                const v1::ExplainRequest& request) {
  const Snapshot& snapshot = *parts.worker->snapshot;
  const Explanation explanation = Explain(*snapshot.router, request.model(), request.context());
  v1::ExplainResponse response;
  if (explanation.route != nullptr) response.set_group(explanation.route->group);
  response.set_strategy(explanation.strategy);
  response.set_hash_key_source(explanation.hash_key_source);
  response.set_hash_key_missing(explanation.hash_key_missing);
  for (const RankedCandidate& ranked : explanation.order) {
    v1::Ranked* told = response.add_order();
    *told->mutable_candidate() = CandidateStateOf(snapshot, *ranked.candidate, MomentOf(parts));
    told->set_score(ranked.score);
    told->set_skipped(ranked.skipped.empty() ? told->candidate().blocked_by() : ranked.skipped);
  }
  if (!explanation.refusal.ok()) {
    *response.mutable_refusal() = DetailOf(explanation.refusal);
  }
  response.set_generation(parts.reloader->State().generation);
  return response;
}

absl::StatusOr<v1::GetConfigResponse> GetConfig(const AdminParts& parts,
                                                const v1::GetConfigRequest& request) {
  const std::string text = EffectiveText(parts.reloader->config()->loaded);
  v1::GetConfigResponse response;
  response.set_text(request.json() ? JsonOfYaml(text) : text);
  response.set_generation(parts.reloader->State().generation);
  return response;
}

absl::StatusOr<v1::DrainResponse> Drain(const AdminParts& parts, const v1::DrainRequest& request) {
  std::optional<absl::Duration> timeout;
  if (request.has_timeout()) {
    timeout = ToDuration(request.timeout());
    if (*timeout < absl::ZeroDuration() || *timeout > kLongestDrain) {
      return FieldError(ErrorClass::kInvalidRequest, "timeout",
                        absl::StrCat("timeout is 0s to ", absl::FormatDuration(kLongestDrain)));
    }
  }
  parts.drain(timeout);
  return v1::DrainResponse();
}

v1::ReloadResponse ResponseOf(ReloadResult result) {
  v1::ReloadResponse response;
  response.set_accepted(result.accepted);
  response.set_generation(result.generation);
  for (const Problem& problem : result.problems) {
    v1::Problem* told = response.add_problems();
    told->set_file(problem.file);
    told->set_line(problem.line);
    told->set_path(problem.path);
    told->set_message(problem.message);
    told->set_nearest(problem.nearest);
  }
  for (const auto& [group, share] : result.moved_share) {
    (*response.mutable_moved_share())[group] = share;
  }
  for (std::string& key : result.needs_restart) response.add_needs_restart(std::move(key));
  return response;
}

// The one method that waits: files are read and checked on another thread.
class ReloadMethod final : public AdminMethod {
 public:
  ReloadMethod(const AdminToken* token, Reloader* reloader) : token_(token), reloader_(reloader) {}

  absl::string_view name() const override { return "Reload"; }
  AdminAccess access() const override { return AdminAccess::kChanges; }
  std::unique_ptr<google::protobuf::Message> NewRequest() const override {
    return std::make_unique<v1::ReloadRequest>();
  }

  Task<absl::Status> Serve(
      Rpc& rpc, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) override {
    MG_CO_RETURN_IF_ERROR(token_->Check(rpc));
    if (!request.ok()) co_return request.status();
    const auto& asked = static_cast<const v1::ReloadRequest&>(**request);
    rpc.Send(ResponseOf(co_await reloader_->Reload(asked.dry_run(), "Admin")));
    co_return absl::OkStatus();
  }

 private:
  const AdminToken* const token_;
  Reloader* const reloader_;
};

template <typename Request, typename Response>
std::unique_ptr<RpcMethod> Method(const AdminParts& parts, const char* name, AdminAccess access,
                                  absl::StatusOr<Response> (*answer)(const AdminParts& parts,
                                                                     const Request& request)) {
  return std::make_unique<AdminCall<Request, Response>>(
      name, access, parts.token,
      [parts, answer](const Request& request) { return answer(parts, request); });
}

}  // namespace

RpcService AdminService(const AdminParts& parts) {
  RpcService service;
  service.name = kService;
  const auto add = [&](auto method) { service.methods.push_back(std::move(method)); };
  using Access = AdminAccess;
  add(Method(parts, "GetState", Access::kOpen, GetState));
  add(Method(parts, "ResetBreaker", Access::kChanges, ResetBreaker));
  add(Method(parts, "Isolate", Access::kChanges, Isolate));
  add(Method(parts, "Explain", Access::kOpen, ExplainCall));
  add(std::make_unique<ReloadMethod>(parts.token, parts.reloader));
  add(Method(parts, "Drain", Access::kChanges, Drain));
  add(Method(parts, "GetConfig", Access::kOpen, GetConfig));
  return service;
}

}  // namespace mg
