#include <gtest/gtest.h>

#include <cstdio>
#include <limits>

#include "tests/unit/resilience/exploration/explore.h"

namespace mg {
namespace {

// Three callers, two probes, thresholds of two, with drops, late verdicts and tails, to the end.
TEST(BreakerExplorationTest, AgreesWithTheTableInEveryState) {
  const Exploration exploration = ExploreBreaker(std::numeric_limits<size_t>::max());
  std::printf("%zu states, %zu steps\n", exploration.states, exploration.steps);
  EXPECT_EQ(exploration.disagreement, "");
  EXPECT_GT(exploration.states, 100000U);
}

}  // namespace
}  // namespace mg
