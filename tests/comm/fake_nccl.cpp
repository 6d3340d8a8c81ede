#include "comm/fake_nccl.h"

#include <cuda_runtime_api.h>
#include <mpi.h>

#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "comm/mpi_test.h"

namespace mnist_dist {
namespace {

int polls_left = 0;

/// A call that continues in the background.
ncclResult_t begin() {
  FakeNccl& fake = fake_nccl();
  if (polls_left != 0) fake.called_early = true;
  polls_left = fake.polls_until_ready;
  return polls_left == 0 ? ncclSuccess : ncclInProgress;
}

/// Counts a call and returns whether it is to fail.
ncclResult_t called() {
  ++fake_nccl().calls;
  return std::exchange(fake_nccl().next_call, ncclSuccess);
}

ncclResult_t collective(const void* send, std::size_t bytes, const auto& take) {
  if (const ncclResult_t failure = called(); failure != ncclSuccess) return failure;
  Communicator& group = fake_nccl().group ? *fake_nccl().group : test_world();
  take(group.all_gather({static_cast<const std::byte*>(send), bytes}));
  return begin();
}

std::vector<MPI_Request> in_group;  ///< since ncclGroupStart

/// The program's communicators are duplicates of the world's, which is free for this.
constexpr int tag = 0;
int world_rank(int peer) { return peer + test_world().rank() - fake_nccl().rank; }

ncclResult_t message(const auto& start) {
  ++fake_nccl().messages;
  return start(&in_group.emplace_back(MPI_REQUEST_NULL)) == MPI_SUCCESS ? ncclSuccess
                                                                        : ncclSystemError;
}

}  // namespace

FakeNccl& fake_nccl() {
  static FakeNccl fake;
  return fake;
}

}  // namespace mnist_dist

using mnist_dist::fake_nccl;

extern "C" {

cudaError_t cudaSetDevice(int device) {
  fake_nccl().device = device;
  return cudaSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  std::strcpy(id->internal, "made by rank ");
  std::strcat(id->internal, std::to_string(mnist_dist::test_world().rank()).c_str());
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  *comm = reinterpret_cast<ncclComm_t>(&fake_nccl());
  fake_nccl().id = id.internal;
  fake_nccl().rank = rank;
  fake_nccl().ranks = ranks;
  mnist_dist::polls_left = 0;
  return config->blocking == 0 ? mnist_dist::begin() : ncclInvalidArgument;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t, ncclResult_t* state) {
  int& left = mnist_dist::polls_left;
  if (left > 0) --left;
  *state = left == 0 ? fake_nccl().background : ncclInProgress;
  return ncclSuccess;
}

ncclResult_t ncclAllGather(const void* send, void* receive, std::size_t count, ncclDataType_t,
                           ncclComm_t, cudaStream_t) {
  return mnist_dist::collective(send, count * sizeof(float), [&](const auto& parts) {
    auto* place = static_cast<std::byte*>(receive);
    for (const auto& part : parts) place = std::copy(part.begin(), part.end(), place);
  });
}

ncclResult_t ncclAllReduce(const void* send, void* receive, std::size_t count, ncclDataType_t,
                           ncclRedOp_t, ncclComm_t, cudaStream_t) {
  return mnist_dist::collective(send, count * sizeof(float), [&](const auto& parts) {
    const std::span<float> sums(static_cast<float*>(receive), count);
    std::ranges::fill(sums, 0.0f);
    for (const auto& part : parts)
      for (std::size_t i = 0; i < count; ++i)
        sums[i] += reinterpret_cast<const float*>(part.data())[i];
  });
}

ncclResult_t ncclGroupStart() { return ncclSuccess; }

ncclResult_t ncclSend(const void* data, std::size_t count, ncclDataType_t, int peer, ncclComm_t,
                      cudaStream_t) {
  return mnist_dist::message([&](MPI_Request* request) {
    return MPI_Isend(data, static_cast<int>(count), MPI_FLOAT, mnist_dist::world_rank(peer),
                     mnist_dist::tag, MPI_COMM_WORLD, request);
  });
}

ncclResult_t ncclRecv(void* data, std::size_t count, ncclDataType_t, int peer, ncclComm_t,
                      cudaStream_t) {
  return mnist_dist::message([&](MPI_Request* request) {
    return MPI_Irecv(data, static_cast<int>(count), MPI_FLOAT, mnist_dist::world_rank(peer),
                     mnist_dist::tag, MPI_COMM_WORLD, request);
  });
}

ncclResult_t ncclGroupEnd() {
  auto& requests = mnist_dist::in_group;
  MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
  requests.clear();
  const ncclResult_t failure = mnist_dist::called();
  return failure != ncclSuccess ? failure : mnist_dist::begin();
}

const char* ncclGetErrorString(ncclResult_t) { return "something broke"; }
const char* ncclGetLastError(ncclComm_t) { return "the cable"; }
ncclResult_t ncclCommFinalize(ncclComm_t) { return mnist_dist::begin(); }
ncclResult_t ncclCommDestroy(ncclComm_t) {
  if (fake_nccl().waits_for_others) std::shared_ptr(fake_nccl().others)->wait();
  *fake_nccl().destroyed = true;
  return ncclSuccess;
}
ncclResult_t ncclCommAbort(ncclComm_t) {
  *fake_nccl().aborted = true;
  return ncclSuccess;
}
}
