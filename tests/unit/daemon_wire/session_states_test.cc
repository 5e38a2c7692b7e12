#include "daemon/session_states.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace mg {
namespace {

const Instant kStart = absl::UnixEpoch() + absl::Hours(1);

TEST(SessionStatesTest, SessionsDoNotMeet) {
  SessionStates states("fake", "mock", {});
  const ProviderState one = states.For("one", kStart);
  const ProviderState two = states.For("two", kStart);
  EXPECT_NE(one.endpoint, two.endpoint);
  EXPECT_NE(one.own->TargetOf("m", false, kStart), two.own->TargetOf("m", false, kStart));
  EXPECT_EQ(states.For("one", kStart).endpoint, one.endpoint);
  EXPECT_EQ(one.endpoint->provider, "fake");
}

TEST(SessionStatesTest, WhatIsIdleForTenMinutesIsForgotten) {
  SessionStates states("fake", "mock", {});
  const ProviderState one = states.For("one", kStart);
  EXPECT_EQ(states.For("one", kStart + absl::Minutes(9)).endpoint, one.endpoint);
  EXPECT_EQ(states.For("one", kStart + absl::Minutes(18)).endpoint, one.endpoint);
  EXPECT_NE(states.For("one", kStart + absl::Minutes(28)).endpoint, one.endpoint);
}

TEST(SessionStatesTest, ASessionThatIsForgottenBeginsAnew) {
  SessionStates states("fake", "mock", {});
  const ProviderState one = states.For("one", kStart);
  const ProviderState two = states.For("two", kStart);
  states.Forget("one");
  EXPECT_NE(states.For("one", kStart).endpoint, one.endpoint);
  EXPECT_EQ(states.For("two", kStart).endpoint, two.endpoint);
  states.ForgetAll();
  EXPECT_NE(states.For("two", kStart).endpoint, two.endpoint);
}

TEST(SessionStatesTest, TheLongestIdleOfAThousandGoesFirst) {
  SessionStates states("fake", "mock", {});
  const ProviderState first = states.For("0", kStart);
  const ProviderState second = states.For("1", kStart);
  for (int i = 2; i < 1000; ++i) states.For(absl::StrCat(i), kStart);
  EXPECT_EQ(states.For("0", kStart).endpoint, first.endpoint);
  states.For("one more", kStart);
  EXPECT_EQ(states.For("0", kStart).endpoint, first.endpoint);
  EXPECT_NE(states.For("1", kStart).endpoint, second.endpoint);
}

}  // namespace
}  // namespace mg
