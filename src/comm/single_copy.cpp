#include "comm/single_copy.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace mnist_dist {
namespace {

/// A child, which has the same memory, until its owner ends.
class WaitingChild {
 public:
  WaitingChild() : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) ::pause();
  }
  ~WaitingChild() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  WaitingChild(const WaitingChild&) = delete;
  WaitingChild& operator=(const WaitingChild&) = delete;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace

bool can_copy_between_processes() {
  // Not of this process itself: some rules forbid only to look at others.
  const WaitingChild child;
  int value = 4711, copy = 0;
  iovec to{&copy, sizeof copy}, from{&value, sizeof value};
  return child.pid() < 0 ||
         ::process_vm_readv(child.pid(), &to, 1, &from, 1, 0) == static_cast<ssize_t>(sizeof copy);
}

void choose_single_copy() {
  if (can_copy_between_processes()) return;
  constexpr int keep = 0;                                              // an existing value
  ::setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", keep);  // Open MPI 4
  ::setenv("OMPI_MCA_smsc", "^cma", keep);                             // Open MPI 5
}

}  // namespace mnist_dist
