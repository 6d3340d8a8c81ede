#include "comm/mpi_handle.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "base/error.h"

namespace mnist_dist {

void check(int status, std::string_view call) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(status, text, &length) != MPI_SUCCESS) length = 0;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  const int next = dup(STDERR_FILENO);
  if (next < 0 && errno == EMFILE)
    throw device_error(fmt::format("{} failed: too many files (limit {})", call, files.rlim_cur),
                       "raise the hard limit of open files on all hosts (ulimit -Hn)");
  if (next >= 0) close(next);
  throw device_error(
      fmt::format("{} failed: {}", call, std::string_view(text, static_cast<std::size_t>(length))),
      "read the other ranks' messages, or if there are none, check that the hosts reach each "
      "other");
}

MpiComm::~MpiComm() {
  if (comm_ != MPI_COMM_NULL) MPI_Comm_free(&comm_);
}

MPI_Comm duplicate(MPI_Comm comm) {
  MPI_Comm copy = MPI_COMM_NULL;
  check(MPI_Comm_dup(comm, &copy), "MPI_Comm_dup");
  return copy;
}

int rank_in(MPI_Comm comm) {
  int rank = 0;
  check(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  return rank;
}

int size_of(MPI_Comm comm) {
  int size = 0;
  check(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  return size;
}

int mpi_count(std::size_t count) {
  if (count > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw internal_error(fmt::format("a message of {} elements is more than MPI can count", count));
  return static_cast<int>(count);
}

}  // namespace mnist_dist
