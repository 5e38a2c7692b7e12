// A name of several addresses, of which not all live (spec/resilience.md §4.3).

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

}  // namespace
}  // namespace mg
