#include "sweep/folder.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/file.h"
#include "sweep/records.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::HasSubstr;

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
    try {
      SweepFolder(path, config, identity);
      FAIL() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      EXPECT_THAT(error.what(), HasSubstr(why));
    }
  }
  void fill() {
    SweepFolder folder(path, recipe, example.identity);
    for (const SeedOutcome& outcome : example.outcomes) folder.add(outcome);
  }
};

TEST_F(SweepFolderTest, WhatWasAddedIsThereAfterARestart) {
  fill();
  const SweepFolder again(path, recipe, example.identity);
  EXPECT_TRUE(again.has(0) && again.has(1) && again.has(2));
  EXPECT_FALSE(again.has(3));
  EXPECT_EQ(seeds_csv(again.record()), seeds_csv(example));
  EXPECT_EQ(epochs_csv(again.record()), epochs_csv(example));
  EXPECT_EQ(errors_csv(again.record()), errors_csv(example));
  EXPECT_EQ(again.record().outcomes[1].message, example.outcomes[1].message) << "commas in it";
}

TEST_F(SweepFolderTest, RowsOfASeedThatIsNotInSeedsCsvAreForgotten) {
  fill();
  // As if killed between the three files of the last seed.
  SweepRecord before = example;
  before.outcomes.pop_back();
  write_file_atomically(path / "seeds.csv", seeds_csv(before));
  const SweepFolder again(path, recipe, example.identity);
  EXPECT_FALSE(again.has(2));
  EXPECT_EQ(errors_csv(again.record()), errors_csv(before));
  EXPECT_EQ(epochs_csv(again.record()), epochs_csv(before));
}

TEST_F(SweepFolderTest, NothingIsAddedToAFolderInItsPlace) {
  SweepFolder folder(path, recipe, example.identity);
  std::filesystem::remove_all(path);
  EXPECT_THROW(folder.add(example.outcomes[0]), Error);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(SweepFolderTest, AnotherRecipeDataOrProgramIsRefused) {
  fill();
  Config other = recipe;
  other.train.epochs = 99;
  expect_refused(other, example.identity, "asked for is \"epochs = 99\"");
  SweepIdentity identity = example.identity;
  identity.data_hash = std::string(64, 'd');
  expect_refused(recipe, identity, "other data");
  identity = example.identity;
  identity.fingerprint = std::string(64, '0');
  expect_refused(recipe, identity, "other bits");
}

TEST_F(SweepFolderTest, ATargetOrMoreSeedsAreNotAnotherSweep) {
  fill();
  SweepIdentity identity = example.identity;
  identity.target = "99.5";
  identity.seeds = "0..9";
  const SweepFolder again(path, recipe, identity);
  EXPECT_EQ(read_record(path).identity.target, "99.5");
}

TEST_F(SweepFolderTest, TwoSweepsDoNotShareAFolder) {
  const SweepFolder first(path, recipe, example.identity);
  expect_refused(recipe, example.identity, "another process is working in");
}

TEST_F(SweepFolderTest, WhoIsRefusedTheLockHasWrittenNothing) {
  std::filesystem::create_directory(path);
  const FolderLock other_start(path);
  expect_refused(recipe, example.identity, "another process is working in");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path), {}), 1) << "the lock alone";
}

TEST_F(SweepFolderTest, RowsThatAnotherSweepWroteAreKept) {
  SweepFolder folder(path, recipe, example.identity);
  folder.add(example.outcomes[0]);
  SweepRecord other = example;  // as if no lock had kept it out
  other.outcomes.pop_back();
  write_file_atomically(path / "epochs.csv", epochs_csv(other));
  write_file_atomically(path / "errors.csv", errors_csv(other));
  write_file_atomically(path / "seeds.csv", seeds_csv(other));
  folder.add(example.outcomes[2]);
  EXPECT_TRUE(folder.has(1));
  const SweepRecord record = read_record(path);
  EXPECT_EQ(seeds_csv(record), seeds_csv(example));
  EXPECT_EQ(epochs_csv(record), epochs_csv(example));
  EXPECT_EQ(errors_csv(record), errors_csv(example));
  folder.add(example.outcomes[1]);
  EXPECT_EQ(seeds_csv(read_record(path)), seeds_csv(example)) << "no seed is there twice";
}

TEST_F(SweepFolderTest, MakesNoFolderAboveItsOwn) {
  path = temporary / "moved/candidate";
  EXPECT_THROW(SweepFolder(path, recipe, example.identity), Error);
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
  EXPECT_TRUE(std::filesystem::exists(path / "seeds.csv"));
}

TEST_F(SweepFolderTest, AFolderWithOtherThingsIsRefused) {
  std::filesystem::create_directory(path);
  write_file_atomically(path / "thesis.tex", std::string_view("years of work"));
  expect_refused(recipe, example.identity, "holds no sweep");
}

TEST_F(SweepFolderTest, ACommandIsKeptWhateverItHolds) {
  example.identity.command = "mnist-dist sweep --out \xff";
  fill();
  EXPECT_EQ(read_record(path).identity.command, "mnist-dist sweep --out \xef\xbf\xbd");
}

