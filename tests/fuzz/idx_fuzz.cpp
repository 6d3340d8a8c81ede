// The bytes of an IDX file, gzipped or not.
// Property: a payload has at most `limit` bytes, images and labels are views into it, labels are 0
// to 9, and what is no IDX file has a name in one line.
#include <algorithm>

#include "data/file_kind.h"
#include "data/idx.h"
#include "data/payload.h"
#include "fuzz/fuzz.h"
#include "model/spec.h"

using namespace mnist_dist;

namespace {

constexpr std::size_t limit = 200'000;

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
  if (!fuzz::accepted([&] { payload = read_payload(file.path(), limit); })) return 0;
  fuzz::require(payload.size() <= limit, "a payload is no larger than its limit");
  const bool is_idx = fuzz::accepted([&] { check_is_idx(payload, "any"); });
  fuzz::require(std::ranges::none_of(file_kind(payload), [](unsigned char c) { return c < 0x20; }),
                "a kind of file has a name in one line");
  fuzz::accepted([&] {
    const auto images = idx_images(payload, "images");
    check_rows(images, payload, 16);
    fuzz::require(is_idx, "a file of images is an IDX file");
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
