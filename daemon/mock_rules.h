// The rules of a mock, ready to be asked: of its configuration, or put in their place by a test.
// Immutable; any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "daemon/mock_answer.h"
#include "modelgateway/v1/config.pb.h"

namespace mg {

class MockRules {
 public:
  // Of `config` its rules, latency and fault. INVALID_ARGUMENT, a plain status, if a rule's pattern
  // is none.
  static absl::StatusOr<std::shared_ptr<const MockRules>> Compile(const v1::MockConfig& config);
  MockRules(const MockRules&) = delete;
  MockRules& operator=(const MockRules&) = delete;
  ~MockRules();

  // The first rule that fits; nullptr: echo.
  const v1::MockRule* Find(absl::string_view model, absl::string_view last_user) const;
  // The fault of `rule` (null: none fits), or that of all, and the pace.
  MockManner MannerOf(const v1::MockRule* rule) const;

 private:
  struct Pattern;
  explicit MockRules(const v1::MockConfig& config);

  const v1::MockConfig config_;
  std::vector<Pattern> patterns_;  // of each rule
};

MockPace PaceOf(const v1::MockLatency& latency);

}  // namespace mg
