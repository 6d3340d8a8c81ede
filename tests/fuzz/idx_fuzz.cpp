// The bytes of an IDX file, gzipped or not.
// Property: images and labels are views into the payload, and labels are 0 to 9.
#include <algorithm>

#include "data/idx.h"
#include "fuzz/fuzz.h"
#include "model/spec.h"

using namespace mnist_dist;

namespace {

void check_rows(std::span<const std::uint8_t> rows, std::span<const std::byte> payload,
                std::size_t header) {
  fuzz::require(reinterpret_cast<const std::byte*>(rows.data()) == payload.data() + header,
                "rows begin after the header");
  fuzz::require(rows.size() == payload.size() - header, "rows end with the payload");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::File file;
  file.write(std::as_bytes(std::span(data, size)));
  std::vector<std::byte> payload;
  if (!fuzz::accepted([&] { payload = read_unpacked(file.path()); })) return 0;
  fuzz::accepted([&] {
    const auto images = idx_images(payload, "images");
    check_rows(images, payload, 16);
    fuzz::require(images.size() % image_size == 0, "images are whole");
  });
  fuzz::accepted([&] {
    const auto labels = idx_labels(payload, "labels");
    check_rows(labels, payload, 8);
    fuzz::require(
        std::ranges::all_of(labels, [](std::uint8_t label) { return label < class_count; }),
        "labels are 0 to 9");
  });
  return 0;
}
