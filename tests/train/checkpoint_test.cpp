#include "train/checkpoint.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>

#include "base/descriptor.h"
#include "base/file.h"
#include "data/hdf5.h"
#include "failures.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

Checkpoint sample(int step) {
  Checkpoint c;
  c.recipe = "[train]\nepochs = 3\n";
  c.seed = 0xFEDCBA9876543210;  // the top bit set: must survive the file's signed integers
  c.data_hash = "abc";
  c.engine = "fused";
  c.epoch = 2;
  c.step = step;
  c.seconds = 1.25;
  c.sums = {640, 600, 12.3456789012345678};
  c.best = {99.4, 2};
  c.state.parameters = {1.0f, -0.0f, 1e-45f, 3.0f};
  c.state.norm_statistics = {0.5f, 2.0f};
  c.state.momentum = {0.1f, 0.2f, 0.3f, 0.4f};
  c.state.updates = 1234;
  return c;
}

void expect_same(const Checkpoint& a, const Checkpoint& b) { EXPECT_EQ(pack(a), pack(b)); }

void flip_byte(const fs::path& file, std::size_t where) {
  auto bytes = read_file(file);
  bytes[where] ^= std::byte{0xFF};
  write_file_atomically(file, bytes);
}

TEST(Checkpoint, SurvivesPackingAndTheFile) {
  const TemporaryFolder folder;
  const Checkpoint written = sample(7);
  expect_same(unpack(pack(written)), written);
  EXPECT_NE(pack(sample(7)), pack(sample(8)));
  save_checkpoint(folder.path(), written);
  const Checkpoint read = load_checkpoint(folder.path() / "checkpoint.h5");
  expect_same(read, written);
  EXPECT_EQ(read.seed, 0xFEDCBA9876543210);
  EXPECT_TRUE(std::signbit(read.state.parameters[1]));
}

TEST(Checkpoint, KeepsTheValuesThatOlderOnesMiss) {
  const TemporaryFolder folder;
  Checkpoint written = sample(7);
  written.data_mean = 0.25;
  written.data_sd = 0.5;
  written.layout = "[]";
  for (const char* initial : {"", "abc"}) {
    written.initial_sha256 = initial;
    const Checkpoint unpacked = unpack(pack(written));
    expect_same(unpacked, written);
    EXPECT_EQ(unpacked.initial_sha256, initial);
    save_checkpoint(folder.path(), written);
    const Checkpoint read = load_checkpoint(folder.path() / "checkpoint.h5");
    expect_same(read, written);
    EXPECT_EQ(read.data_sd, 0.5);
    EXPECT_EQ(read.layout, "[]");
  }
  EXPECT_NE(pack(written), pack(sample(7)));
}

TEST(Checkpoint, KeepsThePreviousOne) {
  const TemporaryFolder folder;
  for (int step : {1, 2, 3}) save_checkpoint(folder.path(), sample(step));
  EXPECT_EQ(load_checkpoint(folder.path() / "checkpoint.h5").step, 3);
  EXPECT_EQ(load_checkpoint(folder.path() / "checkpoint.prev.h5").step, 2);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 2)
      << "no temporary file stays behind";
}

TEST(Checkpoint, NothingStaysOfOneThatWasKilledBetweenItsRenames) {
  const TemporaryFolder folder;
  for (int step : {1, 2}) save_checkpoint(folder.path(), sample(step));
  // Both names are of one file: it was kept as the previous one, and the next one was not put in
  // its place yet.
  fs::remove(folder / "checkpoint.prev.h5");
  fs::create_hard_link(folder / "checkpoint.h5", folder / "checkpoint.prev.h5");
  save_checkpoint(folder.path(), sample(3));
  EXPECT_EQ(load_checkpoint(folder / "checkpoint.h5").step, 3);
  EXPECT_EQ(load_checkpoint(folder / "checkpoint.prev.h5").step, 2);
  EXPECT_FALSE(fs::exists(folder / "checkpoint.link.tmp"));
}

