// The mock: a provider inside the process, for tests and first steps. Deterministic: what it
// answers follows from its rules, the model and the last user text alone; it takes every request
// that the contract knows, and it never gets a key. Pace and faults come from the configuration
// (mock_answer).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/mock_answer.h"
#include "daemon/provider.h"
#include "modelgateway/v1/config.pb.h"

namespace mg {

class MockProvider final : public Provider {
 public:
  // kInvalidRequest (a plain INVALID_ARGUMENT) if a rule's pattern is none; the configuration's
  // check comes first.
  static absl::StatusOr<std::unique_ptr<MockProvider>> Create(std::string name,
                                                              const v1::MockConfig& config);
  ~MockProvider() override;

  absl::string_view name() const override { return name_; }
  absl::StatusOr<std::unique_ptr<Answer>> Start(const Ask& ask) const override;
  std::vector<absl::string_view> Capabilities(absl::string_view model) const override;

 private:
  struct Rule;
  MockProvider(std::string name, const v1::MockConfig& config);
  absl::StatusOr<std::unique_ptr<Answer>> StartChat(const Ask& ask) const;
  absl::StatusOr<std::unique_ptr<Answer>> StartEmbed(const Ask& ask) const;
  absl::StatusOr<std::unique_ptr<Answer>> StartCount(const Ask& ask) const;
  // The first rule that fits; nullptr: echo.
  const Rule* Find(absl::string_view model, absl::string_view last_user) const;
  // Of the rule, or the mock's own.
  const v1::MockFault& FaultOf(const Rule* rule) const;
  MockPace Pace() const;

  const std::string name_;
  const v1::MockConfig config_;
  std::vector<Rule> rules_;
};

}  // namespace mg
