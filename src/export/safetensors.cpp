#include "export/safetensors.h"

#include <bit>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace mnist_dist {

std::string safetensors_file(std::span<const NamedTensor> tensors,
                             const std::map<std::string, std::string>& metadata) {
  static_assert(std::endian::native == std::endian::little, "the format is little-endian");
  nlohmann::ordered_json header;
  header["__metadata__"] = metadata;
  std::string data;
  for (const NamedTensor& tensor : tensors) {
    const std::size_t first = data.size();
    data.append(reinterpret_cast<const char*>(tensor.values.data()),
                tensor.values.size() * sizeof(float));
    header[tensor.name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {first, data.size()}}};
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');  // so that the data begins at a multiple of 8
  const std::uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text + data;
}

}  // namespace mnist_dist
