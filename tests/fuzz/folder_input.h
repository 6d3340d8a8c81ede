#pragma once
#include <algorithm>
#include <fstream>
#include <span>
#include <string>

#include "fuzz/fuzz.h"
#include "temporary_folder.h"

namespace mnist_dist::fuzz {

/// Makes `folder` hold the files of `input`, and no others of `names`. An input is one text: each
/// file begins after a line "=== NAME".
inline void write_folder(const std::filesystem::path& folder, const std::string& input,
                         std::span<const std::string> names) {
  for (const std::string& name : names) std::filesystem::remove(folder / name);
  const std::string mark = "=== ";
  const std::size_t before = input.starts_with(mark) ? 0 : input.find("\n" + mark);
  if (before == input.npos) return;
  for (std::size_t at = input.starts_with(mark) ? 0 : before + 1; at < input.size();) {
    const std::size_t line_end = std::min(input.find('\n', at), input.size());
    const std::string name = input.substr(at + mark.size(), line_end - at - mark.size());
    const std::size_t begin = std::min(line_end + 1, input.size());
    const std::size_t next = begin == 0 ? input.npos : input.find("\n" + mark, begin - 1);
    const std::size_t end = next == input.npos ? input.size() : next + 1;
    if (std::ranges::find(names, name) != names.end()) {
      std::filesystem::create_directories((folder / name).parent_path());
      std::ofstream(folder / name, std::ios::binary) << input.substr(begin, end - begin);
    }
    if (next == input.npos) return;
    at = end;
  }
}

}  // namespace mnist_dist::fuzz
