#include "sweep/folder.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <thread>

#include "base/file.h"
#include "failures.h"
#include "sweep/merge.h"
#include "sweep/places.h"
#include "sweep/recipe_hash.h"
#include "sweep/records.h"
#include "sweep/row.h"
#include "sweep/sweep.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::HasSubstr;

/// The text with `is` instead of `was`, which it has.
std::string with(std::string text, const std::string& was, const std::string& is) {
  EXPECT_NE(text.find(was), text.npos) << was;
  return text.replace(text.find(was), was.size(), is);
}

struct SweepFolderTest : testing::Test {
  TemporaryFolder temporary;
  std::filesystem::path path = temporary / "sweep";
  SweepRecord example = sweep_record({9950, -1, 9941});
  Config recipe = [] {
    Config config;
    config.name = "tiny";
    config.model.layers = {{.kind = LayerKind::linear, .channels = 10}};
    config.train.epochs = 2;
    return config;
  }();

  void expect_refused(const Config& config, const SweepIdentity& identity, const std::string& why) {
    EXPECT_THAT(usage_failure([&] { open_sweep(path, config, identity); }), HasSubstr(why));
  }
  SweepIdentity open() { return open_sweep(path, recipe, example.identity); }
  void fill() {
    open();
    for (const SeedOutcome& outcome : example.outcomes) write_row(path, "test", outcome);
  }
  /// As a published sweep, and those of earlier versions.
  void fill_tables() {
    std::filesystem::create_directory(path);
    write_file_atomically(path / "sweep.json", sweep_json(example.identity));
    write_file_atomically(path / "config.toml", to_toml(recipe));
    EXPECT_TRUE(write_tables(path, example, lock_sweep(path)));
  }
};

TEST_F(SweepFolderTest, ReadsItsOwnFiles) {
  fill();
  const SweepRecord record = read_record(path);
  EXPECT_TRUE(record.has_rows);
  EXPECT_EQ(seeds_csv(record), seeds_csv(example));
  EXPECT_EQ(epochs_csv(record), epochs_csv(example));
  EXPECT_EQ(errors_csv(record), errors_csv(example));
  EXPECT_EQ(record.outcomes[1].message, example.outcomes[1].message) << "commas in it";
}

TEST_F(SweepFolderTest, TablesAreMadeFromRows) {
  fill();
  EXPECT_EQ(seeds_csv(write_tables_of(path)), seeds_csv(example));
  EXPECT_EQ(read_text_file(path / "seeds.csv"), seeds_csv(example));
  EXPECT_EQ(read_text_file(path / "epochs.csv"), epochs_csv(example));
  EXPECT_EQ(read_text_file(path / "errors.csv"), errors_csv(example));
  check_tables(path);
  write_file_atomically(path / "seeds.csv", with(seeds_csv(example), "avx2", "avx9"));
  EXPECT_THROW(check_tables(path), Error);
  write_tables_of(path);
  std::filesystem::remove(row_file(path, 2));
  EXPECT_THROW(check_tables(path), Error) << "a row that was there is missing";
}

TEST_F(SweepFolderTest, OfManyProcessesThatEndTogetherOneMakesTheTables) {
  fill();
  int made = 0;
  const auto count = [&](const SweepRecord&) { ++made; };
  const std::string all = seeds_csv(write_tables_of(path, count, 1));
  const SweepRecord again = write_tables_of(path, count, 1);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(seeds_csv(again), all);
  EXPECT_TRUE(again.outcomes[0].epochs.empty());
  write_tables_of(path, count, again.outcomes.size());
  EXPECT_EQ(made, 2) << "the rows are few";
  EXPECT_FALSE(write_tables_of(path, count).outcomes[0].epochs.empty());
  EXPECT_EQ(made, 3) << "as report, which is to write";
  // A row came after the tables.
  std::string seeds = all.substr(0, all.find('\n', all.find('\n') + 1) + 1);
  write_file_atomically(path / "seeds.csv", seeds);
  EXPECT_EQ(seeds_csv(write_tables_of(path, count, 1)), all);
  EXPECT_EQ(made, 4);
}