TEST(Checkpoint, AForeignFileIsNotReplacedByThePreviousCheckpoint) {
  const TemporaryFolder folder;
  for (int step : {1, 2}) save_checkpoint(folder.path(), sample(step));
  const Descriptor writer(::open((folder / "checkpoint.h5").c_str(), O_RDWR));
  ASSERT_EQ(::flock(writer.get(), LOCK_EX), 0);
  EXPECT_THROW(newest_checkpoint(folder.path()), FileInUse);
}

TEST(Checkpoint, ADamagedOneNeverReplacesTheOneBefore) {
  const TemporaryFolder folder;
  for (int step : {1, 2}) save_checkpoint(folder.path(), sample(step));
  fs::resize_file(folder.path() / "checkpoint.h5", 500);
  save_checkpoint(folder.path(), sample(3));
  EXPECT_EQ(load_checkpoint(folder.path() / "checkpoint.h5").step, 3);
  EXPECT_EQ(load_checkpoint(folder.path() / "checkpoint.prev.h5").step, 1);
}

TEST(Checkpoint, OneThatCannotBeWrittenChangesNothing) {
  const TemporaryFolder folder;
  for (int step : {1, 2}) save_checkpoint(folder.path(), sample(step));
  rlimit usual{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &usual), 0);
  const rlimit small{1000, usual.rlim_max};
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(save_checkpoint(folder.path(), sample(3)), Error);
  setrlimit(RLIMIT_FSIZE, &usual);
  std::signal(SIGXFSZ, before);
  EXPECT_EQ(load_checkpoint(folder.path() / "checkpoint.h5").step, 2);
  EXPECT_EQ(load_checkpoint(folder.path() / "checkpoint.prev.h5").step, 1);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 2)
      << "no temporary file stays behind";
}

TEST(Checkpoint, EveryDamagedByteIsNoticedOrHarmless) {
  const TemporaryFolder folder;
  save_checkpoint(folder.path(), sample(1));
  save_checkpoint(folder.path(), sample(2));
  const fs::path newest = folder.path() / "checkpoint.h5";
  const auto whole = read_file(newest);
  int fell_back = 0;
  for (std::size_t where = 0; where < whole.size(); where += 97) {
    flip_byte(newest, where);
    const auto found = newest_checkpoint(folder.path());
    ASSERT_TRUE(found);
    // Either the damage is seen and the previous one serves, or it lies in a gap of the file and
    // nothing of the contents changed.
    expect_same(found->checkpoint, sample(found->fallback.empty() ? 2 : 1));
    fell_back += !found->fallback.empty();
    write_file_atomically(newest, whole);
  }
  EXPECT_GT(fell_back, 0);
}

TEST(Checkpoint, TruncatedOnesAreErrorsThatNameTheFile) {
  const TemporaryFolder folder;
  EXPECT_FALSE(newest_checkpoint(folder.path()));
  save_checkpoint(folder.path(), sample(1));
  fs::resize_file(folder.path() / "checkpoint.h5", 500);
  const Error error = failure(ExitCode::data, [&] { newest_checkpoint(folder.path()); });
  EXPECT_THAT(error.what(), testing::HasSubstr("checkpoint.h5"));
  EXPECT_THAT(error.hint(), testing::HasSubstr("remove " + folder.path().string()));
}

TEST(Checkpoint, WeightsHashIsOverParametersThenStatistics) {
  const std::vector<float> a = {1.0f, 2.0f}, b = {3.0f};
  // sha256 of the bytes 0000803f 00000040 00004040, computed with Python's hashlib and struct.
  EXPECT_EQ(weights_sha256(a, b),
            "8e628779e6a74ee0b36991c10158f63cafec7d340ad4e075592502c8708524dd");
  EXPECT_NE(weights_sha256(a, b), weights_sha256(b, a));
}

}  // namespace
}  // namespace mnist_dist
