#include "daemon/config/scalar.h"

#include <gtest/gtest.h>

namespace mg {
namespace {

TEST(Scalar, Durations) {
  EXPECT_EQ(*ReadDuration("250ms"), absl::Milliseconds(250));
  EXPECT_EQ(*ReadDuration("1.5s"), absl::Milliseconds(1500));
  EXPECT_EQ(*ReadDuration("5m"), absl::Minutes(5));
  EXPECT_EQ(*ReadDuration("1h"), absl::Hours(1));
  EXPECT_EQ(*ReadDuration("1m30s"), absl::Seconds(90));
  EXPECT_EQ(*ReadDuration("0s"), absl::ZeroDuration());
  for (const char* bad : {"",
                          "0",
                          "250",
                          "1.5",
                          "-1s",
                          "+1s",
                          "1",
                          "s",
                          "ms",
                          ".s",
                          "1d",
                          "1 s",
                          "inf",
                          "nan",
                          "infs",
                          "1s ",
                          " 1s",
                          "1e3s",
                          "0x1s",
                          "1ss",
                          "1m30",
                          "10000000h",
                          "99999999999999999999h",
                          "1s\n",
                          "٣s"}) {
    EXPECT_FALSE(ReadDuration(bad).ok()) << bad;
  }
  EXPECT_EQ(ReadDuration("30").status().message(),
            "\"30\" has no unit: write 250ms, 1.5s, 5m or 1h");
  EXPECT_EQ(ReadDuration("-5s").status().message(), "\"-5s\" is negative");
}

TEST(Scalar, WhatIsRefusedIsShownAsText) {
  const absl::StatusOr<absl::Duration> refused = ReadDuration(
      "3\xa9"
      "0s\n");
  EXPECT_EQ(std::string(refused.status().message()),
            "\"3\xEF\xBF\xBD"
            "0s?\" is no duration: write 250ms, 1.5s, 5m or 1h");
}

TEST(Scalar, Sizes) {
  EXPECT_EQ(*ReadSize("0"), 0u);
  EXPECT_EQ(*ReadSize("512"), 512u);
  EXPECT_EQ(*ReadSize("64KiB"), 64u << 10);
  EXPECT_EQ(*ReadSize("8MiB"), 8u << 20);
  EXPECT_EQ(*ReadSize("1GiB"), 1u << 30);
  EXPECT_EQ(*ReadSize("18446744073709551615"), ~uint64_t{0});
  for (const char* bad : {"", "-1", "+1", "MiB", "1.5MiB", "8MB", "8mib", "8 MiB", "08", "1e3",
                          "0x10", "18446744073709551616", "17179869184GiB"}) {
    EXPECT_FALSE(ReadSize(bad).ok()) << bad;
  }
}

TEST(Scalar, Numbers) {
  EXPECT_EQ(*ReadInteger("-12"), -12);
  EXPECT_EQ(*ReadInteger("0"), 0);
  for (const char* bad : {"", "-", "+1", "1.0", "1e3", "0x10", "010", "1_000", "NaN", ".nan", " 1",
                          "99999999999999999999", "--1"}) {
    EXPECT_FALSE(ReadInteger(bad).ok()) << bad;
  }
  EXPECT_EQ(*ReadNumber("0.25"), 0.25);
  EXPECT_EQ(*ReadNumber("1e-2"), 0.01);
  for (const char* bad :
       {"", "nan", ".nan", "inf", "-.inf", "1e999", "0x1p3", "1,5", "1.2.3", " 1"}) {
    EXPECT_FALSE(ReadNumber(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace mg
