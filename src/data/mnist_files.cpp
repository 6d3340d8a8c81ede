#include "data/mnist_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <iterator>
#include <sstream>

#include "base/error.h"
#include "base/sha256.h"
#include "data/download.h"
#include "data/idx.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr const char* download_folder = "data/raw";
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
                     "the file is damaged or not MNIST: get it anew, or delete it from data/raw/ and it is downloaded");
  return {rows.begin(), rows.end()};
}

}  // namespace

std::vector<std::string> mnist_mirrors() {
  if (const char* own = environment("MNIST_DIST_MIRRORS")) {
    std::istringstream words{std::string(own)};
    const std::vector<std::string> mirrors{std::istream_iterator<std::string>(words), {}};
    if (!mirrors.empty()) return mirrors;  // blanks alone are no address
  }
  return {"https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist",
          "https://systemds.apache.org/assets/datasets/mnist"};
}

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
    progress(fmt::format("MNIST_DATA_DIR: {} lacks {}; looking in {}", folder, fmt::join(found.missing, ", "), download_folder));
  }
  const Search found = search(download_folder);
  if (found.missing.empty()) return found.source;

  std::string host;  // stays empty when another process has downloaded all
  for (const MnistFile& file : mnist_files) {
    if (!find_file(download_folder, file).empty()) continue;
    const auto check = [&](const fs::path& path) { read_checked(path, file); };
    const std::string from = download(fmt::format("{}.gz", file.name), mnist_mirrors(), download_folder, check, ways_out, progress);
    if (!from.empty()) host = from;
  }
  MnistSource source = search(download_folder).source;
  if (!host.empty()) source.description = fmt::format("MNIST downloaded from {}", host);
  return source;
}

Mnist read_mnist(const MnistSource& source) {
  const auto read = [&](std::size_t i) { return read_checked(source.paths[i], mnist_files[i]); };
  return {.train = {.pixels = read(0), .labels = read(1)}, .test = {.pixels = read(2), .labels = read(3)}};
}

}  // namespace mnist_dist
