#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <png.h>

#include "base/file.h"
#include "failures.h"
#include "report/chart.h"
#include "report/png.h"
#include "report/run_page.h"
#include "report/sweep_charts.h"
#include "report/sweep_page.h"
#include "report/sweep_verdict.h"
#include "sweep/records.h"
#include "temporary_folder.h"
#include "train/checkpoint.h"

namespace mnist_dist {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(SweepPage, IsOneFileWithTheVerdictFirst) {
  const SweepRecord record = sweep_record({9950, 9941, 9960});
  const std::string page = sweep_page(record, verdict_of(record));
  const auto verdict = page.find("PASS: 3 of 3 seeds reached 99.4 % (9940 of 10000 correct)</p>"),
             drawing = page.find("<svg");
  ASSERT_NE(verdict, page.npos);
  ASSERT_NE(drawing, page.npos);
  EXPECT_LT(verdict, drawing);
  EXPECT_THAT(page, HasSubstr("name=\"viewport\""));
  for (const char* outside : {"<script", "<link", "src=\"http", "href=", "url(http", "@import"})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  EXPECT_THAT(page, Not(HasSubstr("SYNTHETIC")));
}

TEST(SweepPage, LabelsSyntheticDigitsAndValidationRows) {
  SweepRecord record = sweep_record({9950, 9941});
  record.identity.data.synthetic = record.identity.validation = true;
  for (SeedOutcome& outcome : record.outcomes)
    outcome.epochs = {
        {.epoch = 1, .train = {}, .test = Score{.accuracy = 99}, .averaged_test = {}}};
  const std::string page = sweep_page(record, verdict_of(record));
  EXPECT_THAT(page, HasSubstr("SYNTHETIC digits"));
  EXPECT_THAT(page, HasSubstr("not opened"));
  EXPECT_THAT(histogram_svg(record, verdict_of(record), true),
              HasSubstr("final validation accuracy, % (SYNTHETIC digits)"));
}

TEST(SweepPage, ShowsDivergedSeedsAmongTheWorstAndCountsMistakes) {
  const SweepRecord record = sweep_record({9950, -1, 9960});
  const std::string page = sweep_page(record, verdict_of(record));
  EXPECT_THAT(page,
              HasSubstr("<td>1</td><td colspan=\"4\">diverged at epoch 1 step 2, in layer 1</td>"));
  EXPECT_THAT(page, HasSubstr("<b>2</b> predicted 3 (2x)<br>#7, 2 seeds"));
}

TEST(SweepPage, ShowsASmallerLastGroup) {
  const TemporaryFolder folder;
  SweepRecord record = sweep_record({9950});
  record.identity.groups = record.identity.ranks_per_run = 2;
  EXPECT_THAT(sweep_page(record, verdict_of(record)), HasSubstr("groups 2 x ranks 2 x threads 1"));
  EXPECT_THAT(sweep_json(record.identity), Not(HasSubstr("last_group")))
      << "sweeps of before stay what they are";
  record.identity.last_group_ranks = 1;
  write_file_atomically(folder / "sweep.json", sweep_json(record.identity));
  write_file_atomically(folder / "config.toml", record.recipe_text);
  record.identity = read_record(folder.path()).identity;
  EXPECT_THAT(sweep_page(record, verdict_of(record)),
              HasSubstr("groups 2 x ranks 2 (1 in the last) x threads 1"));
}

TEST(SweepPage, WithoutRowsHasNoDrawings) {
  SweepRecord record = sweep_record({9950});
  record.outcomes.clear();
  EXPECT_THAT(sweep_page(record, verdict_of(record)), HasSubstr("INCOMPLETE: 0 of 1 seed"));
}

/// One epoch of a run that does not average.
constexpr std::string_view metrics =
    "epoch,train_loss,train_accuracy,test_loss,test_accuracy,averaged_test_accuracy,learning_rate,"
    "images_per_second,"
    "seconds\n1,0.1,99,0.1,98,,0.01,1000,1\n";

TEST(RunPage, FilesThatContradictEachOtherAreRejected) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "config.toml", sweep_record({}).recipe_text);
  const auto refused = [&](std::string_view csv, const std::string& json) -> std::string {
    write_file_atomically(folder / "metrics.csv", csv);
    write_file_atomically(folder / "summary.json", json);
    try {
      run_page(folder.path());
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::data);
      return error.what();
    }
  };
  EXPECT_EQ(refused(metrics, R"({"final_test_accuracy": 98.0, "best_epoch": 1, "epochs": 2})"), "");
  EXPECT_THAT(refused(metrics, R"({"final_test_accuracy": 99.0})"),
              HasSubstr("final_test_accuracy"));
  EXPECT_THAT(refused(metrics, R"({"best_test_accuracy": 97.0})"), HasSubstr("best_test_accuracy"));
  EXPECT_THAT(refused(metrics, R"({"best_epoch": 2})"), HasSubstr("best_epoch"));
  EXPECT_THAT(refused(metrics, R"({"parameters_sha256": "abc"})"), HasSubstr("parameters_sha256"));
  EXPECT_THAT(refused(metrics, R"({"parameter_count": 7})"), HasSubstr("parameter_count"));
  EXPECT_THAT(refused(metrics, R"({"seed": 7})"), HasSubstr("seed"));
  EXPECT_THAT(refused(metrics, R"({"seed": 1.5})"), HasSubstr("seed"));
  EXPECT_THAT(refused(metrics, R"({"recipe": "other"})"), HasSubstr("recipe"));
  EXPECT_THAT(refused(metrics, R"({"averaged": true})"), HasSubstr("averaged"));
  EXPECT_THAT(refused(metrics, R"({"final_test_loss": 0.2})"), HasSubstr("final_test_loss"));
  const auto correct = [&](const char* count) {
    return refused(metrics, std::string(R"({"final_test_accuracy": 98.0, "final_test_correct": )") +
                                count + "}");
  };
  EXPECT_EQ(correct("9800"), "");
  for (const char* wrong : {"9801", "-9800", "9800.5"})
    EXPECT_THAT(correct(wrong), HasSubstr("final_test_correct")) << wrong;
  std::string text(metrics);
  EXPECT_THAT(refused(text + "3,0.1,99,0.1,98,,0.01,1000,1\n", "{}"), HasSubstr("row 2: epoch"));
  EXPECT_THAT(refused(text + "2,0.1,99,0.1,101,,0.01,1000,1\n", "{}"),
              HasSubstr("row 2: test_accuracy"));
}

