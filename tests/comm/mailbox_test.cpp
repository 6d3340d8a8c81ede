#include "comm/mailbox.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "comm/mpi_test.h"

namespace mnist_dist {
namespace {

Mailbox::Mail wait_for_mail(Mailbox& box) {
  for (;;) {
    if (auto mail = box.receive()) return *std::move(mail);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::vector<std::byte> message(int sender, int number, std::size_t size) {
  std::vector<std::byte> bytes(size, std::byte(sender * 16 + number));
  return bytes;
}

// Small ones travel at once, large ones only when both sides poll; both kinds to every rank, itself included, and in order.
TEST(Mailbox, EveryRankHearsEveryRankInOrder) {
  Communicator& world = test_world();
  const auto box = world.open_mailbox();
  const std::size_t sizes[] = {0, 1, 100, 1'000'000, 5};
  for (int to = 0; to < world.size(); ++to)
    for (int number = 0; number < 5; ++number) box->send(to, message(world.rank(), number, sizes[number]));
  std::vector<int> heard(static_cast<std::size_t>(world.size()));
  for (int i = 0; i < 5 * world.size(); ++i) {
    const Mailbox::Mail mail = wait_for_mail(*box);
    int& number = heard.at(static_cast<std::size_t>(mail.from));
    EXPECT_EQ(mail.bytes, message(mail.from, number, sizes[number])) << "message " << number << " of rank " << mail.from;
    ++number;
  }
  world.barrier();
  EXPECT_FALSE(box->receive());
}

TEST(Mailbox, DoesNotMixWithCollectivesOrOtherMailboxes) {
  Communicator& world = test_world();
  const auto one = world.open_mailbox(), two = world.open_mailbox();
  two->send(0, message(world.rank(), 7, 3));
  world.barrier();
  EXPECT_FALSE(one->receive());
  if (world.rank() != 0) return;
  for (int i = 0; i < world.size(); ++i) {
    const Mailbox::Mail mail = wait_for_mail(*two);
    EXPECT_EQ(mail.bytes, message(mail.from, 7, 3));
  }
}

}  // namespace
}  // namespace mnist_dist
