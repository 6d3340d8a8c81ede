#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace mnist_dist {

/// Whether a list of names, with one space between two of them, has this one.
inline bool listed(std::string_view names, std::string_view name) {
  const std::string text = ' ' + std::string(names) + ' ';
  return text.find(' ' + std::string(name) + ' ') != std::string::npos;
}

/// Names, as `listed` takes them, and what they stand for.
template <class Meaning>
struct Named {
  std::string_view names;
  Meaning meaning;
};

/// The meaning of a name. Null for an unknown one.
template <class Meaning, std::size_t n>
const Meaning* find_named(const Named<Meaning> (&table)[n], std::string_view name) {
  for (const Named<Meaning>& row : table)
    if (listed(row.names, name)) return &row.meaning;
  return nullptr;
}

}  // namespace mnist_dist
