// The scenarios of spec/resilience.md §4.3, each one named test ("Row09…"), unary and streaming by
// the same table, under virtual time. tests/style/scenarios_test.py fails for a row without a test.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/component/call_fixture.h"

namespace mg {

class Scenarios : public testing::TestWithParam<bool> {
 protected:
  static bool Stream() { return GetParam(); }
  CallOutcome Call() { return fixture_.Call(Stream()); }
  CallOutcome CallAt(absl::Duration since_start) {
    fixture_.loop.RunUntil(start_ + since_start);
    return Call();
  }
  absl::Duration Elapsed() { return fixture_.loop.now() - start_; }
  BreakerView TargetBreaker(size_t i) {
    return fixture_.TargetAt(i).breaker->View(fixture_.loop.now());
  }
  BreakerView EndpointBreaker(size_t i) {
    return fixture_.EndpointAt(i).breaker->View(fixture_.loop.now());
  }
  CooldownView TargetCooldown(size_t i) {
    return fixture_.TargetAt(i).cooldown.View(fixture_.loop.now());
  }
  CooldownView CredentialCooldown(size_t i) {
    return fixture_.TargetAt(i).credential->cooldown().View(fixture_.loop.now());
  }

  static v1::ErrorKind KindOf(const CallOutcome& outcome) {
    return outcome.status.ok() ? v1::ERROR_KIND_UNSPECIFIED : DetailOf(outcome.status).kind();
  }
  static absl::Duration HintOf(const CallOutcome& outcome) {
    const v1::ErrorDetail detail = DetailOf(outcome.status);
    return absl::Seconds(detail.retry_after().seconds()) +
           absl::Nanoseconds(detail.retry_after().nanos());
  }
  // "a:breaker_open b:cooldown"
  static std::string Skipped(const CallOutcome& outcome) {
    std::string list;
    for (const v1::Skipped& skipped : outcome.record.skipped) {
      if (!list.empty()) list += ' ';
      list += skipped.candidate().substr(0, skipped.candidate().find('/')) + ":" + skipped.reason();
    }
    return list;
  }

  CallFixture fixture_;
  const Instant start_ = fixture_.loop.now();
};

}  // namespace mg
