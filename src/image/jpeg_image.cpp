#include <fmt/format.h>
#include <libexif/exif-data.h>
#include <turbojpeg.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "image/formats.h"

namespace mnist_dist {
namespace {

using Handle = std::unique_ptr<void, int (*)(tjhandle)>;

BadImage damaged(const Handle& handle) {
  return BadImage(fmt::format("damaged JPEG: {}", ::tjGetErrorStr2(handle.get())));
}

/// Orientation of the camera: 1 (upright) to 8. 1 without one in the file.
int orientation_of(const unsigned char* bytes, std::size_t size) {
  const std::unique_ptr<ExifData, void (*)(ExifData*)> data(
      ::exif_data_new_from_data(bytes, static_cast<unsigned>(size)), ::exif_data_unref);
  if (!data) return 1;
  const ExifEntry* const entry =
      ::exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (!entry || entry->format != EXIF_FORMAT_SHORT || entry->components < 1) return 1;
  const int value = ::exif_get_short(entry->data, ::exif_data_get_byte_order(data.get()));
  return value >= 1 && value <= 8 ? value : 1;
}

/// The picture as it was seen. Orientation 5 to 8 swap the sides.
Picture upright(const Picture& stored, int orientation) {
  if (orientation == 1) return stored;
  const bool swap = orientation >= 5;
  Picture out{swap ? stored.height : stored.width, swap ? stored.width : stored.height, {}};
  out.grey.resize(stored.grey.size());
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  for (int y = 0; y < out.height; ++y)
    for (int x = 0; x < out.width; ++x) {
      const int column = swap ? y : x, row = swap ? x : y;  // in the stored picture
      const int from_x = from_right ? stored.width - 1 - column : column;
      const int from_y = from_bottom ? stored.height - 1 - row : row;
      out.grey[static_cast<std::size_t>(y) * static_cast<std::size_t>(out.width) +
               static_cast<std::size_t>(x)] =
          stored.grey[static_cast<std::size_t>(from_y) * static_cast<std::size_t>(stored.width) +
                      static_cast<std::size_t>(from_x)];
    }
  return out;
}

/// From cyan, magenta, yellow and black as Adobe's programs store them: 255 is no ink. The weights
/// are those of JPEG's own grey (ITU-R BT.601).
std::vector<std::uint8_t> grey_of_inks(const std::vector<unsigned char>& inks) {
  std::vector<std::uint8_t> grey(inks.size() / 4);
  for (std::size_t i = 0; i < grey.size(); ++i) {
    const unsigned char* const ink = &inks[4 * i];
    const int light = 299 * ink[0] + 587 * ink[1] + 114 * ink[2];
    grey[i] = static_cast<std::uint8_t>((light * ink[3] + 127'500) / 255'000);
  }
  return grey;
}

}  // namespace

Picture decode_jpeg(std::span<const std::byte> bytes) {
  const Handle handle(::tjInitDecompress(), ::tjDestroy);
  if (!handle) throw BadImage("no JPEG decoder could be made");
  const auto* const data = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto size = static_cast<unsigned long>(bytes.size());
  Picture picture;
  int subsampling = 0, colours = 0;
  if (::tjDecompressHeader3(handle.get(), data, size, &picture.width, &picture.height, &subsampling,
                            &colours) != 0)
    throw damaged(handle);
  check_picture_size(picture.width, picture.height);
  picture.grey.resize(static_cast<std::size_t>(picture.width) *
                      static_cast<std::size_t>(picture.height));
  const bool printed = colours == TJCS_CMYK || colours == TJCS_YCCK;
  std::vector<unsigned char> inks(printed ? 4 * picture.grey.size() : 0);
  const int result = ::tjDecompress2(
      handle.get(), data, size, printed ? inks.data() : picture.grey.data(), picture.width, 0,
      picture.height, printed ? TJPF_CMYK : TJPF_GRAY, TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT);
  // Cameras leave stray bytes that the library warns of. A file that was cut short is no picture.
  const bool warning = result != 0 && ::tjGetErrorCode(handle.get()) == TJERR_WARNING &&
                       !std::strstr(::tjGetErrorStr2(handle.get()), "remature end");
  if (result != 0 && !warning) throw damaged(handle);
  if (printed) picture.grey = grey_of_inks(inks);
  return upright(picture, orientation_of(data, bytes.size()));
}

}  // namespace mnist_dist
