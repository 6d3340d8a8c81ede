#include "events/event_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "events/records.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

std::filesystem::path only_file(const TemporaryFolder& folder) {
  std::filesystem::path found;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    found = entry.path(), ++files;
  EXPECT_EQ(files, 1);
  return found;
}

std::size_t records_in(const TemporaryFolder& folder) {
  return whole_records(read_text_file(only_file(folder))).size();
}

TEST(Records, AreFramedAsTensorFlowDoes) {
  const std::string framed_abc = framed("abc");
  EXPECT_EQ(framed_abc.size(), 8u + 4 + 3 + 4);
  EXPECT_EQ(framed_abc.substr(0, 8), std::string("\x03\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(framed_abc.substr(12, 3), "abc");
  // CRC-32C of "123456789" is e3069283, its published check value. It is masked as in TensorFlow.
  const std::uint32_t crc = 0xe3069283, masked = ((crc >> 15) | (crc << 17)) + 0xa282ead8;
  const std::string check = framed("123456789").substr(21);
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(static_cast<unsigned char>(check[static_cast<std::size_t>(i)]),
              masked >> (8 * i) & 0xff);
}

TEST(Records, CutAndDamagedRecordsAreLeftOut) {
  const std::string two = framed("first") + framed("second");
  EXPECT_EQ(whole_records(two), (std::vector<std::string>{"first", "second"}));
  for (std::size_t size = framed("first").size(); size < two.size(); ++size)
    EXPECT_EQ(whole_records(two.substr(0, size)), std::vector<std::string>{"first"}) << size;
  std::string damaged = two;
  damaged[13] ^= 1;
  EXPECT_TRUE(whole_records(damaged).empty());
}

TEST(EventFile, AResumedRunHasNoStepTwice) {
  const TemporaryFolder folder;
  const std::vector<Scalar> values{{"train/loss", 0.5}};
  {
    EventFile file(folder.path(), 1);
    file.begin({{"train.epochs", "3"}}, std::vector<std::string>{"test/accuracy"});
    for (const int epoch : {1, 2, 3}) file.scalars(epoch, values);
    file.image(3, "mistakes", 1, 1, "png");
    file.end(3, true);
  }
  EXPECT_EQ(records_in(folder), 1u + 2 + 3 + 2);
  std::ofstream(only_file(folder), std::ios::app) << "half a record";
  EventFile file(folder.path(), 2);  // its checkpoint knows epoch 1
  EXPECT_EQ(records_in(folder), 1u + 2 + 1);
  file.begin({{"train.epochs", "3"}}, std::vector<std::string>{"test/accuracy"});
  file.scalars(2, values);
  EXPECT_EQ(records_in(folder), 1u + 2 + 2) << "the hyperparameters are there once";
}

TEST(EventFile, TheLastRecordsAreWrittenAgain) {
  const TemporaryFolder folder;
  {
    EventFile file(folder.path(), 1);
    file.scalars(1, std::vector<Scalar>{{"train/loss", 0.5}});
    file.image(1, "mistakes", 1, 1, "png");
    file.end(1, true);
  }
  const EventFile again(folder.path(), 2);  // killed before its summary
  EXPECT_EQ(records_in(folder), 2u);
}

}  // namespace
}  // namespace mnist_dist
