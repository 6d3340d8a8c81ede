#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/error.h"
#include "base/shell_word.h"
#include "data/idx_set.h"
#include "data/mnist_files.h"
#include "data/other_sets.h"
#include "data/set_files.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

struct PublishedFile {
  std::string name;            ///< without .gz
  const char* archive_sha256;  ///< of the .gz as published, "" if unknown
  const char* sha256 = "";     ///< of its contents, "" if unknown
};

/// Images and labels for training, then for the test.
using PublishedFiles = std::array<PublishedFile, 4>;

struct NamedSet {
  const char* name;
  int classes;
  PublishedFiles files;
  bool transposed = false;
  int first_label = 0;
  std::size_t known_test_rows = 0;  ///< test images at the start that are MNIST's
};

PublishedFiles emnist_files(const std::string& split) {
  const std::string prefix = "emnist-" + split;
  return {{{prefix + "-train-images-idx3-ubyte", ""},
           {prefix + "-train-labels-idx1-ubyte", ""},
           {prefix + "-test-images-idx3-ubyte", ""},
           {prefix + "-test-labels-idx1-ubyte", ""}}};
}

const std::vector<NamedSet>& named_sets() {
  static const std::vector<NamedSet> sets{
      {"fashion-mnist",
       10,
       {{{"train-images-idx3-ubyte",
          "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
          "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"},
         {"train-labels-idx1-ubyte",
          "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
          "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"},
         {"t10k-images-idx3-ubyte",
          "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
          "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"},
         {"t10k-labels-idx1-ubyte",
          "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
          "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"}}}},
      {"kmnist",
       10,
       {{{"train-images-idx3-ubyte",
          "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"},
         {"train-labels-idx1-ubyte",
          "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"},
         {"t10k-images-idx3-ubyte",
          "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"},
         {"t10k-labels-idx1-ubyte",
          "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"}}}},
      {.name = "qmnist",
       .classes = 10,
       .files = {{{"qmnist-train-images-idx3-ubyte",
                   "9e26a7bf1683614e065d7b76460ccd52807165b3f22561fb782bd9f38c52b51d"},
                  {"qmnist-train-labels-idx2-int",
                   "2c05dc77f6b916b38e455e97ab129a42a444f3dbef09b278a366f82904e0dd9f"},
                  {"qmnist-test-images-idx3-ubyte",
                   "43fc22bf7498b8fc98de98369d72f752d0deabc280a43a7bcc364ab19e57b375"},
                  {"qmnist-test-labels-idx2-int",
                   "9fbcbe594c3766fdf4f0b15c5165dc0d1e57ac604e01422608bb72c906030d06"}}},
       .known_test_rows = mnist_test_rows},
      {.name = "emnist-digits", .classes = 10, .files = emnist_files("digits"), .transposed = true},
      {.name = "emnist-letters",
       .classes = 26,
       .files = emnist_files("letters"),
       .transposed = true,
       .first_label = 1},
      {.name = "emnist-balanced",
       .classes = 47,
       .files = emnist_files("balanced"),
       .transposed = true},
  };
  return sets;
}

/// Whether a file with this payload and, for an archive, this hash is a published one.
bool is_file(const PublishedFile& file, const std::string& payload, const std::string& archive) {
  return payload == file.sha256 || (!archive.empty() && archive == file.archive_sha256);
}

/// Throws: Error (data) for a file of a different set, or a different file of this one.
void reject_other_file(const fs::path& path, const PublishedFile& expected,
                       const std::string& payload, const std::string& archive) {
  for (const MnistFile& mnist : mnist_files)
    if (payload == mnist.sha256)
      throw data_error(fmt::format("{}: it is MNIST's {}", path.string(), mnist.name),
                       "give --dataset mnist, or the folder of the other set as --raw");
  for (const NamedSet& set : named_sets())
    for (const PublishedFile& file : set.files)
      if (&file != &expected && is_file(file, payload, archive))
        throw data_error(
            fmt::format("{}: it is {}'s {}", path.string(), set.name, file.name),
            fmt::format("give --dataset {}, or the folder of the other set as --raw", set.name));
}

