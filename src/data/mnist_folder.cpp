#include "data/mnist_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "base/error.h"
#include "data/mnist_files.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr int deepest = 4;  // MNIST/raw/NAME/NAME

// Archives other than gzip are candidates, so that their error names their kind.
constexpr const char* endings[] = {"-gz", "-gzip", "-zip", "-xz",  "-bz2", "-zst",
                                   "-7z", "-tar",  "-tgz", "-rar", "-z"};

std::optional<std::size_t> index_of(const std::string& plain) {
  for (std::size_t i = 0; i < mnist_files.size(); ++i)
    if (plain == mnist_files[i].name) return i;
  return {};
}

void scan(const fs::path& folder, int depth, MnistFolder& found) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string plain = plain_name(entry->path().filename());
    const auto index = index_of(plain);
    std::error_code unknown;
    const bool is_folder = entry->is_directory(unknown);
    if (is_folder && depth < deepest && (index || plain == "mnist" || plain == "raw")) {
      const auto before = index ? found.candidates[*index].size() : 0;
      scan(entry->path(), depth + 1, found);
      if (!index || found.candidates[*index].size() > before) continue;
    }
    if (index) found.candidates[*index].push_back(entry->path());
  }
  if (error)
    throw data_error(fmt::format("cannot read the folder {}: {}", folder.string(), error.message()),
                     "check its permissions");
}

}  // namespace

std::string plain_name(const std::string& name) {
  std::string plain;
  for (const char c : name) {
    const bool separates = c == '.' || c == '_' || c == ' ';
    plain += separates ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  for (bool removed = true; removed;) {
    removed = false;
    for (const std::string_view ending : endings)
      if (plain.ends_with(ending)) plain.resize(plain.size() - ending.size()), removed = true;
  }
  return plain;
}

std::vector<std::string> MnistFolder::missing() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (candidates[i].empty()) names.emplace_back(mnist_files[i].name);
  return names;
}

MnistFolder scan_mnist_folder(const fs::path& folder) {
  MnistFolder found;
  std::error_code unknown;
  if (!fs::is_directory(folder, unknown)) return found;
  scan(folder, 1, found);
  const auto rank = [](const fs::path& path) {
    const std::string name = path.filename();
    return std::tuple(std::distance(path.begin(), path.end()), name.size(), path.string());
  };
  for (auto& paths : found.candidates) std::ranges::sort(paths, {}, rank);
  return found;
}

}  // namespace mnist_dist
