// One rank of hang_test.sh: mpirun ... hang_rank SCENARIO. Prints its process id on stdout first,
// so that the test can look for orphans.
#include <mpi.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "comm/communicator.h"
#include "comm/on_root.h"

using namespace mnist_dist;

namespace {

constexpr double timeout_seconds = 4;

void all_reduce(Communicator& group) {
  std::vector<float> vectors(10000), total(10000);
  const int shards = group.size();
  group.tree_all_reduce({vectors.data(), 10000, 10000, group.rank(), 1}, shards, total, {});
}

/// Two steps, of which `rank` does not reach the second.
void stop_rank(Communicator& world, int rank) {
  all_reduce(world);
  if (world.rank() == rank) raise(SIGSTOP);
  world.set_activity("epoch 3 step 120");
  all_reduce(world);
}

void sleep_seconds(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

const std::map<std::string, void (*)(Communicator&)> scenarios{
    {"stop-rank-2", [](Communicator& world) { stop_rank(world, 2); }},
    {"stop-rank-0", [](Communicator& world) { stop_rank(world, 0); }},
    {"stop-in-group",
     [](Communicator& world) {
       const auto group = world.split(world.rank() / 2);
       if (world.rank() == 3) raise(SIGSTOP);
       if (world.rank() == 2)
         all_reduce(*group);
       else
         world.barrier();
     }},
    {"stop-before-split",
     [](Communicator& world) {
       if (world.rank() == 1) raise(SIGSTOP);
       world.split(0);
     }},
    {"stop-before-end",
     [](Communicator& world) {
       if (world.rank() == 1) raise(SIGSTOP);
     }},
    // Arrives after the others have asked where it is, in the grace period: all continues.
    {"late",
     [](Communicator& world) {
       for (int time = 0; time < 2; ++time) {
         if (world.rank() == 2) sleep_seconds(1.5 * timeout_seconds);
         all_reduce(world);
       }
     }},
    {"different-calls",
     [](Communicator& world) {
       const auto everybody = world.split(0);
       if (world.rank() == 1)
         everybody->barrier();
       else
         all_reduce(world);
     }},
    {"heartbeat",
     [](Communicator& world) { run_on_root(world, [] { sleep_seconds(3 * timeout_seconds); }); }},
    {"abort",
     [](Communicator& world) {
       if (world.rank() == 1) world.abort(ExitCode::data);
       all_reduce(world);
     }},
    {"kill",
     [](Communicator& world) {
       if (world.rank() == 1) raise(SIGKILL);
       all_reduce(world);
     }},
};

/// Rank 1 stops inside the first MPI call of this name: see the wrappers below.
const char* stops_in = "";
void stop_in(const char* call) {
  if (std::string(stops_in) == call && detect_launcher().rank == 1) raise(SIGSTOP);
}

}  // namespace

// These stand before the library's own, which MPI has for such purposes under a second name.
extern "C" int MPI_Comm_dup(MPI_Comm comm, MPI_Comm* copy) {
  stop_in("MPI_Comm_dup");
  return PMPI_Comm_dup(comm, copy);
}

int main(int, char** argv) {
  const std::string scenario = argv[1];
  if (scenario == "stop-in-dup") stops_in = "MPI_Comm_dup";
  std::printf("pid %d\n", static_cast<int>(getpid()));
  std::fflush(stdout);
  try {
    const Launcher launcher = detect_launcher();
    if (scenario == "stop-before-init" && launcher.rank == 1) raise(SIGSTOP);
    const auto world = make_world(launcher, timeout_seconds);
    if (scenario != "stop-before-init" && scenario != "stop-in-dup") scenarios.at(scenario)(*world);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
}
