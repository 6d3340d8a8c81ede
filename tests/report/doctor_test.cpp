#include "report/doctor.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

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

TEST(Doctor, TableHasALineAFindingAndFixesUnderThem) {
  EXPECT_EQ(doctor_table(findings, false),
            "ok    cpu       fast\n"
            "warn  data      synthetic\n"
            "                -> prepare the real one\n"
            "fail  torch     no library\n"
            "                -> build it\n"
            "fail  disk      full\n"
            "                -> make room\n");
}

TEST(Doctor, ColoursOnlyWhenAskedFor) {
  EXPECT_THAT(doctor_table(findings, true), HasSubstr("\x1b[33mwarn  \x1b[0mdata"));
  EXPECT_THAT(doctor_table(findings, false), Not(HasSubstr("\x1b")));
}

TEST(Doctor, JsonSaysTheSame) {
  const auto json = nlohmann::json::parse(doctor_json(findings));
  EXPECT_EQ(json["ok"], false);
  ASSERT_EQ(json["findings"].size(), 4u);
  EXPECT_EQ(json["findings"][1], (nlohmann::json{{"subject", "data"}, {"health", "warn"}, {"text", "synthetic"}, {"fix", "prepare the real one"}}));
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

TEST(Doctor, CountsTheRawFilesInNamedFolder) {
  const TemporaryFolder folder;
  ::setenv("MNIST_DATA_DIR", folder.path().c_str(), 1);
  for (const char* name : {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"})
    std::ofstream(folder.path() / name) << "x";
  EXPECT_EQ(find_raw_files().health, Health::warning);
  EXPECT_THAT(find_raw_files().text, HasSubstr("3 of 4"));
  std::ofstream(folder.path() / "t10k-labels-idx1-ubyte.gz") << "x";
  EXPECT_EQ(find_raw_files().health, Health::ok);
}

TEST(Doctor, SlurmTasksWithoutPmiAreAFailure) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"}) ::unsetenv(name);
  ::setenv("SLURM_NTASKS", "4", 1);
  EXPECT_EQ(find_launcher().code, ExitCode::device);
  ::unsetenv("SLURM_NTASKS");
  EXPECT_EQ(find_launcher().health, Health::ok);
}

TEST(Doctor, SeesThisMachine) {
  EXPECT_THAT(find_cpu().text, testing::MatchesRegex(".*, [1-9][0-9]* cores? usable \\(CPUs [0-9,-]+ of [0-9]+\\).*"));
  EXPECT_THAT(find_memory().text, testing::MatchesRegex("[0-9.]+ GB available of [0-9.]*[1-9][0-9.]*"));
  EXPECT_THAT(find_mpi().text, testing::MatchesRegex("Open MPI v[0-9.]+"));
  EXPECT_THAT(find_hdf5().text, testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_THAT(find_engines().text, HasSubstr("fused (SIMD: "));
}

}  // namespace
}  // namespace mnist_dist
