#include "base/cpus.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "temporary_folder.h"

namespace mnist_dist {
namespace {

/// A system's folders with the given /proc/self/cgroup.
class CpuQuota : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    const auto path = folder_.path() / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << '\n';
  }
  double quota() const { return cpu_quota(folder_.path()); }

 private:
  TemporaryFolder folder_;
};

TEST_F(CpuQuota, NoneOutsideOfAContainer) {
  EXPECT_EQ(quota(), 0);
  write("proc/self/cgroup", "0::/user.slice");
  write("sys/fs/cgroup/user.slice/cpu.max", "max 100000");
  EXPECT_EQ(quota(), 0);
}

TEST_F(CpuQuota, Version2IsTheLeastOfAllGroupsAbove) {
  write("proc/self/cgroup", "0::/outer/inner");
  write("sys/fs/cgroup/outer/inner/cpu.max", "max 100000");
  write("sys/fs/cgroup/outer/cpu.max", "350000 100000");
  EXPECT_EQ(quota(), 3.5);
  write("sys/fs/cgroup/cpu.max", "50000 100000");
  EXPECT_EQ(quota(), 0.5);
}

TEST_F(CpuQuota, Version1NestedAndAsAContainerSeesItself) {
  write("proc/self/cgroup",
        "7:memory:/docker/a\n4:cpu,cpuacct:/docker/a\n1:name=systemd:/docker/a");
  write("sys/fs/cgroup/memory/docker/a/cpu.cfs_quota_us", "1");  // no place for one
  EXPECT_EQ(quota(), 0);
  write("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "300000");
  write("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "100000");
  write("sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_quota_us", "-1");
  write("sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_period_us", "100000");
  EXPECT_EQ(quota(), 3);
  // Its own group is the mount, and docker/a does not exist there.
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
  EXPECT_EQ(quota(), 1.5);
}

TEST(UsableCores, AreWholeAndAtLeastOne) {
  EXPECT_EQ(usable_core_count(8, 0), 8);
  EXPECT_EQ(usable_core_count(8, 3.5), 3);
  EXPECT_EQ(usable_core_count(8, 0.5), 1);
  EXPECT_EQ(usable_core_count(2, 6), 2);
  EXPECT_GE(usable_core_count(), 1);
}

}  // namespace
}  // namespace mnist_dist
