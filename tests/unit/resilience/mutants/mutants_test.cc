// The exploration catches each of the mistakes that mutants.py plants in the breaker.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/unit/resilience/exploration/explore.h"

namespace mg {

extern int breaker_mutant;  // which mistake is made, from 1; 0: none
extern const char* const kBreakerMutants[];

namespace {

constexpr size_t kMostStates = 100000;

TEST(MutantsTest, EachIsCaught) {
  int count = 0;
  for (; kBreakerMutants[count] != nullptr; ++count) {
    breaker_mutant = count + 1;
    const Exploration exploration = ExploreBreaker(kMostStates);
    EXPECT_NE(exploration.disagreement, "") << "not caught: " << kBreakerMutants[count];
    std::printf("%-56s%7zu states  %s\n", kBreakerMutants[count], exploration.states,
                exploration.disagreement.c_str());
  }
  EXPECT_GE(count, 12);
}

// The copy itself is the breaker.
TEST(MutantsTest, WithoutAMistakeNothingIsCaught) {
  breaker_mutant = 0;
  EXPECT_EQ(ExploreBreaker(kMostStates / 4).disagreement, "");
}

}  // namespace
}  // namespace mg
