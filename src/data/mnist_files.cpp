#include "data/mnist_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>

#include "base/error.h"
#include "base/sha256.h"
#include "base/share.h"
#include "data/idx.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr const char* raw_folder = "data/raw";
constexpr const char* ways_out =
    "set MNIST_DATA_DIR to a folder with the four files, put them into data/raw/, or draw digits: mnist-dist prepare --synthetic";

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? value : nullptr;
}

/// NAME or NAME.gz in `folder`; empty when neither is there.
fs::path find_file(const fs::path& folder, const MnistFile& file) {
  for (const char* ending : {"", ".gz"})
    if (const fs::path path = folder / fmt::format("{}{}", file.name, ending); fs::is_regular_file(path)) return path;
  return {};
}

/// The four files in one folder, and the names of those that are not there.
struct Search {
  MnistSource source;
  std::vector<std::string> missing;
};

Search search(const fs::path& folder) {
  Search result;
  for (std::size_t i = 0; i < mnist_files.size(); ++i) {
    result.source.paths[i] = find_file(folder, mnist_files[i]);
    if (result.source.paths[i].empty()) result.missing.emplace_back(mnist_files[i].name);
  }
  result.source.description = fmt::format("MNIST from {}", folder.string());
  return result;
}

/// Rows of one file after every check there is: its form first, which tells more than a wrong checksum does.
std::vector<std::uint8_t> read_checked(const fs::path& path, const MnistFile& file) {
  const auto payload = read_unpacked(path);
  const auto rows = file.holds == MnistFile::images ? idx_images(payload, path.string()) : idx_labels(payload, path.string());
  if (const std::string found = hex(sha256(payload)); found != file.sha256)
    throw data_error(fmt::format("{}: SHA-256 of its payload is {}, not {}", path.string(), found, file.sha256),
                     "replace the file with a whole copy");
  return {rows.begin(), rows.end()};
}

}  // namespace

MnistSource find_mnist(const std::optional<fs::path>& raw, const Progress& progress) {
  if (raw) {
    const Search found = search(*raw);
    if (!found.missing.empty()) throw data_error(fmt::format("{} lacks {}", raw->string(), fmt::join(found.missing, ", ")), ways_out);
    return found.source;
  }
  if (const char* folder = environment("MNIST_DATA_DIR")) {
    if (!fs::is_directory(folder))
      throw data_error(fmt::format("MNIST_DATA_DIR: there is no folder {}", folder), "correct the variable, or unset it");
    const Search found = search(folder);
    if (found.missing.empty()) return found.source;
    progress(fmt::format("MNIST_DATA_DIR: {} lacks {}; looking in {}", folder, fmt::join(found.missing, ", "), raw_folder));
  }
  std::vector<std::string> folders{raw_folder};
  for (const fs::path& folder : share_folders()) folders.push_back(folder / "data/mnist");
  for (const fs::path folder : folders)
    if (Search found = search(folder); found.missing.empty()) return found.source;
  throw data_error(fmt::format("no MNIST in {}", fmt::join(folders, ", ")), ways_out);
}

Mnist read_mnist(const MnistSource& source) {
  const auto read = [&](std::size_t i) { return read_checked(source.paths[i], mnist_files[i]); };
  return {.train = {.pixels = read(0), .labels = read(1)}, .test = {.pixels = read(2), .labels = read(3)}};
}

}  // namespace mnist_dist
