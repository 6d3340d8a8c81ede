#include "data/mnist_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>

#include "base/error.h"
#include "base/sha256.h"
#include "base/share.h"
#include "data/idx.h"
#include "data/payload.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr const char* raw_folder = "data/raw";

struct Place {
  fs::path folder;
  const char* hint;
  bool is_named = false;  ///< by the user
};

MnistSource source_in(const fs::path& folder, std::string hint) {
  return {scan_mnist_folder(folder), fmt::format("MNIST from {}", folder.string()),
          std::move(hint)};
}

std::string missing_files(const std::string& folder, const MnistSource& source) {
  return fmt::format("missing in {}: {}", folder, fmt::join(source.files.missing(), ", "));
}

void check_is_folder(const char* named_by, const fs::path& folder, const char* hint) {
  std::error_code error;
  if (fs::is_directory(folder, error)) return;
  const bool missing = !fs::exists(folder, error);
  const std::string problem = error     ? error.message()
                              : missing ? "there is no such folder"
                                        : "it is not a folder";
  throw data_error(fmt::format("{}: cannot use {}: {}", named_by, folder.string(), problem), hint);
}

std::vector<std::uint8_t> read_rows(const fs::path& path, const MnistFile& file) {
  const auto payload = read_payload(path, file.bytes);
  const auto rows = file.holds == MnistFile::images ? idx_images(payload, path.string())
                                                    : idx_labels(payload, path.string());
  return {rows.begin(), rows.end()};
}

/// Throws: Error (data) unless the payload is the one of mnist_files. Needs little memory however
/// much the file would unpack to.
void check_whole(const fs::path& path, const MnistFile& file) {
  Sha256 hash;
  std::size_t bytes = 0;
  stream_payload(path, file.bytes, [&](std::span<const std::byte> part) {
    if (bytes == 0) check_is_idx(part, path.string());
    hash.add(part);
    bytes += part.size();
    return bytes <= file.bytes;
  });
  if (bytes == 0) check_is_idx({}, path.string());
  const std::string found = hex(hash.digest());
  if (found == file.sha256) return;
  read_rows(path, file);  // a fault of form is more specific than a wrong checksum
  throw data_error(fmt::format("{}: wrong SHA-256 of the payload (got {}, expected {})",
                               path.string(), found, file.sha256),
                   "");
}

/// The first whole one of `candidates`.
const fs::path& choose(const std::vector<fs::path>& candidates, const MnistFile& file,
                       const std::string& hint, const Progress& progress) {
  std::vector<std::string> faults;
  for (const fs::path& path : candidates) {
    try {
      check_whole(path, file);
      for (const std::string& fault : faults)
        progress(fmt::format("note: {}. Using {}", fault, path.string()));
      return path;
    } catch (const Error& error) {
      if (error.code() != ExitCode::data) throw;
      faults.emplace_back(error.what());
    }
  }
  throw data_error(faults.at(0), hint);
}

}  // namespace

MnistSource find_mnist(const std::optional<fs::path>& raw, const Progress& progress) {
  if (raw) {
    constexpr const char* hint =
        "name a folder that holds the four files, or omit --raw: MNIST comes with the program";
    check_is_folder("--raw", *raw, hint);
    MnistSource source = source_in(
        *raw, "replace the file with a whole copy, or omit --raw: MNIST comes with the program");
    if (!source.files.missing().empty())
      throw data_error(missing_files(raw->string(), source), hint);
    return source;
  }
  std::vector<Place> places;
  if (const char* named = std::getenv("MNIST_DATA_DIR"); named && *named) {
    check_is_folder("MNIST_DATA_DIR", named,
                    "correct the variable, or unset it: MNIST comes with the program");
    places.push_back({named,
                      "replace the file with a whole copy, or unset MNIST_DATA_DIR: MNIST comes "
                      "with the program",
                      true});
  }
  places.push_back(
      {raw_folder,
       "replace the file with a whole copy, or delete data/raw/: MNIST comes with the program"});
  std::vector<fs::path> shared = share_folders();
  shared.insert(shared.begin(), "");  // as recipes: the current folder may be the source tree
  for (const fs::path& folder : shared)
    places.push_back({folder / "data/mnist",
                      "restore the file from the repository, or install mnist-dist again"});

  std::vector<std::string> folders;
  for (const Place& place : places) {
    MnistSource source = source_in(place.folder, place.hint);
    const auto missing = source.files.missing().size();
    if (missing == 0) return source;
    folders.push_back(place.folder);
    if (place.is_named || missing < mnist_files.size())
      progress(
          fmt::format("note: {}. Trying the next folder", missing_files(folders.back(), source)));
  }
  throw data_error(fmt::format("no MNIST in {}", fmt::join(folders, ", ")),
                   "set MNIST_DATA_DIR to a folder with the four files, put them into data/raw/, "
                   "or draw digits: "
                   "mnist-dist prepare --synthetic");
}

Mnist read_mnist(const MnistSource& source, const Progress& progress) {
  std::array<fs::path, 4> paths;
  for (std::size_t i = 0; i < paths.size(); ++i)
    paths[i] = choose(source.files.candidates[i], mnist_files[i], source.hint, progress);
  const auto read = [&](std::size_t i) { return read_rows(paths[i], mnist_files[i]); };
  const auto labels = [&](std::size_t i) {
    const std::vector<std::uint8_t> bytes = read(i);
    return std::vector<ClassIndex>(bytes.begin(), bytes.end());
  };
  return {.train = {.pixels = read(0), .labels = labels(1)},
          .test = {.pixels = read(2), .labels = labels(3)}};
}

}  // namespace mnist_dist
