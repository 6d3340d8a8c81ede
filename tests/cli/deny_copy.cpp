// deny_copy COMMAND...: runs it where the kernel forbids to copy memory between processes, as some
// containers do.
#include <unistd.h>

#include <cstdio>

#include "../comm/seccomp.h"

int main(int argc, char** argv) {
  if (argc < 2 || !mnist_dist::deny_copies_between_processes()) return 77;
  execvp(argv[1], argv + 1);
  std::perror(argv[1]);
  return 127;
}
