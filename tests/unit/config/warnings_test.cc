// Retries of which a part can never happen (spec/resilience.md §3.6, §3.9): what warns, and what
// does not.
#include "daemon/config/warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/config/fake_outside.h"

namespace mg {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Of a configuration of three mocks and what `text` adds to it, from line 5.
std::vector<std::string> WarningsOf(const std::string& text) {
  const LoadedConfig loaded = Load(
      absl::StrCat("providers:\n  a: { mock: {} }\n  b: { mock: {} }\n",
                   "  c: { mock: { circuit_breaker: { failure_threshold: 2 } } }\n", text, "\n"));
  EXPECT_EQ(ToText(loaded.problems), "") << text;
  return loaded.warnings;
}

// The group g with `count` candidates of the provider a.
std::string Group(int count, const std::string& more = "") {
  std::string list;
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&list, i == 0 ? "" : ", ", "{ provider: a, model: m", i, " }");
  }
  return absl::StrCat("groups:\n  g: { candidates: [", list, "]", more, " }\n");
}

constexpr char kSpare[] = "  spare: { candidates: [{ provider: b, model: x }] }\n";

TEST(RetryWarnings, AttemptsThatDoNotReachTheLastCandidate) {
  EXPECT_THAT(WarningsOf(Group(3)),
              ElementsAre("test.yaml:6: groups.g.retry.max_attempts: max_attempts (3), one of them "
                          "a repetition, reaches 2 of 3 candidates; the others are asked only "
                          "while these cannot be: write max_attempts: 4, or "
                          "max_attempts_per_candidate: 1"));
  EXPECT_THAT(WarningsOf(Group(2, ", fallback: [spare]") + kSpare),
              ElementsAre("test.yaml:6: groups.g.retry.max_attempts: max_attempts (3), one of them "
                          "a repetition, reaches 2 of 3 candidates, fallbacks included; the others "
                          "are asked only while these cannot be: write max_attempts: 4, or "
                          "max_attempts_per_candidate: 1"));
  EXPECT_THAT(WarningsOf(Group(2, ", retry: { max_attempts: 2 }")),
              ElementsAre(testing::HasSubstr("reaches 1 of 2 candidates; the others")));
  EXPECT_THAT(WarningsOf(Group(5) + "retry: { max_attempts: 3, max_attempts_per_candidate: 1 }"),
              ElementsAre("test.yaml:6: groups.g.retry.max_attempts: max_attempts (3) reaches 3 of "
                          "5 candidates; the others are asked only while these cannot be: write "
                          "max_attempts: 5"));
}

TEST(RetryWarnings, AttemptsThatReachAllCandidates) {
  for (const std::string& text :
       {Group(1), Group(2), Group(3, ", retry: { max_attempts: 4 }"),
        Group(1, ", fallback: [spare]") + kSpare, Group(3) + "retry: { max_attempts: 4 }",
        Group(3) + "retry: { max_attempts_per_candidate: 1 }",
        Group(10) + "retry: { max_attempts: 10, max_attempts_per_candidate: 1 }"}) {
    EXPECT_THAT(WarningsOf(text), IsEmpty()) << text;
  }
}

// Whether one is asked twice on the way is said by each candidate, in the group that it stands in.
TEST(RetryWarnings, ARepetitionCountsWhereACandidateHasOne) {
  const auto chain = [](const std::string& first, const std::string& last) {
    return WarningsOf(absl::StrCat(
        "retry: { max_attempts: 2, max_attempts_per_candidate: 1 }\n"
        "groups:\n  g: { candidates: [{ provider: a, model: x, retry: { ",
        first, " } }], fallback: [spare] }\n",
        "  spare: { candidates: [{ provider: b, model: x }], retry: { ", last, " } }\n"));
  };
  EXPECT_THAT(chain("", ""), IsEmpty());
  EXPECT_THAT(chain("", "max_attempts_per_candidate: 2"), IsEmpty()) << "nobody comes behind it";
  EXPECT_THAT(chain("max_attempts_per_candidate: 2", ""),
              ElementsAre(testing::HasSubstr("one of them a repetition, reaches 1 of 2")));
}

TEST(RetryWarnings, OneAttemptIsNoMistakeButBesideAFallback) {
  EXPECT_THAT(WarningsOf(Group(3, ", retry: { max_attempts: 1 }")), IsEmpty());
  EXPECT_THAT(
      WarningsOf(Group(1, ", fallback: [spare], retry: { max_attempts: 1 }") + kSpare),
      ElementsAre("test.yaml:6: groups.g.retry.max_attempts: max_attempts (1) reaches 1 of 2 "
                  "candidates, fallbacks included; the others are asked only while these cannot "
                  "be: write max_attempts: 3"));
}

TEST(RetryWarnings, MoreCandidatesThanAttemptsShareTheLoad) {
  EXPECT_THAT(WarningsOf(Group(10, ", retry: { max_attempts: 10 }")),
              ElementsAre(testing::HasSubstr(
                  "reaches 9 of 10 candidates; the others are asked only while these cannot be: "
                  "write max_attempts: 10 with max_attempts_per_candidate: 1")));
  EXPECT_THAT(WarningsOf(Group(11)), IsEmpty());
  EXPECT_THAT(WarningsOf(Group(11, ", fallback: [spare]") + kSpare),
              ElementsAre(testing::HasSubstr(
                  "reaches 2 of 12 candidates, fallbacks included; the others are asked only while "
                  "these cannot be: no call has more than 10: take out candidates")));
}

