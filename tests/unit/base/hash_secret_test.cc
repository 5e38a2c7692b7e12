#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

#include "base/hash.h"
#include "base/http_message.h"
#include "base/same_bytes.h"
#include "base/secret.h"

namespace mg {
namespace {

// Of the published algorithm: a library that differs here would send every user elsewhere.
TEST(StableHashTest, PublishedVectors) {
  EXPECT_EQ(StableHash(""), 0x2D06800538D394C2U);
  EXPECT_EQ(StableHash("a"), 0xE6C632B61E964E1FU);
  EXPECT_EQ(StableHash("abc"), 0x78AF5F94892F3950U);
}

TEST(StableHashTest, GoldenVectors) {
  std::string bytes;
  for (int i = 0; i < 2048; ++i) bytes.push_back(static_cast<char>(i * 7));
  EXPECT_EQ(StableHash(bytes.substr(0, 1), 0x0U), 0xC44BDFF4074EECDBU);
  EXPECT_EQ(StableHash(bytes.substr(0, 1), 0x9E3779B185EBCA8DU), 0x32BE332DD766EF8U);
  EXPECT_EQ(StableHash(bytes.substr(0, 3), 0x0U), 0xC3489259E968AD9EU);
  EXPECT_EQ(StableHash(bytes.substr(0, 3), 0x9E3779B185EBCA8DU), 0x9FF5E12E219B3CBCU);
  EXPECT_EQ(StableHash(bytes.substr(0, 8), 0x0U), 0xB88DEE77F6BF6980U);
  EXPECT_EQ(StableHash(bytes.substr(0, 8), 0x9E3779B185EBCA8DU), 0x62E1C7543402E3F1U);
  EXPECT_EQ(StableHash(bytes.substr(0, 9), 0x0U), 0x3688DCAD730D826U);
  EXPECT_EQ(StableHash(bytes.substr(0, 9), 0x9E3779B185EBCA8DU), 0x5CC40ACAF8F91FD1U);
  EXPECT_EQ(StableHash(bytes.substr(0, 16), 0x0U), 0x9DA23836ADF2BE1EU);
  EXPECT_EQ(StableHash(bytes.substr(0, 16), 0x9E3779B185EBCA8DU), 0xEF4F3C80EF5170C7U);
  EXPECT_EQ(StableHash(bytes.substr(0, 17), 0x0U), 0xF34C3C9CF5A112D1U);
  EXPECT_EQ(StableHash(bytes.substr(0, 17), 0x9E3779B185EBCA8DU), 0xE43BF38B05CC7C3FU);
  EXPECT_EQ(StableHash(bytes.substr(0, 128), 0x0U), 0x65F3C2C00FA93185U);
  EXPECT_EQ(StableHash(bytes.substr(0, 128), 0x9E3779B185EBCA8DU), 0xCBFB23557F074828U);
  EXPECT_EQ(StableHash(bytes.substr(0, 129), 0x0U), 0x28065C6EC25F5B25U);
  EXPECT_EQ(StableHash(bytes.substr(0, 129), 0x9E3779B185EBCA8DU), 0xCF6848848E1CE43CU);
  EXPECT_EQ(StableHash(bytes.substr(0, 240), 0x0U), 0x4917A75C0EF8EED7U);
  EXPECT_EQ(StableHash(bytes.substr(0, 240), 0x9E3779B185EBCA8DU), 0x8968A70ECFF460B7U);
  EXPECT_EQ(StableHash(bytes.substr(0, 241), 0x0U), 0x541B19226F0052E8U);
  EXPECT_EQ(StableHash(bytes.substr(0, 241), 0x9E3779B185EBCA8DU), 0xF9153E5F66206EEBU);
  EXPECT_EQ(StableHash(bytes.substr(0, 1024), 0x0U), 0xDC5ACF0B043C445BU);
  EXPECT_EQ(StableHash(bytes.substr(0, 1024), 0x9E3779B185EBCA8DU), 0x385A7E65D87664A6U);
  EXPECT_EQ(StableHash(bytes.substr(0, 2048), 0x0U), 0x848D24CC268F7498U);
  EXPECT_EQ(StableHash(bytes.substr(0, 2048), 0x9E3779B185EBCA8DU), 0xF5973C12244D0502U);
}

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

TEST(SecretTest, CannotBeCopiedOrPrinted) {
  static_assert(!std::is_copy_constructible_v<Secret>);
  static_assert(!std::is_copy_assignable_v<Secret>);
  static_assert(!Printable<Secret>);
  static_assert(!std::is_convertible_v<Secret, std::string>);
  static_assert(!std::is_convertible_v<Secret, absl::string_view>);
  EXPECT_EQ(Describe(Secret("key")), "[redacted]");
}

TEST(SecretTest, MovesAndLeavesNothing) {
  // Short enough to lie in the object itself, and long enough not to.
  for (const std::string& value : {std::string("short"), std::string(100, 'k')}) {
    Secret first{std::string(value)};
    Secret second(std::move(first));
    EXPECT_EQ(second.Reveal(), value);
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the point
    Secret third("old");
    third = std::move(second);
    EXPECT_EQ(third.Reveal(), value);
    EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
    Secret& same = third;
    third = std::move(same);
    EXPECT_EQ(third.Reveal(), value);
  }
  EXPECT_TRUE(Secret().empty());
}

TEST(SecretTest, IsWipedWhereItLay) {
  alignas(Secret) char place[sizeof(Secret)];
  auto* secret = new (place) Secret("hunter2");
  ASSERT_NE(std::string(place, sizeof(place)).find("hunter2"), std::string::npos);
  secret->~Secret();
  const volatile char* bytes = place;
  std::string left;
  for (size_t i = 0; i < sizeof(place); ++i) left.push_back(bytes[i]);
  EXPECT_EQ(left.find("hunter"), std::string::npos);
}

TEST(SameBytesTest, SaysWhetherAllAreTheSame) {
  EXPECT_TRUE(SameBytes("", ""));
  EXPECT_TRUE(SameBytes("token", "token"));
  for (const char* other : {"", "toke", "tokens", "Token", "tokeN"}) {
    EXPECT_FALSE(SameBytes("token", other)) << other;
  }
}

TEST(HttpMessageTest, HeadersAreFoundWithoutCase) {
  const HttpHeaders headers = {{"Content-Type", "a"}, {"X-Id", "1"}, {"x-id", "2"}};
  EXPECT_EQ(FindHeader(headers, "content-type"), "a");
  EXPECT_EQ(FindHeader(headers, "X-ID"), "1");
  EXPECT_EQ(FindHeader(headers, "absent"), "");
}

}  // namespace
}  // namespace mg
