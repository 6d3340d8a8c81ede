#include "export/npy.h"

#include <fmt/format.h>
#include <zlib.h>

#include <bit>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace mnist_dist {
namespace {

static_assert(std::endian::native == std::endian::little, "both formats are little-endian");

/// As little-endian bytes.
template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string shape_text(std::span<const int> shape) {
  std::string text = "(";
  for (const int extent : shape) text += fmt::format("{}, ", extent);
  return text + ")";
}

/// Magic, version, length of the header, header padded to 64 bytes (NumPy enhancement proposal 1).
std::string npy(const std::string& type, const std::string& shape, std::string_view data) {
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", type, shape);
  constexpr std::size_t before = 10;
  header.append(63 - (before + header.size()) % 64, ' ');
  header += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  put(out, static_cast<std::uint16_t>(header.size()));
  return out.append(header).append(data);
}

/// NumPy's text has four bytes per character.
std::string npy_text(const std::string& ascii) {
  std::string data;
  for (const char character : ascii) put(data, static_cast<std::uint32_t>(character));
  return npy(fmt::format("<U{}", ascii.size()), "()", data);
}

/// A ZIP archive whose members are stored as they are (APPNOTE.TXT 4.3).
class Zip {
 public:
  void add(const std::string& name, const std::string& content) {
    const auto offset = static_cast<std::uint32_t>(out_.size());
    const auto* const bytes = reinterpret_cast<const Bytef*>(content.data());
    const auto crc = ::crc32_z(0, bytes, content.size());
    std::string common;                // of the local and the central header
    put(common, std::uint16_t{20});    // version needed: 2.0
    put(common, std::uint16_t{0});     // flags
    put(common, std::uint16_t{0});     // stored
    put(common, std::uint16_t{0});     // midnight,
    put(common, std::uint16_t{0x21});  // January 1, 1980: no clock in the bytes
    put(common, static_cast<std::uint32_t>(crc));
    put(common, static_cast<std::uint32_t>(content.size()));  // compressed
    put(common, static_cast<std::uint32_t>(content.size()));
    put(common, static_cast<std::uint16_t>(name.size()));
    put(common, std::uint16_t{0});  // length of the extra field
    out_ += "PK\x03\x04" + common + name + content;

    directory_ += "PK\x01\x02";
    put(directory_, std::uint16_t{20});  // made by: 2.0
    directory_ += common;
    put(directory_, std::uint16_t{0});  // length of the comment
    put(directory_, std::uint16_t{0});  // disk
    put(directory_, std::uint16_t{0});  // internal attributes
    put(directory_, std::uint32_t{0});  // external attributes
    put(directory_, offset);
    directory_ += name;
    ++members_;
  }

  std::string finish() && {
    const auto offset = static_cast<std::uint32_t>(out_.size());
    out_ += directory_ + "PK\x05\x06";
    put(out_, std::uint32_t{0});  // disks
    put(out_, members_);
    put(out_, members_);
    put(out_, static_cast<std::uint32_t>(directory_.size()));
    put(out_, offset);
    put(out_, std::uint16_t{0});  // length of the comment
    return std::move(out_);
  }

 private:
  std::string out_, directory_;
  std::uint16_t members_ = 0;
};

}  // namespace

std::string npy_file(std::span<const float> values, std::span<const int> shape) {
  const auto bytes = std::as_bytes(values);
  return npy("<f4", shape_text(shape), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string npz_file(std::span<const NamedTensor> tensors,
                     const std::map<std::string, std::string>& metadata) {
  Zip zip;
  for (const NamedTensor& tensor : tensors)
    zip.add(tensor.name + ".npy", npy_file(tensor.values, tensor.shape));
  const auto replace = nlohmann::json::error_handler_t::replace;
  zip.add("metadata.npy", npy_text(nlohmann::json(metadata).dump(-1, ' ', true, replace)));
  return std::move(zip).finish();
}

}  // namespace mnist_dist
