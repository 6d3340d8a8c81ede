#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "comm/reducer.h"
#include "model/reduce_tree.h"

namespace mnist_dist {

/// A group of ranks that work together. Calls that move data, barrier and split are collective: all
/// ranks call them, in the same order. One thread calls it. A call in which other ranks do not
/// respond for `timeout` seconds ends the program with exit code 4, naming the silent ranks.
class Communicator : public Reducer {
 public:
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Rank and number of ranks on this host.
  virtual int local_rank() const = 0;
  virtual int local_size() const = 0;

  /// Root's bytes to all.
  virtual void broadcast(std::span<std::byte> bytes, int root) = 0;
  /// Each rank's bytes (sizes may differ) to all, by rank.
  virtual std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> bytes) = 0;
  virtual void barrier() = 0;
  /// Ranks of the same colour form a new group, ordered by rank.
  virtual std::unique_ptr<Communicator> split(int color) = 0;

  /// Activity of this rank ("epoch 3 step 120"), sent to the others for a hang report.
  virtual void set_activity(const std::string& activity) = 0;
  /// Ends all ranks with this exit code.
  [[noreturn]] virtual void abort(ExitCode code) = 0;
};

/// The launcher's environment, before any initialisation.
struct Launcher {
  bool present = false;  ///< started by mpirun or srun with PMI(x)
  int rank = 0;
  int size = 1;      ///< 0: known to MPI only (PMIx)
  std::string name;  ///< "Open MPI", "PMIx", "PMI", ""
};
/// Throws: Error (device) in an srun of several tasks that has neither PMI nor PMIx: every task
/// would train alone.
Launcher detect_launcher();

/// The world: MPI under a launcher, else a world of one that costs nothing. Call once. The
/// destructor is collective and finalises. So an exception that one rank alone meets must end in
/// abort().
std::unique_ptr<Communicator> make_world(const Launcher& launcher, double timeout_seconds);

/// A world of one, for tools and tests.
std::unique_ptr<Communicator> make_single();

}  // namespace mnist_dist
