#include "data/data_name.h"

namespace mnist_dist {

bool is_mnist(std::string_view data_hash) {
  // data/README.md
  return data_hash == "64e77be346d4a4da65b8b69dca50e8b4cb6aca883149677d196c80e6bbfef9da";
}

std::string data_name(std::string_view data_hash, bool synthetic) {
  if (synthetic) return "SYNTHETIC digits, not MNIST";
  return is_mnist(data_hash) ? "MNIST" : "OTHER digits, not MNIST";
}

std::string data_title(std::string_view data_hash, bool synthetic, const std::string& file) {
  const std::string name = data_name(data_hash, synthetic);
  return name + (name == "MNIST" ? " " : ": ") + file;
}

}  // namespace mnist_dist