TEST_F(SweepFolderTest, ASweepOfAnEarlierVersionIsReadAsItIs) {
  fill_tables();
  const SweepRecord record = write_tables_of(path);
  EXPECT_FALSE(record.has_rows);
  EXPECT_EQ(seeds_csv(record), seeds_csv(example));
  EXPECT_FALSE(std::filesystem::exists(path / "rows"));
  EXPECT_EQ(record.identity.declared.size(), 1u);
}

TEST_F(SweepFolderTest, WithoutEpochsNoneAreWritten) {
  for (SeedOutcome& outcome : example.outcomes) outcome.epochs.clear();
  fill_tables();
  EXPECT_FALSE(std::filesystem::exists(path / "epochs.csv"));
  EXPECT_EQ(seeds_csv(write_tables_of(path)), seeds_csv(example));
}

TEST_F(SweepFolderTest, WhereAllSeedsDivergedEpochsAreAHeader) {
  example = sweep_record({-1, -1});
  fill_tables();
  EXPECT_EQ(read_text_file(path / "epochs.csv"), "seed," + metrics_header("test"));
  EXPECT_EQ(seeds_csv(write_tables_of(path)), seeds_csv(example));
}

TEST_F(SweepFolderTest, ASweepOfAnEarlierVersionContinuesWithRows) {
  fill_tables();
  std::filesystem::create_directories(path / "rows.new/rows/0xxx");  // killed there before
  open();
  const SweepRecord record = read_record(path);
  EXPECT_TRUE(record.has_rows);
  EXPECT_EQ(seeds_csv(record), seeds_csv(example));
  EXPECT_EQ(errors_csv(record), errors_csv(example));
  EXPECT_FALSE(std::filesystem::exists(path / "rows.new"));
}

TEST_F(SweepFolderTest, DifferentRecipeDataOrProgramIsRejected) {
  fill();
  Config other = recipe;
  other.train.epochs = 99;
  expect_refused(other, example.identity, "got \"epochs = 99\"");
  SweepIdentity identity = example.identity;
  identity.data.hash = std::string(64, 'd');
  expect_refused(recipe, identity, "data (got hash");
  identity = example.identity;
  identity.fingerprint = std::string(64, '0');
  expect_refused(recipe, identity, "fingerprint");
  identity = example.identity;
  identity.engine.name = "torch";
  expect_refused(recipe, identity, "fingerprint");
}

TEST_F(SweepFolderTest, TheTargetStays) {
  SweepIdentity none = example.identity;
  none.target = "";
  EXPECT_EQ(open_sweep(path, recipe, none).target, default_target);
  std::filesystem::remove_all(path);
  example.identity.target = "99.25";
  fill();
  EXPECT_EQ(open_sweep(path, recipe, none).target, "99.25");
  SweepIdentity other = example.identity;
  other.target = "99.250";
  EXPECT_EQ(open_sweep(path, recipe, other).target, "99.25") << "the same number";
  for (const char* target : {"50", "99.250001", "0"}) {
    other.target = target;
    expect_refused(recipe, other, target);
    expect_refused(recipe, other, "99.25 %");
  }
  EXPECT_EQ(read_identity(path).target, "99.25");
}

TEST_F(SweepFolderTest, TheLeaseIsANumberOfSecondsFromHalfToAnHour) {
  const char* const name = "MNIST_DIST_LEASE_SECONDS";
  const char* const before = std::getenv(name);
  const std::string value = before ? before : "";
  for (const char* good : {"0.5", "2", "3600"}) {
    setenv(name, good, 1);
    EXPECT_EQ(sweep_pace().stale.count(), std::lround(1000 * std::stod(good)));
    EXPECT_GT(sweep_pace().renewal.count(), 0);
  }
  for (const char* bad : {"", "abc", "2s", " 2", "-1", "0", "0.4", "3600.1", "1e9", "inf", "nan"}) {
    setenv(name, bad, 1);
    expect_refused(recipe, example.identity, name);
  }
  unsetenv(name);
  EXPECT_EQ(sweep_pace().stale, LeasePace{}.stale);
  if (before) setenv(name, value.c_str(), 1);
}

TEST_F(SweepFolderTest, TablesAreNotWrittenWithoutTheLock) {
  fill();
  const FolderLock lock = lock_sweep(path);
  const std::string lease = read_text_file(lease_file(path));
  write_file_atomically(lease_file(path), std::string_view("another process's\n"));
  EXPECT_FALSE(write_tables(path, example, lock));
  for (const char* table : {"seeds.csv", "epochs.csv", "errors.csv"})
    EXPECT_FALSE(std::filesystem::exists(path / table)) << table;
  write_file_atomically(lease_file(path), lease);
  EXPECT_TRUE(write_tables(path, example, lock));
}

