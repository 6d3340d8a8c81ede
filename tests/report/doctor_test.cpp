#include "report/doctor.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "failures.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<Finding> findings = {
    {"cpu", Health::ok, "fast", ""},
    {"data", Health::warning, "synthetic", "prepare the real one"},
    {"torch", Health::failure, "no library", "build it", ExitCode::device},
    {"disk", Health::failure, "full", "make room", ExitCode::data},
};

TEST(Doctor, TableHasOneLinePerFindingAndFixesBelow) {
  EXPECT_EQ(doctor_table(findings, false, 0),
            "ok    cpu       fast\n"
            "warn  data      synthetic\n"
            "                -> prepare the real one\n"
            "fail  torch     no library\n"
            "                -> build it\n"
            "fail  disk      full\n"
            "                -> make room\n");
}

TEST(Doctor, ColoursOnlyOnRequest) {
  EXPECT_THAT(doctor_table(findings, true, 0), HasSubstr("\x1b[33mwarn  \x1b[0mdata"));
  EXPECT_THAT(doctor_table(findings, false, 0), Not(HasSubstr("\x1b")));
}

TEST(Doctor, JsonHasTheSameFindings) {
  const auto json = nlohmann::json::parse(doctor_json(findings));
  EXPECT_EQ(json["ok"], false);
  ASSERT_EQ(json["findings"].size(), 4u);
  EXPECT_EQ(json["findings"][1], (nlohmann::json{{"subject", "data"},
                                                 {"health", "warn"},
                                                 {"text", "synthetic"},
                                                 {"fix", "prepare the real one"}}));
}

TEST(Doctor, JsonIsUtf8ForAnyPath) {
  const auto json = nlohmann::json::parse(
      doctor_json({{"data", Health::warning, "\xff.h5 does not exist yet", ""}}));
  EXPECT_EQ(json["findings"][0]["text"], "\xef\xbf\xbd.h5 does not exist yet");
}

TEST(Doctor, TheFirstFailureDecidesAndWarningsDoNot) {
  EXPECT_EQ(doctor_verdict(findings), ExitCode::device);
  EXPECT_EQ(doctor_verdict({findings[0], findings[1]}), ExitCode::ok);
  EXPECT_EQ(nlohmann::json::parse(doctor_json({findings[0], findings[1]}))["ok"], true);
}

TEST(Doctor, AMissingDataFileIsNoFailureADamagedOneIs) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "mnist.h5";
  EXPECT_EQ(find_data(file, false).health, Health::warning);
  std::ofstream(file) << "not HDF5";
  const Finding damaged = find_data(file, false);
  EXPECT_EQ(damaged.health, Health::failure);
  EXPECT_EQ(damaged.code, ExitCode::data);
  EXPECT_THAT(damaged.text, HasSubstr("mnist.h5"));
}

TEST(Doctor, PathsThatCannotBeLookedAtAreFindings) {
  const std::string too_long(300, 'x');
  EXPECT_EQ(find_data(too_long, false).code, ExitCode::data);
  EXPECT_THAT(find_data(too_long, false).text, HasSubstr("File name too long"));
  ::setenv("MNIST_DATA_DIR", too_long.c_str(), 1);
  EXPECT_EQ(find_raw_files().health, Health::warning);
  ::unsetenv("MNIST_DATA_DIR");
}

TEST(Doctor, NamesTheMissingRawFilesOfAFolder) {
  const TemporaryFolder folder;
  ::setenv("MNIST_DATA_DIR", folder.path().c_str(), 1);
  for (const char* name :
       {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"})
    std::ofstream(folder.path() / name) << "x";
  EXPECT_EQ(find_raw_files().health, Health::warning);
  EXPECT_THAT(find_raw_files().text, HasSubstr("t10k-labels-idx1-ubyte"));
  std::ofstream(folder.path() / "t10k-labels-idx1-ubyte.gz") << "x";
  EXPECT_EQ(find_raw_files().health, Health::ok);
  ::unsetenv("MNIST_DATA_DIR");
}

TEST(Doctor, SlurmTasksWithoutPmiAreAFailure) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"}) ::unsetenv(name);
  ::setenv("SLURM_STEP_NUM_TASKS", "4", 1);
  EXPECT_EQ(find_launcher().code, ExitCode::device);
  ::unsetenv("SLURM_STEP_NUM_TASKS");
  EXPECT_EQ(find_launcher().health, Health::ok);
}

TEST(Doctor, APmixLauncherHasNoNumberOfRanks) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_RANK", "SLURM_NTASKS"}) ::unsetenv(name);
  ::setenv("PMIX_RANK", "0", 1);
  EXPECT_EQ(find_launcher().text, "PMIx");
  ::unsetenv("PMIX_RANK");
}

