// Run by 1 to 4 ranks (tests/comm/mpi_test_main.cpp).
#include <gmock/gmock.h>

#include "base/error.h"
#include "base/file.h"
#include "comm/mpi_test.h"
#include "data/synthetic.h"
#include "temporary_folder.h"
#include "train/trainer.h"

namespace mnist_dist {
namespace {

/// Trains until another process takes over the run folder between two steps of rank 0.
TEST(LostFolder, EndsEveryRankWithTheSameError) {
  Communicator& world = test_world();
  constexpr int rows_per_shard = 16;
  Config config;
  config.model.layers = {{.kind = LayerKind::linear, .channels = 10}};
  config.data.shards = world.size();
  config.train.batch = 4 * world.size();
  config.train.epochs = 3;

  LocalData data;
  data.training_rows = rows_per_shard * world.size();
  data.first_shard = world.rank();
  Images& images = data.own.emplace_back(synthetic_digits(1, SyntheticSet::train, rows_per_shard));
  images.first_row = rows_per_shard * world.rank();
  data.training = {view(images)};

  const TemporaryFolder folder;
  std::optional<FolderLock> lock;
  if (world.rank() == 0) lock.emplace(folder.path());
  EngineOptions engine_options;
  engine_options.config = config;
  const auto engine = make_engine("fused", engine_options);
  TrainerOptions options{config, data};
  options.folder = folder.path();
  options.lock = lock ? &*lock : nullptr;
  options.scored = false;
  options.between_steps = [&](double) {
    if (lock)
      write_file_atomically(lease_file(folder.path()), std::string_view("another process's\n"));
    return false;
  };
  try {
    train(world, *engine, options);
    ADD_FAILURE() << "the folder is another process's";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::data);
    EXPECT_TRUE(error.everywhere());
  }
}

}  // namespace
}  // namespace mnist_dist
