#pragma once
#include <memory>

#include "engine/slice_worker.h"

namespace mnist_dist {

/// The reference: LibTorch's own operators and autograd, over views into the flat vectors. It holds
/// no weights. Several may work at the same time, each on the thread that made it.
std::unique_ptr<SliceWorker> make_torch_worker(const EngineOptions& options);

/// One thread an operator, in this thread and in LibTorch's and the BLAS's own pools: ours are the
/// only threads, and no result depends on how an operator was cut up. Also has the allocator keep
/// what it freed.
void use_one_torch_thread();

}  // namespace mnist_dist
