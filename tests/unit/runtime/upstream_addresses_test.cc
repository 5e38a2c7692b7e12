// A name of several addresses, of which not all live, and one whose address changes
// (spec/resilience.md §4.3).

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "tests/support/fake_upstream.h"
#include "tests/unit/runtime/fake_resolver.h"
#include "tests/unit/runtime/loop_thread.h"

namespace mg {
namespace {

// Nobody listens at the first of the two addresses.
TEST(UpstreamAddressesTest, Row42ADeadAddressBesideALiveOneIsNoFailure) {
  const FakeResolver resolver;
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body("x"));
  LoopThread loop;
  for (int i = 0; i < 3; ++i) {
    const auto answer = loop.Get(absl::StrCat("http://half-ok.fake:", upstream.port(), "/"));
    EXPECT_TRUE(answer.head_status.ok()) << answer.head_status;
    EXPECT_EQ(answer.body, "x");
  }
}

std::string MovingUrl(const FakeUpstream& upstream) {
  return absl::StrCat("http://moving.fake:", upstream.port(), "/");
}

// A host has moved, and what was known of it leads nowhere: the attempt that finds out fails, and
// the one that repeats it does not, long before a breaker has heard of five.
TEST(UpstreamAddressesTest, Row42AnAddressThatHasChangedCostsOneAttempt) {
  const FakeResolver resolver;
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body("x"));
  LoopThread loop;
  FakeResolver::Move("127.0.0.2");
  EXPECT_EQ(ClassOf(loop.Get(MovingUrl(upstream)).head_status), ErrorClass::kConnect);
  FakeResolver::Move("127.0.0.1");
  for (int i = 0; i < 10; ++i) {
    const auto answer = loop.Get(MovingUrl(upstream));
    EXPECT_TRUE(answer.head_status.ok()) << i << ": " << answer.head_status;
    upstream.CloseIdle();
    ASSERT_TRUE(upstream.WaitForOpenConnections(0));
  }
  EXPECT_EQ(FakeResolver::calls(), 2) << "the new address is kept as the old one was";
}

TEST(UpstreamAddressesTest, Row42AFailureOfTheResolverIsNotKept) {
  const FakeResolver resolver;
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body("x"));
  LoopThread loop;
  for (int i = 1; i <= 2; ++i) {
    EXPECT_EQ(ClassOf(loop.Get(MovingUrl(upstream)).head_status), ErrorClass::kConnectFinal);
    EXPECT_EQ(FakeResolver::calls(), i);
  }
  FakeResolver::Move("127.0.0.1");
  EXPECT_EQ(loop.Get(MovingUrl(upstream)).body, "x");
}

TEST(UpstreamAddressesTest, Row42AnAddressIsKeptForAMinute) {
  const FakeResolver resolver;
  FakeUpstream upstream;
  upstream.Otherwise().Reply(Script().Body("x"));
  FakeResolver::Move("127.0.0.1");
  LoopThread loop;
  const auto connect_anew = [&] {
    upstream.CloseIdle();
    ASSERT_TRUE(upstream.WaitForOpenConnections(0));
    EXPECT_EQ(loop.Get(MovingUrl(upstream)).body, "x");
  };
  connect_anew();
  FakeResolver::PassSeconds(50);
  connect_anew();
  EXPECT_EQ(FakeResolver::calls(), 1);
  FakeResolver::PassSeconds(15);
  connect_anew();
  EXPECT_EQ(FakeResolver::calls(), 2);
}

}  // namespace
}  // namespace mg
