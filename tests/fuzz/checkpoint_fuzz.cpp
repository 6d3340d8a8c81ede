// Edits of a checkpoint (hdf5_edits.h), or a file.
// Property: what is loaded is what was saved, bit for bit: everything in it is under a SHA-256.
#include "base/file.h"
#include "fuzz/hdf5_edits.h"
#include "temporary_folder.h"
#include "train/checkpoint.h"

using namespace mnist_dist;

namespace {

struct Original {
  Checkpoint checkpoint;
  std::vector<std::byte> bytes;
  Original() {
    checkpoint.recipe = "[train]\nepochs = 3\n";
    checkpoint.seed = 7;
    checkpoint.data_hash = "abc";
    checkpoint.engine = "fused";
    checkpoint.epoch = 2;
    checkpoint.best = {99.4, 2};
    checkpoint.state.parameters = {1.0f, -0.0f, 3.0f};
    checkpoint.state.norm_statistics = {0.5f, 2.0f};
    checkpoint.state.momentum = {0.1f, 0.2f, 0.3f};
    const TemporaryFolder folder;
    save_checkpoint(folder.path(), checkpoint);
    bytes = read_file(folder / "checkpoint.h5");
  }
};

const std::vector<std::string> attributes{
    "recipe",        "data_hash",     "engine",        "seed",
    "epoch",         "step",          "finished",      "updates",
    "epoch_images",  "epoch_correct", "best_epoch",    "epoch_loss",
    "seconds",       "epoch_seconds", "best_accuracy", "checkpoint_format",
    "content_sha256"};
const std::vector<std::string> datasets{"/parameters", "/norm_statistics", "/momentum",
                                        "/average_parameters", "/average_norm_statistics"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Original original;
  static const fuzz::File file;
  fuzz::write_edited(file, original.bytes, {data, size}, attributes, datasets);
  fuzz::accepted([&] {
    const Checkpoint loaded = load_checkpoint(file.path());
    const auto packed = pack(loaded);
    fuzz::require(pack(unpack(packed)) == packed, "packing loses nothing");
    fuzz::require(fuzz::is_hdf5({data, size}) || packed == pack(original.checkpoint),
                  "what is loaded is what was saved");
  });
  return 0;
}
