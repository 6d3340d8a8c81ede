#pragma once
#include <filesystem>
#include <string>

#include "data/hdf5.h"
#include "data/images.h"
#include "model/reduce_tree.h"

namespace mnist_dist {

inline constexpr int dataset_format = 1;  ///< the root attribute "format_version"
inline constexpr int dataset_chunk_rows = 1000;

/// The prepared data set (schema: HACKING.md, "The data file"), open for reading. Every chunk that is read is checked against its SHA-256.
/// All failures throw Error (data) naming the file, the dataset and the chunk.
class Dataset {
 public:
  /// Opens and checks the schema: format version, datasets, shapes and types.
  explicit Dataset(const std::filesystem::path& path);

  int train_rows() const { return train_rows_; }
  int test_rows() const { return test_rows_; }
  float mean() const { return mean_; }
  float sd() const { return sd_; }
  bool synthetic() const { return synthetic_; }
  /// SHA-256 over the two chunk tables, hexadecimal: what the runs and ranks compare.
  const std::string& hash() const { return hash_; }

  /// Rows of "/train/..." or "/test/..."; reads whole chunks around them and gives back only the rows.
  Images train(Range rows) const { return rows_of("train", rows); }
  Images test(Range rows) const { return rows_of("test", rows); }

 private:
  Images rows_of(const std::string& group, Range rows) const;
  Hdf5Reader file_;
  std::string path_;
  int train_rows_, test_rows_;
  float mean_, sd_;
  bool synthetic_;
  std::string hash_;
};

}  // namespace mnist_dist
