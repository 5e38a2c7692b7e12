#include "daemon/memory_limit.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace mg {
namespace {

class MemoryLimit : public testing::Test {
 protected:
  MemoryLimit() : root_(absl::StrCat(testing::TempDir(), "cgroup_", getpid(), "/")) {}
  ~MemoryLimit() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  const std::string root_;
};

TEST_F(MemoryLimit, Version2HasTheLeastOnTheWayUp) {
  Write("proc/self/cgroup", "0::/kubepods/pod1/app\n");
  Write("sys/fs/cgroup/kubepods/pod1/app/memory.max", "max\n");
  EXPECT_EQ(CgroupMemoryLimit(root_), std::nullopt);
  Write("sys/fs/cgroup/kubepods/pod1/memory.max", "268435456\n");
  EXPECT_EQ(CgroupMemoryLimit(root_), 268435456);
  Write("sys/fs/cgroup/kubepods/pod1/app/memory.max", "134217728\n");
  EXPECT_EQ(CgroupMemoryLimit(root_), 134217728);
}

// As a container sees itself: its own group is the root of the tree.
TEST_F(MemoryLimit, Version2AtTheRootOfItsNamespace) {
  Write("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(CgroupMemoryLimit(root_), std::nullopt);
  Write("sys/fs/cgroup/memory.max", "536870912\n");
  EXPECT_EQ(CgroupMemoryLimit(root_), 536870912);
}

TEST_F(MemoryLimit, Version1HasItsOwnTree) {
  Write("proc/self/cgroup", "12:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/x\n");
  Write("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(CgroupMemoryLimit(root_), std::nullopt);
  Write("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "1073741824\n");
  EXPECT_EQ(CgroupMemoryLimit(root_), 1073741824);
}

TEST_F(MemoryLimit, WhatIsNoLimitIsNone) {
  EXPECT_EQ(CgroupMemoryLimit(root_), std::nullopt);
  Write("proc/self/cgroup", "garbage\n0::relative\n::\n0::/a\n");
  Write("sys/fs/cgroup/a/memory.max", "-5 and more\n");
  EXPECT_EQ(CgroupMemoryLimit(root_), std::nullopt);
}

}  // namespace
}  // namespace mg