TEST_F(SweepFolderTest, AMergeThatDoesNotFitWritesNothing) {
  const auto sweep = [&](const char* name, const std::string& seeds, const std::string& target) {
    const std::filesystem::path folder = temporary / name;
    SweepIdentity identity = example.identity;
    identity.seeds = seeds;
    identity.target = target;
    identity.declared = {{seeds, "2026-01-01T00:00:00Z"}};
    open_sweep(folder, recipe, identity);
    return folder.string();
  };
  const std::string a = sweep("a", "0..2", "99.4"), b = sweep("b", "3..1000002", "99.4"),
                    c = sweep("c", "3..4", "99.5"), d = sweep("d", "3..4", "99.40");
  const auto refused = [&](const std::filesystem::path& out, std::vector<std::string> parts) {
    usage_failure([&] { merge_sweeps(out, parts, "merge"); });
  };
  const std::filesystem::path out = temporary / "out";
  refused(out, {a, b});
  refused(out, {a, c});
  EXPECT_FALSE(std::filesystem::exists(out));
  refused(temporary / "a", {a, d});
  refused(temporary / "b/../a/", {d, a});
  refused(temporary / "a/inside/it", {a, d});
  std::filesystem::create_directory_symlink(a, temporary / "link");
  refused(temporary / "link/inside", {a, d});
  EXPECT_FALSE(std::filesystem::exists(temporary / "a/inside"));
  EXPECT_EQ(read_identity(a).seeds, "0..2");
  merge_sweeps(out, {a, d}, "merge");
  EXPECT_EQ(read_identity(out).seeds, "0..4");
  EXPECT_EQ(read_identity(out).declared.size(), 2u);
  EXPECT_EQ(read_identity(out).target, "99.4");
  const std::string before = read_text_file(out / "sweep.json");
  refused(out, {b});
  refused(out, {d, c});
  EXPECT_EQ(read_text_file(out / "sweep.json"), before);
}

TEST_F(SweepFolderTest, MoreSeedsAddToTheDeclaration) {
  example.identity.declared = {{"0..2", "2026-01-01T00:00:00Z"}};
  fill();
  SweepIdentity more = example.identity;
  more.seeds = "5..9";
  more.declared = {{"5..9", "2026-01-02T00:00:00Z"}};
  EXPECT_EQ(open_sweep(path, recipe, more).seeds, "0..2,5..9");
  more.declared = {{"5..9", "2026-01-03T00:00:00Z"}};
  open_sweep(path, recipe, more);
  const SweepIdentity now = read_record(path).identity;
  EXPECT_EQ(now.seeds, "0..2,5..9");
  ASSERT_EQ(now.declared.size(), 2u) << "the third start added nothing";
  EXPECT_EQ(now.declared[0].seeds, "0..2");
  EXPECT_EQ(now.declared[0].date, "2026-01-01T00:00:00Z");
  EXPECT_EQ(now.declared[1].seeds, "5..9");
  EXPECT_EQ(now.declared[1].date, "2026-01-02T00:00:00Z");
}

TEST_F(SweepFolderTest, ManyMayOpenItAtOnce) {
  std::vector<std::jthread> starts;
  for (int start = 0; start < 8; ++start) starts.emplace_back([this] { open(); });
  starts.clear();
  EXPECT_EQ(read_record(path).identity.seeds, example.identity.seeds);
}

TEST_F(SweepFolderTest, FilesOfAKilledWorkerInAnEndedSeedAreRemoved) {
  fill();
  for (const char* left : {"runs/seed1/.lease", "runs/seed1/metrics.csv.tmp999999999"}) {
    std::filesystem::create_directories(path / "runs/seed1");
    write_file_atomically(path / left, read_text_file(path / "config.toml"));
  }
  std::filesystem::remove(path / "runs/seed1/.lease");
  open();
  EXPECT_TRUE(std::filesystem::is_empty(path / "runs/seed1"));
}

