#include "data/data_name.h"

#include <algorithm>

namespace mnist_dist {

bool is_mnist(std::string_view data_hash) {
  // data/README.md
  return data_hash == "64e77be346d4a4da65b8b69dca50e8b4cb6aca883149677d196c80e6bbfef9da";
}

namespace {
constexpr std::string_view synthetic_name = "synthetic";
}

std::string name_in_checkpoint(const DataSource& data) {
  return data.synthetic ? std::string(synthetic_name) : data.set;
}

bool is_set_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 40 && name != "mnist" && name != synthetic_name &&
         std::ranges::all_of(name, allowed);
}

std::string data_name(const DataSource& data) {
  if (data.synthetic || data.set == synthetic_name) return "SYNTHETIC digits, not MNIST";
  if (is_mnist(data.hash)) return "MNIST";
  return (is_set_name(data.set) ? data.set : "OTHER digits") + ", not MNIST";
}

std::string data_title(const DataSource& data) {
  const std::string set = data_name(data);
  return set + (set == "MNIST" ? " " : ": ") + data.file;
}

}  // namespace mnist_dist
