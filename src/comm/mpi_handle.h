#pragma once
#include <mpi.h>

#include <cstddef>
#include <string_view>

namespace mnist_dist {

/// Throws: Error (device) with MPI's own text unless the call succeeded.
void check(int status, std::string_view call);

/// Owner of an MPI communicator.
class MpiComm {
 public:
  explicit MpiComm(MPI_Comm comm) : comm_(comm) {}
  MpiComm(const MpiComm&) = delete;
  MpiComm& operator=(const MpiComm&) = delete;
  ~MpiComm();
  operator MPI_Comm() const { return comm_; }

 private:
  MPI_Comm comm_;
};

/// A communicator of its own for the same ranks. The caller owns it.
MPI_Comm duplicate(MPI_Comm comm);

int rank_in(MPI_Comm comm);
int size_of(MPI_Comm comm);

/// MPI counts are ints. Our messages are far smaller than the largest one.
/// Throws: Error (internal) for larger ones.
int mpi_count(std::size_t count);

}  // namespace mnist_dist
