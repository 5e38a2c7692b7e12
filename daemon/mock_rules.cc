#include "daemon/mock_rules.h"

#include <fnmatch.h>
#include <re2/re2.h>

#include "absl/strings/str_cat.h"
#include "daemon/config/effective.h"

namespace mg {

struct MockRules::Pattern {
  std::unique_ptr<RE2> last_user;  // null: any
};

MockRules::MockRules(const v1::MockConfig& config) : config_(config) {}

MockRules::~MockRules() = default;

absl::StatusOr<std::shared_ptr<const MockRules>> MockRules::Compile(const v1::MockConfig& config) {
  std::shared_ptr<MockRules> rules(new MockRules(config));
  for (int i = 0; i < config.rules_size(); ++i) {
    Pattern& pattern = rules->patterns_.emplace_back();
    const std::string& last_user = config.rules(i).last_user();
    if (last_user.empty()) continue;
    pattern.last_user = std::make_unique<RE2>(last_user, RE2::Quiet);
    if (!pattern.last_user->ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("rules[", i, "].last_user is no RE2 pattern: ", pattern.last_user->error()));
    }
  }
  return rules;
}

const v1::MockRule* MockRules::Find(absl::string_view model, absl::string_view last_user) const {
  const std::string name(model);
  const re2::StringPiece text(last_user.data(), last_user.size());
  for (size_t i = 0; i < patterns_.size(); ++i) {
    const v1::MockRule& rule = config_.rules(static_cast<int>(i));
    if (!rule.model().empty() && fnmatch(rule.model().c_str(), name.c_str(), 0) != 0) continue;
    const RE2* pattern = patterns_[i].last_user.get();
    if (pattern == nullptr || RE2::PartialMatch(text, *pattern)) return &rule;
  }
  return nullptr;
}

MockManner MockRules::MannerOf(const v1::MockRule* rule) const {
  MockManner manner;
  manner.fault = rule != nullptr && rule->has_fault() ? rule->fault() : config_.fault();
  manner.pace = PaceOf(LatencyOf(config_));
  return manner;
}

MockPace PaceOf(const v1::MockLatency& latency) {
  return {ToDuration(latency.first()), ToDuration(latency.token())};
}

}  // namespace mg
