#include "base/signals.h"
#include "base/standard_streams.h"
#include "cli/app.h"
#include "cli/failure.h"

// Command line -> one subcommand (src/cli) -> its parts:
//   train     config -> world of ranks -> data -> engine -> trainer -> run folder and console
//   prepare   IDX files -> HDF5
//   sweep     seeds -> groups of ranks -> the same trainer, seed by seed -> verdict and report
//   tune, report, summary, evaluate, bench, doctor
// Errors of commands for one rank come here as exceptions and leave as two lines and an exit code.
// cli/world.h has those of several ranks.
int main(int argc, char** argv) {
  try {
    mnist_dist::fill_closed_streams();
    mnist_dist::ignore_file_size_signal();
    const mnist_dist::ExitCode code = mnist_dist::run_app(argc, argv);
    mnist_dist::finish_output();
    return static_cast<int>(code);
  } catch (...) {
    return static_cast<int>(mnist_dist::report_failure(std::current_exception()));
  }
}
