// The mock: a provider inside the process, for tests and first steps. Deterministic: what it
// answers follows from its rules, the model and the last user text alone; it takes every request
// that the contract knows, and it never gets a key. Pace and faults come from the configuration
// (mock_answer). Where tests may control it, what they have put or scripted goes before
// (mock_sessions).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/mock_answer.h"
#include "daemon/mock_rules.h"
#include "daemon/mock_sessions.h"
#include "daemon/provider.h"
#include "modelgateway/v1/config.pb.h"

namespace mg {

class MockProvider final : public Provider {
 public:
  // A plain INVALID_ARGUMENT if a rule's pattern is none; the configuration's check comes first.
  // `sessions` must outlive the mock; null: nobody controls it.
  static absl::StatusOr<std::unique_ptr<MockProvider>> Create(std::string name,
                                                              const v1::MockConfig& config,
                                                              MockSessions* sessions = nullptr);

  absl::string_view name() const override { return name_; }
  absl::StatusOr<std::unique_ptr<Answer>> Start(const Ask& ask) const override;
  absl::Status Serves(const Ask& ask) const override;
  std::vector<absl::string_view> Capabilities(absl::string_view model) const override;
  // The models that its configuration limits it to; none: any.
  const std::vector<std::string>& models() const { return models_; }

 private:
  MockProvider(std::string name, const v1::MockConfig& config,
               std::shared_ptr<const MockRules> rules, MockSessions* sessions);
  absl::StatusOr<std::unique_ptr<Answer>> StartControlled(const Ask& ask) const;

  const std::string name_;
  const std::vector<std::string> models_;
  const std::shared_ptr<const MockRules> rules_;
  MockSessions* const sessions_;
};

}  // namespace mg