TEST_F(SweepFolderTest, ADamagedFileIsNamed) {
  fill();
  const auto expect_damage = [&](const std::string& file, const std::string& text, const std::string& why) {
    const std::string before = read_text_file(path / file);
    write_file_atomically(path / file, text);
    try {
      read_record(path);
      ADD_FAILURE() << file << " accepted: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::data);
      EXPECT_THAT(error.what(), HasSubstr(file + why));
    }
    write_file_atomically(path / file, before);
  };
  expect_damage("seeds.csv", "seed,status\n0\n", ": row 1 has 1 cells, not 2");
  const std::string seeds = seeds_csv(example), header = "seed,test_index,label,prediction\n";
  expect_damage("seeds.csv", seeds + seeds.substr(seeds.rfind('\n', seeds.size() - 2) + 1), ": seed 2 is there twice");
  expect_damage("epochs.csv", "", ": it has no header");
  expect_damage("errors.csv", header + "0,7,123456789,3\n", ": row 1: label is \"123456789\", not 0 to 9");
  expect_damage("errors.csv", header + "0,7,2,3\n0,8,2,-1\n", ": row 2: prediction is \"-1\", not 0 to 9");
  expect_damage("errors.csv", header + "0,4294967296,2,3\n", ": row 1: test_index is \"4294967296\", not 0 to");
  const auto seeds_with = [&](const std::string& was, const std::string& is) {
    std::string text = seeds;
    return text.replace(text.find(was), was.size(), is);
  };
  expect_damage("seeds.csv", seeds_with("0,ok,", "0,foo,"), ": row 1: status is \"foo\", not ok or diverged");
  expect_damage("seeds.csv", seeds_with("0,ok,", "-1,ok,"), ": row 1: seed is \"-1\", not 0 to");
  expect_damage("seeds.csv", seeds_with(",9941,", ",10001,"), ": row 3: final_test_correct is \"10001\", not 0 to 10000");
  expect_damage("seeds.csv", seeds_with(",9950,10000,", ",9950,9950,"), ": row 1: test_images is \"9950\", not 10000");
  expect_damage("seeds.csv", seeds_with("ok,99.5000", "ok,nan"), ": row 1: final_test_accuracy is \"nan\", not 0 to 100");
  const std::string identity = sweep_json(example.identity);
  const auto identity_with = [&](const std::string& was, const std::string& is) {
    std::string text = identity;
    return text.replace(text.find(was), was.size(), is);
  };
  for (const char* images : {"0", "-1e+300", "2.5", "18446744073709551615", "\"many\""})
    expect_damage("sweep.json", identity_with("\"images\": 10000", std::string("\"images\": ") + images),
                  std::string(" is damaged: images is ") + images + ", not 1 to 2147483647");
  expect_damage("sweep.json", identity_with("\"scored\": \"test\"", "\"scored\": \"foo\""), " is damaged: scored is \"foo\", not test or validation");
  expect_damage("sweep.json", identity_with("99.4", "foo"), " is damaged: \"foo\" is not a target");
  expect_damage("sweep.json", identity_with("0..2", "all"), " is damaged: \"all\" does not name seeds");
  read_record(path);
}

// What no run can come to, though each cell alone is in its range.
TEST_F(SweepFolderTest, FilesThatContradictThemselvesOrEachOtherAreRefusedNamingTheRow) {
  fill();
  const auto expect = [&](const std::string& file, const std::string& was, const std::string& is,
                          const std::string& why) {
    const std::string before = read_text_file(path / file);
    std::string text = before;
    ASSERT_NE(text.find(was), text.npos) << was;
    write_file_atomically(path / file, text.replace(text.find(was), was.size(), is));
    try {
      read_record(path);
      ADD_FAILURE() << file << ": accepted " << is << " for " << was;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::data);
      EXPECT_THAT(error.what(), HasSubstr(why)) << is;
    }
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
  expect(seeds, std::string(63, 'b') + "2,", "b,", "row 3 (seed 2): no SHA-256");
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
  expect(epochs, ",99.410000,,0.01", ",99.400000,,0.01",
         "row 3 (seed 2): final_test_accuracy in epochs.csv");
  expect(epochs, ",99.410000,,0.01", ",99.410000,,nan", "epochs.csv, seed 2: row 2: learning_rate");
  expect(epochs, ",99.410000,,0.01", ",,99.410000,0.01", "epochs.csv, seed 2: row 2: test_loss");
  expect(errors, "2,7,2,3\n", "", "row 3 (seed 2): mistakes in errors.csv (got 58, expected 59)");
  expect(errors, "2,7,2,3\n", "2,7,2,2\n", "row 3 (seed 2): errors.csv names image 7");
  expect(errors, "2,7,2,3\n", "2,102,4,9\n", "row 3 (seed 2): errors.csv names image 102: twice");
  expect(errors, "2,7,2,3\n", "2,10000,2,3\n",
         "row 3 (seed 2): errors.csv names image 10000: it was not scored");
  expect(errors, "2,7,2,3\n", "2,7,1,3\n",
         "row 3 (seed 2): errors.csv names image 7: label 1 here, 2 for another seed");
  expect("sweep.json", "\"parameter_count\": 7840", "\"parameter_count\": 7841",
         "sweep.json: parameter_count");
  expect("sweep.json", "\"epochs\": 2", "\"epochs\": 3", "sweep.json: epochs");
  expect("sweep.json", std::string(64, 'a'), "abc", "sweep.json: data_hash");
  expect("config.toml", "linear = 10", "linear = ", "config.toml is damaged");
  read_record(path);
}

TEST(SeedOutcome, TravelsAsBytes) {
  for (SeedOutcome o : sweep_record({9950, -1}).outcomes) {
    o.final_loss = 1.0 / 3;
    const SeedOutcome back = unpack_outcome(pack(o));
    EXPECT_EQ(back.seed, o.seed);
    EXPECT_EQ(back.diverged, o.diverged);
    EXPECT_EQ(back.final_loss, o.final_loss);
    EXPECT_EQ(back.epochs, o.epochs);
    EXPECT_EQ(back.mistakes, o.mistakes);
    EXPECT_EQ(back.parameters_sha256, o.parameters_sha256);
  }
}

}  // namespace
}  // namespace mnist_dist
