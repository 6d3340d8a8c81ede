#include "comm/nccl_link.h"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <thread>
#include <utility>

#include "base/awake_clock.h"
#include "comm/liveness.h"

namespace mnist_dist {
namespace {

constexpr char hint[] = "set NCCL_DEBUG=WARN for details, or use --comm mpi";

void leave(ncclComm_t comm) {
  ncclResult_t state = ncclCommFinalize(comm);
  AwakeClock waited;
  while (state == ncclInProgress && waited.seconds() < liveness::nccl_parting_seconds) {
    std::this_thread::sleep_for(liveness::nap);
    if (ncclCommGetAsyncError(comm, &state) != ncclSuccess) break;
  }
  if (state == ncclSuccess)
    ncclCommDestroy(comm);
  else
    ncclCommAbort(comm);
}

}  // namespace

Parting::~Parting() {
  if (!done_.valid()) return;
  if (std::uncaught_exceptions() > 0)
    done_.wait_for(std::chrono::duration<double>(liveness::nccl_parting_seconds));
  else
    done_.wait();
}

void Parting::begin(std::function<void()> work) {
  std::packaged_task<void()> task(std::move(work));
  done_ = task.get_future();
  std::thread(std::move(task)).detach();
}

NcclLink::NcclLink(Communicator& group, int device, double timeout_seconds)
    : group_(group), device_(device), timeout_(timeout_seconds) {
  if (const cudaError_t error = cudaSetDevice(device); error != cudaSuccess)
    throw device_error(fmt::format("GPU {} cannot be used: {}", device, cudaGetErrorString(error)),
                       "run mnist-dist doctor");
  ncclUniqueId id{};
  if (group.rank() == 0) check(ncclGetUniqueId(&id), "ncclGetUniqueId");
  group.broadcast(std::as_writable_bytes(std::span(&id, 1)), 0);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;  // calls return at once, `watch` finds errors
  finish(ncclCommInitRankConfig(&comm_, group.size(), id, group.rank(), &config),
         "ncclCommInitRankConfig");
}

NcclLink::~NcclLink() { part(leave); }

void NcclLink::all_gather(const float* own, float* all, std::size_t count, const Queue& queue) {
  finish(ncclAllGather(own, all, count, ncclFloat, comm_, static_cast<cudaStream_t>(queue.stream)),
         "ncclAllGather");
}

void NcclLink::exchange(std::span<const TreeMessage> messages, const Queue& queue) {
  const auto stream = static_cast<cudaStream_t>(queue.stream);
  check(ncclGroupStart(), "ncclGroupStart");
  ncclResult_t result = ncclSuccess;
  for (const auto& [peer, sent, data] : messages)
    if (result == ncclSuccess || result == ncclInProgress)
      result = sent ? ncclSend(data.data(), data.size(), ncclFloat, peer, comm_, stream)
                    : ncclRecv(data.data(), data.size(), ncclFloat, peer, comm_, stream);
  // A group that has started must end, even if a call in it has failed.
  const ncclResult_t end = ncclGroupEnd();
  check(result, "ncclSend or ncclRecv");
  finish(end, "ncclGroupEnd");
}

void NcclLink::add(std::span<float> values, const Queue& queue) {
  finish(ncclAllReduce(values.data(), values.data(), values.size(), ncclFloat, ncclSum, comm_,
                       static_cast<cudaStream_t>(queue.stream)),
         "ncclAllReduce");
}

void NcclLink::watch(double waited_seconds) {
  ncclResult_t state = ncclSuccess;
  check(ncclCommGetAsyncError(comm_, &state), "ncclCommGetAsyncError");
  check(state, "communication");
  if (waited_seconds <= timeout_) return;
  abort();
  // Ranks that are gone do not come here: the group names them and ends the program. The others
  // have all waited too long.
  group_.barrier();
  throw on_all_ranks(
      device_error(fmt::format("the GPUs of {} ranks did not finish an all-reduce in {:.0f} s",
                               group_.size(), waited_seconds),
                   hint));
}

void NcclLink::check(ncclResult_t result, const char* call) {
  if (result == ncclSuccess || result == ncclInProgress) return;
  const char* const last = comm_ ? ncclGetLastError(comm_) : nullptr;
  const std::string more = last && *last ? fmt::format(" ({})", last) : "";
  abort();
  throw device_error(fmt::format("NCCL's {} failed: {}{}", call, ncclGetErrorString(result), more),
                     hint);
}

void NcclLink::part(void (*how)(ncclComm_t)) {
  if (!comm_) return;
  parting_.begin([how, device = device_, comm = std::exchange(comm_, nullptr)] {
    cudaSetDevice(device);  // per thread. NCCL would make a context on the first GPU
    how(comm);
  });
}

void NcclLink::abort() {
  part([](ncclComm_t comm) { ncclCommAbort(comm); });
}

void NcclLink::finish(ncclResult_t result, const char* call) {
  check(result, call);
  AwakeClock waited;
  ncclResult_t state = result;
  while (state == ncclInProgress) {
    watch(waited.seconds());
    check(ncclCommGetAsyncError(comm_, &state), call);
    // A step that is not recorded comes here: it should not wait longer than the call takes.
    if (waited.seconds() < 1e-3)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(liveness::nap);
  }
  check(state, call);
}

}  // namespace mnist_dist
