#include "train/agreement.h"

#include <gmock/gmock.h>

#include "failures.h"

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
  void set_activity(const std::string&) override {}
  [[noreturn]] void abort(ExitCode code) override { std::exit(static_cast<int>(code)); }

 private:
  std::vector<std::string> others_;
};

/// As a rank sends them.
std::string sent(const std::vector<std::string>& texts) {
  std::string bytes;
  for (const std::string& text : texts) bytes += text + '\0';
  return bytes;
}

TEST(Agreement, NamesTheFirstDifferenceAndItsRank) {
  ScriptedRanks same({sent({"1.0", "avx2"}), sent({"1.0", "avx2"})}),
      differ({sent({"1.0", "avx2"}), sent({"1.0", "sse4"})});
  const Facts facts = {{"version", "1.0"}, {"simd", "avx2"}};
  EXPECT_NO_THROW(check_agreement(same, facts));
  const Error error =
      failure(ExitCode::device, [&] { check_agreement(differ, facts, "use like hosts"); });
  EXPECT_TRUE(error.is_on_all_ranks());
  EXPECT_THAT(error.what(), HasAll("simd", "avx2", "rank 2", "sse4"));
  EXPECT_EQ(error.hint(), "use like hosts");
}

/// The error of check_agreement when rank 1 has these texts instead.
std::string disagreement(const Facts& facts, const std::vector<std::string>& other) {
  ScriptedRanks ranks({sent(other)});
  try {
    check_agreement(ranks, facts);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Agreement, FactsOfSeveralLinesHideNothingBehindThem) {
  const std::string recipe = "[train]\nepochs = 3\nbatch = 64\n";
  const Facts facts = {{"the recipe", recipe}, {"the seed", "1"}, {"--simd", ""}};
  EXPECT_EQ(disagreement(facts, {recipe, "1", ""}), "");
  EXPECT_THAT(disagreement(facts, {recipe, "2", ""}), HasAll("the seed", "\"1\"", "\"2\""));
  EXPECT_THAT(disagreement(facts, {recipe, "1", "avx2"}), HasAll("--simd", "\"\"", "avx2"));
  EXPECT_THAT(disagreement(facts, {"[train]\nepochs = 4\nbatch = 64\n", "1", ""}),
              HasAll("the recipe", "\"epochs = 3\"", "\"epochs = 4\""));
  EXPECT_THAT(disagreement(facts, {"[train]\nepochs = 3\n", "1", ""}),
              HasAll("the recipe", "\"batch = 64\"", "\"\""));
}

std::string thrown(ScriptedRanks ranks, const std::optional<Error>& mine) {
  try {
    throw_first(ranks, mine);
    return "";
  } catch (const Error& error) {
    EXPECT_TRUE(error.is_on_all_ranks());
    EXPECT_EQ(error.code(), ExitCode::device);
    return std::string(error.what()) + ". " + error.hint();
  }
}

TEST(Agreement, TheLowestRanksErrorIsEverybodys) {
  const Error error = device_error("no GPU", "--device cpu");
  const auto theirs = sent({"4", "no GPU", "--device cpu"});
  EXPECT_EQ(thrown(ScriptedRanks({sent({}), sent({})}), {}), "");
  EXPECT_EQ(thrown(ScriptedRanks({sent({}), theirs}), {}), "rank 2: no GPU. --device cpu");
  EXPECT_EQ(thrown(ScriptedRanks({sent({})}), error), "rank 0: no GPU. --device cpu");
  EXPECT_EQ(thrown(ScriptedRanks({sent({"2", "other", ""})}), error),
            "rank 0: no GPU. --device cpu");
  EXPECT_EQ(thrown(ScriptedRanks({theirs, theirs}), error), "no GPU. --device cpu");
  EXPECT_EQ(thrown(ScriptedRanks({}), error), "no GPU. --device cpu");
}

}  // namespace
}  // namespace mnist_dist
