#include <gmock/gmock.h>

#include <cstdlib>
#include <map>
#include <string>

#include "comm/communicator.h"
#include "failures.h"

namespace mnist_dist {
namespace {

/// Exactly these launcher variables are set during a test.
class LauncherTest : public testing::Test {
 protected:
  void SetUp() override { set({}); }
  void TearDown() override { set({}); }
  static void set(const std::map<std::string, std::string>& values) {
    for (const char* name : {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMIX_RANK",
                             "PMIX_NAMESPACE", "PMI_RANK", "PMI_SIZE", "SLURM_NTASKS",
                             "SLURM_STEP_NUM_TASKS", "MV2_COMM_WORLD_SIZE", "MPI_LOCALNRANKS"})
      unsetenv(name);
    for (const auto& [name, value] : values) setenv(name.c_str(), value.c_str(), 1);
  }
};

void expect_launcher(const std::string& name, int rank, int size) {
  const Launcher launcher = detect_launcher();
  EXPECT_EQ(launcher.present, !name.empty());
  EXPECT_EQ(launcher.name, name);
  EXPECT_EQ(launcher.rank, rank);
  EXPECT_EQ(launcher.size, size);
}

TEST_F(LauncherTest, NoneIsAWorldOfOne) { expect_launcher("", 0, 1); }

TEST_F(LauncherTest, OpenMpiSetsRankAndSize) {
  set({{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {"PMIX_RANK", "2"}});
  expect_launcher("Open MPI", 2, 4);
}

TEST_F(LauncherTest, PmixAloneLeavesTheSizeOpen) {
  set({{"PMIX_RANK", "3"}});
  expect_launcher("PMIx", 3, 0);
}

TEST_F(LauncherTest, SrunWithPmixHasTheSizeFromSlurm) {
  set({{"PMIX_RANK", "3"}, {"PMIX_NAMESPACE", "slurm.pmix.12.0"}, {"SLURM_NTASKS", "8"}});
  expect_launcher("PMIx", 3, 8);
}

TEST_F(LauncherTest, OtherPmixLaunchersInASlurmJobMayStartFewerRanks) {
  set({{"PMIX_RANK", "1"}, {"PMIX_NAMESPACE", "prterun-host-4711@1"}, {"SLURM_NTASKS", "8"}});
  expect_launcher("PMIx", 1, 0);
}

TEST_F(LauncherTest, PmiSetsRankAndSize) {
  set({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"SLURM_NTASKS", "2"}});
  expect_launcher("PMI", 1, 2);
}

TEST_F(LauncherTest, LaunchersOfDifferentMpisWithoutPmiAreRejected) {
  for (const char* name : {"MV2_COMM_WORLD_SIZE", "MPI_LOCALNRANKS"}) {
    set({{name, "1"}});
    expect_launcher("", 0, 1);
    set({{name, "2"}});
    SCOPED_TRACE(name);
    failure(ExitCode::device, [] { detect_launcher(); });
  }
}

TEST_F(LauncherTest, OneSlurmTaskNeedsNoLauncher) {
  set({{"SLURM_NTASKS", "1"}, {"SLURM_STEP_NUM_TASKS", "1"}});
  expect_launcher("", 0, 1);
}

TEST_F(LauncherTest, ABatchScriptIsOneProcessHoweverManyTasksItsJobHas) {
  set({{"SLURM_NTASKS", "4"}});
  expect_launcher("", 0, 1);
}

TEST_F(LauncherTest, SlurmTasksThatCannotFindEachOtherAreRejected) {
  set({{"SLURM_NTASKS", "4"}, {"SLURM_STEP_NUM_TASKS", "4"}});
  const Error error = failure(ExitCode::device, [] { detect_launcher(); });
  EXPECT_STREQ(error.what(),
               "Slurm runs 4 tasks but gives them neither PMIx nor PMI. Each task would train "
               "separately");
  EXPECT_THAT(error.hint(), testing::HasSubstr("srun --mpi=pmix"));
}

TEST_F(LauncherTest, NonsenseIsRejected) {
  set({{"PMI_RANK", "one"}});
  EXPECT_THROW(detect_launcher(), Error);
}

}  // namespace
}  // namespace mnist_dist
