#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace mnist_dist {

/// An array of NumPy.
struct NpyArray {
  char kind = 0;  ///< 'u', 'i', 'f', ...
  int bytes = 0;  ///< per element
  bool big_endian = false;
  std::vector<std::size_t> shape;  ///< row after row
  std::vector<std::byte> values;
  std::string type_text() const;  ///< "uint8", as NumPy names it
};

/// Reads .npz, NumPy's archive of arrays: a ZIP archive (APPNOTE.TXT 4.3) of .npy members, stored
/// or deflated.
/// Throws: Error (data) that names the file and the array.
class NpzReader {
 public:
  explicit NpzReader(const std::filesystem::path& file);
  bool has(const std::string& array) const { return members_.contains(array); }
  std::vector<std::string> names() const;
  NpyArray read(const std::string& array) const;

 private:
  struct Member {
    std::uint64_t offset, packed, size;
    std::uint32_t crc;
    int method;
  };
  void read_directory();
  std::string unpack(const std::string& name, const Member& member) const;

  std::string file_;
  std::string bytes_;  ///< of the whole file
  std::map<std::string, Member> members_;
};

}  // namespace mnist_dist