TEST(RetryWarnings, DrainedCandidatesAndGroupsThatOnlyServeAsFallbackCountNot) {
  EXPECT_THAT(
      WarningsOf("groups:\n  g: { candidates: [{ provider: a, model: x }, { provider: a, model: "
                 "y }, { provider: a, model: z, weight: 0 }] }"),
      IsEmpty());
  const std::string only_fallback =
      "groups:\n  g: { candidates: [{ provider: a, model: x }], fallback: [spare], retry: { "
      "max_attempts: 5 } }\n"
      "  spare: { candidates: [{ provider: b, model: x }, { provider: b, model: y }, { provider: "
      "b, model: z }] }\n";
  EXPECT_THAT(WarningsOf(only_fallback), IsEmpty());
  EXPECT_THAT(WarningsOf(only_fallback + "aliases: { cheap: spare }\n"),
              ElementsAre(testing::HasSubstr("groups.spare.retry.max_attempts: ")));
}

TEST(RetryWarnings, FallbacksOfAGroupWithoutFailover) {
  EXPECT_THAT(WarningsOf(Group(1, ", fallback: [spare], failover: false") + kSpare),
              ElementsAre("test.yaml:6: groups.g.fallback: is ignored, because failover is false "
                          "and a call never changes its candidate: take out one of the two"));
  EXPECT_THAT(WarningsOf(Group(5, ", failover: false")), IsEmpty());
  EXPECT_THAT(WarningsOf(Group(1, ", fallback: [spare], failover: true") + kSpare), IsEmpty());
}

TEST(RetryWarnings, AttemptsOverTheThresholdOfASoleCandidate) {
  EXPECT_THAT(WarningsOf(Group(1, ", retry: { max_attempts: 6 }")),
              ElementsAre("test.yaml:6: groups.g.retry.max_attempts: max_attempts (6) is more than "
                          "circuit_breaker.failure_threshold of a (5); so many failures open the "
                          "breaker, and a call without another candidate ends there: write "
                          "max_attempts: 5, or a higher failure_threshold"));
  EXPECT_THAT(WarningsOf("groups:\n  g: { candidates: [{ provider: c, model: x }] }"),
              ElementsAre(testing::HasSubstr("max_attempts (3) is more than "
                                             "circuit_breaker.failure_threshold of c (2); ")));
  EXPECT_THAT(WarningsOf("groups:\n  g: { candidates: [{ provider: c, model: x }, { provider: a, "
                         "model: x }, { provider: b, model: x }], failover: false, retry: { "
                         "max_attempts: 7 } }"),
              ElementsAre(testing::HasSubstr("of a (5), b (5), c (2); ")));
  for (const std::string& text :
       {Group(1, ", retry: { max_attempts: 5 }"), Group(2, ", retry: { max_attempts: 10 }"),
        Group(1, ", retry: { max_attempts: 6, max_attempts_per_candidate: 5 }"),
        Group(1, ", retry: { max_attempts: 6 }") + "circuit_breaker: { enabled: false }",
        Group(1, ", retry: { max_attempts: 6 }") + "circuit_breaker: { failure_threshold: 0 }",
        Group(1, ", retry: { max_attempts: 6 }") + "circuit_breaker: { failure_threshold: 6 }"}) {
    EXPECT_THAT(WarningsOf(text), IsEmpty()) << text;
  }
}

// PROVIDER/MODEL by name has the settings at the top, and nobody beside it.
TEST(RetryWarnings, AttemptsOverTheThresholdOfAPair) {
  EXPECT_THAT(WarningsOf("retry: { max_attempts: 8 }"),
              ElementsAre("test.yaml:5: retry.max_attempts: max_attempts (8) is more than "
                          "circuit_breaker.failure_threshold of a (5), b (5), c (2); so many "
                          "failures open the breaker, and a call without another candidate ends "
                          "there: write max_attempts: 2, or a higher failure_threshold"));
  const std::string both = "retry: { max_attempts: 8 }\n" + Group(7);
  EXPECT_THAT(WarningsOf(both), IsEmpty()) << "nothing says that anybody asks for a pair";
  EXPECT_THAT(WarningsOf(both + "aliases: { best: b/x }"),
              ElementsAre(testing::HasSubstr("retry.max_attempts: max_attempts (8) is more than "
                                             "circuit_breaker.failure_threshold of b (5); ")));
  EXPECT_THAT(WarningsOf("retry: { max_attempts: 2 }"), IsEmpty());
}

TEST(RetryWarnings, AConfigurationWithProblemsHasOthersToTell) {
  const LoadedConfig loaded =
      Load("providers: { a: { mock: {} } }\nretry: { max_attempts: 10, max_delay: 1ms }\n");
  EXPECT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.warnings, IsEmpty());
}

}  // namespace
}  // namespace mg
