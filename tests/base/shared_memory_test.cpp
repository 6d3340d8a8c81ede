#include "base/shared_memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace mnist_dist {
namespace {

constexpr std::size_t size = 100'000;

std::optional<SharedMemory> filled(std::byte value) {
  return SharedMemory::make(size,
                            [&](std::span<std::byte> bytes) { std::ranges::fill(bytes, value); });
}

/// Whether `holds` is true in a process of its own.
bool elsewhere(const std::function<bool()>& holds) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(holds() ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(SharedMemory, OtherProcessesReadThePagesOfItsMaker) {
  auto made = filled(std::byte{7});
  ASSERT_TRUE(made);
  const auto place = made->place();
  EXPECT_EQ(made->bytes().size(), size);
  EXPECT_TRUE(elsewhere([&] {
    const auto opened = SharedMemory::open(place);
    return opened && std::ranges::equal(opened->bytes(), made->bytes());
  }));
  const auto opened = SharedMemory::open(place);
  ASSERT_TRUE(opened);
  made.reset();
  EXPECT_EQ(opened->bytes()[size - 1], std::byte{7}) << "a reader keeps it";
  EXPECT_FALSE(SharedMemory::open(place));
}

TEST(SharedMemory, CannotBeChanged) {
  const auto made = filled(std::byte{7});
  ASSERT_TRUE(made);
  const auto write = [](const SharedMemory& memory) {
    const_cast<std::byte&>(memory.bytes()[0]) = std::byte{1};
  };
  EXPECT_DEATH(write(*made), "");
  EXPECT_DEATH(write(*SharedMemory::open(made->place())), "");
}

TEST(SharedMemory, APlaceElsewhereIsNotOpened) {
  const auto made = filled(std::byte{7});
  ASSERT_TRUE(made);
  auto place = made->place();
  EXPECT_FALSE(SharedMemory::open({}));
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  place.descriptor = pipe[0];
  EXPECT_FALSE(SharedMemory::open(place)) << "neither opened nor waited for";
  ::close(pipe[0]);
  ::close(pipe[1]);
  const auto other = filled(std::byte{8});
  ASSERT_TRUE(other);
  place.descriptor = other->place().descriptor;
  EXPECT_FALSE(SharedMemory::open(place)) << "a process with the same numbers on a different host";
}

TEST(SharedMemory, IsNotMadeWithoutMemory) {
  EXPECT_TRUE(elsewhere([] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{size / 2, size / 2};
    return ::setrlimit(RLIMIT_FSIZE, &small) == 0 && !filled(std::byte{7});
  }));
}

}  // namespace
}  // namespace mnist_dist
