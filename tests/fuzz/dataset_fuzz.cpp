// Edits of a prepared data file (hdf5_edits.h), or a file.
// Property: rows that are read have labels 0 to 9, and under the original's hash they are the
// original's.
#include <algorithm>

#include "base/file.h"
#include "data/dataset.h"
#include "data/dataset_writer.h"
#include "fuzz/hdf5_edits.h"
#include "temporary_folder.h"

using namespace mnist_dist;

namespace {

Images images(int rows) {
  Images made;
  made.pixels.resize(static_cast<std::size_t>(rows) * image_size, 9);
  for (int i = 0; i < rows; ++i) made.labels.push_back(static_cast<std::uint8_t>(i % class_count));
  return made;
}

struct Original {
  DatasetContents contents{images(3), images(2), "a test", false, {}, 1};
  std::vector<std::byte> bytes;
  std::string hash = dataset_hash(chunk_table(contents.train), chunk_table(contents.test));
  Original() {
    const TemporaryFolder folder;
    write_dataset(folder / "original.h5", contents);
    bytes = read_file(folder / "original.h5");
  }
};

const std::vector<std::string> attributes{"format_version", "mean",   "sd",
                                          "synthetic",      "source", "shuffle_seed"};
const std::vector<std::string> datasets{"/train/images", "/train/labels", "/train/chunk_sha256",
                                        "/test/images",  "/test/labels",  "/test/chunk_sha256",
                                        "/train",        "/test"};

void check(const Images& read, const Images& original, bool same) {
  fuzz::require(read.pixels.size() == read.labels.size() * image_size, "an image per label");
  fuzz::require(std::ranges::all_of(read.labels, [](auto label) { return label < class_count; }),
                "labels are 0 to 9");
  fuzz::require(!same || (read.pixels == original.pixels && read.labels == original.labels),
                "the hash is over all rows");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Original original;
  static const fuzz::File file;
  fuzz::write_edited(file, original.bytes, {data, size}, attributes, datasets);
  fuzz::accepted([&] {
    const Dataset set(file.path());
    const bool same = set.hash() == original.hash;
    check(set.train({0, std::min(set.train_rows(), 3000)}), original.contents.train, same);
    check(set.test({0, std::min(set.test_rows(), 3000)}), original.contents.test, same);
  });
  return 0;
}
