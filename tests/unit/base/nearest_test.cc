#include "base/nearest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mg {
namespace {

TEST(NearestTest, NamesTheOneThatWasMeant) {
  const std::vector<std::string> names = {"retry", "timeouts", "deadline", "limits", "listen"};
  EXPECT_EQ(Nearest("retri", names), "retry");
  EXPECT_EQ(Nearest("timeout", names), "timeouts");
  EXPECT_EQ(Nearest("dedaline", names), "deadline");
  EXPECT_EQ(Nearest("LIMITS", names), "limits");
  EXPECT_EQ(Nearest("lsiten", names), "listen");
}

TEST(NearestTest, IsSilentWhereNothingResembles) {
  const std::vector<std::string> names = {"retry", "timeouts"};
  EXPECT_EQ(Nearest("observability", names), "");
  EXPECT_EQ(Nearest("", names), "");
  EXPECT_EQ(Nearest("retry", {}), "");
  EXPECT_EQ(Nearest(std::string(256, 'x'), names), "");
}

TEST(NearestTest, TakesTheFirstOfEquals) {
  const std::vector<std::string> names = {"cat", "bat", "hat"};
  EXPECT_EQ(Nearest("rat", names), "cat");
  EXPECT_EQ(Nearest("hat", names), "hat");
}

TEST(NearestTest, ASwapIsOneMistake) {
  // Two replacements would make "ba" another word.
  EXPECT_EQ(Nearest("ba", std::vector<std::string>{"ab"}), "ab");
  EXPECT_EQ(Nearest("xy", std::vector<std::string>{"ab"}), "");
}

}  // namespace
}  // namespace mg