TEST(RunPage, ADamagedSummaryIsNamed) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "config.toml", sweep_record({}).recipe_text);
  write_file_atomically(folder / "metrics.csv", metrics);
  EXPECT_THAT(run_page(folder.path()), HasSubstr("not finished"));
  write_file_atomically(folder / "summary.json",
                        std::string_view(R"({"recipe": "tiny", "seed": 1, "synthetic": true})"));
  EXPECT_THAT(run_page(folder.path()), AllOf(HasSubstr("tiny, seed 1"), HasSubstr("SYNTHETIC"),
                                             Not(HasSubstr("not finished"))));
  for (const char* damaged : {"[]", "7", "{", R"({"recipe": 3})", R"({"synthetic": "no"})"}) {
    write_file_atomically(folder / "summary.json", std::string_view(damaged));
    EXPECT_THAT(data_failure([&] { run_page(folder.path()); }), HasSubstr("summary.json"))
        << damaged;
  }
}

TEST(RunPage, AFinishedRunWithoutItsSummaryIsNotCalledUnfinished) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "config.toml", sweep_record({}).recipe_text);
  write_file_atomically(folder / "metrics.csv", metrics);
  Checkpoint checkpoint;
  checkpoint.seed = 1;
  save_checkpoint(folder.path(), checkpoint);
  EXPECT_THAT(run_page(folder.path()), HasSubstr("not finished"));
  checkpoint.finished = true;
  save_checkpoint(folder.path(), checkpoint);
  const Error error = failure(ExitCode::data, [&] { run_page(folder.path()); });
  EXPECT_THAT(error.what(), HasSubstr("summary.json"));
  EXPECT_THAT(error.hint(), HasSubstr("mnist-dist --resume --run-dir " + folder.path().string()));
}

TEST(Histogram, NoBarMixesSeedsThatReachedTheTargetWithOthers) {
  const SweepRecord record =
      sweep_record({9000, 9939, 9940, 9999});  // a range much wider than there are bars
  const std::string svg = histogram_svg(record, verdict_of(record));
  const auto count = [&](const std::string& fill) {
    int n = 0;
    for (auto at = svg.find("fill=\"" + fill + "\"><title>1 seed:"); at != svg.npos;
         at = svg.find("fill=\"" + fill + "\"><title>1 seed:", at + 1))
      ++n;
    return n;
  };
  EXPECT_EQ(count(color::bad), 2);
  EXPECT_EQ(count(color::good), 2);
}

TEST(Png, HoldsThePixels) {
  std::vector<std::uint8_t> pixels(16);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(16 * i);
  const std::string uri = png_data_uri(pixels, 4);
  const std::string prefix = "data:image/png;base64,";
  ASSERT_TRUE(uri.starts_with(prefix));
  std::vector<unsigned char> png(uri.size());
  ::EVP_DecodeBlock(png.data(), reinterpret_cast<const unsigned char*>(uri.data()) + prefix.size(),
                    static_cast<int>(uri.size() - prefix.size()));
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  ASSERT_TRUE(::png_image_begin_read_from_memory(&image, png.data(), png.size()));
  EXPECT_EQ(image.width, 4u);
  EXPECT_EQ(image.height, 4u);
  image.format = PNG_FORMAT_GRAY;
  std::vector<std::uint8_t> read(16);
  ASSERT_TRUE(::png_image_finish_read(&image, nullptr, read.data(), 0, nullptr));
  EXPECT_EQ(read, pixels);
}

TEST(Canvas, CutsPartsOutside) {
  Canvas canvas(3, 2, 0);
  canvas.fill(-1, 1, 2, 9, {1, 2, 3});
  canvas.text(0, 0, "8", 1, {9, 9, 9});
  EXPECT_EQ(canvas.rgb[0], 9) << "the top of an 8";
  EXPECT_EQ(canvas.rgb[(1 * 3 + 1) * 3], 0) << "its hole";
}

}  // namespace
}  // namespace mnist_dist