TEST_F(SweepFolderTest, MakesNoFolderAboveItsOwn) {
  path = temporary / "moved/candidate";
  EXPECT_THROW(open(), Error);
  EXPECT_FALSE(std::filesystem::exists(temporary / "moved"));
}

TEST_F(SweepFolderTest, AStartThatWasKilledAtOnceIsNoSweepYet) {
  fill();
  const std::string identity = read_text_file(path / "sweep.json");
  std::filesystem::remove_all(path);
  std::filesystem::create_directory(path);
  write_file_atomically(path / "sweep.json", identity);
  write_file_atomically(path / "config.toml.tmp999999999", std::string_view("[mod"));
  fill();
  EXPECT_EQ(read_record(path).outcomes.size(), example.outcomes.size());

  std::filesystem::remove(path / "config.toml");  // what was trained is not thrown away
  EXPECT_THROW(fill(), Error);
  EXPECT_TRUE(std::filesystem::exists(row_file(path, 0)));
}

TEST_F(SweepFolderTest, ARecipeThatWasChangedAfterwardsIsRejected) {
  fill();
  const auto file = path / "config.toml";
  const std::string before = read_text_file(file);
  // No column of epochs.csv shows it.
  write_file_atomically(file, with(before, "momentum = 0.9", "momentum = 0.8"));
  EXPECT_THAT(data_failure([&] { read_record(path); }), HasSubstr("config.toml: the recipe"));
  EXPECT_THAT(data_failure([&] { open(); }), HasSubstr("config.toml: the recipe"));
  // A data file may move.
  write_file_atomically(file, with(before, "data/mnist.h5", "elsewhere.h5"));
  read_record(path);
}

TEST(RecipeHash, IsOfTheKeysThatDifferFromTheDefaults) {
  Config config = parse_config(sweep_record({1}).recipe_text, "tiny.toml");
  const std::string hash = recipe_sha256(config);
  config.train.seed = 7;
  EXPECT_EQ(recipe_sha256(config), hash);
  config.optimizer.momentum = 0.8;
  EXPECT_NE(recipe_sha256(config), hash);
  // Of sweep.json files that exist: it must stay, whatever keys are added.
  EXPECT_EQ(hash, "3f807f6db542cb2592c9c07babf4ce34b1a6a02ffefd2b5b1dfbe5e063a948c2");
}

TEST_F(SweepFolderTest, AFolderWithOtherFilesIsRejected) {
  std::filesystem::create_directory(path);
  write_file_atomically(path / "thesis.tex", std::string_view("years of work"));
  expect_refused(recipe, example.identity, "is not a sweep");
}

TEST_F(SweepFolderTest, AnyCommandIsKept) {
  example.identity.command = "mnist-dist sweep --out \xff";
  fill();
  EXPECT_EQ(read_record(path).identity.command, "mnist-dist sweep --out \xef\xbf\xbd");
}

TEST_F(SweepFolderTest, ADamagedRowIsNamed) {
  fill();
  const auto file = row_file(path, 2);
  const std::string before = read_text_file(file);
  for (const auto& [was, is] :
       {std::pair("ok,99.4100,9941", "ok,99.4100,9940"), std::pair("2,7,2,3\n", ""),
        std::pair("2,7,2,3", "1,7,2,3"), std::pair("2,0.100000", "3,0.100000"),
        std::pair("2,ok", "3,ok"), std::pair("epoch,train_loss", "epoch,loss")}) {
    write_file_atomically(file, with(before, was, is));
    EXPECT_THAT(data_failure([&] { read_record(path); }), HasSubstr("seed2.csv"))
        << is << " for " << was;
  }
}

