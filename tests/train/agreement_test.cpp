#include "train/agreement.h"

#include <gmock/gmock.h>

namespace mnist_dist {
namespace {

/// Rank 0 of several whose other ranks always say what the test put there.
class ScriptedRanks : public Communicator {
 public:
  explicit ScriptedRanks(std::vector<std::string> others) : others_(std::move(others)) {}
  int rank() const override { return 0; }
  int size() const override { return 1 + static_cast<int>(others_.size()); }
  int local_rank() const override { return 0; }
  int local_size() const override { return 1; }
  void broadcast(std::span<std::byte>, int) override {}
  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> bytes) override {
    std::vector<std::vector<std::byte>> all{{bytes.begin(), bytes.end()}};
    for (const std::string& text : others_) {
      const auto more = std::as_bytes(std::span(text));
      all.emplace_back(more.begin(), more.end());
    }
    return all;
  }
  void tree_all_reduce(const ShardVectors&, int, std::span<float>, const Queue&) override {}
  void barrier() override {}
  std::unique_ptr<Communicator> split(int) override { return nullptr; }
  std::unique_ptr<Mailbox> open_mailbox() override { return nullptr; }
  void set_activity(const std::string&) override {}
  [[noreturn]] void abort(ExitCode code) override { std::exit(static_cast<int>(code)); }

 private:
  std::vector<std::string> others_;
};

TEST(Agreement, NamesTheFirstDifferenceAndItsRank) {
  ScriptedRanks same({"1.0\navx2\n", "1.0\navx2\n"}), differ({"1.0\navx2\n", "1.0\nsse4\n"});
  const Facts facts = {{"version", "1.0"}, {"simd", "avx2"}};
  EXPECT_NO_THROW(check_agreement(same, facts));
  try {
    check_agreement(differ, facts);
    FAIL() << "the difference was not seen";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::device);
    EXPECT_TRUE(error.everywhere());
    EXPECT_STREQ(error.what(), "ranks disagree on simd: rank 0 has \"avx2\", rank 2 has \"sse4\"");
  }
}

TEST(Agreement, RanksTakeTheBestTargetTheyAllHave) {
  ScriptedRanks older({"avx2\nsse4\nscalar\n"}), none({"neon\n"}), silent({"\n"});
  EXPECT_EQ(first_common(older, "SIMD target", {"avx512", "avx2", "sse4", "scalar"}), "avx2");
  EXPECT_EQ(first_common(silent, "SIMD target", {}), "");
  EXPECT_THROW(first_common(none, "SIMD target", {"avx2", "scalar"}), Error);
}

TEST(Agreement, TheLowestRanksProblemIsEverybodys) {
  ScriptedRanks fine({"\n", "\n"}), second({"\n", "no GPU\n"}), both({"no GPU\n"}), alone({});
  EXPECT_EQ(first_problem(fine, ""), "");
  EXPECT_EQ(first_problem(second, ""), "rank 2: no GPU");
  EXPECT_EQ(first_problem(both, "2 ranks on a host with 1 GPU"), "rank 0: 2 ranks on a host with 1 GPU");
  EXPECT_EQ(first_problem(alone, "no GPU"), "no GPU");
}

}  // namespace
}  // namespace mnist_dist
