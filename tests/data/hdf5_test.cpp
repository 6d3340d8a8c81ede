#include "data/hdf5.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <limits>
#include <numeric>
#include <thread>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/file.h"
#include "data/hdf5_handle.h"
#include "failures.h"
#include "temporary_folder.h"

#ifdef MNIST_DIST_SANITIZE
// HDF5 1.10 loses a few hundred bytes when it gives up on a damaged file.
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5"; }
#endif

namespace mnist_dist {
namespace {

using testing::HasSubstr;

class Hdf5 : public testing::Test {
 protected:
  std::filesystem::path write(Hdf5Writer& writer) {
    const auto path = folder_ / "file.h5";
    write_file_atomically(path, writer.finish());
    return path;
  }
  TemporaryFolder folder_;
};

template <class T>
void expect_round_trip(const std::filesystem::path& folder) {
  std::vector<T> values(7 * 3);
  std::iota(values.begin(), values.end(), T(1));
  values.front() = std::numeric_limits<T>::lowest();
  values.back() = std::numeric_limits<T>::max();
  Hdf5Writer writer;
  writer.dataset<T>("/a/deep/plain", values, {7, 3});
  writer.dataset<T>("/chunked", values, {7, 3}, 2);
  writer.dataset<T>("/one", std::span<const T>(values).first(1), {1}, 1000);
  const auto path = folder / "file.h5";
  write_file_atomically(path, writer.finish());

  const Hdf5Reader reader(path);
  EXPECT_EQ(reader.read<T>("/a/deep/plain"), values);
  EXPECT_EQ(reader.read<T>("/chunked"), values);
  EXPECT_EQ(reader.read<T>("/one"), std::vector<T>{values[0]});
  EXPECT_EQ(reader.extents("/chunked"), (Extents{7, 3}));
  std::vector<T> rows(2 * 3);
  reader.read_rows<T>("/chunked", 3, rows);
  EXPECT_EQ(rows, std::vector<T>(values.begin() + 9, values.begin() + 15));
}

TEST_F(Hdf5, EveryTypeComesBack) {
  expect_round_trip<std::uint8_t>(folder_.path());
  expect_round_trip<std::uint16_t>(folder_.path());
  expect_round_trip<float>(folder_.path());
}

TEST_F(Hdf5, EmptyDatasetsComeBack) {
  Hdf5Writer writer;
  writer.dataset<float>("/none", {}, {0}, 10);
  const Hdf5Reader reader(write(writer));
  EXPECT_EQ(reader.read<float>("/none"), std::vector<float>{});
}

TEST_F(Hdf5, AttributesComeBack) {
  Hdf5Writer writer;
  writer.attribute("count", std::int64_t{-5'000'000'000});
  writer.attribute("mean", 0.1307);
  writer.attribute("text", "[model]\nname = \"schön\"\n");
  writer.attribute("empty", "");
  const Hdf5Reader reader(write(writer));
  EXPECT_EQ(reader.integer("count"), -5'000'000'000);
  EXPECT_EQ(reader.real("mean"), 0.1307);
  EXPECT_EQ(reader.text("text"), "[model]\nname = \"schön\"\n");
  EXPECT_EQ(reader.text("empty"), "");
  EXPECT_TRUE(reader.has_attribute("mean"));
  EXPECT_FALSE(reader.has_attribute("sd"));
  EXPECT_THAT(data_failure([&] { reader.real("sd"); }), HasSubstr("attribute sd"));
  EXPECT_THAT(data_failure([&] { reader.real("text"); }), HasSubstr("attribute text"));
  EXPECT_THAT(data_failure([&] { reader.integer("mean"); }), HasSubstr("attribute mean"));
  EXPECT_THAT(data_failure([&] { reader.text("count"); }), HasSubstr("attribute count"));
}

TEST_F(Hdf5, SameContentsSameBytes) {
  const auto build = [] {
    Hdf5Writer writer;
    writer.dataset<std::uint8_t>("/train/labels", std::vector<std::uint8_t>(2500, 7), {2500}, 1000);
    writer.attribute("source", "here");
    return writer.finish();
  };
  const auto bytes = build();
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // HDF5 would store whole seconds
  EXPECT_EQ(build(), bytes);
}

TEST_F(Hdf5, MissingTypeAndShapeAreNamed) {
  Hdf5Writer writer;
  writer.dataset<std::uint8_t>("/train/images", std::vector<std::uint8_t>(12), {3, 4});
  const auto path = write(writer);
  const Hdf5Reader reader(path);
  EXPECT_TRUE(reader.has("/train/images"));
  EXPECT_FALSE(reader.has("/train/labels"));
  EXPECT_FALSE(reader.has("/test/images"));
  EXPECT_EQ(data_failure([&] { reader.read<std::uint8_t>("/test/images"); }),
            path.string() + ": dataset /test/images is missing");
  EXPECT_EQ(data_failure([&] { reader.read<float>("/train/images"); }),
            path.string() + ": dataset /train/images: wrong type (got uint8, expected float32)");
  std::vector<std::uint8_t> rows(8);
  EXPECT_THAT(data_failure([&] { reader.read_rows<std::uint8_t>("/train/images", 2, rows); }),
              HasSubstr("[3, 4]"));
  rows.resize(7);
  EXPECT_THAT(data_failure([&] { reader.read_rows<std::uint8_t>("/train/images", 0, rows); }),
              HasSubstr("[3, 4]"));
}

TEST_F(Hdf5, ValuesThatTheFileDoesNotHoldAreNotMadeUp) {
  const auto path = folder_ / "hollow.h5";
  hdf5::Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  for (const auto& [name, extents] : {std::pair<const char*, Extents>{"/large", {1u << 31}},
                                      {"/overflow", {1ull << 40, 1ull << 40}}})
    hdf5::Handle(H5Dcreate2(file, name, H5T_IEEE_F32LE, hdf5::dataspace(extents), H5P_DEFAULT,
                            H5P_DEFAULT, H5P_DEFAULT));
  file.close();
  const Hdf5Reader reader(path);
  EXPECT_THAT(data_failure([&] { reader.read<float>("/large"); }), HasSubstr("/large"));
  EXPECT_THAT(data_failure([&] { reader.read<float>("/overflow"); }), HasSubstr("/overflow"));
}

TEST_F(Hdf5, CompressedDatasetsComeBack) {
  const auto path = folder_ / "compressed.h5";
  const std::vector<std::uint8_t> values(4 << 20, 7);
  const hsize_t chunk = values.size();
  {
    const hdf5::Handle layout(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_chunk(layout, 1, &chunk);
    H5Pset_deflate(layout, 9);
    const hdf5::Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    const hdf5::Handle set(H5Dcreate2(file, "/data", H5T_STD_U8LE, hdf5::dataspace({values.size()}),
                                      H5P_DEFAULT, layout, H5P_DEFAULT));
    H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  }
  EXPECT_EQ(Hdf5Reader(path).read<std::uint8_t>("/data"), values);
}

TEST_F(Hdf5, MissingTruncatedAndForeignFilesAreNamed) {
  EXPECT_EQ(data_failure([&] { Hdf5Reader(folder_ / "none.h5"); }),
            (folder_ / "none.h5").string() + ": No such file or directory");
  write_file_atomically(folder_ / "text.h5", "not at all");
  EXPECT_THAT(data_failure([&] { Hdf5Reader(folder_ / "text.h5"); }),
              HasSubstr("text.h5: not an HDF5 file"));

  Hdf5Writer writer;
  writer.dataset<std::uint8_t>("/data", std::vector<std::uint8_t>(5000, 1), {5000}, 1000);
  const auto path = write(writer);
  for (const auto size : {std::filesystem::file_size(path) - 1,
                          std::filesystem::file_size(path) / 2, std::uintmax_t{0}}) {
    std::filesystem::resize_file(path, size);
    EXPECT_THAT(data_failure([&] { Hdf5Reader(path).read<std::uint8_t>("/data"); }),
                HasSubstr(path.string()));
  }
}

/// Opens a file for writing in another program, which calls `then` with it open.
template <class Then>
pid_t open_elsewhere(const std::filesystem::path& path, const Then& then) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT) >= 0) then();
    ::_exit(1);
  }
  return child;
}

TEST_F(Hdf5, AFileThatADifferentProgramWritesIsNamed) {
  Hdf5Writer writer;
  writer.attribute("number", std::int64_t{1});
  const auto path = write(writer);
  const auto bytes = read_file(path);
  const auto refusal = [&] {
    try {
      Hdf5Reader(path, "write it again");
      return std::string();
    } catch (const FileInUse& error) {
      return error.what() + std::string(" | ") + error.hint();
    }
  };
  int opened[2];
  ASSERT_EQ(::pipe(opened), 0);
  const pid_t child = open_elsewhere(path, [&] {
    [[maybe_unused]] const auto written = ::write(opened[1], "o", 1);
    ::pause();
  });
  char nothing = 0;
  ASSERT_EQ(::read(opened[0], &nothing, 1), 1);
  EXPECT_THAT(refusal(), HasSubstr(path.string() + ": open for writing"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  // The lock went with the process. The mark in the file stays, and says the same where there are
  // no locks.
  EXPECT_THAT(refusal(), HasSubstr(path.string() + ": marked"));
  EXPECT_THAT(refusal(), HasSubstr("h5clear -s " + path.string()));
  EXPECT_EQ(refusal().find("write it again"), std::string::npos);
  write_file_atomically(path, bytes);
  EXPECT_EQ(refusal(), "");
}

TEST_F(Hdf5, ADamagedFileThatIsOpenElsewhereIsNotCalledDamaged) {
  write_file_atomically(folder_ / "file.h5", "begun");
  const Descriptor writer(::open((folder_ / "file.h5").c_str(), O_RDWR));
  ASSERT_EQ(::flock(writer.get(), LOCK_EX), 0);
  EXPECT_THROW(Hdf5Reader{folder_ / "file.h5"}, FileInUse);
}

TEST_F(Hdf5, HintIsTheCallers) {
  const Error error =
      failure(ExitCode::data, [&] { Hdf5Reader(folder_ / "none.h5", "run prepare"); });
  EXPECT_EQ(error.hint(), "run prepare");
}

TEST_F(Hdf5, AFlippedBitIsNeverAWrongNumber) {
  std::vector<std::uint8_t> values(300);
  std::iota(values.begin(), values.end(), std::uint8_t{0});
  Hdf5Writer writer;
  writer.dataset<std::uint8_t>("/group/data", values, {300}, 100);
  writer.attribute("mean", 0.5);
  const auto bytes = writer.finish();
  const auto path = folder_ / "flipped.h5";
  int noticed = 0, fletcher = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto flipped = bytes;
    flipped[at] ^= std::byte{0x10};
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(flipped.data()),
               static_cast<std::streamsize>(flipped.size()));
    try {
      const Hdf5Reader reader(path);
      EXPECT_EQ(reader.read<std::uint8_t>("/group/data"), values) << "byte " << at;
      EXPECT_EQ(reader.real("mean"), 0.5) << "byte " << at;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::data);
      EXPECT_THAT(error.what(), HasSubstr("flipped.h5"));
      ++noticed;
      const std::string what = error.what();
      fletcher += what.find("letcher32") != std::string::npos ||
                  what.find("filter returned failure") != std::string::npos;  // HDF5 1.10, 1.14
    }
  }
  EXPECT_GE(fletcher, 300);  // every data byte
  EXPECT_GT(noticed, fletcher + 300);
}

}  // namespace
}  // namespace mnist_dist