TEST_F(SweepFolderTest, ADamagedTableIsNamed) {
  fill_tables();
  const auto expect_damage = [&](const std::string& file, const std::string& text,
                                 const std::string& why) {
    const std::string before = read_text_file(path / file);
    write_file_atomically(path / file, text);
    EXPECT_THAT(data_failure([&] { read_record(path); }), HasSubstr(file + why)) << text;
    write_file_atomically(path / file, before);
  };
  expect_damage("seeds.csv", "seed,status\n0\n",
                ": row 1: wrong number of cells (got 1, expected 2)");
  const std::string seeds = seeds_csv(example), header = "seed,test_index,label,prediction\n";
  expect_damage("seeds.csv", seeds + seeds.substr(seeds.rfind('\n', seeds.size() - 2) + 1),
                ": seed 2 appears twice");
  expect_damage("epochs.csv", "", ": it has no header");
  expect_damage("errors.csv", header + "0,7,123456789,3\n",
                ": row 1: label: wrong value (got \"123456789\", expected 0 to 999)");
  expect_damage("errors.csv", header + "0,7,2,3\n0,8,2,-1\n",
                ": row 2: prediction: wrong value (got \"-1\", expected 0 to 999)");
  expect_damage("errors.csv", header + "0,4294967296,2,3\n",
                ": row 1: test_index: wrong value (got \"4294967296\", expected 0 to");
  expect_damage("seeds.csv", with(seeds, "0,ok,", "0,foo,"),
                ": row 1: status: wrong value (got \"foo\", expected ok or diverged)");
  expect_damage("seeds.csv", with(seeds, "0,ok,", "-1,ok,"),
                ": row 1: seed: wrong value (got \"-1\", expected 0 to");
  expect_damage("seeds.csv", with(seeds, ",9941,", ",10001,"),
                ": row 3: final_test_correct: wrong value (got \"10001\", expected 0 to 10000)");
  expect_damage("seeds.csv", with(seeds, ",9950,10000,", ",9950,9950,"),
                ": row 1: test_images: wrong value (got \"9950\", expected 10000)");
  expect_damage("seeds.csv", with(seeds, "ok,99.5000", "ok,nan"),
                ": row 1: final_test_accuracy: wrong value (got \"nan\", expected 0 to 100)");
  const std::string identity = sweep_json(example.identity);
  for (const char* images : {"0", "-1e+300", "2.5", "18446744073709551615", "\"many\""})
    expect_damage("sweep.json",
                  with(identity, "\"images\": 10000", std::string("\"images\": ") + images),
                  std::string(" is damaged: images: wrong value (got ") + images +
                      ", expected 1 to 2147483647)");
  expect_damage("sweep.json", with(identity, "\"scored\": \"test\"", "\"scored\": \"foo\""),
                " is damaged: scored: wrong value (got \"foo\", expected test or validation)");
  expect_damage("sweep.json", with(identity, "99.4", "foo"),
                " is damaged: wrong target (got \"foo\"");
  expect_damage("sweep.json", with(identity, "0..2", "all"),
                " is damaged: wrong list of seeds (got \"all\"");
  read_record(path);
}

