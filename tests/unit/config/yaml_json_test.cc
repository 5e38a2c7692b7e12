#include "daemon/config/yaml_json.h"

#include <gtest/gtest.h>

namespace mg {
namespace {

TEST(YamlJson, ValuesKeepTheirKindsAndTheirOrder) {
  EXPECT_EQ(JsonOfYaml("b: 1\na: [true, \"true\", 1.5, 250ms, 8MiB, 007, \"5\"]  # why\nc: {}\n"
                       "d: { e: \"q\\\"\" }\n"),
            R"({"b":1,"a":[true,"true",1.5,"250ms","8MiB","007","5"],"c":{},"d":{"e":"q\""}})");
  EXPECT_EQ(JsonOfYaml("a: [-3, 1., .5, \"\", 1.2.3, -, 0, 0.25]\n"),
            R"({"a":[-3,"1.",".5","","1.2.3","-",0,0.25]})");
}

}  // namespace
}  // namespace mg
