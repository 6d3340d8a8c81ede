#include "comm/nccl_link.h"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "comm/awake_clock.h"

namespace mnist_dist {

NcclLink::NcclLink(Communicator& group, int device, double timeout_seconds) : group_(group), timeout_(timeout_seconds) {
  if (const cudaError_t error = cudaSetDevice(device); error != cudaSuccess)
    throw device_error(fmt::format("GPU {} cannot be used: {}", device, cudaGetErrorString(error)), "run mnist-dist doctor");
  ncclUniqueId id{};
  if (group.rank() == 0) check(ncclGetUniqueId(&id), "ncclGetUniqueId");
  group.broadcast(std::as_writable_bytes(std::span(&id, 1)), 0);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;  // calls return at once; `watch` says how it goes
  check(ncclCommInitRankConfig(&comm_, group.size(), id, group.rank(), &config), "ncclCommInitRankConfig");
  AwakeClock waited;
  for (ncclResult_t state = ncclInProgress; state == ncclInProgress;) {
    check(ncclCommGetAsyncError(comm_, &state), "ncclCommGetAsyncError");
    watch(waited.seconds());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

NcclLink::~NcclLink() {
  if (comm_) ncclCommDestroy(comm_);
}

void NcclLink::all_gather(const float* own, float* all, std::size_t count, const Queue& queue) {
  check(ncclAllGather(own, all, count, ncclFloat, comm_, static_cast<cudaStream_t>(queue.stream)), "ncclAllGather");
}

void NcclLink::add(std::span<float> values, const Queue& queue) {
  check(ncclAllReduce(values.data(), values.data(), values.size(), ncclFloat, ncclSum, comm_, static_cast<cudaStream_t>(queue.stream)),
        "ncclAllReduce");
}

void NcclLink::watch(double waited_seconds) {
  ncclResult_t state = ncclSuccess;
  check(ncclCommGetAsyncError(comm_, &state), "ncclCommGetAsyncError");
  check(state, "communication");
  if (waited_seconds > timeout_) fail(fmt::format("no answer from the GPUs of other ranks for {:.0f} seconds", waited_seconds));
}

void NcclLink::check(ncclResult_t result, const char* call) {
  if (result == ncclSuccess || result == ncclInProgress) return;
  const char* const last = comm_ ? ncclGetLastError(comm_) : "";
  fail(fmt::format("NCCL's {} failed: {}{}{}", call, ncclGetErrorString(result), last && *last ? ", " : "", last ? last : ""));
}

void NcclLink::fail(const std::string& what) {
  if (comm_) ncclCommAbort(std::exchange(comm_, nullptr));
  // Ranks that are gone do not come here: the group then names them and ends the program.
  group_.barrier();
  throw device_error(what, "NCCL_DEBUG=WARN in the environment says more; --comm mpi does without NCCL");
}

}  // namespace mnist_dist
