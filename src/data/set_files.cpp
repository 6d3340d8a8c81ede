#include "data/set_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/error.h"
#include "base/sha256.h"
#include "data/mnist_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr int deepest = 3;

}  // namespace

std::vector<fs::path> find_set_files(const fs::path& raw,
                                     const std::function<bool(const std::string&)>& matches) {
  std::error_code error;
  if (!fs::is_directory(raw, error))
    throw data_error(fmt::format("--raw: {} is not a folder", raw.string()),
                     "name the folder of the set's files");
  std::vector<fs::path> found;
  fs::recursive_directory_iterator entry(raw, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry.depth() >= deepest) entry.disable_recursion_pending();
    std::error_code unknown;
    if (!entry->is_directory(unknown) && matches(plain_name(entry->path().filename())))
      found.push_back(entry->path());
  }
  if (error)
    throw data_error(fmt::format("cannot read the folder {}: {}", raw.string(), error.message()),
                     "check its permissions");
  std::ranges::sort(found);
  return found;
}

fs::path only_file(const std::vector<fs::path>& files, const fs::path& raw,
                   const std::string& what) {
  if (files.empty())
    throw data_error(fmt::format("missing in {}: {}", raw.string(), what),
                     "name the folder with all files of the set as --raw");
  for (const fs::path& file : files)
    if (file.parent_path() != files.front().parent_path() ||
        plain_name(file.filename()) != plain_name(files.front().filename()))
      throw data_error(fmt::format("{} holds several: {} and {}", raw.string(),
                                   files.front().string(), file.string()),
                       "name the folder of one set as --raw");
  return files.front();
}

std::string sha256_of_file(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  Sha256 hash;
  std::array<char, 1 << 16> buffer{};
  while (stream.read(buffer.data(), buffer.size()), stream.gcount() > 0)
    hash.add(std::as_bytes(std::span(buffer).first(static_cast<std::size_t>(stream.gcount()))));
  return hex(hash.digest());
}

}  // namespace mnist_dist
