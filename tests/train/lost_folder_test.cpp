// Run by 1 to 4 ranks (tests/comm/mpi_test_main.cpp).
#include <gmock/gmock.h>

#include "base/file.h"
#include "comm/mpi_test.h"
#include "data/synthetic.h"
#include "failures.h"
#include "temporary_folder.h"
#include "train/trainer.h"

namespace mnist_dist {
namespace {

/// A short training on all ranks, with checkpoints of rank 0 in a folder that it has locked.
class LostFolder : public ::testing::Test {
 protected:
  LostFolder() {
    config.model.layers = {{.kind = LayerKind::linear, .channels = 10}};
    config.data.shards = world.size();
    config.train.batch = 4 * world.size();
    config.train.epochs = 3;
    constexpr int rows_per_shard = 400;
    data.training_rows = rows_per_shard * world.size();
    data.first_shard = world.rank();
    Images& images =
        data.own.emplace_back(synthetic_digits(1, SyntheticSet::train, rows_per_shard));
    images.first_row = rows_per_shard * world.rank();
    data.training = {view(images)};
    if (world.rank() == 0) lock.emplace(folder.path());
  }

  void train_with(const BetweenSteps& between_steps) {
    EngineOptions engine_options;
    engine_options.config = config;
    const auto engine = make_engine("fused", engine_options);
    TrainerOptions options{config, data};
    options.folder = folder.path();
    options.lock = lock ? &*lock : nullptr;
    options.scored = false;
    options.between_steps = between_steps;
    if (observer && world.rank() == 0) options.observers = {observer};
    train(world, *engine, options);
  }

  /// The error with which every rank ends.
  void expect_lost(const BetweenSteps& between_steps) {
    EXPECT_TRUE(failure(ExitCode::data, [&] { train_with(between_steps); }).is_on_all_ranks());
  }

  void lose_folder() const {
    write_file_atomically(lease_file(folder.path()), std::string_view("another process's\n"));
  }

  Communicator& world = test_world();
  Config config;
  LocalData data;
  const TemporaryFolder folder;
  std::optional<FolderLock> lock;
  Observer* observer = nullptr;  ///< rank 0's
};

TEST_F(LostFolder, EndsEveryRankWithTheSameError) {
  // At the end of an epoch, and at a checkpoint between steps.
  for (const double checkpoint_seconds : {60.0, 0.0005}) {
    SCOPED_TRACE(checkpoint_seconds);
    config.train.checkpoint_seconds = checkpoint_seconds;
    expect_lost([&](double) {
      if (lock) lose_folder();
      return false;
    });
  }
}

TEST_F(LostFolder, EndsEveryRankWhenAWriteOfRankZeroFailsForIt) {
  // As a worker that was stopped in the middle of a write: files that it had begun are gone.
  struct Writer : Observer {
    void epoch_ended(const EpochRow& row) override { fail_at(row.epoch); }
    void finished(const RunResult&) override { fail_at(0); }
    void fail_at(int place) const {
      if (place != at) return;
      lose_folder();
      throw data_error("cannot rename", "");
    }
    std::function<void()> lose_folder;
    int at = 1;  ///< epoch, or 0 for the end
  } writer;
  writer.lose_folder = [this] { lose_folder(); };
  observer = &writer;
  expect_lost({});
  writer.at = 0;
  if (lock) {
    lock.reset();
    std::filesystem::remove(lease_file(folder.path()));
    lock.emplace(folder.path());
  }
  expect_lost({});
}

TEST_F(LostFolder, IsNotLookedForTogetherBetweenSteps) {
  config.train.checkpoint_seconds = world.rank() == 0 ? 0.0005 : 60;  // clocks differ
  EXPECT_NO_THROW(train_with({}));
}

}  // namespace
}  // namespace mnist_dist
