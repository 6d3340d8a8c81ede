#include "report/digit_pictures.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "data/dataset.h"
#include "report/png.h"

namespace mnist_dist {

DigitPictures::DigitPictures(const std::filesystem::path& data_file, const std::string& data_hash,
                             bool validation, std::span<const int> rows,
                             const std::filesystem::path& rows_file) {
  if (rows.empty()) return;
  const auto [first, last] = std::ranges::minmax(rows);
  int all = 0;
  try {
    const Dataset dataset(data_file);
    if (dataset.hash() != data_hash) return;
    all = validation ? dataset.train_rows() : dataset.test_rows();
    if (first >= 0 && last < all) {
      const Range range{first, last + 1};
      images_ = validation ? dataset.train(range) : dataset.test(range);
    }
  } catch (const Error&) {
    return;
  }
  if (!images_)
    throw changed_file_error(
        rows_file.string(),
        fmt::format("wrong image (got {}, expected 0 to {})", first < 0 ? first : last, all - 1));
}

const std::uint8_t* DigitPictures::pixels(int row) const {
  return images_ ? images_->image(row - images_->first_row) : nullptr;
}

std::string DigitPictures::html(int row, int alt) const {
  if (!images_) return "";
  return fmt::format("<img alt=\"{}\" width=\"84\" height=\"84\" src=\"{}\">", alt,
                     png_data_uri({pixels(row), images_->image_pixels()}, images_->side));
}

}  // namespace mnist_dist
