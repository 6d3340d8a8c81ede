#pragma once
#include <memory>

#include "engine/slice_worker.h"

namespace mnist_dist {

/// The reference: LibTorch's own operators and autograd, over views into the flat vectors. It holds
/// no weights. Several may work at the same time, each on the thread that made it.
std::unique_ptr<SliceWorker> make_torch_worker(const EngineOptions& options);

/// One thread per operator, in this thread and in the pools of LibTorch and of the BLAS. Ours are
/// the only threads, and no result depends on how an operator was divided. Also configures the
/// allocator to keep freed memory.
void use_one_torch_thread();

}  // namespace mnist_dist