// Results that no run can have, though each cell alone is in its range.
TEST_F(SweepFolderTest, FilesThatContradictThemselvesOrEachOtherAreRejectedNamingTheRow) {
  fill_tables();
  const auto expect = [&](const std::string& file, const std::string& was, const std::string& is,
                          const std::string& why) {
    const std::string before = read_text_file(path / file);
    write_file_atomically(path / file, with(before, was, is));
    EXPECT_THAT(data_failure([&] { read_record(path); }), HasSubstr(why))
        << file << ": " << is << " for " << was;
    write_file_atomically(path / file, before);
  };
  const std::string seeds = "seeds.csv", epochs = "epochs.csv", errors = "errors.csv";
  expect(seeds, "ok,99.4100,9941", "ok,99.4100,9940", "row 3 (seed 2): final_test_accuracy");
  expect(seeds, "ok,99.4100,9941", "ok,99.4200,9941", "row 3 (seed 2): final_test_accuracy");
  expect(seeds, ",99.4100,99.4100,2,", ",99.4150,99.4100,2,", "row 3 (seed 2): raw_test_accuracy");
  expect(seeds, ",99.4100,99.4100,2,", ",99.4000,99.4100,2,", "row 3 (seed 2): raw_test_accuracy");
  expect(seeds, ",99.4100,99.4100,2,", ",99.4100,99.4000,2,",
         "row 3 (seed 2): best_test_accuracy is below");
  expect(seeds, ",99.4100,99.4100,2,", ",99.4100,99.9000,2,",
         "row 3 (seed 2): best_test_accuracy in epochs.csv");
  expect(seeds, ",99.4100,99.4100,2,", ",99.4100,99.4100,3,", "row 3 (seed 2): best_epoch");
  expect(seeds, ",99.4100,99.4100,2,", ",99.4100,99.4100,1,",
         "row 3 (seed 2): best_epoch in epochs.csv");
  expect(seeds, "9941,10000,0.0", "9941,10000,-1.0", "row 3: final_test_loss");
  expect(seeds, "9941,10000,0.050000", "9941,10000,inf", "row 3: final_test_loss");
  expect(seeds, std::string(63, 'b') + "2,", "b,",
         "row 3 (seed 2): parameters_sha256: not a SHA-256");
  expect(seeds, std::string(63, 'b') + "2,", std::string(64, 'b') + ",",
         "row 3 (seed 2): raw_parameters_sha256");
  expect(seeds, "9941,10000,0.05", "9941,10000,0.06",
         "row 3 (seed 2): final_test_loss in epochs.csv");
  const std::string two = std::string(63, 'b') + "2,", none = std::string(63, 'b') + "0,";
  expect(seeds, two + two, none + none, "row 3 (seed 2): it has the weights of seed 0");
  expect(epochs, "2,1,0.500000,80.0000,0.4", "2,1,0.500000,80.0000,-0.4",
         "epochs.csv, seed 2: row 1: test_loss");
  expect(seeds, "1,diverged,,", "1,diverged,99.0,", "row 2: final_test_accuracy");
  expect(seeds, "2,ok,", "2,diverged,", "row 3: final_test_accuracy");
  expect(epochs, "2,2,0.100000", "2,3,0.100000", "epochs.csv, seed 2: row 2: epoch");
  expect(epochs, "2,1,0.500000", "9,1,0.500000", "epochs.csv, seed 2: row 1: epoch");
  expect(epochs, ",99.4100,,0.01", ",99.400000,,0.01",
         "row 3 (seed 2): final_test_accuracy in epochs.csv");
  expect(epochs, ",99.4100,,0.01", ",99.4100,,nan", "epochs.csv, seed 2: row 2: learning_rate");
  expect(epochs, ",99.4100,,0.01", ",,99.4100,0.01", "epochs.csv, seed 2: row 2: test_loss");
  expect(errors, "2,7,2,3\n", "", "row 3 (seed 2): mistakes in errors.csv (got 58, expected 59)");
  expect(errors, "2,7,2,3\n", "2,7,2,2\n", "row 3 (seed 2): errors.csv names image 7");
  expect(errors, "2,7,2,3\n", "2,102,4,9\n", "row 3 (seed 2): errors.csv names image 102: twice");
  expect(errors, "2,7,2,3\n", "2,10000,2,3\n",
         "row 3 (seed 2): errors.csv names image 10000: it was not scored");
  expect(errors, "2,7,2,3\n", "2,7,1,3\n",
         "row 3 (seed 2): errors.csv names image 7: label 1 here, 2 for a different seed");
  expect("sweep.json", "\"parameter_count\": 7840", "\"parameter_count\": 7841",
         "sweep.json: parameter_count");
  expect("sweep.json", "\"epochs\": 2", "\"epochs\": 3", "sweep.json: epochs");
  expect("sweep.json", std::string(64, 'a'), "abc", "sweep.json: data_hash");
  expect("config.toml", "linear = 10", "linear = ", "config.toml is damaged");
  expect("config.toml", "learning_rate = 0.01", "learning_rate = 0.02",
         "epochs.csv, seed 0: row 1: learning_rate");
  expect(epochs, ",99.4100,,0.01", ",99.410000,,0.02", "epochs.csv, seed 2: row 2: learning_rate");
  expect(seeds, "fused,avx2", "warp,avx2", "row 1 (seed 0): unknown engine");
  expect(seeds, "fused,avx2", "torch,AVX2", "row 1 (seed 0): engine is not as in sweep.json");
  expect(seeds, "fused,avx2", "fused,avx9", "row 1 (seed 0): unknown simd");
  expect(seeds, "fused,avx2,cpu", "fused,avx2,", "row 1 (seed 0): unknown device");
  expect("sweep.json", "\"fused\"", "\"torch\"", "row 1 (seed 0): engine is not as in sweep.json");
  expect("sweep.json", "\"fused\"", "\"\"", "sweep.json: unknown engine");
  expect("sweep.json", "\"seeds\": \"0..2\"", "\"seeds\": \"0,1\"",
         "sweep.json: seeds without seed 2");
  read_record(path);
}

}  // namespace
}  // namespace mnist_dist
