// A set of labelled images: a CSV file, an .npz archive, or two IDX files, which of them says the
// first byte.
// Property: what is accepted has one label per image, labels below the classes, and whole images.
#include <algorithm>

#include "data/array_set.h"
#include "data/csv_set.h"
#include "data/idx_set.h"
#include "fuzz/fuzz.h"

using namespace mnist_dist;

namespace {

void check(RawSet set) {
  const int classes = classes_in(set);
  const auto rows = set.rows;
  const Images images = as_images(std::move(set), classes);
  fuzz::require(images.labels.size() == rows, "a label per image");
  fuzz::require(images.pixels.size() == rows * images.image_pixels(), "images are whole");
  fuzz::require(std::ranges::all_of(images.labels, [&](auto label) { return label < classes; }),
                "labels are below the classes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static const fuzz::File file, labels;
  const auto bytes = std::as_bytes(std::span(data + 2, size - 2));
  file.write(bytes);
  switch (data[0] % 3) {
    case 0:
      fuzz::accepted([&] { check(read_csv_set(file.path())); });
      break;
    case 1:
      fuzz::accepted([&] { check(read_array_sets(file.path()).train); });
      break;
    default: {  // the second byte says where the labels begin
      const std::size_t at = std::min<std::size_t>(data[1], bytes.size());
      labels.write(bytes.first(at));
      file.write(bytes.subspan(at));
      fuzz::accepted([&] { check(read_idx_set(file.path(), labels.path()).set); });
    }
  }
  return 0;
}
