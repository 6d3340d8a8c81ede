#include "comm/local_ranks.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/error_text.h"
#include "base/file.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A folder like /proc.
struct LocalRanks : testing::Test {
  TemporaryFolder folder;

  void process(const std::string& name, const std::string& environment, char state) {
    std::string text = environment;
    for (char& c : text)
      if (c == ' ') c = '\0';
    std::filesystem::create_directories(folder / name);
    write_file_atomically(folder / name / "environ", text + '\0');
    write_file_atomically(folder / name / "stat", "7 (a ) b) " + std::string(1, state) + " 1 1");
  }
};

TEST_F(LocalRanks, AreTheProcessesOfThisJobThatHaveARank) {
  process("self", "PMIX_NAMESPACE=job.1 OMPI_COMM_WORLD_RANK=0", 'R');
  process("10", "PMIX_NAMESPACE=job.1 OMPI_COMM_WORLD_RANK=0", 'S');
  process("11", "A=b PMIX_NAMESPACE=job.1 PMIX_RANK=1", 'T');
  process("12", "PMIX_NAMESPACE=job.2 PMIX_RANK=2", 'T');  // another job's
  process("13", "PMIX_NAMESPACE=job.1", 'T');              // the launcher
  process("14", "PMIX_NAMESPACE=job.1 PMIX_RANK=3", 'S');
  process("15", "PMIX_NAMESPACE=job.1 PMIX_RANK=3", 't');  // a child of it
  const auto ranks = local_ranks(folder.path());
  ASSERT_EQ(ranks.size(), 3U);
  EXPECT_EQ(ranks[0].rank, 0);
  EXPECT_FALSE(ranks[0].stopped);
  EXPECT_EQ(ranks[1].pid, 11);
  EXPECT_TRUE(ranks[1].stopped);
  EXPECT_EQ(ranks[2].pid, 15);
  EXPECT_TRUE(ranks[2].stopped);
}

TEST_F(LocalRanks, WithoutAJobThereAreNone) {
  process("self", "HOME=/", 'R');
  process("10", "PMIX_RANK=1", 'T');
  EXPECT_TRUE(local_ranks(folder.path()).empty());
  EXPECT_TRUE(local_ranks(folder / "nowhere").empty());
}

TEST(Complaint, NamesTheStoppedRankAndTheFirstLiveOnePrintsIt) {
  const std::vector<LocalRank> ranks = {{0, 10, false}, {1, 11, true}, {2, 12, false}};
  const Complaint first =
      complain(ranks, {true, 0, 3, "Open MPI"}, "rank 0 (host h, pid 10)", "h", "MPI_Init", 4);
  EXPECT_EQ(first.patience, 0);
  EXPECT_THAT(error_text(first.error),
              StartsWith("error: rank 0 (host h, pid 10) has waited 4 s in MPI_Init: "
                         "rank 1 (host h, pid 11) is stopped\nhint: "));
  EXPECT_GT(complain(ranks, {true, 2, 3, "Open MPI"}, "rank 2", "h", "MPI_Init", 4).patience, 0);
}

TEST(Complaint, AlwaysHasAHint) {
  for (const auto& ranks : {std::vector<LocalRank>{}, std::vector<LocalRank>{{0, 10, false}}}) {
    const Complaint complaint =
        complain(ranks, {true, 0, 2, "Open MPI"}, "rank 0", "h", "MPI_Init", 4);
    EXPECT_GT(complaint.patience, 0) << "another host's rank may know more";
    EXPECT_FALSE(complaint.error.hint().empty());
    EXPECT_THAT(complaint.error.what(), Not(HasSubstr("stopped")));
  }
}

}  // namespace
}  // namespace mnist_dist