TEST(Doctor, SeesThisMachine) {
  EXPECT_THAT(
      find_cpu().text,
      testing::MatchesRegex(".*, [1-9][0-9]* cores? usable \\(CPUs [0-9,-]+ of [0-9]+\\).*"));
  EXPECT_THAT(find_memory().text,
              testing::MatchesRegex("[0-9.]+ GB available of [0-9.]*[1-9][0-9.]*"));
  EXPECT_THAT(find_mpi().text, testing::MatchesRegex("Open MPI v[0-9.]+"));
  EXPECT_THAT(find_hdf5().text, testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_THAT(find_engines().text, HasSubstr("fused (SIMD: "));
}

/// A file below a folder that stands for the root of a machine.
void put(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text << '\n';
}

void put_gpu(const std::filesystem::path& root, const std::string& slot) {
  put(root / "sys/bus/pci/devices" / slot / "vendor", "0x10de");
  put(root / "sys/bus/pci/devices" / slot / "class", "0x030200");
}

TEST(Doctor, GpusAndTheirDriver) {
  const TemporaryFolder folder;
  const auto& root = folder.path();
  EXPECT_EQ(find_gpus(root).text, "none");
  EXPECT_EQ(find_gpus(root).health, Health::ok);

  put_gpu(root, "0000:00:1d.0"), put_gpu(root, "0000:00:1e.0");
  EXPECT_EQ(find_gpus(root).health, Health::warning);
  EXPECT_THAT(find_gpus(root).text, HasAll("2 from", "no driver"));

  put(root / "proc/driver/nvidia/version",
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023");
  put(root / "proc/driver/nvidia/gpus/0000:00:1e.0/information",
      "Model: \t\t Tesla V100-SXM2-16GB");
  EXPECT_EQ(find_gpus(root).health, Health::warning);
  EXPECT_THAT(find_gpus(root).text, HasAll("1 x Tesla V100-SXM2-16GB", "535.129.03", "2 on"));

  put(root / "proc/driver/nvidia/gpus/0000:00:1d.0/information",
      "Model: \t\t Tesla V100-SXM2-16GB");
  EXPECT_EQ(find_gpus(root).health, Health::ok);
  EXPECT_EQ(find_gpus(root).text, "2 x Tesla V100-SXM2-16GB, driver 535.129.03");
}

/// A machine with working cards of these models.
void put_driver(const std::filesystem::path& root, const std::vector<std::string>& models) {
  put(root / "proc/driver/nvidia/version",
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 23 10:11:16 UTC 2025");
  for (std::size_t i = 0; i < models.size(); ++i) {
    const std::string slot = "0000:00:1" + std::to_string(i) + ".0";
    put_gpu(root, slot);
    put(root / "proc/driver/nvidia/gpus" / slot / "information", "Model: \t\t " + models[i]);
  }
}

TEST(Doctor, ABuildForCpusHasAFixToUseTheGpusThatAreThere) {
  const TemporaryFolder folder;
  put_driver(folder.path(), {"Tesla T4"});
  EXPECT_EQ(find_gpus(folder.path(), false).health, Health::ok);
  EXPECT_THAT(find_gpus(folder.path(), false).fix, HasSubstr("launch/local.sh --cuda"));
  EXPECT_EQ(find_gpus(folder.path(), true).health, Health::ok);
  EXPECT_EQ(find_gpus(folder.path(), true).fix, "");
}

TEST(Doctor, FabricIsNamedByItsDriver) {
  const TemporaryFolder folder;
  EXPECT_THAT(find_fabric(folder.path()).text, HasSubstr("TCP"));
  const auto device = folder.path() / "sys/class/infiniband/mlx5_0/device";
  std::filesystem::create_directories(device);
  std::filesystem::create_directory_symlink("../../../../bus/pci/drivers/mlx5_core",
                                            device / "driver");
  EXPECT_EQ(find_fabric(folder.path()).text, "1 x mlx5_core");
}

TEST(Doctor, NcclIsMissedOnlyWhereThereAreGpus) {
  EXPECT_EQ(find_nccl(false).health, Health::ok);
  const Finding finding = find_nccl(true);  // this machine may have it
  EXPECT_EQ(finding.health == Health::ok, finding.fix.empty());
}

TEST(Doctor, TimeToLiveOfAnInstance) {
  const TemporaryFolder folder;
  const auto& root = folder.path();
  EXPECT_FALSE(find_ttl(root, 1000));
  put(root / "sys/class/dmi/id/sys_vendor", "Amazon EC2");
  ASSERT_TRUE(find_ttl(root, 1000));
  EXPECT_EQ(find_ttl(root, 1000)->health, Health::warning);

  put(root / "run/mnist-dist/ttl", "10000");
  EXPECT_EQ(find_ttl(root, 2800)->health, Health::ok);
  EXPECT_THAT(find_ttl(root, 2800)->text, HasSubstr("120 minutes"));
  EXPECT_EQ(find_ttl(root, 9500)->health, Health::warning);
  EXPECT_THAT(find_ttl(root, 10001)->text, HasSubstr("over"));
  put(root / "run/mnist-dist/ttl", "tomorrow");
  EXPECT_THAT(find_ttl(root, 0)->text, HasSubstr("no time found"));
}

}  // namespace
}  // namespace mnist_dist
