#pragma once
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "data/images.h"

namespace mnist_dist {

/// The images of some scored rows as <img> elements, where the data file is here and is the one
/// that was scored. A page is made of numbers. It may be made where the images are not.
class DigitPictures {
 public:
  /// `rows`: of the test set, or with `validation` of the file's training set. `rows_file` is the
  /// file that they come from.
  /// Throws: Error (data) when one is not in the data file.
  DigitPictures(const std::filesystem::path& data_file, const std::string& data_hash,
                bool validation, std::span<const int> rows, const std::filesystem::path& rows_file);
  bool there() const { return images_.has_value(); }
  /// One of `rows`, [side][side]. Null where there are no images.
  const std::uint8_t* pixels(int row) const;
  int side() const { return images_ ? images_->side : image_side; }
  /// <img> of it with `alt` as its text, or "".
  std::string html(int row, int alt) const;

 private:
  std::optional<Images> images_;
};

}  // namespace mnist_dist
