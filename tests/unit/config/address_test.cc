#include "daemon/config/address.h"

#include <gtest/gtest.h>

namespace mg {
namespace {

TEST(Address, TakesTheThreeForms) {
  EXPECT_EQ(ParseAddress("127.0.0.1:7411")->ToText(), "127.0.0.1:7411");
  EXPECT_EQ(ParseAddress("[::1]:0")->ToText(), "[::1]:0");
  EXPECT_EQ(ParseAddress("localhost:65535")->port, 65535);
  EXPECT_EQ(ParseAddress("unix:/run/a/b.sock")->unix_path, "/run/a/b.sock");
  EXPECT_EQ(ParseAddress("unix:/run/a/b.sock")->ToText(), "unix:/run/a/b.sock");
  for (const std::string bad : {"",
                                ":",
                                ":1",
                                "127.0.0.1",
                                "127.0.0.1:",
                                "127.0.0.1:65536",
                                "127.0.0.1:-1",
                                "127.0.0.1:+1",
                                "127.0.0.1: 1",
                                "127.0.0.1:1x",
                                "127.0.0.1:000001",
                                "::1:7411",
                                "[::1]",
                                "[::1",
                                "[::1]7411",
                                "[127.0.0.1]:1",
                                "[]:1",
                                "256.0.0.1:1",
                                "1:1",
                                "a..b:1",
                                "-a:1",
                                "a b:1",
                                "http://a:1",
                                "unix:",
                                "unix:a.sock",
                                "unix:/run/",
                                "unix://a/",
                                "a/b:1",
                                "[fe80::1%eth0]:1"}) {
    EXPECT_FALSE(ParseAddress(bad).ok()) << bad;
  }
  EXPECT_TRUE(ParseAddress("unix:/" + std::string(106, 'a')).ok());
  EXPECT_FALSE(ParseAddress("unix:/" + std::string(107, 'a')).ok());
}

TEST(Address, KnowsLoopback) {
  for (const char* local :
       {"127.0.0.1", "127.9.8.7", "::1", "0:0:0:0:0:0:0:1", "localhost", "LocalHost"}) {
    EXPECT_TRUE(IsLoopback(local)) << local;
  }
  for (const char* other :
       {"0.0.0.0", "::", "10.0.0.1", "127.0.0.1.evil.test", "127.1", "2130706433",
        "localhost.evil.test", "::ffff:10.0.0.1", "", "128.0.0.1"}) {
    EXPECT_FALSE(IsLoopback(other)) << other;
  }
  EXPECT_TRUE(ParseAddress("unix:/a")->local());
  EXPECT_FALSE(ParseAddress("0.0.0.0:1")->local());
  EXPECT_TRUE(IsLinkLocal("169.254.169.254"));
  EXPECT_TRUE(IsLinkLocal("fe80::1"));
  EXPECT_TRUE(IsLinkLocal("::ffff:169.254.169.254"));
  EXPECT_FALSE(IsLinkLocal("169.253.0.1"));
  EXPECT_FALSE(IsLinkLocal("example.test"));
}

TEST(BaseUrl, TakesOriginAndPath) {
  const BaseUrl url = *ParseBaseUrl("HTTPS://Api.Example.Test/v1//");
  EXPECT_TRUE(url.https);
  EXPECT_EQ(url.host, "api.example.test");
  EXPECT_EQ(url.port, 443);
  EXPECT_EQ(url.path, "/v1");
  EXPECT_EQ(ParseBaseUrl("http://[::1]:8000")->host, "::1");
  EXPECT_EQ(ParseBaseUrl("http://[::1]:8000")->port, 8000);
  EXPECT_EQ(ParseBaseUrl("http://a_b:80/x")->path, "/x");
  for (const std::string bad : {"",
                                "https://",
                                "https:///v1",
                                "ftp://a",
                                "a.test/v1",
                                "//a",
                                "https://u@a",
                                "https://u:p@a/",
                                "https://a/?x=1",
                                "https://a?x",
                                "https://a/#f",
                                "https://a#f",
                                "https://a/../b",
                                "https://a/.",
                                "https://a/%2e%2e/",
                                "https://a b",
                                "https://a\\b",
                                "https://a:0",
                                "https://a:99999",
                                "https://a:b",
                                "https://[::1",
                                "https://ä.test",
                                "https://a\r\nX: y",
                                "https://2130706433",
                                "https://127.1",
                                "https://0x7f.0.0.1",
                                "https://a..b"}) {
    EXPECT_FALSE(ParseBaseUrl(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace mg
