#include <gtest/gtest.h>

#include <cstdio>
#include <span>

#include "comm/mpi_test.h"

namespace mnist_dist {
namespace {

Communicator* world_of_tests = nullptr;

/// Prints failures only, with the rank: rank 0 prints the rest.
class FailurePrinter : public testing::EmptyTestEventListener {
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.failed())
      std::fprintf(stderr, "rank %d: %s:%d: %s\n", test_world().rank(),
                   result.file_name() ? result.file_name() : "?", result.line_number(),
                   result.summary());
  }
};

int run(Communicator& world) {
  world_of_tests = &world;
  if (world.rank() != 0) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailurePrinter);
  }
  const int mine = RUN_ALL_TESTS();
  int worst = 0;
  for (const auto& verdict : world.all_gather(std::as_bytes(std::span(&mine, 1))))
    worst |= static_cast<int>(verdict[0]);
  return worst;
}

}  // namespace

Communicator& test_world() { return *world_of_tests; }

}  // namespace mnist_dist

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // A rank that leaves a test early makes the others wait: they name it after this time.
  const auto world = mnist_dist::make_world(mnist_dist::detect_launcher(), 30);
  return mnist_dist::run(*world);
}
