#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/data_name.h"
#include "data/hdf5.h"
#include "data/images.h"
#include "model/reduce_tree.h"

namespace mnist_dist {

inline constexpr int dataset_format = 1;  ///< the root attribute "format_version"
inline constexpr int dataset_chunk_rows = 1000;

/// The prepared data set (schema: data/README.md), open for reading. Every chunk that is read is
/// checked against its SHA-256. All failures throw Error (data) naming the file, the dataset and
/// the chunk.
class Dataset {
 public:
  /// Opens and checks the schema: format version, datasets, shapes and types.
  explicit Dataset(const std::filesystem::path& path);

  int train_rows() const { return train_.rows; }
  int test_rows() const { return test_.rows; }
  int side() const { return train_.side; }  ///< of the images, which are square
  int classes() const { return classes_; }
  float mean() const { return mean_; }
  float sd() const { return sd_; }
  bool synthetic() const { return synthetic_; }
  const std::string& source() const { return source_; }
  /// The set's name in `prepare --dataset`, for data_name. "" for MNIST and drawn digits.
  const std::string& name() const { return name_; }
  /// SHA-256 over the two chunk tables, hexadecimal. Runs and ranks compare it.
  const std::string& hash() const { return hash_; }
  DataSource data_source() const { return {path_, hash_, name_, synthetic_}; }

  /// Rows of "/train/..." or "/test/...". Reads whole chunks around them and gives back only the
  /// rows.
  Images train(Range rows) const { return rows_of(train_, rows); }
  Images test(Range rows) const { return rows_of(test_, rows); }

 private:
  struct Group {
    std::string name;  ///< "/train" or "/test"
    int rows = 0, side = 0;
    std::vector<std::uint8_t> chunk_sha256;  ///< [chunks][32]
  };
  void check_format() const;
  Group open_group(const std::string& name) const;
  int read_classes() const;
  /// Labels as they are stored: bytes, or two bytes each where there are more than 256 classes.
  template <class Label>
  void read_chunk(const Group& group, int first, int last, Images& into, Range rows) const;
  Images rows_of(const Group& group, Range rows) const;
  Error error(const std::string& what) const;

  std::string path_, hint_;
  Hdf5Reader file_;
  Group train_, test_;
  int classes_ = class_count;
  float mean_ = 0, sd_ = 0;
  bool synthetic_ = false;
  std::string source_, name_, hash_;
};

}  // namespace mnist_dist