/// Compares with a published hash, and records the payload's own hash.
void check_file(const fs::path& path, const PublishedFile& file, const std::string& payload,
                OtherSet& out, std::vector<std::string>& unknown, const Progress& progress) {
  const std::string archive = path.extension() == ".gz" ? sha256_of_file(path) : "";
  reject_other_file(path, file, payload, archive);
  out.sha256[file.name] = payload;
  if (is_file(file, payload, archive)) return;
  const std::string expected = file.archive_sha256;
  if (expected.empty() || archive.empty())
    unknown.push_back(path.filename());
  else
    progress(
        fmt::format("note: {} is not the published archive (SHA-256 {:.12}..., expected {:.12}...)",
                    path.string(), archive, expected));
}

RawSet read_part(const NamedSet& named, const fs::path& raw, std::size_t first_file, OtherSet& out,
                 std::vector<std::string>& unknown, const Progress& progress) {
  std::array<fs::path, 2> paths;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string& name = named.files[first_file + i].name;
    paths[i] = only_file(
        find_set_files(raw, [&](const std::string& plain) { return plain == name; }), raw, name);
  }
  IdxSet idx = read_idx_set(paths[0], paths[1]);
  check_file(paths[0], named.files[first_file], idx.images_sha256, out, unknown, progress);
  check_file(paths[1], named.files[first_file + 1], idx.labels_sha256, out, unknown, progress);
  if (named.transposed) transpose(idx.set);
  for (std::int64_t& label : idx.set.labels) label -= named.first_label;
  return std::move(idx.set);
}

void drop_rows(RawSet& set, std::size_t count) {
  if (set.rows <= count || set.labels.size() != set.rows) return;
  const auto pixels = static_cast<std::ptrdiff_t>(set.pixels.size() / set.rows * count);
  set.pixels.erase(set.pixels.begin(), set.pixels.begin() + pixels);
  set.labels.erase(set.labels.begin(), set.labels.begin() + static_cast<std::ptrdiff_t>(count));
  set.rows -= count;
}

}  // namespace

const std::vector<std::string>& other_set_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const NamedSet& set : named_sets()) all.emplace_back(set.name);
    all.emplace_back("custom");
    return all;
  }();
  return names;
}

std::string prepare_command(const fs::path& file, const std::string& options) {
  const std::string stem = file.stem();
  const bool named = std::ranges::find(named_sets(), stem, [](const NamedSet& set) {
                       return std::string(set.name);
                     }) != named_sets().end();
  return fmt::format("mnist-dist prepare {}{}--out {}", options,
                     named ? fmt::format("--dataset {} --raw FOLDER ", stem) : "",
                     shell_word(file.string()));
}

OtherSet read_named_set(const std::string& name, const fs::path& raw, const Progress& progress) {
  const NamedSet& named = *std::ranges::find(named_sets(), name, &NamedSet::name);
  OtherSet out;
  out.classes = named.classes;
  out.source = fmt::format("{} from {}", name, raw.string());
  std::vector<std::string> unknown;
  RawSet train = read_part(named, raw, 0, out, unknown, progress);
  RawSet test = read_part(named, raw, 2, out, unknown, progress);
  drop_rows(test, named.known_test_rows);
  classes_in(train);
  classes_in(test);
  out.train = as_images(std::move(train), named.classes);
  out.test = as_images(std::move(test), named.classes);
  if (unknown.size() == 1)
    progress("note: 1 file has no published SHA-256. The computed one is recorded");
  else if (!unknown.empty())
    progress(fmt::format("note: {} files have no published SHA-256. The computed ones are recorded",
                         unknown.size()));
  return out;
}

}  // namespace mnist_dist
