#include "daemon/mock_control.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"
#include "daemon/admin_method.h"
#include "daemon/admin_state.h"
#include "daemon/mock_provider.h"
#include "daemon/mock_script.h"

namespace mg {
namespace {

constexpr char kService[] = "modelgateway.v1.MockControl";

// The methods' common ground.
class Control {
 public:
  Control(const Worker* worker, MockSessions* sessions) : worker_(worker), sessions_(sessions) {}

  absl::StatusOr<v1::PutMockResponse> Put(const v1::PutMockRequest& request) const {
    absl::Status status = CheckTarget(request.target());
    if (status.ok()) status = CheckPutMock(request);
    if (!status.ok()) return status;
    v1::MockConfig config;
    *config.mutable_rules() = request.rules();
    *config.mutable_latency() = request.latency();
    *config.mutable_fault() = request.fault();
    absl::StatusOr<std::shared_ptr<const MockRules>> rules = MockRules::Compile(config);
    if (!rules.ok()) {
      return FieldError(ErrorClass::kInvalidRequest, "rules", rules.status().message());
    }
    status = sessions_->Put(request.target(), *std::move(rules), config.SpaceUsedLong(), now());
    if (!status.ok()) return status;
    return v1::PutMockResponse();
  }

  absl::StatusOr<v1::RemoveMockResponse> Remove(const v1::RemoveMockRequest& request) const {
    if (absl::Status status = CheckTarget(request.target()); !status.ok()) return status;
    sessions_->Remove(request.target(), now());
    return v1::RemoveMockResponse();
  }

  absl::StatusOr<v1::ScriptResponse> Script(const v1::ScriptRequest& request) const {
    absl::Status status = CheckTarget(request.target());
    if (status.ok()) status = CheckScript(request);
    if (status.ok()) status = sessions_->Script(request, now());
    if (!status.ok()) return status;
    return v1::ScriptResponse();
  }

  absl::StatusOr<v1::ListCallsResponse> List(const v1::ListCallsRequest& request) const {
    if (request.limit() < 0 || request.limit() > MockSessions::kLargestPage) {
      return FieldError(ErrorClass::kInvalidRequest, "limit",
                        absl::StrCat("limit is 1 to ", MockSessions::kLargestPage));
    }
    if (!request.target().provider().empty()) {
      if (absl::Status status = CheckTarget(request.target()); !status.ok()) return status;
    }
    return sessions_->List(request, now());
  }

  absl::StatusOr<v1::ResetResponse> Reset(const v1::ResetRequest& request) const {
    sessions_->Reset(request);
    for (const std::string& name : Mocks()) ResetState(name, request);
    return v1::ResetResponse();
  }

 private:
  Instant now() const { return worker_->loop->now(); }

  // As if nobody of the session had called this mock yet.
  void ResetState(const std::string& mock, const v1::ResetRequest& request) const {
    const Snapshot::State* state = worker_->snapshot->FindState(mock);
    if (state == nullptr || state->sessions == nullptr) return;
    if (request.all()) state->sessions->ForgetAll();
    if (!request.session().empty()) state->sessions->Forget(request.session());
    if (!request.all() && !request.session().empty()) return;
    v1::ResetBreakerRequest whole;
    whole.mutable_scope()->set_provider(mock);
    for (const BreakerRecord& record : ResetScope(*worker_->snapshot, whole, now())) {
      worker_->telemetry->BreakerTold(record);
    }
  }

  // That it is a mock, and a model that it can be asked for.
  absl::Status CheckTarget(const v1::MockTarget& target) const {
    const auto* mock =
        dynamic_cast<const MockProvider*>(worker_->snapshot->FindProvider(target.provider()));
    if (mock == nullptr) {
      return FieldError(ErrorClass::kInvalidRequest, "target.provider",
                        absl::StrCat("\"", target.provider(),
                                     "\" is no mock provider of the configuration: there is ",
                                     absl::StrJoin(Mocks(), ", ")));
    }
    const std::vector<std::string>& models = mock->models();
    const std::string& model = target.model();
    const bool known = model.empty() || model == "*" || models.empty() ||
                       std::find(models.begin(), models.end(), model) != models.end();
    if (known) return absl::OkStatus();
    return FieldError(ErrorClass::kInvalidRequest, "target.model",
                      absl::StrCat("\"", model, "\" is no model of ", target.provider(),
                                   ", which has ", absl::StrJoin(models, ", ")));
  }

  std::vector<std::string> Mocks() const {
    std::vector<std::string> names;
    for (const auto& [name, provider] : worker_->snapshot->providers) {
      if (dynamic_cast<const MockProvider*>(provider.get()) != nullptr) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  const Worker* const worker_;
  MockSessions* const sessions_;
};

}  // namespace

RpcService MockControlService(const Worker* worker, MockSessions* sessions,
                              const AdminToken* token) {
  const Control control(worker, sessions);
  RpcService service;
  service.name = kService;
  service.methods.push_back(std::make_unique<AdminCall<v1::PutMockRequest, v1::PutMockResponse>>(
      "PutMock", AdminAccess::kChanges, token,
      [control](const v1::PutMockRequest& request) { return control.Put(request); }));
  service.methods.push_back(
      std::make_unique<AdminCall<v1::RemoveMockRequest, v1::RemoveMockResponse>>(
          "RemoveMock", AdminAccess::kChanges, token,
          [control](const v1::RemoveMockRequest& request) { return control.Remove(request); }));
  service.methods.push_back(std::make_unique<AdminCall<v1::ScriptRequest, v1::ScriptResponse>>(
      "Script", AdminAccess::kChanges, token,
      [control](const v1::ScriptRequest& request) { return control.Script(request); }));
  service.methods.push_back(
      std::make_unique<AdminCall<v1::ListCallsRequest, v1::ListCallsResponse>>(
          "ListCalls", AdminAccess::kReadsToken, token,
          [control](const v1::ListCallsRequest& request) { return control.List(request); }));
  service.methods.push_back(std::make_unique<AdminCall<v1::ResetRequest, v1::ResetResponse>>(
      "Reset", AdminAccess::kChanges, token,
      [control](const v1::ResetRequest& request) { return control.Reset(request); }));
  return service;
}

}  // namespace mg
