#include "data/payload.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/file.h"
#include "data/idx_files.h"
#include "failures.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::HasSubstr;

class Payload : public testing::Test {
 protected:
  std::string read(std::size_t limit = 1 << 20) const {
    const auto bytes = read_payload(path_, limit);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  /// Packs what the file holds.
  void pack() const { write_gzip(path_, read_text_file(path_)); }
  void write(std::string_view text) const { write_file_atomically(path_, text); }

  TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "images.gz";
  const std::string noise_ = [] {
    std::string noise = image_idx(200);
    for (std::size_t i = 16; i < noise.size(); ++i)
      noise[i] =
          static_cast<char>(i * i * 2654435761u >> 13);  // so that gzip cannot pack it into nothing
    return noise;
  }();
};

TEST_F(Payload, IsTheSamePlainAndPackedUpToFourTimes) {
  write(noise_);
  for (int layers = 0; layers <= 4; ++layers, pack()) EXPECT_EQ(read(), noise_) << layers;
  EXPECT_THAT(data_failure([&] { read(); }), HasSubstr("4 times"));
}

TEST_F(Payload, ReadsAllMembersAndIgnoresTrailingBytes) {
  write(noise_.substr(0, 70'000));
  pack();
  const std::string first = read_text_file(path_);
  write(noise_.substr(70'000));
  pack();
  write(first + read_text_file(path_) + "something else");
  EXPECT_EQ(read(), noise_);
}

TEST_F(Payload, TruncatedOrDamagedArchivesAreNamed) {
  write(noise_);
  pack();
  const std::string whole = read_text_file(path_);
  write(whole.substr(0, whole.size() - 1));
  EXPECT_THAT(data_failure([&] { read(); }), HasSubstr("unexpected end"));
  for (const std::size_t place : {whole.size() / 2, whole.size() - 6}) {
    std::string flipped = whole;
    flipped[place] = static_cast<char>(flipped[place] ^ 1);
    write(flipped);
    EXPECT_THAT(data_failure([&] { read(); }), HasSubstr("images.gz: cannot unpack: ")) << place;
  }
}

TEST_F(Payload, NamesAFileThatCannotBeRead) {
  EXPECT_THAT(data_failure([&] { read(); }), HasSubstr("images.gz: No such file"));
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(data_failure([&] { read(); }), HasSubstr("images.gz: is not a regular file"));
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_THAT(data_failure([&] { read(); }), HasSubstr("images.gz: is a folder"));
}

TEST_F(Payload, EndsAtTheLimitHoweverOftenItIsPacked) {
  const std::size_t limit = noise_.size();
  write(noise_);
  EXPECT_EQ(read(limit), noise_);
  EXPECT_THAT(data_failure([&] { read(limit - 1); }), HasSubstr("images.gz: too long"));
  // An outer archive that unpacks to 8 MB of empty inner ones.
  write("");
  pack();
  const std::string empty = read_text_file(path_);
  std::string many;
  while (many.size() < 8 << 20) many += empty;
  write_gzip(path_, many);
  EXPECT_THAT(data_failure([&] { read(1000); }), HasSubstr("images.gz: too long"));
}

}  // namespace
}  // namespace mnist_dist
