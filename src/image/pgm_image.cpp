#include <fmt/format.h>
#include <netpbm/pgm.h>

#include <csetjmp>
#include <cstdio>
#include <memory>

#include "image/formats.h"

namespace mnist_dist {
namespace {

// libnetpbm reports an error by a message to a function without context, then a jump. So only one
// thread may use it.
char message[256];

void keep(const char* text) { std::snprintf(message, sizeof message, "%s", text); }

/// Runs `read`, which owns nothing, and jumps here when libnetpbm finds an error.
template <class Read>
bool succeeds(const Read& read) {
  std::jmp_buf back;
  if (setjmp(back) != 0) {
    ::pm_setjmpbuf(nullptr);
    return false;
  }
  ::pm_setjmpbuf(&back);
  read();
  ::pm_setjmpbuf(nullptr);
  return true;
}

}  // namespace

Picture decode_pgm(std::span<const std::byte> bytes) {
  // libnetpbm wants a character behind the last number of a plain file (P1, P2).
  std::vector<std::byte> plain;
  if (bytes[1] == std::byte{'1'} || bytes[1] == std::byte{'2'}) {
    plain.assign(bytes.begin(), bytes.end());
    plain.push_back(std::byte{'\n'});
    bytes = plain;
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      ::fmemopen(const_cast<std::byte*>(bytes.data()), bytes.size(), "rb"), std::fclose);
  if (!file) throw BadImage("no memory to read it");
  ::pm_init("mnist-dist", 0);
  ::pm_setusererrormsgfn(keep);
  ::pm_setusermessagefn([](const char*) {});
  int columns = 0, rows = 0, format = 0;
  gray maximum = 0;
  const auto damaged = [] { return BadImage(fmt::format("damaged PGM: {}", message)); };
  if (!succeeds([&] { ::pgm_readpgminit(file.get(), &columns, &rows, &maximum, &format); }))
    throw damaged();
  check_picture_size(columns, rows);
  Picture picture{columns, rows, {}};
  std::vector<gray> row(static_cast<std::size_t>(columns));
  for (int y = 0; y < rows; ++y) {
    if (!succeeds([&] { ::pgm_readpgmrow(file.get(), row.data(), columns, maximum, format); }))
      throw damaged();
    for (const gray value : row)
      picture.grey.push_back(static_cast<std::uint8_t>((value * 255 + maximum / 2) / maximum));
  }
  return picture;
}

}  // namespace mnist_dist
