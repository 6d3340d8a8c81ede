#include "sweep/row.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "failures.h"
#include "sweep/places.h"
#include "sweep/records.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::HasSubstr;

const SweepRecord example = sweep_record({9950, -1});

TEST(Row, ReadsBackToItself) {
  for (const SeedOutcome& outcome : example.outcomes) {
    const std::string text = row_text(outcome, "test");
    const SeedOutcome back = parse_row(text, "row", example.identity, RowPart::all);
    EXPECT_EQ(row_text(back, "test"), text);
    EXPECT_EQ(back.mistakes, outcome.mistakes);
    EXPECT_EQ(back.message, outcome.message) << "commas in it";
    const SeedOutcome scores = parse_row(text, "row", example.identity, RowPart::scores);
    EXPECT_EQ(scores.final_correct, outcome.final_correct);
    EXPECT_TRUE(scores.mistakes.empty() && scores.epochs.empty());
  }
}

TEST(Row, ThatIsCutShortOrLongerIsDamaged) {
  const std::string text = row_text(example.outcomes[0], "test");
  const auto refused = [](const std::string& damaged) {
    return data_failure(
        [&] { parse_row(damaged, "rows/0xxx/seed0.csv", example.identity, RowPart::scores); });
  };
  for (std::size_t size = 0; size < text.size() && size < 600; size += 7)
    EXPECT_THAT(refused(text.substr(0, size)), HasSubstr("rows/0xxx/seed0.csv"));
  EXPECT_THAT(refused(text.substr(0, text.size() - 1)), HasSubstr("is damaged"));
  EXPECT_THAT(refused(text + "\n7,7"), HasSubstr("is damaged"));
}

TEST(Row, IsWrittenOnce) {
  const TemporaryFolder sweep;
  std::filesystem::create_directory(sweep / "rows");
  SeedOutcome outcome = example.outcomes[0];
  write_row(sweep.path(), "test", outcome);
  const std::string before = read_text_file(row_file(sweep.path(), 0));
  // The same result, from elsewhere.
  outcome.seconds = 99;
  outcome.group = 3;
  outcome.ranks = 2;
  outcome.threads = 7;
  outcome.engine.simd = "scalar";
  outcome.epochs[0].images_per_second = 7;
  write_row(sweep.path(), "test", outcome);
  EXPECT_EQ(read_text_file(row_file(sweep.path(), 0)), before);
}

TEST(Row, WithADifferentResultIsADefect) {
  const TemporaryFolder sweep;
  std::filesystem::create_directory(sweep / "rows");
  write_row(sweep.path(), "test", example.outcomes[0]);
  const auto refused = [&](const SeedOutcome& outcome) {
    try {
      write_row(sweep.path(), "test", outcome);
      return false;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::internal);
      EXPECT_THAT(error.what(), HasSubstr("seed0.csv"));
      return true;
    }
  };
  EXPECT_FALSE(refused(example.outcomes[0]));
  SeedOutcome other = example.outcomes[0];
  other.parameters_sha256[0] = 'c';
  EXPECT_TRUE(refused(other));
  other = example.outcomes[0];
  other.mistakes.front().prediction = 8;
  EXPECT_TRUE(refused(other));
  other = example.outcomes[0];
  other.epochs.back().train.loss = 0.2;
  EXPECT_TRUE(refused(other));
  other = example.outcomes[0];
  other.epochs.pop_back();
  EXPECT_TRUE(refused(other));
}

TEST(Row, OfASeedThatDivergedMayNameADifferentRank) {
  const TemporaryFolder sweep;
  std::filesystem::create_directory(sweep / "rows");
  SeedOutcome outcome = example.outcomes[1];
  write_row(sweep.path(), "test", outcome);
  outcome.message = "diverged at epoch 1 step 2 on rank 3";
  EXPECT_NO_THROW(write_row(sweep.path(), "test", outcome));
}

TEST(Row, MakesNoFolderInPlaceOfOneThatWasMovedAway) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_row(folder / "moved", "test", example.outcomes[0]), Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "moved"));
}

}  // namespace
}  // namespace mnist_dist
