#include "image/decode.h"

#include <gmock/gmock.h>
#include <png.h>
#include <turbojpeg.h>

#include "failures.h"

namespace mnist_dist {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Picture decode(const std::string& bytes) {
  return decode_image(std::as_bytes(std::span(bytes)), "x");
}

std::string problem(const std::string& bytes) {
  return data_failure([&] { decode(bytes); });
}

/// A PNG with one row of pixels in one of libpng's formats.
std::string png(unsigned format, const std::vector<std::uint8_t>& row, int width) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<unsigned>(width);
  image.height = 1;
  image.format = format;
  png_alloc_size_t size = 0;
  ::png_image_write_to_memory(&image, nullptr, &size, 0, row.data(), 0, nullptr);
  std::string out(size, '\0');
  ::png_image_write_to_memory(&image, out.data(), &size, 0, row.data(), 0, nullptr);
  return out;
}

/// A grey JPEG of 16x8 whose left half is white.
std::string jpeg() {
  std::vector<std::uint8_t> pixels(128);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = i % 16 < 8 ? 255 : 0;
  unsigned char* out = nullptr;
  unsigned long size = 0;
  const tjhandle handle = ::tjInitCompress();
  ::tjCompress2(handle, pixels.data(), 16, 0, 8, TJPF_GRAY, &out, &size, TJSAMP_GRAY, 95, 0);
  std::string bytes(reinterpret_cast<char*>(out), size);
  ::tjFree(out);
  ::tjDestroy(handle);
  return bytes;
}

/// The same with an EXIF block with the camera's orientation.
std::string turned(char orientation) {
  std::string exif("Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 24);
  exif += std::string{orientation, 0, 0, 0, 0, 0, 0, 0};
  std::string bytes = jpeg();
  const std::size_t length = exif.size() + 2;
  bytes.insert(2, std::string{'\xff', '\xe1', static_cast<char>(length >> 8),
                              static_cast<char>(length & 255)} +
                      exif);
  return bytes;
}

TEST(Decode, GreyAndColour) {
  EXPECT_THAT(decode(png(PNG_FORMAT_GRAY, {0, 7, 255}, 3)).grey, ElementsAre(0, 7, 255));
  const Picture colour = decode(png(PNG_FORMAT_RGB, {255, 255, 255, 0, 0, 0}, 2));
  EXPECT_THAT(colour.grey, ElementsAre(255, 0));
  EXPECT_EQ(colour.width, 2);
  EXPECT_EQ(colour.height, 1);
}

TEST(Decode, TransparentPixelsGetABackgroundThatTheInkStandsOutFrom) {
  EXPECT_THAT(decode(png(PNG_FORMAT_GA, {0, 255, 0, 0}, 2)).grey, ElementsAre(0, 255));
  EXPECT_THAT(decode(png(PNG_FORMAT_GA, {250, 255, 250, 0}, 2)).grey, ElementsAre(250, 0));
}

TEST(Decode, Pgm) {
  EXPECT_THAT(decode("P2 3 1 100 0 50 100").grey, ElementsAre(0, 128, 255));
  EXPECT_THAT(decode("P5 2 1 255\n\x01\xfe").grey, ElementsAre(1, 254));
}

TEST(Decode, JpegIsTurnedAccordingToItsExif) {
  const auto corner = [](const Picture& picture) { return picture.grey.front() > 128; };
  EXPECT_EQ(decode(jpeg()).width, 16);
  EXPECT_TRUE(corner(decode(jpeg())));
  EXPECT_TRUE(corner(decode(turned(1))));
  EXPECT_FALSE(corner(decode(turned(3))));
  EXPECT_EQ(decode(turned(6)).width, 8);
  EXPECT_TRUE(corner(decode(turned(6))));
  EXPECT_EQ(decode(turned(8)).width, 8);
  EXPECT_FALSE(corner(decode(turned(8))));
}

TEST(Decode, NamesTheFault) {
  EXPECT_THAT(problem(""), HasSubstr("empty"));
  EXPECT_THAT(problem("text"), HasSubstr("not a PNG, JPEG or PGM"));
  const std::string whole = png(PNG_FORMAT_GRAY, {1, 2, 3, 4}, 4);
  for (std::size_t size = 8; size + 12 < whole.size(); ++size)
    EXPECT_THAT(problem(whole.substr(0, size)), HasSubstr("damaged PNG")) << size;
  EXPECT_THAT(problem(jpeg().substr(0, 100)), HasSubstr("damaged"));
  EXPECT_THAT(problem(jpeg().substr(0, jpeg().size() - 10)), HasSubstr("damaged"));
  EXPECT_THAT(problem("P5 10 10 255\nabc"), HasSubstr("damaged PGM"));
  EXPECT_THAT(problem("P5 20000 20000 255\nabc"), HasSubstr("20000x20000"));
  EXPECT_THAT(problem("P2 0 5 255"), HasSubstr("damaged"));
}

}  // namespace
}  // namespace mnist_dist
